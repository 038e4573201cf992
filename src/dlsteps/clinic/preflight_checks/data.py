"""Checks of inputs: finite, of a sensible scale, channels where they belong."""

import torch

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.report import Finding, Skip

LARGE = 10.0  # root mean square; pixels 0 … 255 have 80 to 150, normalised inputs 1
SMALL = 0.02
SCALES = 100.0  # between the standard deviations of columns of a table
ROUGH = 1.3  # neighbours differ so much more than in the other order of dimensions
MOST_CHANNELS = 4  # RGBA; a picture's height or width is larger


def non_finite_input(batches, loss_is_finite):
    """nan or infinity in inputs or targets. What the model and the loss know how to deal with (masks) is fine."""
    for number, batch in enumerate(batches):
        for what, tree in (("input", [batch.inputs, batch.named]), ("target", batch.target)):
            for tensor in (t for t in tensors(tree) if t.is_floating_point()):
                wrong = ~torch.isfinite(tensor)
                if not wrong.any() or loss_is_finite(batch):
                    continue
                sample = int(wrong.nonzero()[0, 0]) if wrong.ndim else 0
                count, value = int(wrong.sum()), tensor[wrong][0].item()
                message = (
                    f"The {what} of batch {number} is not finite in {count} places, first in sample {sample}: {value}."
                )
                evidence = {"batch": number, "sample": sample, "count": count}
                yield Finding("non-finite-input", "error", message, evidence)
                return


# Scale, where the first weights meet it


def first_weights(model):
    """Leaf modules that multiply what they get by a matrix, not those that look up rows of it."""
    for name, module in model.named_modules():
        weights = [p for p in module.parameters(recurse=False) if p.ndim >= 2]
        if weights and not isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag):
            yield name, module


def first_layer_input(model, call):
    """(name, module, input) of the first layer with a matrix of weights that is called, or Skip."""
    seen, hooks = [], []
    for name, module in first_weights(model):

        def note(module, args, name=name):
            if not seen and args and isinstance(args[0], torch.Tensor):
                seen.append((name, module, args[0].detach()))

        hooks.append(module.register_forward_pre_hook(note))
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    if not seen:
        raise Skip("no layer with weights was called with a tensor")
    return seen[0]


def is_unnormalised(values):
    """(root mean square, is it far from 1?) of what a layer gets."""
    size = values.double().pow(2).mean().sqrt().item()
    return size, size > LARGE or 0 < size < SMALL


def not_normalised(inputs, name, layer_input):
    """Where the first weights meet the data, the data is far too large or small, or its columns are of many scales."""
    if not any(t.is_floating_point() or t.dtype == torch.uint8 for t in tensors(inputs)):
        raise Skip("the inputs are numbers of tokens")
    if not torch.isfinite(layer_input).all():
        raise Skip("the inputs are not finite")
    size, wrong = is_unnormalised(layer_input)
    where = f"layer `{name}`" if name else "the network"
    if wrong:
        low, high = layer_input.min().item(), layer_input.max().item()
        message = f"What {where} gets goes from {low:.3g} to {high:.3g} (root mean square {size:.3g}, best is about 1)."
        yield Finding("not-normalised", "advice", message, {"min": low, "max": high, "rms": size})
    elif layer_input.ndim == 2 and 2 <= layer_input.shape[1] <= 1000 and len(layer_input) >= 8:
        yield from uneven(where, layer_input.double().std(dim=0))


def uneven(where, spread):
    varying = spread[spread > 1e-12]
    if len(varying) >= 2 and varying.max() > SCALES * varying.median() or varying.numel() and varying.max() > LARGE:
        low, high = varying.min().item(), varying.max().item()
        message = f"The columns that {where} gets have standard deviations from {low:.3g} to {high:.3g}."
        yield Finding("not-normalised", "advice", message, {"least_std": low, "largest_std": high})


# Where the channels are


def channel_order_suspect(inputs, name, module, layer_input):
    """The first convolution gets pictures whose colours are not in dimension 1, or whose rows are torn."""
    picture = next((t for t in tensors(inputs) if t.ndim == 4), None)
    weight = getattr(module, "weight", None)
    if picture is None or weight is None or weight.ndim != 4 or layer_input.ndim != 4:
        raise Skip("no convolution gets pictures first")
    shape, given = tuple(layer_input.shape), tuple(picture.shape)
    if shape[3] <= MOST_CHANNELS < min(shape[1], shape[2]):
        message = (
            f"`{name}` gets {shape}: taken as (B, C, H, W) that is {shape[1]} channels and {shape[3]} pixels wide."
        )
        yield Finding("channel-order-suspect", "error", message, {"shape": list(shape)})
    elif given[3] <= MOST_CHANNELS < given[2] and shape[1] == given[3] and is_torn(picture, layer_input):
        message = f"Pictures {given} reach `{name}` as {shape} by reshape, which tears them; permute was meant."
        yield Finding("channel-order-suspect", "error", message, {"given": list(given), "shape": list(shape)})
    else:
        yield from rougher(name, layer_input)


def is_torn(picture, layer_input):
    """The same numbers in the same order in memory, though the dimensions have changed places."""
    a, b = picture.flatten(1).double(), layer_input.flatten(1).double()
    if a.shape != b.shape:
        return False
    a, b = ((t - t.mean()) / t.std().clamp(min=1e-9) for t in (a, b))
    return bool((a - b).abs().mean() < 1e-3)


def rougher(name, x):
    """Neighbours in a picture are alike; if they are so only with the channels last, then that is what it is."""
    batch, channels, height, width = x.shape
    if channels not in (3, 4) or min(height, width) < 8:
        return
    here, other = roughness(x), roughness(x.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
    if here > ROUGH * other:
        message = f"Neighbouring pixels of what `{name}` gets differ by {here:.3g}; read as (H, W, C), by {other:.3g}."
        yield Finding("channel-order-suspect", "advice", message, {"as_given": here, "channels_last": other},
                      fix="Where the pictures are made, permute(2, 0, 1) in place of reshape or view.")  # fmt: skip


def roughness(x):
    x = x.double()
    return (x.diff(dim=2).abs().mean() + x.diff(dim=3).abs().mean()).item()
