"""What kind of loss it is, found out by what it answers: no name of a class is looked at."""

import math

import torch
import torch.nn.functional as F

from dlsteps.clinic.preflight_checks.case import loss_of
from dlsteps.clinic.report import Skip

SURE = (2.0, 4.0, 8.0, 16.0)  # smoothed labels do not want to be held for certain
CLOSE = 1e-4  # relative; losses are computed in float32


def same(a, b, tolerance=CLOSE):
    return bool(torch.isfinite(a) & torch.isfinite(b)) and abs(a.item() - b.item()) <= tolerance * (
        1e-3 + max(abs(a.item()), abs(b.item()))
    )


def is_class_numbers(target, output):
    """int64 labels (B, …) for an output (B, K, …)."""
    if not (isinstance(target, torch.Tensor) and isinstance(output, torch.Tensor)) or target.dtype != torch.int64:
        return False
    return output.is_floating_point() and output.ndim >= 2 and target.shape == output.shape[:1] + output.shape[2:]


def takes_softmax(loss_fn, output, target):
    """Does the loss take the softmax itself? Then adding a number to all logits of a sample changes nothing."""
    soft = isinstance(target, torch.Tensor) and target.is_floating_point() and target.shape == output.shape
    if not is_class_numbers(target, output) and not (soft and output.ndim == 2 and output.shape[1] > 1):
        return False
    logits = torch.randn(output.shape, dtype=output.dtype, device=output.device)
    shift = torch.randn_like(logits[:, :1]) * 3
    a, b, c = (loss_of(loss_fn, value, target) for value in (logits, logits + shift, 2 * logits))
    return same(a, b) and not same(a, c)


def takes_sigmoid(loss_fn, output, target):
    """Does it take the sigmoid itself? Then its value at the logit r is that at 0, times softplus(-r) / ln 2."""
    if not isinstance(target, torch.Tensor) or not target.is_floating_point() or target.shape != output.shape:
        return False
    zero, ones = torch.zeros_like(output), torch.ones_like(output)
    try:
        for label, sign in ((ones, -1), (zero, 1)):
            at_zero, at_two = (loss_of(loss_fn, value, label) for value in (zero, zero + 2))
            expected = at_zero * F.softplus(torch.tensor(2.0 * sign)) / F.softplus(torch.tensor(0.0))
            if not same(at_two, expected) or at_zero.abs() < 1e-6:
                return False
    except Skip:  # a loss that wants probabilities
        return False
    return True


def kind_of(loss_fn, output, target):
    """ "softmax", "sigmoid" or "other", by what the loss does to what it is given."""
    if not isinstance(output, torch.Tensor) or not isinstance(target, torch.Tensor):
        return "other"
    output = output.detach()
    try:
        if takes_softmax(loss_fn, output, target):
            return "softmax"
        return "sigmoid" if takes_sigmoid(loss_fn, output, target) else "other"
    except Skip:
        return "other"


def know_nothing(output, target, kind):
    """What somebody would answer who knows how the targets are spread, and nothing of the input."""
    if is_class_numbers(target, output):
        counts = torch.bincount(target.flatten().clamp(min=0), minlength=output.shape[1])[: output.shape[1]]
        shares = (counts.to(output.dtype) + 1e-3) / counts.sum()
        return shares.log().view(1, -1, *[1] * (output.ndim - 2)).expand_as(output)
    if not isinstance(target, torch.Tensor) or target.shape != output.shape:
        raise Skip("the target has another shape than the output")
    mean = target.to(output.dtype).mean(dim=0, keepdim=True)
    if kind == "sigmoid":
        mean = torch.logit(mean, eps=1e-3)
    elif kind == "softmax":
        mean = (mean + 1e-4).log()
    return mean.expand_as(output).clone()


def know_all(output, target, kind, sure=20.0):
    """What a network would answer that knows the targets by heart; for classes, with logits of `sure` and 0."""
    if is_class_numbers(target, output):
        right = F.one_hot(target.clamp(0, output.shape[1] - 1), output.shape[1]).movedim(-1, 1).to(output.dtype)
        return sure * right if kind == "softmax" else (sure * right).log_softmax(dim=1)
    if not isinstance(target, torch.Tensor) or target.shape != output.shape:
        raise Skip("the target has another shape than the output")
    answer = target.to(output.dtype)
    if kind == "sigmoid":
        return torch.logit(answer.clamp(0, 1), eps=1 / (1 + math.exp(sure)))
    return (answer.clamp(min=0) + math.exp(-sure)).log() if kind == "softmax" else answer


def is_best(loss_fn, target, kind):
    """Does the loss want the targets themselves? Then it is larger for all that is near them (not so for KLDivLoss)."""
    if kind != "other" or not target.is_floating_point():
        return True
    best = loss_of(loss_fn, target, target)
    noise = torch.randn_like(target) * target.std().clamp(min=1e-3)
    return all(loss_of(loss_fn, target + size * noise, target) >= best for size in (-1, -0.1, 0.1, 1))


def bounds(loss_fn, output, target, kind):
    """(loss of who knows nothing, loss of who knows all), as floats. Raises Skip where that makes no sense."""
    output = output.detach()
    nothing = loss_of(loss_fn, know_nothing(output, target, kind), target).item()
    known = [loss_of(loss_fn, know_all(output, target, kind, sure), target).item() for sure in SURE]
    if not min(known) < nothing or not is_best(loss_fn, target, kind):
        raise Skip("the loss does not say what a good answer is")
    return nothing, min(known)
