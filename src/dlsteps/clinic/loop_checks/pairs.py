"""Does the model get the loader's inputs, and the loss the labels that belong to them? From recorded runs.

Half of the samples of each batch are exchanged for others, and the function runs again. Whatever the learner's code
does to a batch on the way (scale, flatten, one-hot, move), just these must now differ, in inputs and labels alike.
"""

import torch

from dlsteps.clinic.loop_checks.pieces import columns, rows, tensors
from dlsteps.clinic.preflight_checks.losses import kind_of
from dlsteps.clinic.report import Finding, Skip
from dlsteps.training.batches import split_batch

MOST_BATCHES = 2 / 3  # with labels in another order; a mixture of pairs can look so in a batch or two by chance


def changed_rows(first, second, size):
    """Which samples differ between two tensors: a set for each dimension that may be that of the samples."""
    if first.shape != second.shape:
        return None
    differ = (first != second) & ~((first != first) & (second != second))
    axes = [axis for axis in range(min(2, first.ndim)) if first.shape[axis] == size]
    return [set(differ.movedim(axis, 0).reshape(size, -1).any(1).nonzero().flatten().tolist()) for axis in axes]


def union_of_inputs(calls, twins, size):
    """Samples that differ in anything that the model was given; None if that cannot be seen."""
    found = set()
    for call, twin in zip(calls, twins, strict=True):
        for first, second in zip(tensors(call.inputs), tensors(twin.inputs), strict=True):
            sets = changed_rows(first, second, size)
            if not sets:
                if sets is None or not torch.equal(first, second):
                    return None
                continue
            found |= set.union(*sets)
    return found


def target_of(loss):
    """Of the two things that the loss compares the one without a graph; in evaluation, the second."""
    if len(loss.inputs) != 2:
        return None
    return 0 if loss.attached == [False, True] else 1


def comparable(run, twin):
    """Numbers of the batches in which both runs made the same calls."""
    if run.error or twin.error:
        raise Skip("it stops with an error")
    for number in dict.fromkeys(run.read):
        pairs = (run.calls_of(number), twin.calls_of(number)), (run.losses_of(number), twin.losses_of(number))
        if all(len(a) == len(b) for a, b in pairs) and pairs[0][0]:
            yield number


def given(run, number):
    """The tensors that the model was given in a batch."""
    return tensors([call.inputs for call in run.calls_of(number)])


def input_ignored(name, run, twin, exchanged):
    """Other samples from the loader, the same for the model; or those of the first batch in all others."""
    seen, same = 0, 0
    for number in comparable(run, twin):
        inputs = union_of_inputs(run.calls_of(number), twin.calls_of(number), rows(run.batches[number]))
        shown = given(run, number)
        if exchanged[number] and shown:
            unchanged = all(torch.equal(a, b) for a, b in zip(shown, given(twin, number), strict=True))
            seen, same = seen + 1, same + (inputs == set() and unchanged)
    if not seen:
        raise Skip(f"{name} does not read the loader that it is given" if not run.read else "nothing to compare")
    if same == seen:
        message = (
            f"{name}: with other samples in {seen} of {seen} batches, the model was given just the same as before."
        )
        yield Finding("input-ignored", "error", message, {"batches": seen, "unchanged": same})
    elif first_batch_again(run):
        batches = len(set(run.read))
        message = f"{name}: in all {batches} batches, the model was given the inputs of the first."
        yield Finding("input-ignored", "error", message, {"batches": batches, "unchanged": batches})


def first_batch_again(run):
    """Whether the model is given the same inputs in every batch, while those of the loader differ."""

    def read(number):
        return tensors(split_batch(run.batches[number])[:2])

    first, *others = dict.fromkeys(run.read)
    return bool(others and given(run, first)) and all(
        alike(given(run, first), given(run, number)) and not alike(read(first), read(number)) for number in others
    )


def alike(first, second):
    """Whether two lists of tensors are equal as far as both go: the last batch may be short."""
    if [t.ndim for t in first] != [t.ndim for t in second]:
        return False
    common = [tuple(map(slice, map(min, a.shape, b.shape))) for a, b in zip(first, second, strict=True)]
    return all(torch.equal(a[part], b[part]) for a, b, part in zip(first, second, common, strict=True))


def reordered(target, batch):
    """Whether these are labels of the batch in another order."""
    flat = target.flatten()
    for column in columns(batch):
        own = column.flatten()
        alike = own.shape == flat.shape and own.dtype == flat.dtype and not torch.equal(own, flat)
        if alike and torch.equal(own.sort()[0], flat.sort()[0]):
            return True
    return False


def labels_shuffled(name, run, twin, exchanged):
    """As many labels changed as were exchanged, but not those of the inputs that changed; or they are in another order
    and the inputs are not. (In a mixture of pairs, the inputs that changed are more than were exchanged.)
    """
    sizes, seen, moved, sorted_anew = {len(changed) for changed in exchanged}, 0, 0, 0
    for number in comparable(run, twin):
        size = rows(run.batches[number])
        inputs = union_of_inputs(run.calls_of(number), twin.calls_of(number), size)
        for loss, other in zip(run.losses_of(number), twin.losses_of(number), strict=True):
            place = target_of(loss)
            sets = None if place is None else changed_rows(loss.inputs[place], other.inputs[place], size)
            if not sets or not inputs or not exchanged[number]:
                continue
            seen += 1
            moved += all(len(changed) in sizes and changed - inputs for changed in sets)
            sorted_anew += inputs == exchanged[number] and reordered(loss.inputs[place], run.batches[number])
    if not seen:
        raise Skip("inputs and labels could not be followed to the loss")
    if first_batch_again(run):
        raise Skip("the model is not given the loader's inputs")
    wrong = max(moved, sorted_anew)
    if moved >= min(2, seen) or sorted_anew >= max(2, seen * MOST_BATCHES):
        message = f"{name}: in {wrong} of {seen} batches the labels at the loss belong to other inputs."
        yield Finding("labels-shuffled-against-inputs", "error", message, {"batches": seen, "wrong": wrong})


def squashed_before_loss(name, run, loss_fn):
    """Probabilities at a loss that takes the softmax or sigmoid itself, made in the loop of the model's logits."""
    given = [(loss.inputs[1 - target_of(loss)], loss.inputs[target_of(loss)]) for loss in run.losses
             if target_of(loss) is not None]  # fmt: skip
    logits = [t for call in run.calls for t in tensors(call.output)]
    if not given or not logits or all(t.min() >= 0 and t.max() <= 1 for t in logits):
        return
    kind = kind_of(loss_fn, *given[0])
    squashed = all(output.min() >= 0 and output.max() <= 1 for output, _ in given)
    to_one = squashed and all(o.ndim > 1 and (o.sum(dim=1) - 1).abs().max() < 1e-3 for o, _ in given)
    if kind == "softmax" and to_one or kind == "sigmoid" and squashed:
        low, high = torch.cat([t.flatten() for t in logits]).aminmax()
        message = f"{name}: the model gives {low:.2g} to {high:.2g}, the loss gets 0 to 1, and takes the {kind} itself."
        yield Finding("softmax-before-cross-entropy", "error", message, {"loss": kind})


def broadcast_in_loss(name, run, loss_fn):
    """Output and target of different shape, which the loss stretches to a common one."""
    for loss in run.losses:
        if len(loss.inputs) != 2 or loss.inputs[0].shape == loss.inputs[1].shape:
            continue
        output, target = loss.inputs
        try:
            stretched = torch.broadcast_tensors(output, target)
            with torch.no_grad():
                same = torch.allclose(loss_fn(*stretched).float(), loss_fn(output, target).float(), rtol=1e-4)
        except (RuntimeError, ValueError, IndexError, AttributeError, TypeError):
            continue
        shapes = [tuple(output.shape), tuple(target.shape), tuple(stretched[0].shape)]
        count = stretched[0].numel()
        if same and count > max(output.numel(), target.numel()):
            message = f"{name}: output {shapes[0]} and target {shapes[1]} were stretched to {shapes[2]} in the loss."
            evidence = {"output": list(shapes[0]), "target": list(shapes[1]), "compared": count}
            yield Finding("shape-broadcast-in-loss", "error", message, evidence)
            return
