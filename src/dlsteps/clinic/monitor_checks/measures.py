"""Numbers that say how a network is doing, cheaply, from tensors or modules alone."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

SAMPLED = 2**14  # so many values of a parameter say how far it moved
SAMPLES = 64  # so many samples of a batch say whether units and outputs are constant
SAME = 1e-6  # outputs that differ by less than this part of their size: rounding


def total(parts):
    sums = [x.sum(dtype=torch.float32) for x in parts if x.is_floating_point()]
    return torch.stack(sums).sum() if sums else torch.zeros(())


class Zero:
    """Which units gave 0 for all samples, and how many values of each that were."""

    def __init__(self, mask, count):
        self.mask, self.count = mask, count

    def __and__(self, other):
        return Zero(self.mask & other.mask, self.count + other.count)


def always_zero(x, kind, channels):
    """x: (B, C, …) into a convolution, (…, F) into a linear layer; channels: of the convolution just before that."""
    if kind == "linear" and channels and x.ndim == 2 and x.shape[1] % channels == 0:
        x, kind = x.view(len(x), channels, -1), "conv"  # a flattened picture: whole channels count, not places in it
    dims = [0, *range(2, x.ndim)] if kind == "conv" else list(range(x.ndim - 1))
    largest = x.amax(dim=dims) if dims else x
    return Zero(largest == 0, x.numel() // max(1, largest.numel()))


def kind_of(weight, x):
    """Whether it is "conv" or "linear", by the shapes of weight and input; None for anything else."""
    if not isinstance(weight, torch.Tensor):
        return None
    if weight.ndim == 2 and x.ndim >= 2 and weight.shape[1] == x.shape[-1]:
        return "linear"
    return "conv" if weight.ndim >= 3 and weight.ndim == x.ndim else None


def asleep(model, layers, awake):
    """Names of layers in eval mode that behave differently there, and that belong to something that trains."""
    return [
        layers[module] or "the model"
        for module, training in awake.items()
        if not training and depends_on_mode(module) and belongs_to_trained(model, layers[module])
    ]


def depends_on_mode(module):
    dropout = getattr(module, "dropout", 0)  # of an nn.LSTM or nn.MultiheadAttention
    return (
        (isinstance(module, _DropoutNd) and module.p > 0)
        or (isinstance(module, _BatchNorm | nn.modules.instancenorm._InstanceNorm) and module.track_running_stats)
        or (isinstance(dropout, float) and dropout > 0)
    )


def belongs_to_trained(model, name):
    """Whether the layer, or if it has no parameters the smallest part around it that has some, can train."""
    while True:
        module = model.get_submodule(name)
        parameters = list(module.parameters())
        if parameters or not name:
            return any(p.requires_grad for p in parameters)
        name = name.rpartition(".")[0]


def spread(heard):
    """How far the outputs for a batch differ, as a part of their size; None if that cannot be said.

    1.0 if the inputs are the same, too: then the outputs may be.
    """
    if not heard:
        return None
    inputs, outputs = heard[-1]
    out = next((y for y in outputs if y.is_floating_point()), None)
    x = next(iter(inputs), None)
    if out is None or x is None or out.ndim < 1 or x.ndim < 1 or out.dtype.itemsize < 4:  # half: may round to the same
        return None
    if len(out) < 2 or len(out) != len(x):
        return None
    out, x = out[:SAMPLES], x[:SAMPLES]
    share = ((out - out[:1]).abs().max() / out.abs().max().clamp(min=1e-30)).item()
    return 1.0 if share <= SAME and bool((x == x[:1]).all()) else share


def sample(parameter):
    """At most about `SAMPLED` values of a parameter, always the same ones; a view where that is possible."""
    flat = parameter.detach().reshape(-1)
    return flat[:: (flat.numel() // SAMPLED) | 1]  # odd: not the same column of each row


def rms(x):
    """Root mean square, as a tensor: no waiting for a GPU."""
    x = x.detach()
    x = x.coalesce().values() if x.is_sparse else x
    return x.norm(dtype=torch.float32 if x.dtype.itemsize < 4 else None) / max(1, x.numel()) ** 0.5


def numbers(scalars):
    """Tensors without dimensions to floats, all at once."""
    if not scalars:
        return []
    return torch.stack([x.to(scalars[0].device, torch.float32) for x in scalars]).tolist()
