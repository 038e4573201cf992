"""What the checks look at: copies of the learner's model, loss and optimizer, and a few batches taken apart."""

import contextlib
import copy
import functools
import time
from collections.abc import Mapping
from typing import NamedTuple

import torch

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.report import Skip, describe
from dlsteps.training.batches import batch_size, split_batch, to_device

SECONDS = 4.0  # for all checks; those that train share what is left
FEW = 16  # samples of a batch, where more would not change the verdict


def attempt(who, function, *args, **kwargs):
    """Call what the learner wrote; an exception becomes the reason of a `Skip`."""
    try:
        return function(*args, **kwargs)
    except Skip:
        raise
    except (Exception, SystemExit) as error:
        raise Skip(f"{who} raised {describe(error)}") from None


# Batches


class Batch(NamedTuple):
    inputs: tuple  # what the model is called with
    named: dict
    target: object
    size: int


def as_batch(raw, device):
    """Raises Skip for what is no batch. A batch of one part is its own target, as for an autoencoder."""
    raw = to_device(raw, device)
    if isinstance(raw, torch.Tensor):
        raw = [raw]
    if isinstance(raw, list | tuple) and len(raw) == 1:
        raw = (raw[0], raw[0])
    inputs, named, target = attempt("the batch", split_batch, raw)
    size = attempt("the target", batch_size, target)
    return Batch(tuple(inputs), dict(named), target, size)


def size_of(raw):
    with contextlib.suppress(Exception):
        return as_batch(raw, torch.device("cpu")).size
    return 1


def change(tree, function):
    """The same tree with `function` of each tensor. Raises Skip where something is neither tensor nor container."""
    if isinstance(tree, torch.Tensor):
        return function(tree)
    if isinstance(tree, Mapping):
        return {name: change(value, function) for name, value in tree.items()}
    if isinstance(tree, list | tuple) and not hasattr(tree, "batch_sizes"):  # which a PackedSequence has
        parts = [change(part, function) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise Skip(f"samples of a {type(tree).__name__} cannot be taken apart")


def along(tensor, size):
    """The dimension that holds the samples: 0, or 1 for sequences that come time first; None if neither."""
    return next((d for d in (0, 1) if tensor.ndim > d and tensor.shape[d] == size), None)


def take(batch, index):
    """The samples of a batch with these numbers."""
    index = torch.as_tensor(index)

    def pick(tensor):
        dim = along(tensor, batch.size)
        return tensor if dim is None else tensor.index_select(dim, index.to(tensor.device))

    inputs, named, target = (change(part, pick) for part in (batch.inputs, batch.named, batch.target))
    return Batch(inputs, named, target, len(index))


def first(batch, count):
    return batch if batch.size <= count else take(batch, range(count))


def rows(tree, size):
    """What belongs to each sample, side by side: (B, D) float64 of all floating tensors."""
    found = []
    for tensor in tensors(tree):
        dim = along(tensor, size)
        if dim is not None and (tensor.is_floating_point() or tensor.dtype in (torch.int64, torch.uint8, torch.int32)):
            found.append(tensor.detach().movedim(dim, 0).flatten(1) if tensor.ndim > 1 else tensor.detach()[:, None])
    if not found:
        raise Skip(f"no tensor has the batch's {size} samples along its first dimensions")
    return torch.cat([part.to(torch.float64) for part in found], dim=1)


# Model, loss and optimizer


class Case:
    """Copies that the checks may do with as they like. `copied`: False if that failed, then they are the originals."""

    def __init__(self, model, loss_fn, optimizer, batches):
        self.originals = model, loss_fn, optimizer
        try:
            self.model, self.loss_fn, self.optimizer = self.copies()
            self.copied = True
        except Skip:
            (self.model, self.loss_fn, self.optimizer), self.copied = self.originals, False
        self.batches, self.start = batches, time.perf_counter()

    def seconds(self):
        """For the next attempt at training: a third of what is left, so that all take a few seconds together."""
        left = SECONDS - (time.perf_counter() - self.start)
        return max(0.3, min(1.0, left / 3))

    def copies(self):
        """New copies of the three, as they were given; the optimizer moves the copied model."""
        return attempt("copying the model", copy_together, *self.originals)

    @property
    def batch(self):
        if not self.batches:
            raise Skip("there is no batch to look at")
        return self.batches[0]

    @functools.cached_property
    def few(self):
        try:
            return first(self.batch, FEW)
        except Skip:  # an object that only the model can take apart
            return self.batch

    def output(self, batch, train=True, model=None):
        return forward(model or self.model, batch, train)

    def loss(self, batch, model=None):
        """(output, loss), in train mode."""
        output = self.output(batch, model=model)
        return output, loss_of(self.loss_fn, output, batch.target)


def copy_together(model, loss_fn, optimizer):
    memo = {id(value): value for _, value in uncopied(model)}
    model, loss_fn, twin = copy.deepcopy((model, loss_fn, optimizer), memo)
    for name, value in vars(optimizer).items() if optimizer is not None else ():
        if name not in vars(twin) and isinstance(value, list | type(None)):  # LBFGS keeps a list of its own
            setattr(twin, name, copy.deepcopy(value, memo))
    return model, loss_fn, twin


def uncopied(model):
    """[(name, value)] of attributes that cannot be copied, such as open files: a copy of the model shares them."""
    found = []
    for where, module in model.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or isinstance(value, torch.Tensor | bool | int | float | str | type(None)):
                continue
            try:
                copy.deepcopy(value)
            except Exception:
                found.append((f"{where}.{name}" if where else name, value))
    return found


def twin_of(model):
    """A copy. Raises Skip if there can be none."""
    return attempt("copying the model", lambda: copy_together(model, None, None)[0])


def forward(model, batch, train=True, seed=0):
    """The output. What is random in a model comes out the same each time."""
    model.train(train)
    torch.manual_seed(seed)
    return attempt("the model", model, *batch.inputs, **batch.named)


def loss_of(loss_fn, output, target):
    """The loss as a scalar tensor; the mean, where there is one for each sample."""
    loss = attempt("the loss", loss_fn, output, target)
    if isinstance(loss, float | int):
        loss = torch.tensor(float(loss))
    if not isinstance(loss, torch.Tensor):
        raise Skip(f"loss_fn returned {'None' if loss is None else 'a ' + type(loss).__name__}, no tensor")
    return loss if loss.ndim == 0 else loss.mean()


def gradients(loss, parameters):
    """{name: gradient or None}; nothing is added to `.grad`."""
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, retain_graph=True)
    return dict(zip(parameters, found, strict=True))
