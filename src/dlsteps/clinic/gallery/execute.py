"""Running a program's text so that nothing outside changes, whatever it does."""

import ast
import contextlib
import functools
import traceback

import torch

import dlsteps.data
from dlsteps.clinic.report import describe
from dlsteps.clinic.sandbox import untouched
from dlsteps.clinic.surroundings import quiet

NAME = "<program>"


def load_digits5k():
    """As the course's function, but the file is read once, which takes longer than a training."""
    return tuple(part.clone() for part in _digits())


@functools.cache
def _digits():
    return dlsteps.data.digits.load_digits5k()


FrameDataset = functools.cache(dlsteps.data.FrameDataset)


@contextlib.contextmanager
def remembered():
    """Inside, data that was loaded before is not loaded again."""
    ours = {"load_digits5k": load_digits5k, "FrameDataset": FrameDataset}
    before = {name: getattr(dlsteps.data, name) for name in ours}
    try:
        vars(dlsteps.data).update(ours)
        yield
    finally:
        vars(dlsteps.data).update(before)


@contextlib.contextmanager
def torch_as_before():
    """Afterwards torch's global switches are as they were."""
    kind, threads, device = torch.get_default_dtype(), torch.get_num_threads(), torch.get_default_device()
    strict, anomalies = torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled()
    try:
        yield
    finally:
        torch.set_default_dtype(kind)
        torch.set_num_threads(threads)
        torch.set_default_device(None if device.type == "cpu" else device)
        torch.use_deterministic_algorithms(strict)
        torch.autograd.set_detect_anomaly(anomalies)


@contextlib.contextmanager
def isolated():
    """Inside, nothing is printed or shown; afterwards random states, warnings and torch's switches are as before."""
    with quiet(), untouched(), torch_as_before(), remembered(), torch.enable_grad():
        yield


def execute(code, namespace):
    """Run a text, or parts of it; what went wrong as one line with the line's number, or None."""
    try:
        exec(code if not isinstance(code, str) else compile(code, NAME, "exec"), namespace)
    except (Exception, SystemExit) as error:
        return where(error)
    return None


def where(error):
    """The line of the program where it failed, and why."""
    if isinstance(error, SyntaxError) and error.filename == NAME:
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME]
    return f"line {lines[-1]}: {describe(error)}" if lines else describe(error)


def halves(text):
    """(what comes before `history = …`, what comes after), compiled: what prepares the training, and the training."""
    body = ast.parse(text, NAME).body
    begins = [i for i, statement in enumerate(body) if makes_history(statement)]
    cut = begins[0] if begins else len(body)
    parts = body[:cut], body[cut + 1 :]
    return tuple(compile(ast.Module(part, []), NAME, "exec") for part in parts)


def makes_history(statement):
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == "history" for target in targets)


def prepared(text):
    """The namespace of a program that has not trained yet. Raises what the program raises."""
    namespace = {"__name__": "__main__"}
    exec(halves(text)[0], namespace)
    return namespace
