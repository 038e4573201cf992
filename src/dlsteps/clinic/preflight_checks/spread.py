"""Checks of how labels are spread: balance, and order."""

import torch
import torch.nn.functional as F

from dlsteps.clinic.preflight_checks.case import loss_of
from dlsteps.clinic.preflight_checks.labels import IGNORED
from dlsteps.clinic.preflight_checks.losses import same
from dlsteps.clinic.report import Finding, Skip

COMMONEST = 0.75  # advice from this share on: who always says it is right so often
UNEQUAL, LEAST_OF_EACH = 12.0, 16  # so many times commoner than the rarest, if a fair share were 16 labels or more
RARE = 0.04  # share of an answer in multi-label data, for advice
LEAST_LABELS = 64  # fewer say little about shares and order
MOST = 0.75  # of the batches; where one class ends and the next begins, there are both
PURE = 0.9  # share of one class in a batch that is called "of one class"
NEIGHBOURS = 0.3  # labels equal to the one before: so much more often than by chance


def class_numbers(targets, output):
    """The labels of several batches as lists of class numbers; Skip if they are no classes."""
    found = []
    for target in targets:
        if not isinstance(target, torch.Tensor):
            raise Skip("the targets are no classes")
        if target.dtype in (torch.int64, torch.int32, torch.uint8, torch.bool) and target.ndim == 1:
            found.append(target.long().tolist())
        elif (
            target.is_floating_point()
            and target.numel() == len(target)
            and set(target.flatten().tolist()) <= {0.0, 1.0}
        ):
            found.append(target.flatten().long().tolist())
        else:
            raise Skip("the targets are no classes, one a sample")
    return [[label for label in batch if label != IGNORED] for batch in found]


def shares(labels):
    return {label: labels.count(label) / len(labels) for label in sorted(set(labels))}


def class_imbalance(targets, output, loss_fn, kind):
    """One class is far commoner than all others together, and the loss treats all alike."""
    if kind != "other" and has_weights(loss_fn, output.detach(), targets[0], kind):
        return
    if kind == "sigmoid" and targets[0].ndim == 2 and targets[0].shape[1] > 1:
        yield from rare_tags(torch.cat(targets))
        return
    labels = [label for batch in class_numbers(targets, output) for label in batch]
    if len(labels) < LEAST_LABELS:
        raise Skip(f"{len(labels)} labels are too few to judge shares by")
    share = shares(labels)
    commonest = max(share, key=share.get)
    rarest = min(share, key=share.get)
    if len(share) < 2:
        return
    if share[commonest] >= COMMONEST:
        message = (
            f"{share[commonest]:.0%} of {len(labels)} labels are {commonest}: always saying so is right that often."
        )
    elif share[commonest] > UNEQUAL * share[rarest] and len(labels) >= LEAST_OF_EACH * len(share):
        message = (
            f"Of {len(labels)} labels, {share[commonest]:.0%} are {commonest}, and {share[rarest]:.1%} are {rarest}."
        )
    else:
        return
    yield Finding("class-imbalance", "advice", message, {"shares": {str(k): round(v, 3) for k, v in share.items()}})


def rare_tags(targets):
    """(N, K) of 0 and 1: answers that are nearly always the same."""
    if len(targets) < LEAST_LABELS or not set(targets.unique().tolist()) <= {0.0, 1.0}:
        raise Skip("too few labels, or others than 0 and 1, to judge shares by")
    share = targets.double().mean(dim=0)
    rare = [k for k, value in enumerate(share.tolist()) if min(value, 1 - value) < RARE]
    if rare:
        k = min(rare, key=lambda k: min(share[k], 1 - share[k]))
        seen = f"number {k} is 1 in {share[k]:.1%} of {len(targets)} samples"
        message = f"{len(rare)} of {len(share)} outputs are nearly always the same; {seen}."
        yield Finding("class-imbalance", "advice", message, {"shares": [round(value, 3) for value in share.tolist()]})


def has_weights(loss_fn, output, target, kind):
    """Is it not torch's own loss without weights? Then somebody has thought of it."""
    plain = F.cross_entropy if kind == "softmax" else F.binary_cross_entropy_with_logits
    logits = torch.randn_like(output)
    return not same(loss_of(loss_fn, logits, target), plain(logits, target))


def unshuffled_training_data(targets, output, spread=()):
    """Labels come in runs. `spread`: some labels from all over the dataset, to know what one class only means."""
    if is_ordered_numbers(targets):
        yield from rising(targets)
        return
    batches = [batch for batch in class_numbers(targets, output) if batch]
    labels = [label for batch in batches for label in batch]
    if len(labels) < LEAST_LABELS:
        raise Skip(f"{len(labels)} labels are too few to judge their order by")
    share = shares(labels)
    pure = [max(shares(batch).values()) >= PURE for batch in batches if len(batch) >= 4]
    others = sorted(set(spread) - set(labels))
    if len(share) == 1 and others:
        message = f"The first {len(labels)} labels are all {labels[0]}, further on there are {others[:5]}, too."
        yield Finding("unshuffled-training-data", "error", message, {"labels": len(labels), "elsewhere": others[:20]})
    elif len(share) > 1 and len(pure) >= 3 and sum(pure) >= MOST * len(pure) and max(share.values()) < PURE:
        message = f"{sum(pure)} of the first {len(pure)} batches are of one class each, of {len(share)} that there are."
        yield Finding("unshuffled-training-data", "error", message, {"batches": len(pure), "classes": len(share)})
    else:
        yield from in_runs(labels, share)


def in_runs(labels, share):
    equal = sum(a == b for a, b in zip(labels, labels[1:], strict=False)) / (len(labels) - 1)
    chance = sum(value**2 for value in share.values())
    if equal - chance > NEIGHBOURS:
        message = f"{equal:.0%} of labels are the same as the one before; shuffled, it would be {chance:.0%}."
        yield Finding("unshuffled-training-data", "advice", message, {"equal": equal, "by_chance": chance})


def is_ordered_numbers(targets):
    """Numbers, one a sample, as for regression."""
    if not all(isinstance(t, torch.Tensor) and t.is_floating_point() and t.numel() == len(t) for t in targets):
        return False
    return len(torch.cat([target.flatten() for target in targets]).unique()) > 2


def rising(targets):
    """Targets of neighbours are nearly the same: a correlation that independent samples do not have."""
    values = torch.cat([target.flatten() for target in targets]).double()
    if len(values) < LEAST_LABELS:
        raise Skip(f"{len(values)} targets are too few to judge their order by")
    here, there = values[:-1] - values.mean(), values[1:] - values.mean()
    related = float((here * there).mean() / values.var().clamp(min=1e-12))
    if related > 0.7:
        message = f"Each target is close to the one before (correlation {related:.2f}; shuffled, it is about 0)."
        yield Finding("unshuffled-training-data", "advice", message, {"correlation": related})


def spread_labels(dataset, count=8):
    """Labels from all over a dataset that has a length; an empty list where that does not work."""
    try:
        length = len(dataset)
        items = [dataset[i * (length - 1) // (count - 1)] for i in range(count)]
        return [int(item[-1]) for item in items]
    except (Exception, SystemExit):
        return []
