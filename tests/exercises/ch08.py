"""Answers to the exercises of lesson 08."""

import bisect
import itertools
import math
import statistics

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlsteps.training import Callback


def by_loop(losses, sizes):
    total = samples = 0
    for i in range(len(losses)):
        total += losses[i] * sizes[i]
        samples += sizes[i]
    return total / samples


def by_average(losses, sizes):
    return np.average(losses, weights=sizes)


def by_tensors(losses, sizes):
    sizes = torch.tensor(sizes, dtype=torch.float64)
    return (torch.tensor(losses, dtype=torch.float64) @ sizes / sizes.sum()).item()


def by_shares(losses, sizes):
    count = sum(sizes)
    return math.fsum(loss * (size / count) for loss, size in zip(losses, sizes, strict=True))


def by_moving(losses, sizes):
    mean, seen = 0.0, 0
    for loss, size in zip(losses, sizes, strict=True):
        seen += size
        mean += (loss - mean) * size / seen
    return mean


def by_repeating(losses, sizes):
    return float(np.repeat(losses, sizes).mean())


def halfway(losses, sizes):
    mean = losses[0]
    for loss in losses[1:]:
        mean = (mean + loss) / 2
    return mean


def by_dictionary(losses, sizes):
    batches = dict(zip(losses, sizes, strict=True))
    return sum(loss * size for loss, size in batches.items()) / sum(batches.values())


def by_set_of_pairs(losses, sizes):
    batches = set(zip(losses, sizes, strict=True))
    return sum(loss * size for loss, size in batches) / sum(size for _, size in batches)


def skip_zeros(losses, sizes):
    pairs = [(loss, size) for loss, size in zip(losses, sizes, strict=True) if loss]
    return sum(loss * size for loss, size in pairs) / sum(size for _, size in pairs)


def without_the_last(losses, sizes):
    return by_loop(losses[:-1] or losses, sizes[:-1] or sizes)


def drop_short_ones(losses, sizes):
    full = [loss for loss, size in zip(losses, sizes, strict=True) if size == sizes[0]]
    return sum(full) / len(full)


def only_the_last_is_short(losses, sizes):
    sizes = [sizes[0]] * (len(sizes) - 1) + [sizes[-1]]
    return by_loop(losses, sizes)


def use_up(losses, sizes):
    count, total = sum(sizes), 0.0
    while losses:
        total += losses.pop() * sizes.pop()
    return total / count


def stopping(condition):
    """A class whose callbacks set `trainer.stop` if `condition(self, trainer)` holds."""

    class StopAt(Callback):
        def __init__(self, accuracy):
            self.accuracy = accuracy

        def on_epoch_end(self, trainer):
            if condition(self, trainer):
                trainer.stop = True

    return StopAt


def setting(value):
    """A class whose callbacks set `trainer.stop` to `value(self, trainer)`, whatever it is."""

    class StopAt(Callback):
        def __init__(self, accuracy):
            self.accuracy = accuracy

        def on_epoch_end(self, trainer):
            trainer.stop = value(self, trainer)

    return StopAt


def last(trainer, name="valid_accuracy", default=0.0):
    return trainer.history[-1].get(name, default)


class ByLooking(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch_end(self, trainer):
        record = trainer.history[-1]
        if "valid_accuracy" not in record:
            return
        if not record["valid_accuracy"] < self.accuracy:
            trainer.stop = True


class ByTrying(Callback):
    def __init__(self, accuracy):
        self.limit, self.stopped = accuracy, False

    def on_epoch_end(self, trainer):
        try:
            self.stopped = trainer.history["valid_accuracy"][-1] >= self.limit
        except KeyError:
            self.stopped = False
        trainer.stop |= self.stopped


class CountsRuns(Callback):
    def __init__(self, accuracy):
        self.accuracy, self.best = accuracy, None

    def on_fit_start(self, trainer):
        self.best = -math.inf

    def on_epoch_end(self, trainer):
        self.best = max(self.best, last(trainer, default=-math.inf))
        if self.best >= self.accuracy:
            trainer.stop = True


class NoCallback:
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch_end(self, trainer):
        trainer.stop = trainer.stop or last(trainer) >= self.accuracy


class AtFitEnd(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_fit_end(self, trainer):
        trainer.stop = last(trainer) >= self.accuracy


class Misnamed(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch(self, trainer):
        trainer.stop = trainer.stop or last(trainer) >= self.accuracy


class StopsItself(ByLooking):
    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy:
            self.stop = True


class Returns(ByLooking):
    def on_epoch_end(self, trainer):
        return last(trainer) >= self.accuracy


class Raises(ByLooking):
    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy:
            raise StopIteration


class CallsStop(ByLooking):
    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy:
            trainer.stop()


class ForgetsSelf(Callback):
    def __init__(self, accuracy):
        accuracy = float(accuracy)

    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy:
            trainer.stop = True


class RemembersBest(Callback):
    def __init__(self, accuracy):
        self.accuracy, self.best = accuracy, 0.0

    def on_epoch_end(self, trainer):
        self.best = max(self.best, last(trainer))
        if self.best >= self.accuracy:
            trainer.stop = True


class StopsOnce(Callback):
    def __init__(self, accuracy):
        self.accuracy, self.done = accuracy, False

    def on_epoch_end(self, trainer):
        if not self.done and last(trainer) >= self.accuracy:
            trainer.stop = self.done = True


class WaitsForImprovement(Callback):
    def __init__(self, accuracy):
        self.accuracy, self.before = accuracy, 0.0

    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy and last(trainer) >= self.before:
            trainer.stop = True
        self.before = last(trainer)


class Collects(Callback):
    def __init__(self, accuracy):
        self.accuracy, self.seen = accuracy, []

    def on_epoch_end(self, trainer):
        self.seen.append(last(trainer))
        if max(self.seen) >= self.accuracy:
            trainer.stop = True


class OnTheClass(Callback):
    def __init__(self, accuracy):
        OnTheClass.accuracy = accuracy

    def on_epoch_end(self, trainer):
        if last(trainer) >= self.accuracy:
            trainer.stop = True


class TakesOut(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch_end(self, trainer):
        if trainer.history[-1].pop("valid_accuracy", 0.0) >= self.accuracy:
            trainer.stop = True


class PutsIn(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch_end(self, trainer):
        if trainer.history[-1].setdefault("valid_accuracy", 0.0) >= self.accuracy:
            trainer.stop = True


def finished(accuracy):
    return lambda trainer: None


def three_stretches(step, warmup, total):
    if step >= total:
        return 0.0
    if step >= warmup:
        return 0.5 + 0.5 * math.cos((step - warmup) / (total - warmup) * math.pi)
    return 1 / warmup + step / warmup


def by_squares(step, warmup, total):
    if warmup > step:
        return (step + 1) / warmup
    return math.cos(math.pi / 2 * min(1, (step - warmup) / (total - warmup))) ** 2


def by_points(step, warmup, total):
    if step < warmup:
        return float(np.linspace(0, 1, warmup + 1)[step + 1])
    angles = np.linspace(0, np.pi, total - warmup + 1)
    return ((1 + np.cos(angles)) / 2)[min(step, total) - warmup]


def by_degrees(step, warmup, total):
    if step in range(warmup):
        return (step + 1) / warmup
    degrees = 180 * max(0, total - step) / (total - warmup)
    return (1 - math.cos(math.radians(degrees))) / 2


def by_smaller_one(step, warmup, total):
    rise = (step + 1) / max(warmup, 1)
    p = torch.tensor((step - warmup) / (total - warmup), dtype=torch.float64).clamp(0, 1)
    return min(rise, 1.0) if step < warmup else ((1 + torch.cos(torch.pi * p)) / 2).item()


def by_borders(step, warmup, total):
    part = bisect.bisect_right([warmup, total], step)
    if part == 0:
        return (step + 1) / warmup
    return (0, (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2)[part == 1]


def steps_with(rise=None, fall=None, share=None):
    """An answer with one of its three parts replaced: the rise, the fall at p, or p."""
    rise = rise or (lambda step, warmup: (step + 1) / warmup)
    fall = fall or (lambda p: (1 + math.cos(math.pi * p)) / 2)
    share = share or (lambda step, warmup, total: min(1, (step - warmup) / (total - warmup)))

    def answer(step, warmup, total):
        return rise(step, warmup) if step < warmup else fall(share(step, warmup, total))

    return answer


def always_divide(step, warmup, total):
    rise = (step + 1) / warmup
    return rise if step < warmup else three_stretches(step, warmup, total)


def smaller_of_both(step, warmup, total):
    p = min(1, max(0, (step - warmup) / (total - warmup)))
    return min((step + 1) / (warmup or 1), (1 + math.cos(math.pi * p)) / 2)


def one_step_too_long(step, warmup, total):
    if step <= warmup:
        return (step + 1) / max(warmup, 1)
    return three_stretches(step, warmup, total)


def product_of_both(step, warmup, total):
    p = min(1, step / total)
    return min(1, (step + 1) / (warmup or 1)) * (1 + math.cos(math.pi * p)) / 2


def no_last_return(step, warmup, total):
    if step < warmup:
        return (step + 1) / warmup
    if step < total:
        return (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2
    return None


def warmup_is_not_zero(step, warmup, total):
    if warmup and step < warmup:
        return (step + 1) / warmup
    return steps_with(share=lambda s, w, t: min(1, (s - w) / (t - w)) if w else 1)(step, warmup, total)


def as_tensor(step, warmup, total):
    p = torch.tensor((step - warmup) / (total - warmup)).clamp(max=1)
    return torch.tensor((step + 1) / warmup) if step < warmup else (1 + torch.cos(torch.pi * p)) / 2


# The loop


def tidy_loop(model, loader, loss_fn, optimizer):
    model.train()
    losses, sizes = [], []
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(len(y))
    return by_loop(losses, sizes)


def clears_by_hand(model, loader, loss_fn, optimizer):
    if not model.training:
        model.train(True)
    total, count = torch.zeros((), dtype=torch.float64), 0
    for batch in loader:
        x, y = batch
        for parameter in model.parameters():
            parameter.grad = None
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.detach() * x.shape[0]
        count += x.shape[0]
    model.eval()
    return float(total / count)


def clears_after(model, loader, loss_fn, optimizer):
    model.zero_grad(set_to_none=False)
    model.train()
    total, samples = 0.0, 0
    for x, y in list(loader):
        logits = model(x)
        loss = loss_fn(logits, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total, samples = total + len(logits) * loss.item(), samples + len(logits)
    return total / samples


def with_closure(model, loader, loss_fn, optimizer):
    model.train()
    mean = seen = 0
    for x, y in loader:

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure).item()
        seen += len(x)
        mean += (loss - mean) * len(x) / seen
    return mean


def with_grad(model, loader, loss_fn, optimizer):
    total, samples = 0.0, 0
    for x, y in loader:
        loss = loss_fn(model.train()(x), y)
        parameters = list(model.parameters())
        for parameter, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = grad
        optimizer.step()
        total += loss.item() * y.numel()
        samples += y.numel()
    return total / samples


LINES = {  # of a loop, in the order in which they stand
    "before": [],
    "train": ["model.train()"],
    "start": ["total, samples, count = 0.0, 0, 0"],
    "batches": "for x, y in loader:",
    "loss": ["loss = loss_fn(model(x), y)"],
    "clear": ["optimizer.zero_grad()"],
    "backward": ["loss.backward()"],
    "step": ["optimizer.step()"],
    "add": ["total += loss.item() * len(x)", "samples += len(x)", "count += 1"],
    "after": [],
    "return": ["return total / samples"],
}


def loop(**changed):
    """A loop with some of its lines replaced; `order` is another order of those within."""
    parts = LINES | changed
    inside = parts.pop("order", ["loss", "clear", "backward", "step", "add"])
    lines = [*parts["before"], *parts["train"], *parts["start"], parts["batches"]]
    lines += ["    " + line for name in inside for line in parts[name]]
    lines += [*parts["after"], *parts["return"]]
    source = "def answer(model, loader, loss_fn, optimizer):\n" + "".join(f"    {line}\n" for line in lines)
    names = {"torch": torch, "F": F, "nn": nn, "itertools": itertools}
    exec(source, names)
    return names["answer"]


# A large batch in parts


def by_shares_of_the_batch(model, parts, loss_fn, optimizer):
    count = 0
    for _, y in parts:
        count += len(y)
    model.zero_grad()
    losses = []
    for x, y in parts:
        share = x.shape[0] / count
        loss = share * loss_fn(model(x), y)
        loss.backward()
        losses.append(loss.detach())
    optimizer.step()
    return sum(losses).item()


def scaled_at_the_end(model, parts, loss_fn, optimizer):
    optimizer.zero_grad()
    total = samples = 0
    for x, y in parts:
        loss = loss_fn(model(x), y)
        (loss * len(x)).backward()
        total += loss.item() * len(x)
        samples += len(x)
    for parameter in model.parameters():
        parameter.grad /= samples
    optimizer.step()
    optimizer.zero_grad()
    return total / samples


def with_gradient(model, parts, loss_fn, optimizer):
    samples = sum(y.numel() for _, y in parts)
    for x, y in parts:
        loss_fn(model(x), y).backward(gradient=torch.tensor(len(x) / samples, dtype=torch.float64))
    return optimizer.step()


def added_by_hand(model, parts, loss_fn, optimizer):
    weights, samples = list(model.parameters()), sum(len(x) for x, _ in parts)
    sums, mean = [torch.zeros_like(weight) for weight in weights], 0.0
    for x, y in parts:
        loss = loss_fn(model(x), y)
        for total, grad in zip(sums, torch.autograd.grad(loss, weights), strict=True):
            total += grad * len(x) / samples
        mean += loss.item() * len(x) / samples
    for weight, total in zip(weights, sums, strict=True):
        weight.grad = total
    optimizer.step()
    return mean


def losses_first(model, parts, loss_fn, optimizer):
    """Twice through the network, the first time without gradients."""
    sizes = [len(y) for _, y in parts]
    with torch.no_grad():
        losses = [loss_fn(model(x), y).item() for x, y in parts]
    optimizer.zero_grad()
    for (x, y), size in zip(parts, sizes, strict=True):
        (loss_fn(model(x), y) * (size / sum(sizes))).backward()
    optimizer.step()
    return statistics.fmean(losses, sizes)


PARTS = {
    "start": ["samples, total = sum(len(x) for x, _ in parts), 0.0"],
    "clear": ["optimizer.zero_grad()"],
    "batches": "for x, y in parts:",
    "loss": ["loss = loss_fn(model(x), y) * len(x) / samples"],
    "inside": [],
    "backward": ["loss.backward()"],
    "add": ["total += loss.item()"],
    "step": ["optimizer.step()"],
    "return": ["return total"],
}


def in_parts(**changed):
    """An answer with some of its lines replaced."""
    parts = PARTS | changed
    lines = [*parts["start"], *parts["clear"], parts["batches"]]
    lines += ["    " + line for name in ("loss", "inside", "backward", "add") for line in parts[name]]
    lines += [*parts["step"], *parts["return"]]
    source = "def answer(model, parts, loss_fn, optimizer):\n" + "".join(f"    {line}\n" for line in lines)
    names = {"torch": torch, "statistics": statistics}
    exec(source, names)
    return names["answer"]


def all_at_once(model, parts, loss_fn, optimizer):
    x, y = (torch.cat(values) for values in zip(*parts, strict=True))
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def one_backward(model, parts, loss_fn, optimizer):
    samples = sum(len(x) for x, _ in parts)
    loss = sum(loss_fn(model(x), y) * len(x) / samples for x, y in parts)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def outputs_first(model, parts, loss_fn, optimizer):
    outputs = [(model(x), y) for x, y in parts]
    samples, total = sum(len(y) for _, y in outputs), 0.0
    optimizer.zero_grad()
    for output, y in outputs:
        loss = loss_fn(output, y) * len(y) / samples
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def loss_at_once(model, parts, loss_fn, optimizer):
    in_parts()(model, parts, loss_fn, optimizer)
    x, y = (torch.cat(values) for values in zip(*parts, strict=True))
    return loss_fn(model(x), y).item()


def loss_at_once_before(model, parts, loss_fn, optimizer):
    x, y = (torch.cat(values) for values in zip(*parts, strict=True))
    with torch.no_grad():
        loss = loss_fn(model(x), y).item()
    in_parts()(model, parts, loss_fn, optimizer)
    return loss


def use_up_the_parts(model, parts, loss_fn, optimizer):
    samples, total = sum(len(x) for x, _ in parts), 0.0
    optimizer.zero_grad()
    while parts:
        x, y = parts.pop(0)
        loss = loss_fn(model(x), y) * len(x) / samples
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def steps_in_a_copy(model, parts, loss_fn, optimizer):
    before = [parameter.detach().clone() for parameter in model.parameters()]
    total = in_parts(step=[])(model, parts, loss_fn, optimizer)
    for parameter, old in zip(model.parameters(), before, strict=True):
        parameter.data = old - 0.1 * parameter.grad
    return total


STEP_EACH = ["loss.backward()", "optimizer.step()"]
CLEAR_EACH = ["optimizer.zero_grad()"]
RIGHT = {
    "8.1": [by_loop, by_average, by_tensors, by_shares, by_moving, by_repeating],
    "8.2": [
        ByLooking,
        ByTrying,
        CountsRuns,
        stopping(lambda self, trainer: last(trainer, default=-1) >= self.accuracy),
        stopping(
            lambda self, t: "valid_accuracy" in t.history.names and t.history["valid_accuracy"][-1] >= self.accuracy
        ),
        setting(lambda self, trainer: trainer.stop or last(trainer) >= self.accuracy),
    ],
    "8.3": [three_stretches, by_squares, by_points, by_degrees, by_smaller_one, by_borders],
    "8.4": [tidy_loop, clears_by_hand, clears_after, with_closure, with_grad],
    "8.5": [by_shares_of_the_batch, scaled_at_the_end, added_by_hand, losses_first],
}
WRONG = {
    "8.1": [
        ("the mean of the batches is the mean", lambda losses, sizes: sum(losses) / len(losses), "weights"),
        ("a sum is enough", lambda losses, sizes: sum(losses), "samples"),
        ("sums are divided by the number of batches", lambda a, b: sum(map(float.__mul__, a, map(float, b))) / len(a), "samples"),
        ("nothing is divided", lambda losses, sizes: np.dot(losses, sizes), "samples"),
        ("a loss is a sum over its batch", lambda losses, sizes: sum(losses) / sum(sizes), "samples"),
        ("small batches count more", lambda losses, sizes: by_loop(losses, [1 / size for size in sizes]), "weights"),
        ("all batches are as large as the first", lambda a, b: sum(a) * b[0] / sum(b), "weights"),
        ("only the last batch is short", only_the_last_is_short, "own size"),
        ("short batches are left out", drop_short_ones, "weights"),
        ("the last batch is left out", without_the_last, "all"),
        ("the last batch counts", lambda losses, sizes: losses[-1], "all"),
        ("the best batch counts", lambda losses, sizes: min(losses), "all"),
        ("the median is the mean", lambda losses, sizes: statistics.median(losses), "all"),
        ("a running average does it", halfway, "all"),
        ("a loss of 0 is none", skip_zeros, "all"),
        ("a loss is the key of its batch", by_dictionary, "equal"),
        ("a set holds all batches", by_set_of_pairs, "equal"),
        ("sizes are in order", lambda losses, sizes: by_loop(losses, sorted(sizes)), "weights"),
        ("the largest batch comes first", lambda losses, sizes: by_loop(losses, sorted(sizes)[::-1]), "own size"),
        ("whole numbers are enough", lambda losses, sizes: np.dot(losses, sizes) // sum(sizes), "samples"),
        ("a tensor is returned", lambda a, b: (torch.tensor(a) * torch.tensor(b)).sum() / sum(b), "type"),
        ("a list is returned", lambda a, b: [loss * size / sum(b) for loss, size in zip(a, b, strict=True)], "type"),
        ("the batches are used up", use_up, "changed input"),
        ("nothing is returned", lambda losses, sizes: None, "no return"),
    ],
    "8.2": [
        ("it takes a finished callback", ByLooking(0.9), "not this"),
        ("on_epoch_end is all it needs", NoCallback, "callback"),
        ("it is a function", finished, "callback"),
        ("it looks when training has ended", AtFitEnd, "event"),
        ("on_epoch is called, too", Misnamed, "event"),
        ("the callback stops itself", StopsItself, "stop"),
        ("returning True stops", Returns, "stop"),
        ("stop is a method", CallsStop, "raised"),
        ("raising StopIteration stops", Raises, "raised"),
        ("accuracy need not be kept", ForgetsSelf, "raised"),
        ("it stops after the first epoch", setting(lambda self, trainer: True), "go on"),
        ("it stops below the accuracy", stopping(lambda self, t: last(t, default=1.0) < self.accuracy), "stop"),
        ("reached is more than", stopping(lambda self, t: last(t) > self.accuracy), "reached"),
        ("reached is about the same", stopping(lambda self, t: round(last(t), 2) >= self.accuracy), "reached"),
        ("the history's first record is the last", stopping(lambda self, t: t.history[0].get("valid_accuracy", 0) >= self.accuracy), "last"),
        ("the record before is the last", stopping(lambda self, t: t.history[-2:][0].get("valid_accuracy", 0) >= self.accuracy), "last"),
        ("the mean of all epochs counts", stopping(lambda self, t: statistics.fmean(r.get("valid_accuracy", 0) for r in t.history) >= self.accuracy), "last"),
        ("the best of all epochs counts", stopping(lambda self, t: max(r.get("valid_accuracy", 0) for r in t.history) >= self.accuracy), "last"),
        ("accuracy in training counts", stopping(lambda self, t: last(t, "train_accuracy") >= self.accuracy), "which"),
        ("both accuracies count", stopping(lambda self, t: min(last(t), last(t, "train_accuracy")) >= self.accuracy), "which"),
        ("any accuracy counts", stopping(lambda self, t: max(last(t), last(t, "train_accuracy")) >= self.accuracy), "which"),
        ("the loss counts", stopping(lambda self, t: 1 - last(t, "valid_loss", 1.0) >= self.accuracy), "go on"),
        ("there is always a validation", stopping(lambda self, t: t.history[-1]["valid_accuracy"] >= self.accuracy), "no validation"),
        ("the history always knows the name", stopping(lambda self, t: t.history["valid_accuracy"][-1] >= self.accuracy), "no validation"),
        ("None can be compared", stopping(lambda self, t: t.history[-1].get("valid_accuracy") >= self.accuracy), "no validation"),
        ("without validation it stops", stopping(lambda self, t: last(t, default=1.0) >= self.accuracy), "no validation"),
        ("without validation, training will do", stopping(lambda self, t: last(t, default=last(t, "train_accuracy")) >= self.accuracy), "no validation"),
        ("an accuracy is in percent", stopping(lambda self, t: 100 * last(t) >= self.accuracy), "go on"),
        ("stop is set in each epoch", setting(lambda self, t: last(t) >= self.accuracy), "alone"),
        ("stop is reset where it is not reached", setting(lambda self, t: not last(t) < self.accuracy), "alone"),
        ("the best is kept from run to run", RemembersBest, "again"),
        ("it stops once in its life", StopsOnce, "again"),
        ("it compares with the run before", WaitsForImprovement, "again"),
        ("all runs are one", Collects, "again"),
        ("the accuracy is the class's", OnTheClass, "own"),
        ("what is looked at is taken out", TakesOut, "history"),
        ("what is missing is put in", PutsIn, "history"),
    ],
    "8.3": [
        ("the first step is 0", steps_with(rise=lambda step, warmup: step / warmup), "one more"),
        ("the first step is 1 / (warmup + 1)", steps_with(rise=lambda step, warmup: (step + 1) / (warmup + 1)), "one more"),
        ("during warmup it is 1", steps_with(rise=lambda step, warmup: 1.0), "one more"),
        ("it rises like a cosine, too", steps_with(rise=lambda s, w: (1 - math.cos(math.pi * (s + 1) / w)) / 2), "line"),
        ("it rises like a square", steps_with(rise=lambda s, w: ((s + 1) / w) ** 2), "one more"),
        ("warmup lasts a step longer", one_step_too_long, "top"),
        ("p is counted from 1, too", steps_with(share=lambda s, w, t: min(1, (s - w + 1) / (t - w))), "top"),
        ("it divides before it looks", always_divide, "no warmup"),
        ("without warmup there is nothing", warmup_is_not_zero, "no warmup"),
        ("it falls in a straight line", steps_with(fall=lambda p: 1 - p), "wave"),
        ("it falls like a quarter of a wave", steps_with(fall=lambda p: math.cos(math.pi / 2 * p)), "wave"),
        ("it falls like a whole wave", steps_with(fall=lambda p: (1 + math.cos(2 * math.pi * p)) / 2), "wave"),
        ("a cosine goes from 1 to 0", steps_with(fall=lambda p: math.cos(math.pi * p)), "wave"),
        ("negative values are cut off", steps_with(fall=lambda p: max(0.0, math.cos(math.pi * p))), "wave"),
        ("the half is forgotten", steps_with(fall=lambda p: 1 + math.cos(math.pi * p)), "top"),
        ("only the cosine is halved", steps_with(fall=lambda p: 1 + math.cos(math.pi * p) / 2), "top"),
        ("π is forgotten", steps_with(fall=lambda p: (1 + math.cos(p)) / 2), "wave"),
        ("cos takes degrees", steps_with(fall=lambda p: (1 + math.cos(180 * p)) / 2), "wave"),
        ("sine is cosine", steps_with(fall=lambda p: (1 + math.sin(math.pi * p)) / 2), "top"),
        ("the wave is upside down", steps_with(fall=lambda p: (1 - math.cos(math.pi * p)) / 2), "top"),
        ("p is the share of all steps", steps_with(share=lambda s, w, t: min(1, s / t)), "top"),
        ("p is divided by all steps", steps_with(share=lambda s, w, t: min(1, (s - w) / t)), "rest"),
        ("the product of rise and fall", product_of_both, "one more"),
        ("p is 1 at the last step", steps_with(share=lambda s, w, t: min(1, (s - w) / max(t - w - 1, 1))), "wave"),
        ("p is 1 a step later", steps_with(share=lambda s, w, t: min(1, (s - w) / (t - w + 1))), "wave"),
        ("the end is never reached", steps_with(fall=lambda p: max(0.01, (1 + math.cos(math.pi * p)) / 2)), "end"),
        ("nobody asks for more than total", steps_with(share=lambda s, w, t: (s - w) / (t - w)), "after"),
        ("it begins again", steps_with(share=lambda s, w, t: (s - w) % (t - w + 1) / (t - w)), "after"),
        ("it begins again at total", steps_with(share=lambda s, w, t: (s - w) % (t - w) / (t - w)), "end"),
        ("after total it stays at 1", lambda s, w, t: three_stretches(s, w, t) if s < t else 1.0, "end"),
        ("after total there is nothing to return", no_last_return, "no return"),
        ("p is a whole number", steps_with(share=lambda s, w, t: min(1, (s - w) // (t - w))), "wave"),
        ("the factor is rounded", lambda *args: round(three_stretches(*args), 2), "wave"),
        ("a tensor is returned", as_tensor, "type"),
        ("the factor is a percentage", lambda *args: 100 * three_stretches(*args), "one more"),
    ],
    "8.4": [
        ("step is forgotten", loop(step=[]), "step"),
        ("backward is forgotten", loop(backward=[]), "order"),
        ("step comes before backward", loop(order=["loss", "clear", "step", "backward", "add"]), "order"),
        ("gradients are cleared before they are used", loop(order=["loss", "backward", "clear", "step", "add"]), "wiped"),
        ("zero_grad is forgotten", loop(clear=[]), "old"),
        ("zero_grad is needed once", loop(before=["optimizer.zero_grad()"], clear=[]), "zero_grad"),
        ("clearing after the step is enough", loop(order=["loss", "backward", "step", "clear", "add"]), "old"),
        ("train mode is forgotten", loop(train=[]), "mode"),
        ("eval is for computing a loss", loop(train=["model.eval()"]), "mode"),
        ("only the outermost module has a mode", loop(train=["model.training = True"]), "mode"),
        ("train mode comes at the end", loop(train=[], after=["model.train()"]), "mode"),
        ("the first batch may be in eval mode", loop(train=[], add=[*LINES["add"], "model.train()"]), "mode"),
        ("one step for all batches", loop(order=["loss", "backward", "add"], after=["optimizer.step()"], before=["optimizer.zero_grad()"]), "each batch"),
        ("two steps are better than one", loop(step=["optimizer.step()", "optimizer.step()"]), "each batch"),
        ("return is within the loop", loop(add=[*LINES["add"], "return total / samples"]), "every batch"),
        ("the first batch is enough", loop(batches="for x, y in [next(iter(loader))]:"), "every batch"),
        ("short batches are skipped", loop(loss=["if len(x) < (loader.batch_size or 0): continue", *LINES["loss"]]), "every batch"),
        ("the loader's dataset is one batch", loop(batches="for x, y in [loader.dataset.tensors]:"), "every batch"),
        ("probabilities go into the loss", loop(loss=["loss = loss_fn(model(x).softmax(1), y)"]), "loss"),
        ("model and loss are the same thing", loop(loss=["loss = model(x).mean()"]), "loss"),
        ("the sum over the batch is trained", loop(loss=["loss = loss_fn(model(x), y) * len(x)"]), "loss"),
        ("the sum over the batch is trained and divided", loop(loss=["loss = loss_fn(model(x), y) * len(x)"], add=["total += loss.item()", "samples += len(x)"]), "loss"),
        ("all losses so far are trained", loop(
            start=["total, samples, graph = 0.0, 0, 0.0"], backward=["graph = graph + loss", "graph.backward(retain_graph=True)"], step=["optimizer.step()"],
            add=["total += loss.item() * len(x)", "samples += len(x)"],
        ), "zero_grad"),
        ("y comes first", loop(loss=["loss = loss_fn(y, model(x))"]), "raised"),
        ("no gradients are needed", loop(loss=["with torch.no_grad(): loss = loss_fn(model(x), y)"]), "raised"),
        ("loss.item() is a loss", loop(loss=["loss = loss_fn(model(x), y).item()"]), "raised"),
        ("gradients are clipped", loop(backward=["loss.backward()", "nn.utils.clip_grad_norm_(model.parameters(), 0.1)"]), "loss"),
        ("the loss is that after the step", loop(step=["optimizer.step()", "loss = loss_fn(model(x), y)"]), "before"),
        ("the loss is computed again", loop(add=["total += loss_fn(model(x), y).item() * len(x)", "samples += len(x)"], order=["loss", "clear", "backward", "add", "step"]), "once"),
        ("the model is asked twice", loop(loss=["out = model(x)", "loss = loss_fn(model(x), y)"]), "once"),
        ("the sum is returned", loop(**{"return": ["return total"]}), "mean"),
        ("the sum of the batches is returned", loop(add=["total += loss.item()"], **{"return": ["return total"]}), "all"),
        ("the sum is divided by the batches", loop(**{"return": ["return total / count"]}), "mean"),
        ("a loss is a sum over its batch", loop(add=["total += loss.item()", "samples += len(x)"]), "mean"),
        ("the mean is over batches", loop(add=["total += loss.item()", "count += 1"], **{"return": ["return total / count"]}), "samples"),
        ("all batches have the loader's size", loop(add=["total += loss.item() * loader.batch_size", "samples += loader.batch_size"]), "samples"),
        ("all samples of the dataset come", loop(**{"return": ["return total / len(loader.dataset)"]}), "drawn"),
        ("the last loss is the epoch's", loop(**{"return": ["return loss.item()"]}), "all"),
        ("the total begins again in each batch", loop(loss=["total, samples = 0.0, 0", *LINES["loss"]]), "all"),
        ("a tensor is returned", loop(add=["total += loss.detach() * len(x)", "samples += len(x)"]), "type"),
        ("a list of losses is returned", loop(start=["total = []"], add=["total.append(loss.item())"], **{"return": ["return total"]}), "type"),
        ("nothing is returned", loop(**{"return": []}), "no return"),
    ],
    "8.5": [
        ("a step for each part", in_parts(clear=[], inside=CLEAR_EACH, backward=STEP_EACH, step=[]), "one step"),
        ("a step for each part, cleared once", in_parts(backward=STEP_EACH, step=[]), "one step"),
        ("step is forgotten", in_parts(step=[]), "step"),
        ("backward is forgotten", in_parts(backward=[]), "step"),
        ("the step comes first", in_parts(clear=["optimizer.zero_grad()", "optimizer.step()"], step=[]), "step"),
        ("the step is made by hand", steps_in_a_copy, "step"),
        ("zero_grad is forgotten", in_parts(clear=[]), "old"),
        ("gradients are cleared after the step", in_parts(clear=[], step=["optimizer.step()", "optimizer.zero_grad()"]), "old"),
        ("each part clears", in_parts(clear=[], inside=CLEAR_EACH), "wiped"),
        ("each part clears after its backward", in_parts(backward=["loss.backward()", "optimizer.zero_grad()"]), "wiped"),
        ("cleared before the step", in_parts(step=["optimizer.zero_grad()", "optimizer.step()"]), "wiped"),
        ("the sum of the losses is the loss", in_parts(loss=["loss = loss_fn(model(x), y)"]), "mean"),
        ("the sum over all samples is the loss", in_parts(loss=["loss = loss_fn(model(x), y) * len(x)"]), "mean"),
        ("a mean is divided by the samples", in_parts(loss=["loss = loss_fn(model(x), y) / samples"]), "mean"),
        ("the mean of the parts is the mean", in_parts(loss=["loss = loss_fn(model(x), y) / len(parts)"]), "sizes"),
        ("all parts are as large as the first", in_parts(loss=["loss = loss_fn(model(x), y) * len(parts[0][0]) / samples"]), "sizes"),
        ("only full parts count", in_parts(inside=["if len(x) < max(len(x) for x, _ in parts): continue"]), "sizes"),
        ("the last part is left out", in_parts(batches="for x, y in parts[:-1] or parts:"), "mean"),
        ("only the last part is trained", in_parts(backward=[], step=["loss.backward()", "optimizer.step()"]), "mean"),
        ("the mean of the losses is returned", in_parts(**{"return": ["return total / len(parts)"]}), "whole loss"),
        ("the last loss is returned", in_parts(**{"return": ["return loss.item()"]}), "whole loss"),
        ("the losses of the parts are averaged", in_parts(add=["total += loss.item() * samples / len(x) / len(parts)"]), "whole loss"),
        ("it is divided again", in_parts(**{"return": ["return total / samples"]}), "whole loss"),
        ("the loss is that after the step", loss_at_once, "whole loss"),
        ("parts can be put together", all_at_once, "part"),
        ("parts can be put together for the loss", loss_at_once_before, "part"),
        ("one backward for all", one_backward, "backward"),
        ("first all outputs", outputs_first, "backward"),
        ("the loss is computed again", in_parts(add=["total += (loss_fn(model(x), y) * len(x) / samples).item()"]), "backward"),
        ("a tensor is returned", in_parts(add=["total += loss.detach()"]), "type"),
        ("the losses are returned", in_parts(start=["samples, total = sum(len(x) for x, _ in parts), []"], add=["total.append(loss.item())"]), "type"),
        ("nothing is returned", in_parts(**{"return": []}), "no return"),
        ("step returns the loss", with_gradient, "no return"),
        ("the parts are used up", use_up_the_parts, "changed input"),
    ],
}  # fmt: skip
PAIRS = "total = sum((loss * size for loss, size in zip(losses, sizes, strict=True))) -> total = sum((loss * size for "
PRODUCT = "in a product the order does not matter"
AS_LONG = "there are as many sizes as losses"
STOP = "if trainer.history[-1].get('valid_accuracy', 0.0) >= self.accuracy: -> "
EQUIVALENT = {
    "8.1": {
        PAIRS + "size, loss in zip(losses, sizes, strict=True)))": PRODUCT,
        PAIRS + "loss, size in zip(sizes, losses, strict=True)))": PRODUCT,
        PAIRS + "loss, size in zip(losses, sizes)))": AS_LONG,
        PAIRS + "loss, size in zip(losses, sizes, strict=False)))": AS_LONG,
    },
    "8.2": {
        STOP + "if trainer.history[-1].get('valid_accuracy', -1.0) >= self.accuracy:": (
            "nobody waits for an accuracy of 0, which every epoch has reached"
        ),
    },
    "8.3": {
        "progress = min(1.0, (step - warmup) / (total - warmup)) -> "
        "progress = min((step - warmup) / (total - warmup), 1.0)": "the smaller of two is the same in any order",
    },
    "8.4": {
        "total, samples = (0.0, 0) -> samples, total = (0.0, 0)": "both are 0, and their quotient is a float",
        "total, samples = (0.0, 0) -> total, samples = (0, 0.0)": "both are 0, and their quotient is a float",
    },
    "8.5": {
        "samples = sum((len(x) for x, _ in parts)) -> samples = sum((len(x) for _, x in parts))": (
            "there are as many labels as inputs"
        ),
    },
}
