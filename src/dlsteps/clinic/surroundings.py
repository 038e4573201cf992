"""What a learner's function can reach besides its arguments is put back; what it prints and draws is swallowed."""

import contextlib
import copy
import functools
import inspect
import io
import sys
import types
import warnings

from torch import nn

from dlsteps.clinic.sandbox import untouched

DEEP = 4  # how far from one function to the next that it names


def names_in(code):
    """Global names that a function's compiled code uses, inner functions included."""
    inner = [names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*inner)


def reachable(thing, deep=DEEP, seen=None):
    """Objects that a function can change without being given them: globals it names, closures, its own object's."""
    seen = {} if seen is None else seen
    if deep == 0 or id(thing) in seen:
        return seen
    seen[id(thing)] = thing
    if isinstance(thing, functools.partial):
        parts = [thing.func, *thing.args, *thing.keywords.values()]
    elif isinstance(thing, types.MethodType):
        parts = [thing.__func__, thing.__self__, *getattr(thing.__self__, "__dict__", {}).values()]
    elif isinstance(thing, types.FunctionType):
        function = inspect.unwrap(thing)
        names = names_in(function.__code__)
        parts = [value for name, value in function.__globals__.items() if name in names]
        parts += [cell.cell_contents for cell in function.__closure__ or () if cell != types.CellType()]
    else:
        parts = []
    for part in parts:
        reachable(part, deep - 1, seen)
    return seen


def state_of(thing):
    """A copy of its state; None if it has none that can be copied."""
    try:
        return copy.deepcopy(thing.state_dict())
    except Exception:
        return None


@contextlib.contextmanager
def protected(*functions):
    """Models, optimizers, schedulers, lists and dicts that these functions reach are afterwards as before."""
    found = {key: value for function in functions for key, value in reachable(function).items()}
    models = [value for value in found.values() if isinstance(value, nn.Module)]
    others = [value for value in found.values() if not isinstance(value, type | nn.Module)]
    stateful = [value for value in others if hasattr(value, "state_dict") and hasattr(value, "load_state_dict")]
    states = [(value, state) for value in stateful if (state := state_of(value)) is not None]
    lists = [(value, value.copy()) for value in others if type(value) in (list, dict)]
    try:
        with untouched(*models):
            yield
    finally:
        for value, state in states:
            value.load_state_dict(state)
        for value, state in lists:
            value.clear()
            (value.extend if isinstance(value, list) else value.update)(state)


@contextlib.contextmanager
def quiet():
    """Inside, nothing is printed, shown or warned of; figures that were opened are closed."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(_no_figures())
        yield


@contextlib.contextmanager
def _no_figures():
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        yield
        return
    before, show = set(plt.get_fignums()), plt.show
    plt.show = lambda *_, **__: None
    try:
        yield
    finally:
        plt.show = show
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
