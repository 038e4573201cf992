"""What a network is made of, layer by layer: shapes, parameters, multiplications, and how far each number sees."""

from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from dlsteps.models.modes import eval_mode
from dlsteps.tables import table


class Row(NamedTuple):
    """One layer of a `Summary`, or several together."""

    name: str  # as in `named_modules`
    kind: str  # the class
    shape: tuple  # of the output, batch first
    parameters: int
    multiply_adds: int  # for one sample
    field: int | None  # pixels of the input along one side that one number depends on; None: all of them


class Summary(tuple):
    """The `Row`s of a network, in the order in which the input passes them; printed, a table with their sum."""

    def __repr__(self):
        heading = ("layer", "", "output", "parameters", "multiply-adds", "sees")
        cells = [
            (row.name, row.kind, str(row.shape), f"{row.parameters:,}", f"{row.multiply_adds:,}", _field(row.field))
            for row in self
        ]
        sums = [f"{sum(getattr(row, what) for row in self):,}" for what in ("parameters", "multiply_adds")]
        return table([heading, *cells, ("sum", "", "", *sums, "")], "<<<>>>")


def summary(model, x, depth=None):
    """Send `x` through `model` in eval mode, and note what each layer does to it; returns a `Summary`.

    Args:
        x: a batch of inputs, (B, …).
        depth: None for a row each layer; 1 to sum up each child of the model, 2 each grandchild, …

    A row is a layer that holds no others, or has parameters of its own. Each parameter counts once, where `x` first
    comes by; those of layers that `x` does not pass count with the module around them.

    Only `Conv2d` and `Linear` count as multiply-adds (normalisations and activations cost little beside them), once
    each time they are used. What is done outside of modules (`x + y`, `F.avg_pool2d`) is not noticed.

    `field` takes it that layers follow one another; a way around, as in a residual block, changes nothing about it as
    long as it has no stride. For square kernels, and without what enlarges a picture; adaptive pooling sees all.
    """
    layers = []
    hooks = [layer.register_forward_hook(partial(_note, layers, name)) for name, layer in model.named_modules()]
    try:
        with torch.no_grad(), eval_mode(model):
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    rows = _rows(layers, len(x))
    return Summary(rows if depth is None else _sum_up(rows, model, depth))


def _note(layers, name, layer, inputs, output):
    while isinstance(output, tuple | list | dict) and output:  # a recurrent layer gives its states, too
        output = next(iter(output.values() if isinstance(output, dict) else output))
    shape = getattr(output, "shape", ())
    layers.append((name, layer, torch.empty(shape, device="meta")))  # the numbers themselves need not be kept


# lesson 06
def multiply_adds(layer, output):
    """Multiplications of a convolution or linear layer for one sample, of which `output` (B, …) holds the results."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return 0
    return output[0].numel() * layer.weight[0].numel()  # each number of the output is one neuron's work


def _rows(layers, samples):
    field, step, seen = 1, 1, set()
    for name, layer, output in layers:
        field, step = _look(layer, output, field, step)
        new = set(layer.parameters()) - seen  # not those of layers inside it, which came before
        seen |= new
        # output[0] may be less than a sample, or more: (B * T, D), (T, B, D)
        cost = multiply_adds(layer, output) * output.shape[:1].numel() // samples
        if new or cost or not list(layer.children()):
            parameters = sum(value.numel() for value in new)
            yield Row(name, type(layer).__name__, tuple(output.shape), parameters, cost, field)


def _look(layer, output, field, step):
    """How many pixels a number sees after `layer`, and how far apart neighbouring numbers look."""
    if field is None or isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return None, None
    if isinstance(layer, nn.Linear) and output.dim() == 2:  # with more axes it stays in its place, as a 1 x 1 kernel
        return None, None
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        kernel_size, stride, dilation = (
            _first(getattr(layer, key, 1)) for key in ("kernel_size", "stride", "dilation")
        )
        return field + (kernel_size - 1) * dilation * step, step * stride
    return field, step


def _sum_up(rows, model, depth):
    """One row for all rows whose names begin with the same `depth` parts: their sums, and the last one's output."""
    kinds = {name: type(module).__name__ for name, module in model.named_modules()}
    groups = {}
    for row in rows:
        groups.setdefault(".".join(row.name.split(".")[:depth]), []).append(row)
    for name, group in groups.items():
        sums = [sum(getattr(row, what) for row in group) for what in ("parameters", "multiply_adds")]
        yield Row(name, kinds[name], group[-1].shape, *sums, group[-1].field)


def _first(size):
    return size[0] if isinstance(size, tuple) else size


def _field(field):
    return "all" if field is None else f"{field} x {field}"
