"""What is written down of a run of the learner's function."""

from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class Call:
    """A call of the model, or of a part of it that the learner's code calls by itself."""

    module: nn.Module
    name: str
    batch: int | None  # number of the batch that the loader gave last
    inputs: tuple  # (args, kwargs)
    modes: list  # of all parts of the whole model
    grad: bool  # gradients were enabled
    output: object = None
    attached: bool = False  # the output hangs on a graph


@dataclass
class Loss:
    batch: int | None
    inputs: list  # tensors, usually [output, target]
    attached: list  # for each: does it hang on a graph
    value: float
    has_graph: bool


@dataclass
class Step:
    given: bool  # by the optimizer that the function was given
    optimizer: object
    norm: float  # of the whole gradient; 0 without one


@dataclass
class Run:
    """What happened in one call of the learner's function."""

    batches: list
    read: list = field(default_factory=list)  # numbers of the batches that were asked for
    calls: list = field(default_factory=list)
    losses: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    backwards: list = field(default_factory=list)  # for each: does what it was called on hang on a graph
    gradients: dict = field(default_factory=dict)  # {parameter that got a gradient: its largest value}
    stale: dict = field(default_factory=dict)  # {number of steps before: [old gradient squared, new one squared]}
    cuts: list = field(default_factory=list)  # (module whose output was cut off, module that got it)
    with_graph: set = field(default_factory=set)  # names of modules whose output hung on a graph
    before: dict = field(default_factory=dict)  # the model's state
    changed: set = field(default_factory=set)  # names of what differs from it afterwards
    result: object = None
    error: Exception | None = None

    @property
    def batch(self):
        return self.read[-1] if self.read else None

    def calls_of(self, batch):
        return [call for call in self.calls if call.batch == batch]

    def losses_of(self, batch):
        return [loss for loss in self.losses if loss.batch == batch]


def size_of(gradient):
    """Its norm as a number; sparse ones too."""
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    return values.detach().float().norm().item()


def same(a, b):
    """Equal in all elements; nan is equal to nan."""
    if not isinstance(a, torch.Tensor):
        return True  # a module's extra state: no weight
    return isinstance(b, torch.Tensor) and a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())
