"""Checks of how the loss takes the output: shapes that are stretched, probabilities where it wants logits."""

import math

import torch

from dlsteps.clinic.preflight_checks.case import loss_of
from dlsteps.clinic.preflight_checks.losses import same
from dlsteps.clinic.report import Finding, Skip


def shape_broadcast_in_loss(output, loss_fn, target):
    """Shapes differ and are stretched to a larger one; then it does not matter which target belongs to which output."""
    if not isinstance(output, torch.Tensor) or not isinstance(target, torch.Tensor):
        raise Skip("output and target are not one tensor each")
    if output.shape == target.shape:
        return
    try:
        full = math.prod(torch.broadcast_shapes(output.shape, target.shape))
    except RuntimeError:
        return
    if full <= max(output.numel(), target.numel()) or len(target) < 3:
        return
    noise = torch.randn(output.shape, dtype=output.dtype, device=output.device)
    shuffled = target[torch.randperm(len(target), device=target.device)]
    before, after, other = (
        loss_of(loss_fn, *pair) for pair in ((noise, target), (noise, shuffled), (noise, target + 1))
    )
    if same(before, after) and not same(before, other):
        shapes = f"{tuple(output.shape)} and {tuple(target.shape)}"
        message = f"Output and target have shapes {shapes}: the loss stretches them to {full} pairs, and any order of targets gives the same."  # noqa: E501
        yield Finding(
            "shape-broadcast-in-loss", "error", message, {"output": list(output.shape), "target": list(target.shape)}
        )


def squashed_output(outputs, kind):
    """Probabilities where the loss takes the softmax or sigmoid itself. `outputs`: with the weights as they are, and
    with others: so it is no chance that all values are between 0 and 1.
    """
    if kind == "other":
        raise Skip("the loss does not take a softmax or sigmoid itself")
    values = torch.cat([out.detach().flatten() for out in outputs])
    if not (values.min() >= 0 and values.max() <= 1) or values.std() < 1e-12:
        return
    sums = [out.detach().sum(dim=1) for out in outputs] if outputs[0].ndim > 1 else []
    to_one = bool(sums) and all((s - 1).abs().max() < 1e-3 for s in sums) and outputs[0].shape[1] > 1
    if len(outputs) == 1 and not to_one:
        return  # might be chance
    seen = (
        "and add up to 1, as after a softmax"
        if to_one
        else f"({values.min():.2g} … {values.max():.2g}), as after a sigmoid"
    )
    own = "softmax" if kind == "softmax" else "sigmoid"
    message = f"All outputs are between 0 and 1 {seen}, and the loss takes the {own} itself."
    evidence = {"min": values.min().item(), "max": values.max().item(), "sums_to_one": to_one, "loss": own}
    yield Finding("softmax-before-cross-entropy", "error", message, evidence)


def one_tensor(output):
    if not isinstance(output, torch.Tensor):
        raise Skip("the output is not one tensor")
    return output
