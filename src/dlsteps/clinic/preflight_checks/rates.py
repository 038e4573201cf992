"""Checks of the learning rate, by trying it and others, on copies."""

import torch

from dlsteps.clinic.preflight_checks.case import change
from dlsteps.clinic.preflight_checks.trial import (
    LEARNED,
    NOTHING,
    SAMPLES,
    SECONDS,
    STEPS,
    ending,
    falls,
    train_on,
    varied,
    way_of,
)
from dlsteps.clinic.report import Finding, Skip

RATE_SAMPLES = 16  # to try the learning rate on: what a sum over the batch does should show
LEAST_STEPS = 10  # fewer, because the network is slow: no verdict
LARGE_TARGET = 10.0  # beyond, targets are not normalised
STANDS = 0.005  # of the way in `STEPS`: at this pace 12,000 steps to the end
CRAWLS = 0.02  # that is too slow if another learning rate goes 20 times as far
SLOW = 0.12  # the same; sound programs go half of the way or more


def attempt_at(case, batches, way, factor=1.0, least=1, steps=STEPS):
    """Losses with the given optimizer, its learning rate times `factor`."""
    model, loss_fn, optimizer = case.copies()
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * factor
    return train_on(model, loss_fn, optimizer, batches, steps, way.loss(LEARNED), case.seconds(), least)


def learning_rate(case, kind, found=()):
    """With the given optimizer on one batch: does the loss fall? If not, does it with another learning rate?

    `found`: codes of what was found before; data of an odd scale, or a network that Adam cannot train either.
    """
    batches = [varied(batch, RATE_SAMPLES) for batch in case.batches[:2]]
    one, way = batches[:1], way_of(case, batches[0], kind)
    losses = attempt_at(case, one, way)
    learns = way.at(ending(losses)) > NOTHING or way.at(losses[-1]) >= LEARNED or way.at(losses[0]) > LEARNED
    moved = abs(losses[0] - ending(losses)) / abs(losses[0] - way.all)
    if learns and not way.blows_up(losses) and moved <= SLOW and len(losses) >= STEPS:
        rate = float(case.optimizer.param_groups[0]["lr"])
        yield from too_low(case, one, way, rate, losses, CRAWLS)
        return
    if learns and not way.blows_up(losses):
        if len(attempt_at(case, one, way, steps=1)) > 1:
            return  # it looks at a batch several times in a step, as LBFGS does; batches in turn are not for it
        one, losses = batches, attempt_at(case, batches, way, least=LEAST_STEPS)  # what suits one may spoil the next
        if not way.blows_up(losses):
            return
    yield from why_not(case, one, way, losses, kind, found)


def why_not(case, batches, way, losses, kind, found):
    """The reason why the loss does not fall: data, learning rate or optimizer."""
    grown, start, end = way.blows_up(losses), losses[0], ending(losses)
    rate = float(case.optimizer.param_groups[0]["lr"])
    if not grown and len(losses) < LEAST_STEPS:
        raise Skip(f"too slow: {len(losses)} steps in {SECONDS:g} s")
    moved = abs(end - start) / abs(start - way.all)
    if not grown and moved <= SLOW:
        slow = list(too_low(case, batches, way, rate, losses, STANDS if moved <= STANDS else CRAWLS))
        yield from slow
        if slow or moved <= STANDS:
            return
    causes = []
    if grown or end > start:
        causes = scale_of_data(case, batches[0], kind, losses, "not-normalised" in found)
        causes = causes or list(too_high(case, batches, way, rate, losses))
    yield from causes or no_rate(case, kind, losses, found)


def no_rate(case, kind, losses, found):
    """A few samples, which Adam learns, are not learned with the given optimizer at any rate: it is the optimizer."""
    if "cannot-overfit-one-batch" in found:
        return
    batch = varied(case.batch, SAMPLES)
    way = way_of(case, batch, kind)
    for factor in (1.0, 3.0, 10.0, 0.1, 0.01, 30.0, 100.0):
        tried = attempt_at(case, [batch], way, factor)
        if len(tried) < LEAST_STEPS and not way.blows_up(tried) and way.at(ending(tried)) <= NOTHING:
            raise Skip(f"too slow: {len(tried)} steps in the time that was left")
        if not way.blows_up(tried) and (way.at(min(tried)) > NOTHING or falls(tried, way, 2 * CRAWLS)):
            return
    message = f"With this optimizer the loss on one batch goes from {losses[0]:.3g} to {ending(losses):.3g}, and with larger or smaller learning rates it does not fall, either; with Adam it does."  # noqa: E501
    evidence = {"losses": [losses[0], str(ending(losses))]}
    fix = "Look at the optimizer's options: maximize, weight_decay, momentum."
    yield Finding("cannot-overfit-one-batch", "error", message, evidence, fix)


def scale_of_data(case, batch, kind, losses, unnormalised):
    """[the finding], if with the same learning rate all is well as soon as inputs, or targets, are normalised."""
    ways = [("not-normalised", "inputs", batch._replace(inputs=change(batch.inputs, standard)))] if unnormalised else []
    numbers = kind == "other" and isinstance(batch.target, torch.Tensor) and batch.target.is_floating_point()
    if numbers and batch.target.abs().max() > LARGE_TARGET:
        ways.append(("initial-loss-off", "targets", batch._replace(target=standard(batch.target))))
    for code, what, normal in ways:
        way = way_of(case, normal, kind, compare=False)
        if way.at(ending(attempt_at(case, [normal], way))) > 4 * NOTHING:
            goes = f"from {losses[0]:.3g} to {ending(losses):.3g}"
            message = f"On one batch the loss goes {goes}; with normalised {what} it falls."
            return [Finding(code, "error", message, {"losses": [losses[0], str(ending(losses))]})]
    return []


def standard(t):
    return (t - t.mean()) / t.std().clamp(min=1e-12) if t.is_floating_point() else t


def too_high(case, batches, way, rate, losses):
    for factor in (0.1, 0.01, 0.001, 0.0001):
        lower = attempt_at(case, batches, way, factor)
        if (
            not way.blows_up(lower)
            and way.at(ending(lower)) > max(0.3, way.at(ending(losses)) + 0.1)
            or falls(lower, way, 0.3)
        ):
            message = f"With learning rate {rate:g} the loss goes from {losses[0]:.3g} up to {largest(losses):.3g} in {len(losses)} steps; with {rate * factor:g} it falls to {ending(lower):.3g}."  # noqa: E501
            evidence = {"rate": rate, "losses": [losses[0], str(largest(losses))], "better": rate * factor}
            yield Finding("learning-rate-too-high", "error", message, evidence)
            return


def too_low(case, batches, way, rate, losses, moved):
    for factor in (100.0, 10_000.0, 1_000_000.0):
        higher = attempt_at(case, batches, way, factor)
        if falls(higher, way, 20 * moved):
            message = f"With learning rate {rate:g} the loss goes from {losses[0]:.4g} to {ending(losses):.4g} in {len(losses)} steps, with {rate * factor:g} to {ending(higher):.3g}."  # noqa: E501
            evidence = {"rate": rate, "losses": [losses[0], ending(losses)], "better": rate * factor}
            yield Finding("learning-rate-too-low", "advice", message, evidence)
            return


def largest(losses):
    """The largest loss; nan counts as the largest."""
    return max(losses, key=lambda loss: float("inf") if loss != loss else loss)
