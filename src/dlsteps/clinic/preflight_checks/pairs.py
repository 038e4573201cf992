"""Checks of training against validation data, and of inputs against their labels."""

import hashlib
import random
import time
from collections import Counter

import torch
from torch.utils.data import Subset

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.preflight_checks.case import rows
from dlsteps.clinic.preflight_checks.relation import LEAST, relation
from dlsteps.clinic.report import Finding, Skip

OVERLAP = 0.01  # share of validation samples; one or two may be doubles in the data itself
CHANCE = 5.0  # times as many as there would be by chance, from the doubles within the training samples
READING = 0.3  # seconds for the samples of a dataset
ALIKE = 0.2  # correlation between two readings of a sample: it is changed, not made anew
RELATED = 5.0  # standard deviations above chance: there is something to learn
UNRELATED = 3.5  # below: nothing was found (the best of some ten views); sound data has 15 and more


def fingerprints(batches):
    """One for each sample's inputs; Skip where samples cannot be told apart."""
    found = []
    for batch in batches:
        parts = [t for t in tensors([batch.inputs, batch.named]) if t.ndim and t.shape[0] == batch.size]
        if not parts:
            raise Skip("the samples of a batch cannot be told apart")
        arrays = [part.detach().cpu().contiguous().numpy() for part in parts]
        found += [hashlib.blake2b(b"".join(a[i].tobytes() for a in arrays)).digest() for i in range(batch.size)]
    return found


def distinct_values(batches):
    """How many different values a typical sample holds: photographs hundreds, coordinates of a grid few."""
    batch = batches[0]
    values = rows([batch.inputs, batch.named], batch.size)[:16]
    return sorted(len(row.unique()) for row in values)[len(values) // 2]


def train_valid_overlap(train, valid, train_loader, valid_loader):
    """The same samples on both sides: by their numbers in the dataset, or by what is in them."""
    shared, of = shared_indices(train_loader, valid_loader)
    if shared:
        message = (
            f"{shared} of {of} validation samples are training samples, too: they have the same numbers in the dataset."
        )
        yield Finding("train-valid-overlap", "error", message, {"shared": shared, "validation": of})
        return
    for ours, theirs in ((fingerprints(train), fingerprints(valid)), (marks(train_loader), marks(valid_loader))):
        shared, by_chance = overlap(ours, theirs)
        if shared >= 2 and shared >= OVERLAP * len(theirs):
            clear = shared > CHANCE * by_chance and distinct_values(valid) > 2 or distinct_values(valid) >= 48
            message = f"{shared} of {len(theirs)} validation samples looked at are among {len(ours)} training samples."
            evidence = {"shared": shared, "validation": len(theirs), "by_chance": by_chance}
            yield Finding("train-valid-overlap", "error" if clear else "advice", message, evidence)
            return


def overlap(ours, theirs):
    """(how many of theirs are among ours, how many would be by chance, from the doubles within ours)."""
    counts = Counter(ours)
    doubles = sum(count * (count - 1) / 2 for count in counts.values())
    return sum(mark in counts for mark in theirs), (doubles + 1) * 2 * len(theirs) / max(1, len(ours))


def marks(loader):
    """Fingerprints of samples of a loader's dataset, from all over it, as many as can be read in a moment."""
    dataset = getattr(loader, "dataset", None)
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        return []
    found, start = [], time.perf_counter()
    for i in random.Random(0).sample(range(len(dataset)), len(dataset)):
        if time.perf_counter() - start > READING:
            break
        found.append(hashlib.blake2b(parts(dataset[i])[0].numpy().tobytes()).digest())
    return found


def shared_indices(train_loader, valid_loader):
    """(number shared, of how many) where both are subsets of one dataset, else (0, 0)."""
    ours, theirs = (chosen(getattr(loader, "dataset", None)) for loader in (train_loader, valid_loader))
    if ours is None or theirs is None or ours[0] is not theirs[0]:
        return 0, 0
    return len(set(ours[1]) & set(theirs[1])), len(theirs[1])


def chosen(dataset):
    """(the dataset below, numbers of its samples) of a subset, also of a subset of a subset."""
    if not isinstance(dataset, Subset):
        return None
    indices = [int(i) for i in dataset.indices]
    inner = chosen(dataset.dataset)
    return (dataset.dataset, indices) if inner is None else (inner[0], [inner[1][i] for i in indices])


def validation_augmented(dataset, samples=6):
    """Reading a validation sample twice gives two inputs, alike but not the same."""
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise Skip("the validation dataset gives no single samples")
    changed, alike = 0, []
    for i in range(min(samples, len(dataset))):
        (x1, y1), (x2, y2) = (parts(dataset[i]) for _ in range(2))
        if x1.shape == x2.shape and not same(y1, y2):
            raise Skip("the validation dataset makes its samples anew each time")
        if x1.shape != x2.shape or not torch.equal(x1, x2):
            changed += 1
            alike.append(correlation(x1, x2) if x1.shape == x2.shape else 1.0)
    if changed and sum(alike) / changed > ALIKE:
        message = (
            f"{changed} of {min(samples, len(dataset))} validation samples differ when they are read a second time."
        )
        yield Finding("validation-augmented", "advice", message, {"changed": changed})


def parts(sample):
    """(all numbers of a sample but the last part, the last part's) as vectors."""
    if not isinstance(sample, list | tuple) or len(sample) < 2:
        raise Skip("the samples of the validation dataset are no pairs")
    numbers = [flat(sample[:-1]), flat(sample[-1:])]
    if not len(numbers[0]):
        raise Skip("the samples of the validation dataset hold no tensors")
    return numbers


def flat(values):
    vectors = [torch.as_tensor(v).double().flatten() for v in values if not isinstance(v, str)]
    return torch.cat(vectors) if vectors else torch.empty(0)


def same(a, b):
    return a.shape == b.shape and torch.equal(a, b)


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-12))


# Inputs and labels


def labels_shuffled(train, valid=(), features=None):
    """No simple relation between inputs and labels, in one half of the data or in both."""
    ours, count = relation(train, features)
    theirs = None
    if valid and sum(batch.size for batch in valid) >= LEAST:
        theirs, valid_count = relation(valid, features)
        fair = min(count, valid_count)
        if theirs < UNRELATED and ours > RELATED:  # as many samples of each, before it is called certain
            ours, theirs = relation(train, features, fair)[0], relation(valid, features, fair)[0]
    evidence = {"training": round(ours, 2), "validation": None if theirs is None else round(theirs, 2)}
    if ours < UNRELATED and theirs is not None and theirs > RELATED:
        message = f"In {count} training samples labels have nothing to do with inputs ({ours:.1f} standard deviations above chance), in validation they do ({theirs:.1f})."  # noqa: E501
        yield Finding("labels-shuffled-against-inputs", "error", message, evidence)
    elif theirs is not None and theirs < UNRELATED and ours > RELATED:
        message = f"In {valid_count} validation samples labels have nothing to do with inputs ({theirs:.1f} standard deviations above chance), in training they do ({ours:.1f})."  # noqa: E501
        yield Finding("labels-shuffled-against-inputs", "error", message, evidence)
    elif ours < UNRELATED:
        also = ", nor in validation" if theirs is not None and theirs < UNRELATED else ""
        message = f"In {count} training samples labels have nothing to do with inputs ({ours:.1f} standard deviations above chance){also}."  # noqa: E501
        yield Finding("labels-shuffled-against-inputs", "error", message, evidence)
