"""Checks of how the loss takes the output: shapes that are stretched, probabilities where it wants logits."""

import math

import torch
import torch.nn.functional as F

from dlsteps.clinic.preflight_checks.case import loss_of
from dlsteps.clinic.preflight_checks.losses import is_class_numbers, same
from dlsteps.clinic.report import Finding, Skip

BEYOND = 0.05  # share of targets that cannot be reached


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


def squashed_in_loss(output, loss_fn, target):
    """The loss takes a softmax or sigmoid, and another one after it: logits that are sure and right still cost."""
    sure = 1e4
    try:
        if is_class_numbers(target, output):
            right = F.one_hot(target.clamp(0, output.shape[1] - 1), output.shape[1]).movedim(-1, 1).to(output.dtype)
            at_best, twice = loss_of(loss_fn, sure * right, target), F.cross_entropy(right, target)
            known, own = loss_of(loss_fn, 0 * right, target), "softmax"
            plain = F.cross_entropy(0 * right, target)
        elif isinstance(target, torch.Tensor) and target.is_floating_point() and target.shape == output.shape:
            ones, zeros = torch.ones_like(output), torch.zeros_like(output)
            at_best, twice = loss_of(loss_fn, sure * ones, ones), F.softplus(-ones).mean()
            known, own = loss_of(loss_fn, -sure * ones, zeros), "sigmoid"
            plain = F.softplus(zeros).mean()
        else:
            return
    except Skip:
        return
    if same(at_best, twice) and same(known, plain):
        message = f"Logits that are sure and right still have a loss of {at_best.item():.3g}, as after two {own}s."
        yield Finding("softmax-before-cross-entropy", "error", message, {"at_best": at_best.item(), "loss": own})


def out_of_reach(outputs, target):
    """Numbers that no weights can give: targets below 0 behind a ReLU, say. `outputs`: with many sets of weights."""
    if not isinstance(target, torch.Tensor) or not target.is_floating_point():
        return
    values = torch.cat([out.detach().flatten() for out in outputs])
    low, high = values.min().item(), values.max().item()
    beyond_1 = (target.abs() > 1.05).double().mean().item()
    for limit, beyond in (
        ("never below 0", (target < -0.05 * target.abs().max()).double().mean().item() if low >= 0 else 0),
        ("never beyond -1 … 1", beyond_1 if low >= -1 and high <= 1 else 0),
    ):
        if beyond > BEYOND and high > low:
            ends = f"{target.min().item():.3g} to {target.max().item():.3g}"
            message = f"With {len(outputs)} sets of weights the output is {limit}; targets go from {ends}."
            evidence = {"outputs": [low, high], "share_beyond": beyond}
            fix = "No ReLU, sigmoid or tanh behind the last layer of a regression."
            yield Finding("cannot-overfit-one-batch", "error", message, evidence, fix)
            return


def one_tensor(output):
    if not isinstance(output, torch.Tensor):
        raise Skip("the output is not one tensor")
    return output
