"""Weights: read safely, load what fits, copy a part of one network into another, keep a part as it is."""

import difflib
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # what BatchNorm1d, 2d, 3d and SyncBatchNorm have in common

# Reading a file


def read_weights(path):
    """What `torch.save(model.state_dict(), path)` wrote: {name: tensor}, on the CPU. Runs no code from the file.

    A checkpoint (a dictionary of state dicts and numbers) comes back as it is; `load_matching` says which key to take.

    Raises FileNotFoundError; ValueError for a whole pickled model, and for what is no checkpoint or not whole.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file '{path}'")
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises five kinds, and none names the file
        raise ValueError(_why_unreadable(path, str(error))) from None


def _why_unreadable(path, message):
    with open(path, "rb") as file:
        start = file.read(8)
    if start[:2] not in (b"PK", b"\x80\x02"):  # a zip file, and the format before torch 1.6
        return f"'{path}' is not a checkpoint: it begins with {start!r}"
    if blocked := re.search(r"GLOBAL (\S+)", message):
        return (
            f"'{path}' holds whole Python objects ({blocked[1]}), and unpickling them runs code: save "
            "model.state_dict() instead; torch.load(path, weights_only=False) only if you trust who made it"
        )
    return f"'{path}' is truncated, damaged or no checkpoint: copy or download it again"


# Loading what fits


class LoadReport(NamedTuple):
    """What `load_matching` did, by name; printed, the first few of each."""

    loaded: list
    missing: list  # in the model, not in the state dict
    unexpected: list  # in the state dict, not in the model
    mismatched: list  # (name, shape in the model, shape in the state dict)

    def __repr__(self):
        there = len(self.loaded) + len(self.missing) + len(self.mismatched)
        shapes = [f"{name} {ours} here, {theirs} there" for name, ours, theirs in self.mismatched]
        lines = [f"loaded {len(self.loaded)} of {there}"]
        for word, names in (("missing", self.missing), ("unexpected", self.unexpected), ("mismatched", shapes)):
            lines.append(f"{word} {len(names)}" + (": " if names else "") + first_few(names))
        return "\n".join(lines)

    __str__ = __repr__


def load_matching(model, state_dict):
    """Copy into `model` each value whose name and shape it has, and leave the rest alone.

    `state_dict`: {name: tensor}, as `read_weights` gives it. Returns a `LoadReport`.

    Raises TypeError for a whole model and for what is not names and tensors; ValueError for a checkpoint that has the
    weights inside, for names that begin with "module.", and if no name is the model's.
    """
    _check_state_dict(state_dict)
    _check_names(model.state_dict(), state_dict)
    model.load_state_dict(matching(model, state_dict), strict=False)
    return compare_weights(model, state_dict)


# lesson 07
def matching(model, state_dict):
    """{name: value} of what `model` has, too, by that name and in that shape."""
    ours = model.state_dict()
    return {name: value for name, value in state_dict.items() if name in ours and ours[name].shape == value.shape}


def compare_weights(model, state_dict):
    """A `LoadReport` on what `load_matching` would do; nothing is loaded."""
    ours, theirs = _shapes(model.state_dict()), _shapes(state_dict)
    return LoadReport(
        loaded=[name for name in ours if ours[name] == theirs.get(name)],
        missing=[name for name in ours if name not in theirs],
        unexpected=[name for name in theirs if name not in ours],
        mismatched=[(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs.get(name, ours[name])],
    )


def _check_state_dict(given):
    if isinstance(given, nn.Module):
        raise TypeError(f"a whole model ({type(given).__name__}) instead of its weights: give its .state_dict()")
    if _is_state_dict(given):
        return
    if not isinstance(given, Mapping) or not given:
        what = "an empty one" if isinstance(given, Mapping) else type(given).__name__
        raise TypeError(f"a state dict is a dictionary of names and tensors, but this is {what}")
    inside = [key for key, value in given.items() if _is_state_dict(value)]
    if inside:
        choices = " or ".join(f"checkpoint[{key!r}]" for key in inside)
        raise ValueError(f"this is a checkpoint with keys {first_few(map(repr, given))}: its weights are {choices}")
    key, value = next((k, v) for k, v in given.items() if not (isinstance(k, str) and isinstance(v, torch.Tensor)))
    raise TypeError(f"a state dict is a dictionary of names and tensors, but {key!r} is {type(value).__name__}")


def _is_state_dict(given):
    if not isinstance(given, Mapping) or not given:
        return False
    return all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in given.items())


WRAPPERS = {"module.": "DataParallel or DistributedDataParallel", "_orig_mod.": "torch.compile"}


def _check_names(ours, theirs):
    """Raise unless some names are the same; names with a wrapper's prefix are explained."""
    for prefix, wrapper in WRAPPERS.items():
        if all(name.startswith(prefix) for name in theirs) and not any(name.startswith(prefix) for name in ours):
            way = f'{{name.removeprefix("{prefix}"): value for name, value in state_dict.items()}}'
            raise ValueError(f"the names begin with '{prefix}', as {wrapper} saves them: load {way}")
    if not any(name in ours for name in theirs):
        raise ValueError(
            "no name in the state dict is one of the model's: "
            f"'{next(iter(theirs))}' there, '{next(iter(ours), '(nothing)')}' in the model"
        )


def first_few(names, most=6):
    names = list(names)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


# Copying a part


def copy_submodule(src, dst, name):
    """Copy the values of `src.<name>` into `dst.<name>`, once: what either learns later, the other does not.

    `name`: as in `named_modules`, such as "feature_extractor" or "feature_extractor.blocks.0".

    Raises ValueError if one of them has no such submodule, or if names or shapes differ; then nothing is copied.
    """
    source, target = _submodule(src, name), _submodule(dst, name)
    theirs, ours = _shapes(source.state_dict()), _shapes(target.state_dict())
    for key in {**theirs, **ours}:
        if theirs.get(key) != ours.get(key):
            there, here = theirs.get(key, "missing"), ours.get(key, "missing")
            raise ValueError(f"'{name}.{key}' differs, so nothing was copied: {there} in src, {here} in dst")
    target.load_state_dict(source.state_dict())


def _shapes(state_dict):
    return {name: tuple(value.shape) for name, value in state_dict.items()}


def _submodule(model, name):
    modules = dict(model.named_modules(remove_duplicate=False))
    if name in modules:
        return modules[name]
    near = difflib.get_close_matches(name, modules, n=3) or [child for child, _ in model.named_children()]
    raise ValueError(f"{type(model).__name__} has no submodule {name!r}: choose from {first_few(map(repr, near))}")


# Keeping a part as it is


def freeze(module):
    """Keep `module` as it is while the rest trains: its parameters, and the statistics of its BatchNorm layers.

    `requires_grad = False` alone would not do: in train mode BatchNorm goes on averaging what it sees. Its layers
    stay in eval mode here, also after a later `model.train()`. Dropout follows `model.train()` as ever.

    Returns the module. Give the optimizer only what trains: `[p for p in model.parameters() if p.requires_grad]`.
    """
    for parameter in module.parameters():
        parameter.requires_grad = False
        parameter.grad = None  # an optimizer that holds the parameter would take one more step along it
    for layer in _batch_norms(module):
        if "train" not in vars(layer):
            layer.train, mode = functools.partial(_stay_in_eval, layer), layer.training
            layer.train(mode)
    return module


def unfreeze(module):
    """Undo `freeze`: all parameters of `module` train again, and its BatchNorm layers follow `model.train()`."""
    for parameter in module.parameters():
        parameter.requires_grad = True
    for layer in _batch_norms(module):
        if "train" in vars(layer):
            del layer.train  # the class's method again
            layer.train(vars(layer).pop("mode_if_unfrozen"))
    return module


def _stay_in_eval(layer, mode=True):
    """The `train` of a frozen BatchNorm layer.

    Of the ways to keep it still, this one shows in `layer.training`, changes neither `forward` (so compiling and
    exporting go on working) nor the class nor the names in the state dict, and as a `partial` of a function of this
    module it is copied and pickled along with its layer. A hook would flip the mode in the middle of a forward pass.
    """
    layer.mode_if_unfrozen = mode
    layer.training = False
    return layer


def _batch_norms(module):
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
