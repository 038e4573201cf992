"""Checks of what comes out for what goes in, and of how the loss takes it."""

import math

import torch

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.preflight_checks.case import change, forward, rows, take, twin_of
from dlsteps.clinic.report import Finding, Skip

EQUAL = 1e-5  # relative: rows that differ by less are the same, in float32
CONSTANT = 1e-7  # in float32 there would be no difference left
NOTHING_AT_ALL = 1e-12  # the same in float64
UNREAD, NEARLY_ALL = 0.5, 0.9  # share of the input that is not read: for advice, for an error
SIZES = (1.0, 3.0, 10.0)  # of random weights: with some of them all ReLUs may be off, or thresholds not reached


def reinitialised(model, seed, size=1.0):
    """A copy with random weights that neither swallow nor blow up the signal: what it computes, whatever it learned."""
    other = twin_of(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in (p for p in other.parameters() if p.is_floating_point()):
            noise = torch.randn(p.shape, generator=generator).to(p)
            scale = 0.5 < p.mean() < 2 if p.numel() else False  # a normalisation's factors begin as 1
            p.copy_(size * noise * (2 / p[0].numel()) ** 0.5 if p.ndim > 1 else scale + 0.1 * noise)
    return other


def differ(a, b):
    """The largest difference of two matrices, measured by their size."""
    if a.shape != b.shape or not a.numel():
        return math.inf
    return ((a - b).abs().max() / torch.maximum(a.abs().max(), b.abs().max()).clamp(min=1e-30)).item()


def answers(model, batch):
    """(B, D): what a model in eval mode says about each sample."""
    with torch.no_grad():
        return rows(forward(model, batch, train=False), batch.size)


def other_samples(few, batches):
    """As many samples, other ones: those of the second half for the first, or of another batch."""
    for batch in batches[::-1]:
        if batch is not few and batch.size >= few.size:
            return take(batch, range(batch.size - few.size, batch.size))
    return take(few, list(range(few.size))[::-1])


def input_ignored(model, few, other, is_seen=None):
    """Whatever its weights, the network gives the same for other inputs. In float64, where tiny differences remain.

    `is_seen`: a function that says whether layers that get gradients see the input; then it is no matter of wiring.
    """
    if few.size < 2:
        raise Skip("a batch of one sample")
    if same_inputs(few, other):
        raise Skip("all samples looked at are the same")
    largest = differ(*(answers(model, batch) for batch in (few, other)))
    if largest < EQUAL:  # looked at more closely, which takes time
        models = (model, *(reinitialised(model, seed, size) for seed, size in enumerate(SIZES)))
        largest = max(differ(*(exact_answers(m, batch) for batch in (few, other))) for m in models)
    if largest <= NOTHING_AT_ALL:
        if not (is_seen and is_seen()):
            message = (
                f"For {few.size} other samples the output is the same, also with {len(SIZES)} other sets of weights."
            )
            yield Finding("input-ignored", "error", message, {"largest_difference": largest})
        return
    for name, changed in one_input_changed(few, other):
        models = (model, *(reinitialised(model, seed, size) for seed, size in enumerate(SIZES)))
        if max(differ(answers(m, few), answers(m, changed)) for m in models) < EQUAL:
            message = f"Other values of input {name} do not change the output."
            yield Finding("input-ignored", "error", message, {"input": str(name)})
            return
    yield from mostly_unread(model, few, other)


def mostly_unread(model, few, other):
    """Most values of a sample do not change the output, whatever the weights: by gradients, and then tried out."""
    if len(few.inputs) != 1 or few.named or not few.inputs[0].is_floating_point():
        return
    models = [model, *(reinitialised(model, seed, size) for seed, size in enumerate(SIZES))]
    x, fresh = few.inputs[0], other.inputs[0]
    varying = (x != x[:1]).any(dim=0) | (fresh != x[:1]).any(dim=0)
    unread = varying.clone()
    for m in models:
        unread &= ~reads(m, few)
    share = unread.sum().item() / max(1, varying.sum().item())
    if share < UNREAD:
        return
    changed = few._replace(inputs=(torch.where(unread, fresh, x),))
    if max(differ(answers(m, few), answers(m, changed)) for m in models) < EQUAL:
        message = f"{unread.sum()} of {varying.sum()} values of a sample do not change the output."
        severity = "error" if share > NEARLY_ALL else "advice"
        yield Finding("input-ignored", severity, message, {"unread": unread.sum().item(), "of": varying.sum().item()})


def reads(model, few):
    """For each value of a sample, whether an output of some sample hangs on it: a mask of the input's shape."""
    x = few.inputs[0].detach().clone().requires_grad_()
    all_of_it = torch.ones_like(x[0], dtype=torch.bool)
    with torch.enable_grad():
        found = [t for t in tensors(forward(twin_of(model), few._replace(inputs=(x,)), train=False)) if t.requires_grad]
        if not found:
            return all_of_it
        mixed = sum((out * torch.randn_like(out)).sum() for out in found)
        (gradient,) = torch.autograd.grad(mixed, x, allow_unused=True)
    return all_of_it if gradient is None else (gradient != 0).any(dim=0)


def exact_answers(model, batch):
    """`answers` in float64, if the model can."""
    double = lambda t: t.double() if t.is_floating_point() else t  # noqa: E731
    try:
        wide = batch._replace(inputs=change(batch.inputs, double), named=change(batch.named, double))
        return answers(twin_of(model).double(), wide)
    except Skip:
        return answers(model, batch)


def layers_that_see(model, few, other):
    """Names of layers whose input differs between two batches."""
    seen, hooks = {}, []
    for name, module in model.named_modules():

        def note(module, args, name=name):
            seen.setdefault(name, []).extend(t.detach().clone() for t in tensors(args))

        if list(module.parameters(recurse=False)):
            hooks.append(module.register_forward_pre_hook(note))
    try:
        answers(model, few)
        before, seen = seen, {}
        answers(model, other)
    finally:
        for hook in hooks:
            hook.remove()
    pairs = {name: list(zip(before[name], seen.get(name, []), strict=False)) for name in before}
    return {name for name, pair in pairs.items() if any(a.shape == b.shape and not torch.equal(a, b) for a, b in pair)}


def same_inputs(a, b):
    pairs = zip(tensors([a.inputs, a.named]), tensors([b.inputs, b.named]), strict=False)
    return all(x.shape == y.shape and torch.equal(x, y) for x, y in pairs)


def one_input_changed(few, other):
    """(name, batch) for each input of several that differs."""
    if len(few.inputs) + len(few.named) < 2:
        return
    for i, (old, new) in enumerate(zip(few.inputs, other.inputs, strict=True)):
        if isinstance(old, torch.Tensor) and old.is_floating_point() and not torch.equal(old, new):
            yield i, few._replace(inputs=(*few.inputs[:i], new, *few.inputs[i + 1 :]))
    for name, old in few.named.items():
        if isinstance(old, torch.Tensor) and old.is_floating_point() and not torch.equal(old, other.named[name]):
            yield f"{name!r}", few._replace(named={**few.named, name: other.named[name]})


def constant_output(start, trained, batch):
    """The same answer for every sample, before and after a few steps of training."""
    if batch.size < 2:
        raise Skip("a batch of one sample")
    worst = max(spread(answers(model, batch)) for model in (start, trained))
    if worst < EQUAL:
        worst = max(spread(exact_answers(model, batch)) for model in (start, trained))
    if worst < CONSTANT:
        message = f"For {batch.size} samples the output is the same, at the start and after a few steps of training."
        yield Finding("constant-output", "error", message, {"largest_difference": worst})


def spread(out):
    """How far answers to several samples are from their mean, measured by the largest."""
    return float((out - out.mean(dim=0)).abs().max() / out.abs().max().clamp(min=1e-30))


def leak_between_samples(model, few):
    """In eval mode, what is said of some samples changes with the others of their batch."""
    half = few.size // 2
    if half < 2:
        raise Skip("a batch of too few samples")
    if is_pairwise(model, few):
        raise Skip("the output compares the samples of a batch with each other")
    worst = 0.0
    for m in (model, reinitialised(model, 0)):
        for kept, fill in ((slice(0, half), few.size - 1), (slice(half, None), 0)):
            index = [i if i in range(few.size)[kept] else fill for i in range(few.size)]
            worst = max(worst, differ(answers(m, few)[kept], answers(m, take(few, index))[kept]))
    if worst > 100 * EQUAL:
        message = f"Other samples in the batch change the output for a sample, by {worst:.1%} of the largest value."
        severity = "advice" if has_batch_statistics(model) else "error"
        yield Finding("leak-between-samples", severity, message, {"change": worst})


def is_pairwise(model, few):
    """Does the second dimension of the output follow the size of the batch, as for a table of similarities?"""
    shapes = [[t.shape for t in tensors(forward(model, batch, train=False))] for batch in (few, take(few, range(3)))]
    return any(
        len(a) > 1 and len(b) > 1 and a[0] == a[1] == few.size and b[1] == 3 for a, b in zip(*shapes, strict=False)
    )


def has_batch_statistics(model):
    """BatchNorm that was told not to keep averages: a choice, if a doubtful one."""
    return any(
        getattr(m, "track_running_stats", True) is False and "Batch" in type(m).__name__ for m in model.modules()
    )
