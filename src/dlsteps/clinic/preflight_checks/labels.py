"""Checks of the labels: type, range, balance, order."""

import copy

import torch

from dlsteps.clinic.preflight_checks.case import loss_of
from dlsteps.clinic.preflight_checks.losses import is_class_numbers, kind_of
from dlsteps.clinic.report import Finding, Skip

IGNORED = -100  # torch's own number for labels that do not count

WAYS = {
    "target.long()": lambda t: t.long(),
    "target.float()": lambda t: t.float(),
    "target.squeeze(1)": lambda t: t.squeeze(1),
    "target.squeeze(1).long()": lambda t: t.squeeze(1).long(),
    "target.argmax(dim=1)": lambda t: t.argmax(dim=1),
    "target.unsqueeze(1).float()": lambda t: t.unsqueeze(1).float(),
}


def label_wrong_type(output, loss_fn, target, is_input=False):
    """The loss fails with these labels and works with others of the same; or it works, and means another thing."""
    if not isinstance(target, torch.Tensor) or not isinstance(output, torch.Tensor):
        raise Skip("the target is not one tensor")
    if is_input:
        raise Skip("a batch has one part only, and no labels")
    is_float = target.is_floating_point()
    seen = f"labels are {str(target.dtype).removeprefix('torch.')} of shape {tuple(target.shape)}"
    try:
        loss_of(loss_fn, output, target)
    except Skip as error:
        if not out_of_range(output, target) and (way := cure(output, loss_fn, target)):
            yield Finding("label-wrong-type", "error", f"The {seen}, and {error}; with {way} it works.", {"works": way})
        return
    if is_float and target.ndim == 1 == output.ndim and len(target) > 2 and is_softmax_over_batch(loss_fn, output):
        message = f"The {seen} and so is the output: this loss takes the {len(target)} samples for classes."
        yield Finding("label-wrong-type", "error", message, {"shape": list(target.shape)})
    if output.ndim >= 2 and output.shape[1] == 1 and always_zero(loss_fn, output, target):
        message = "The output has 1 value a sample, and this loss is 0 for any: cross-entropy compares classes."
        yield Finding("label-wrong-type", "error", message, {"output": list(output.shape)},
                      fix="An output for each class, or BCEWithLogitsLoss with float labels.")  # fmt: skip


def cure(output, loss_fn, target):
    """The first of `WAYS` with which the loss works, or None."""
    for name, way in WAYS.items():
        try:
            changed = way(target)
            loss = loss_of(loss_fn, output, changed)
        except (Skip, RuntimeError, IndexError):
            continue
        if torch.isfinite(loss) and (changed.shape == output.shape or is_class_numbers(changed, output)):
            return name
    return None


def is_softmax_over_batch(loss_fn, output):
    labels = torch.ones_like(output)
    a, b = (loss_of(loss_fn, value, labels) for value in (output, output + 3))
    c = loss_of(loss_fn, output * 2 + torch.arange(len(output), device=output.device), labels)
    return bool((a - b).abs() < 1e-3 * a.abs()) and bool((a - c).abs() > 1e-3 * a.abs())


def always_zero(loss_fn, output, target):
    try:
        values = [loss_of(loss_fn, torch.randn_like(output) * scale, target).item() for scale in (1, 3, 10)]
    except Skip:  # a loss that wants probabilities
        return False
    return all(abs(value) < 1e-6 for value in values) and float(target.float().abs().max()) > 0


def out_of_range(output, target):
    """The labels that are no class of the output."""
    if (
        not isinstance(target, torch.Tensor)
        or not isinstance(output, torch.Tensor)
        or not is_class_numbers(target, output)
    ):
        return []
    wrong = target[(target < 0) & (target != IGNORED) | (target >= output.shape[1])]
    return sorted(set(wrong.flatten().tolist()))


def label_out_of_range(outputs, loss_fn, targets):
    """Class numbers outside 0 … K - 1; or, with a sigmoid in the loss, labels outside 0 … 1."""
    for number, (output, target) in enumerate(zip(outputs, targets, strict=True)):
        wrong = out_of_range(output, target)
        if wrong and not works(loss_fn, output, target):
            classes = output.shape[1]
            message = f"Batch {number} has the labels {wrong[:5]}, but there are {classes} outputs (0 … {classes - 1})."
            yield Finding("label-out-of-range", "error", message, {"labels": wrong[:20], "outputs": classes})
            return
        if kind_of(loss_fn, output, target) == "sigmoid" and not 0 <= target.min() <= target.max() <= 1:
            low, high = target.min().item(), target.max().item()
            message = f"Labels go from {low:g} to {high:g}; this loss takes the sigmoid, and wants 0 … 1."
            yield Finding("label-out-of-range", "error", message, {"min": low, "max": high},
                          fix="Labels 0 and 1 (or probabilities), as floats.")  # fmt: skip
            return


def works(loss_fn, output, target):
    """Whether the loss takes them all the same (`ignore_index`). On the CPU: on a GPU a failure ends the process."""
    loss_fn = copy.deepcopy(loss_fn).cpu() if isinstance(loss_fn, torch.nn.Module) else loss_fn
    try:
        return bool(torch.isfinite(loss_of(loss_fn, output.cpu(), target.cpu())))
    except Skip:
        return False
