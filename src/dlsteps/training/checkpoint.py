"""All that a run needs to go on as if nothing had happened, in one file, which is whole at any moment."""

import os
import zipfile
from pathlib import Path

import torch

from dlsteps.models.loading import compare_weights, first_few
from dlsteps.training import distributed
from dlsteps.training.callbacks import Best, Callback

FORMAT = 1


def save_checkpoint(trainer, path):
    """Write the state of a run: model, optimizer, scheduler, scaler, callbacks, epoch, step, seed, history.

    A new file is written beside `path` and then takes its place in one step, so a run that is killed at any moment
    leaves a whole file; the one before is kept as `<name>.previous<suffix>`. Under `torchrun` the first process writes.

    Raises TypeError if a callback's state cannot be read back safely; OSError, which names the file, if it could not be
    written. Then the file that was there is as it was.
    """
    if distributed.is_main():
        state = state_of(trainer)
        _check_plain(state, "the checkpoint")
        write_whole(state, Path(path))
    distributed.barrier()


def state_of(trainer):
    """What a run is, besides its code and its data."""
    return {
        "format": FORMAT,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "optimizer_class": _class(trainer.optimizer),
        "scheduler": trainer.scheduler.state_dict() if trainer.scheduler else None,
        "scheduler_class": _class(trainer.scheduler),
        "scaler": trainer.scaler.state_dict() if trainer.scaler else None,
        "callbacks": {name: callback.state_dict() for name, callback in _named(trainer.callbacks).items()},
        "epoch": trainer.epoch,
        "step": trainer.step,
        "stop": trainer.stop,
        "seed": trainer.seed,
        "history": list(trainer.history),
    }


def write_whole(state, path):
    """`torch.save` so that `path` is at any moment either the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new, previous = path.with_name(f".{path.name}.new"), previous_of(path)
    try:
        with open(new, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # on the disk, before its name is
        if path.exists():
            _keep(path, previous)
        os.replace(new, path)
        _sync_folder(path.parent)
    except BaseException as error:  # Ctrl-C, too
        new.unlink(missing_ok=True)
        if isinstance(error, OSError | RuntimeError):  # torch raises RuntimeError when a disk is full
            raise OSError(f"'{path}' could not be written, the one before is as it was: {error}") from None
        raise


def previous_of(path):
    """Where the checkpoint before `path` is kept: last.pt, last.previous.pt."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def _keep(path, previous):
    """A second name for the file that is about to be replaced, without copying it where the disk can do that."""
    link = path.with_name(f".{previous.name}.new")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:  # FAT, some network drives
        link.write_bytes(path.read_bytes())
    os.replace(link, previous)


def _sync_folder(folder):
    """Make the new name last, too; Windows has no such thing."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _named(callbacks):
    """{name: callback}; the second EarlyStopping is "EarlyStopping 2"."""
    named, counts = {}, {}
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] = counts.get(name, 0) + 1
        named[name if counts[name] == 1 else f"{name} {counts[name]}"] = callback
    return named


def _class(part):
    return None if part is None else type(part).__name__


PLAIN = (bool, int, float, complex, str, bytes, type(None))  # just these: a NumPy float is a float, too, and not read


def _check_plain(value, where):
    """Raise TypeError for what could only be read back by running code."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_plain(inner, f"{where}, {key!r}")
    elif isinstance(value, list | tuple | set):
        for inner in value:
            _check_plain(inner, where)
    elif type(value) not in PLAIN and not isinstance(value, torch.Tensor):
        raise TypeError(
            f"in {where} there is a {type(value).__name__}: numbers, strings, lists, dicts and tensors only"
        )


# Resuming


def resume(trainer, path):
    """Put a run back to where `save_checkpoint` found it: call it before `fit`, with all made as it was then.

    `path`: a file, or the folder of a `Checkpoint`, whose last.pt is taken. Reads with `weights_only=True`.

    Raises FileNotFoundError; ValueError if the file is damaged (it names the one before), no checkpoint of ours, of a
    newer format, or of another run: model, optimizer, scheduler, precision, callbacks, seed. Then nothing is changed.
    """
    path = Path(path)
    path = path / "last.pt" if path.is_dir() else path
    state = read_checkpoint(path)
    found = differences(trainer, state)
    if found:
        raise ValueError(f"'{path}' is from another run: {'; '.join(found)}")
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    for name, part in (("scheduler", trainer.scheduler), ("scaler", trainer.scaler)):
        if part is not None:
            part.load_state_dict(state[name])
    for name, callback in _named(trainer.callbacks).items():
        if name in state["callbacks"]:
            callback.load_state_dict(state["callbacks"][name])
    trainer.epoch, trainer.step, trainer.stop = state["epoch"], state["step"], state["stop"]
    trainer.history[:] = state["history"]


def read_checkpoint(path):
    """What `save_checkpoint` wrote, on the CPU; for what is raised see `resume`."""
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint '{path}'" + _offer(path))
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()  # torch itself does not compare the checksums
        state = None if damaged else torch.load(path, weights_only=True, map_location="cpu")
    except zipfile.BadZipFile:
        state = None
    except Exception as error:
        raise ValueError(
            f"'{path}' cannot be read without running code from it, so it was not: {_first(error)}"
        ) from None
    if state is None:
        raise ValueError(f"'{path}' is damaged or no checkpoint" + _offer(path))
    if not isinstance(state, dict) or "format" not in state:
        raise ValueError(f"'{path}' was not written by save_checkpoint; for weights alone: load_matching(model, …)")
    if state["format"] > FORMAT:
        raise ValueError(f"'{path}' has format {state['format']}, this dlsteps knows up to {FORMAT}: update dlsteps")
    return state


def differences(trainer, state):
    """In words, what keeps a checkpoint from continuing in this trainer."""
    found = _different_weights(trainer.model, state["model"])
    for what in ("optimizer", "scheduler"):
        ours, theirs = _class(getattr(trainer, what)), state[f"{what}_class"]
        if ours != theirs:
            found.append(f"{what} {theirs} there, {ours} here")
    groups = [len(group["params"]) for group in trainer.optimizer.param_groups]
    theirs = [len(group["params"]) for group in state["optimizer"]["param_groups"]]
    if groups != theirs:
        found.append(f"parameters in the groups of the optimizer: {theirs} there, {groups} here")
    if (trainer.scaler is None) != (state["scaler"] is None):
        found.append(f"float16 {'here' if trainer.scaler else 'there'} only")
    if state["seed"] != trainer.seed:
        found.append(f"seed {state['seed']} there, {trainer.seed} here")
    names, theirs = set(_named(trainer.callbacks)), {name for name, kept in state["callbacks"].items() if kept}
    if theirs - names:
        found.append(f"callbacks with a state there only: {', '.join(sorted(theirs - names))}")
    return found


def _different_weights(model, weights):
    report = compare_weights(model, weights)
    shapes = [name for name, *_ in report.mismatched]
    kinds = (("missing", report.missing), ("unexpected", report.unexpected), ("another shape", shapes))
    return [f"{kind} {len(names)}: {first_few(names, 3)}" for kind, names in kinds if names]


def _offer(path):
    previous = previous_of(path)
    return f"; the one before it is '{previous}'" if previous.is_file() else ""


def _first(error):
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


class Checkpoint(Callback):
    """After each epoch write `last.pt` in `folder`, and `best.pt` whenever `monitor` is better than ever."""

    def __init__(self, folder, monitor=None, mode="min"):
        """monitor: by default valid_loss, without validation train_loss."""
        self.folder, self.best, self.monitor = Path(folder), None, monitor
        self.mode = mode

    def on_epoch_end(self, trainer):
        """Here, and not when saving, so that what is saved knows already that it is the best."""
        if self.best is None:
            record = trainer.history[-1]
            self.best = Best(self.monitor or ("valid_loss" if "valid_loss" in record else "train_loss"), self.mode)
        self.improved = self.best.better(trainer.history)

    def on_checkpoint(self, trainer):
        save_checkpoint(trainer, self.folder / "last.pt")
        if self.improved:
            save_checkpoint(trainer, self.folder / "best.pt")

    def state_dict(self):
        return {"monitor": self.best.monitor, "value": self.best.value} if self.best else {}

    def load_state_dict(self, state):
        if state:
            self.best = Best(state["monitor"], self.mode)
            self.best.value = state["value"]
