"""Checks that try something out, on copies: learning one batch by heart, the learning rate, saving and loading."""

import time

import torch

from dlsteps.clinic.preflight_checks.case import loss_of, take
from dlsteps.clinic.preflight_checks.losses import SURE, bounds, is_class_numbers, know_all, know_nothing
from dlsteps.clinic.report import Finding, Skip

SAMPLES = 8  # to learn by heart: also a linear model of a few features can tell so many apart somewhat
STEPS = 60
LEAST_STEPS = 20  # fewer, because the network is slow: no verdict
SECONDS = 1.0  # for each attempt
LEARNED = 0.5  # of the way from the loss of who knows nothing to that of who knows all: it learns, stop
NOTHING = 0.05  # of that way: less is nothing
LITTLE = 0.15  # after 100 steps of Adam at the best of three rates: far from learning by heart
PEAK = 10.0  # times the loss at the start; RMSprop's first steps make it 3 to 5 times


def train_on(model, loss_fn, optimizer, batches, steps=STEPS, enough=-float("inf"), seconds=SECONDS, least=1):
    """The losses of some steps on batches in turn; ends, after the `least`, when one is below `enough`, or at nan."""
    model.train()
    torch.manual_seed(0)
    losses, done, start = [], 0, time.perf_counter()

    def closure():
        several = len(losses) > done  # tries in one step, as LBFGS makes: those have to be on the same batch
        batch = batches[0] if several else batches[done % len(batches)]
        optimizer.zero_grad()
        loss = loss_of(loss_fn, model(*batch.inputs, **batch.named), batch.target)
        loss.backward()
        losses.append(loss.item())
        return loss

    while len(losses) < steps and time.perf_counter() - start < seconds:
        optimizer.step(closure)
        done += 1
        if not losses[-1] < float("inf") or done >= least and losses[-1] <= enough:  # nan, too
            break
    return losses


def ending(losses, count=5):
    """The mean of the last losses, so that dropout does not decide."""
    last = losses[-1:] if losses[-1] != losses[-1] else losses[-min(count, max(1, len(losses) // 4)) :]
    return sum(last) / len(last)


def falls(losses, way, share):
    """By so much of the way that there is from its start to the best; and without blowing up before."""
    return not way.blows_up(losses) and ending(losses) < losses[0] - share * abs(losses[0] - way.all)


class Way:
    """From the loss of who knows nothing of the input to that of who knows the targets by heart: 0 … 1."""

    def __init__(self, loss_fn, output, target, kind):
        self.nothing, self.all = bounds(loss_fn, output, target, kind)

    def at(self, loss):
        share = (self.nothing - loss) / (self.nothing - self.all)
        return share if share == share else -float("inf")

    def blows_up(self, losses):
        """Is any loss not finite, or many times as far from the best as at the start?"""
        far = max(losses[0], self.nothing) - self.all
        return any(not loss - self.all <= PEAK * far for loss in losses)

    def loss(self, share):
        return self.nothing - share * (self.nothing - self.all)


def trained_a_little(case, batch, steps=10):
    """A copy of the model after some steps of Adam that move each weight by a thousandth."""
    model, loss_fn, _ = case.copies()
    weights = [p for p in model.parameters() if p.requires_grad]
    if weights:
        train_on(model, loss_fn, torch.optim.Adam(weights, lr=1e-3), [batch], steps)
    return model


def varied(batch, count):
    """So many samples of a batch, of as many classes, or spread as far, as there are."""
    target = batch.target
    if batch.size <= count or not isinstance(target, torch.Tensor):
        return batch if batch.size <= count else take(batch, range(count))
    first = target.reshape(batch.size, -1)[:, 0].tolist()
    if len(set(first)) > count:  # numbers
        order = sorted(range(batch.size), key=lambda i: first[i])
        return take(batch, sorted(order[i * (batch.size - 1) // (count - 1)] for i in range(count)))
    seen, rank = {}, []
    for label in first:
        seen[label] = seen.get(label, 0) + 1
        rank.append(seen[label])
    return take(batch, sorted(sorted(range(batch.size), key=lambda i: rank[i])[:count]))


def way_of(case, batch, kind, compare=True):
    with torch.no_grad():
        output = case.output(batch)
    if not isinstance(output, torch.Tensor):
        raise Skip("the output is not one tensor")
    if compare and are_alike(batch.target, [b.target for b in case.batches]):
        raise Skip("the targets of the first batch are all alike")
    return Way(case.loss_fn, output, batch.target, kind)


def are_alike(target, targets):
    """Do targets of a batch hardly differ, other than those of all batches? Then there is nothing to tell apart."""
    if not all(isinstance(t, torch.Tensor) and t.shape[1:] == target.shape[1:] for t in targets):
        return False
    spread, whole = (t.double().std(dim=0).mean() for t in (target, torch.cat(targets)))
    return bool(spread < 0.05 * whole) or not target.ne(target[:1]).any()


def is_reversed(case, batch, kind):
    """Is the loss not smaller for the right classes than for no opinion?"""
    with torch.no_grad():
        output = case.output(batch)
    if not is_class_numbers(batch.target, output):
        return None
    none = loss_of(case.loss_fn, know_nothing(output, batch.target, kind), batch.target).item()
    right = min(loss_of(case.loss_fn, know_all(output, batch.target, kind, sure), batch.target).item() for sure in SURE)
    return (right, none) if right > none - 1e-6 * abs(none) else None


def cannot_overfit_one_batch(case, kind):
    """With Adam at three learning rates, a few samples are not learned at all."""
    batch = varied(case.batch, SAMPLES)
    if are_alike(batch.target, [b.target for b in case.batches]):
        raise Skip("the targets of the first batch are all alike")
    wrong = is_reversed(case, batch, kind)
    if wrong:
        message = (
            f"The loss is {wrong[0]:.3g} for the right answers, and no larger, {wrong[1]:.3g}, for none in particular."
        )
        yield Finding("cannot-overfit-one-batch", "error", message, {"right": wrong[0], "no_opinion": wrong[1]})
        return
    way = way_of(case, batch, kind)
    best, tried = -float("inf"), 0
    for rate in (3e-3, 3e-2, 3e-4):
        model, loss_fn, _ = case.copies()
        weights = [p for p in model.parameters() if p.requires_grad]
        if not weights:
            raise Skip("nothing trains")
        losses = train_on(
            model, loss_fn, torch.optim.Adam(weights, lr=rate), [batch], 100, way.loss(LEARNED), case.seconds()
        )
        tried = max(tried, len(losses))
        if way.at(losses[0]) < -1 and falls(losses, way, 0.1):
            raise Skip("it starts far off, and is still on its way to the targets' mean")
        best = max(best, way.at(ending(losses)), way.at(losses[-1]) if len(losses) < 100 else best)
        if best >= 2 * LITTLE or best >= 2 * NOTHING and len(losses) < 100:
            return
    if tried < LEAST_STEPS:
        raise Skip(f"too slow: {tried} steps in {SECONDS:g} s")
    if best < (LITTLE if tried == 100 else NOTHING):
        message = f"After {tried} steps on {batch.size} samples the loss is {way.loss(best):.3g}; the best constant answer has {way.nothing:.3g}, and knowing them by heart {way.all:.3g}."  # noqa: E501
        evidence = {"loss": way.loss(best), "constant_answer": way.nothing, "by_heart": way.all, "samples": batch.size}
        yield Finding("cannot-overfit-one-batch", "error", message, evidence)
