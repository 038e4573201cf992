"""Are the numbers that the learner's functions return the ones they should be? From recorded runs."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F

from dlsteps.clinic.loop_checks.pieces import rows
from dlsteps.clinic.loop_checks.recording import record
from dlsteps.clinic.report import Finding, Skip
from dlsteps.training.batches import split_batch

CLOSE = 1e-4  # returned and computed number, relative: rounded to four digits, or added up in float32
ROUNDED = 0.01  # an accuracy of 1, or 100, rounded to two digits
MARGINS = 1.0, 20.0  # of the right class in made-up outputs, from sample to sample: all above a threshold of 0.5


def number_of(name, result, key="loss"):
    """The loss in what a function returned: a number, a tensor, the first of a tuple, or by name in a dict."""
    if isinstance(result, Mapping):
        names = [key, *(name for name in result if isinstance(name, str) and key[:3] in name.lower())]
        result = next((result[name] for name in names if name in result), None)
    if isinstance(result, tuple) and result:
        result = result[0]
    if isinstance(result, torch.Tensor) and result.numel() == 1:
        result = result.item()
    try:
        return float(result)
    except (TypeError, ValueError):
        raise Skip(f"{name} returns {'None' if result is None else type(result).__name__}, no {key}") from None


def batch_losses(name, run, loss_fn):
    """The loss of each batch that was read, as it came; if the loop has a loss of its own, computed from outputs."""
    numbers = list(dict.fromkeys(run.read))
    if not run.losses and all(len(run.calls_of(number)) == 1 for number in numbers):
        values = [computed_loss(run.calls_of(number)[0], run.batches[number], loss_fn) for number in numbers]
    elif all(len(run.losses_of(number)) == 1 for number in numbers):
        values = [run.losses_of(number)[0].value for number in numbers]
    else:  # among them: one loss of all outputs together, which is right
        raise Skip(f"{name} computes {len(run.losses)} losses for {len(numbers)} batches")
    if len(values) < 2 or len(values) != len(run.read):
        raise Skip(f"{name} reads {len(values)} of {len(run.batches)} batches")
    if not all(map(math.isfinite, values)):
        raise Skip("the loss is not finite")
    return values


def computed_loss(call, batch, loss_fn):
    """The loss of a recorded output."""
    with torch.no_grad():
        return float(loss_fn(call.output, split_batch(batch)[2].to(call.output.device)).mean())


def adds_up(run, loss_fn):
    """Whether the loss of a batch is the sum over its samples: twice the samples, twice the loss."""
    inputs = next((loss.inputs for loss in run.losses if len(loss.inputs) == 2), None)
    if inputs is None:
        return False
    with torch.no_grad():
        once, twice = loss_fn(*inputs), loss_fn(*(torch.cat([t, t]) for t in inputs if t.ndim))
    return once.ndim == 0 and once.item() != 0 and abs(twice.item() / once.item() - 2) < 0.01


def is_one_of(number, candidates):
    return any(abs(number - candidate) <= CLOSE * max(abs(candidate), 1e-3) for candidate in candidates)


def wrong_average(name, run, loss_fn, equal, single):
    """The returned loss against the mean over samples, the mean over batches, and the last batch's."""
    number = number_of(name, run.result)
    losses, sizes = batch_losses(name, run, loss_fn), [rows(run.batches[n]) for n in run.read]
    summed, total = adds_up(run, loss_fn), sum(sizes)
    each = losses if summed else [loss * size for loss, size in zip(losses, sizes, strict=True)]
    mean, plain = sum(each) / total, sum(losses) / len(losses)
    evidence = {"returned": number, "mean_over_samples": mean, "mean_over_batches": plain, "last_batch": losses[-1]}
    if is_one_of(number, [mean, sum(each)]):
        return
    last = [losses[-1], losses[-1] / sizes[-1], losses[-1] / len(losses), each[-1] / total]  # also set instead of added
    if is_one_of(number, last) and not single:
        message = f"{name} returns {number:.4g}, the loss of the last batch; over all samples it is {mean:.4g}."
        yield Finding("loss-of-last-batch-only", "error", message, evidence)
    elif is_one_of(number, [plain]) and not summed:
        yield unweighted(name, f"returns {number:.4g}, the mean over batches", mean, evidence, equal)
    elif is_one_of(number, [sum(losses)]) and not summed:
        yield unweighted(name, f"returns {number:.4g}, the sum over batches", mean, evidence, True)
    elif is_one_of(number, [sum(losses) / total, plain * len(sizes) * max(sizes) / total]) and not summed:
        shown = f"returns {number:.4g}, made of the batches' means without the size of each"
        yield unweighted(name, shown, mean, evidence, False)


def unweighted(name, shown, mean, evidence, equal):
    """With batches of one size it comes to the same: advice."""
    message = f"{name} {shown}; the mean over all samples is {mean:.4g}"
    if equal is not False:
        message += ": the same only as long as all batches are of one size"
    severity = "error" if equal is False else "advice"
    return Finding("loss-not-weighted-by-batch", severity, f"{message}.", evidence)


def few_batches(name, run):
    """An evaluation that ends before its loader does."""
    if run.read and len(set(run.read)) < len(run.batches):
        message = f"{name} reads {len(set(run.read))} of {len(run.batches)} batches."
        fix = "Look for a return, break or next(iter(loader)) where the loop should go on."
        evidence = {"read": len(set(run.read)), "batches": len(run.batches)}
        yield Finding("loss-of-last-batch-only", "advice", message, evidence, fix)


def class_logits(labels, right, classes, dim):
    """Logits whose largest is that of the label (where `right`) or of another class, by different margins."""
    labels = labels.clamp(min=0)  # ignored ones are negative
    chosen = torch.where(right.reshape(-1, *[1] * (labels.ndim - 1)), labels, (labels + 1) % classes)
    margins = torch.linspace(*MARGINS, len(labels)).roll(len(labels) // 2).reshape(-1, *[1] * labels.ndim)
    return (F.one_hot(chosen, classes) * margins).movedim(-1, dim)


def answer_like(output, target, right):
    """An output of this kind that is right (or wrong) about these targets; None if it is no classification."""
    whole = not target.is_floating_point()
    if whole and output.ndim == target.ndim + 1 and output.shape[:1] + output.shape[2:] == target.shape:
        logits = class_logits(target.long(), right, output.shape[1], 1) if output.shape[1] > 1 else None
    elif whole and output.ndim > 1 and output.shape[-1] > 1 and output.shape[:-1].numel() == target.numel():
        logits = class_logits(target.long().reshape(output.shape[:-1]), right, output.shape[-1], -1)
    elif output.numel() == target.numel() and bool(((target == 0) | (target == 1)).all()):
        signs = torch.where(right, 1.0, -1.0).reshape(-1, *[1] * (output.ndim - 1))
        margins = torch.linspace(*MARGINS, len(output)).reshape(-1, *[1] * (output.ndim - 1))
        logits = (2 * target.reshape(output.shape).float() - 1) * signs * margins
    else:
        logits = None
    if logits is not None and bool(((output >= 0) & (output <= 1)).all()):  # probabilities
        sums_to_one = output.ndim > 1 and output.shape[1] > 1 and torch.allclose(output.sum(1), torch.ones(()))
        logits = logits.softmax(1) if sums_to_one else logits.sigmoid()
    return logits


def wrong_accuracy(run, evaluate, model, original, loss_fn):
    """The accuracy that evaluate finds for a model that is always right, and for one right for half of the samples."""
    if not isinstance(run.result, Mapping):
        raise Skip("evaluate returns no dict with an accuracy")
    number_of("evaluate", run.result, "accuracy")
    targets = targets_of(run)
    always = [torch.ones(len(call.output), dtype=torch.bool) for call in run.calls]
    half = [torch.arange(len(call.output)) % 2 == 0 for call in run.calls]
    found = []
    for right in (always, half):
        answers = [
            answer_like(*three) for three in zip((c.output.cpu() for c in run.calls), targets, right, strict=True)
        ]
        if any(answer is None for answer in answers):
            raise Skip("the targets are not class numbers, nor 0 and 1")
        given = record(evaluate, model, run.batches, original, loss_fn, answer=Answers(answers))
        if given.error:
            raise Skip(f"evaluate fails with made-up outputs: {given.error}")
        found.append(number_of("evaluate", given.result, "accuracy"))
    yield from judge(*found, torch.cat(half).float().mean().item())


def judge(always, half, share):
    """An accuracy that is 1 or 100 is right; one that is in proportion is divided by another number of samples."""
    if any(abs(always - full) <= ROUNDED * full for full in (1, 100)):
        return
    if abs(always) > 1e-6 and abs(half / always - share) < 0.02:
        return
    message = (
        f"For a model that is right about every sample, evaluate says accuracy {always:.3g}; 1 (or 100) was wanted."
    )
    yield Finding("wrong-argmax-axis", "error", message, {"always_right": always, "half_right": half, "half": share})


class Answers:
    """Gives one answer after the other in place of the model's output."""

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, number, output):
        return self.answers[number].to(output) if number < len(self.answers) else output


def targets_of(run):
    """What belongs to each output: what the loss was given with it, else the batch's target."""
    if not run.calls or not all(isinstance(call.output, torch.Tensor) and call.output.ndim for call in run.calls):
        raise Skip("the model does not return one tensor")
    if any(call.name != "the model" for call in run.calls):
        raise Skip("evaluate calls parts of the model by themselves")
    if len(run.losses) == len(run.calls) and all(len(loss.inputs) == 2 for loss in run.losses):
        targets = [loss.inputs[1] for loss in run.losses]
    else:
        targets = [split_batch(run.batches[call.batch])[2] for call in run.calls]
    return [target.cpu() for target in targets]
