"""Lesson 08, training."""

import copy
import functools
import statistics

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.exercises.compare import Shown, difference, same, show, unchanged
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong
from dlsteps.training import Callback, Trainer


def mean_of_samples(losses, sizes):
    """Write down each batch's loss once for each of its samples."""
    return statistics.fmean(loss for loss, size in zip(losses, sizes, strict=True) for _ in range(size))


def loss_cases(random):
    yield Case(([0.5], [1]), "samples")
    yield Case(([2.0], [3]), "samples")
    yield Case(([2.0, 2.0], [1, 1]), "samples")
    yield Case(([1.0, 4.0], [1, 1]), "all")
    yield Case(([0.0, 3.0], [1, 1]), "all")
    yield Case(([1.0, 2.0, 6.0], [1, 1, 1]), "all")
    yield Case(([1.0, 1.0, 4.0], [1, 1, 1]), "equal")
    yield Case(([2.0, 4.0], [2, 2]), "samples")
    yield Case(([1.0, 4.0], [2, 1]), "weights")
    yield Case(([1.0, 4.0], [1, 2]), "own size")
    yield Case(([1.0, 4.0, 1.0], [1, 2, 1]), "own size")
    yield Case(([0.75, 0.5, 0.25, 2.0], [64, 64, 64, 8]), "weights")
    for count in (2, 3, 5, 8):
        losses = [random.uniform(0.1, 3) for _ in range(count)]
        yield Case((losses, [random.randint(1, 64) for _ in range(count)]), "own size")


class Given(Trainer):
    """A trainer whose epochs come out as given, without data and without training; all the rest is the real one's."""

    def __init__(self, records, callbacks):
        model = nn.Linear(1, 1)
        super().__init__(model, torch.optim.SGD(model.parameters()), None, callbacks=callbacks, device="cpu")
        self.records = [dict(record) for record in records]

    def start_epoch(self, loader):
        """Seed nothing."""

    def train_epoch(self, loader):
        self.step += 1
        return dict(self.records[self.epoch])


class StopAfter(Callback):
    """Another one, which ends training after so many epochs."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, trainer):
        trainer.stop = trainer.stop or trainer.epoch == self.epochs


def records_of(valid, train=None):
    """What the epochs of a run bring: an accuracy in validation, None without, and as much or `train` in training."""
    records = [{"train_loss": 0.25, "train_accuracy": value if train is None else train} for value in valid]
    for record, value in zip(records, valid, strict=True):
        record.update({} if value is None else {"valid_loss": 0.05, "valid_accuracy": value})
    return records


def stop_cases():
    """The idea, the accuracy, and what run after run brings with one and the same callback."""
    yield "stop", 0.9, [records_of([0.95, 0.96])]
    yield "go on", 0.9, [records_of([0.5, 0.6, 0.7])]
    yield "last", 0.9, [records_of([0.5, 0.95, 0.96])]
    yield "last", 0.5, [records_of([0.25, 0.25, 0.25, 0.625, 0.7])]  # the mean has not reached it
    yield "reached", 0.75, [records_of([0.5, 0.75, 0.8])]
    yield "reached", 1.0, [records_of([0.5, 1.0, 1.0])]
    yield "reached", 0.9, [records_of([0.5, 0.8999, 0.91, 0.95])]
    yield "which", 0.9, [records_of([0.5, 0.6, 0.7], train=0.95)]
    yield "which", 0.9, [records_of([0.95, 0.96], train=0.5)]
    yield "no validation", 0.9, [records_of([None, None, None], train=0.95)]
    yield "again", 0.9, [records_of([0.95, 0.96]), records_of([0.5, 0.6, 0.7]), records_of([0.5, 0.95, 0.96])]
    yield "again", 0.9, [records_of([0.95, 0.96]), records_of([0.92, 0.93])]
    yield "again", 0.9, [records_of([0.8, 0.7]), records_of([0.6, 0.5, 0.95, 0.96])]


def judge_stop(probe):
    for number, (idea, accuracy, runs) in enumerate(stop_cases()):
        callback = make_callback(probe, accuracy)
        for records in runs:
            probe.idea = idea if number else ""  # an answer that fails at once may lack anything
            judge_run(probe, idea, f"StopAt({accuracy})", Given(records, [callback]), epochs_until(accuracy, records))
    judge_others(probe)


def epochs_until(accuracy, records):
    """Go from epoch to epoch, and stop where it is reached."""
    for i in range(len(records)):
        if "valid_accuracy" in records[i] and records[i]["valid_accuracy"] >= accuracy:
            return i + 1
    return len(records)


def make_callback(probe, accuracy):
    probe.facts, probe.idea = {"case": (Shown(f"StopAt({accuracy})"),)}, ""
    callback = probe.answer(accuracy)
    if not isinstance(callback, Callback):
        raise Wrong("callback", got=callback, **probe.facts)
    if not hasattr(callback, "on_epoch_end"):
        raise Wrong("event", **probe.facts)
    return callback


def judge_run(probe, idea, made, trainer, epochs):
    """Let a trainer run, and see when it ends."""
    records, seen = trainer.records, [record.get("valid_accuracy") for record in trainer.records]
    case = Shown(f"{made}, valid_accuracy = {', '.join(map(str, seen))}")
    probe.facts = {"case": (case,), "expected": Shown(f"trainer.epoch = {epochs}")}
    trainer.fit(None, epochs=len(records))
    if trainer.epoch != epochs:
        raise Wrong(idea, got=Shown(f"trainer.epoch = {trainer.epoch}"), **probe.facts)
    if list(trainer.history) != [{"epoch": i, **records[i]} for i in range(epochs)]:
        raise Wrong("history", case=(case,))


def judge_others(probe):
    """Beside another callback; in a run that goes on where an earlier one ended; beside another of its own kind."""
    records = records_of([0.5, 0.6, 0.7])
    for idea, limits, epochs in (("alone", [0.9], 1), ("own", [0.9, 0.65], 3), ("own", [0.55, 0.9], 2)):
        callbacks = [make_callback(probe, accuracy) for accuracy in limits]
        made = [f"StopAt({accuracy})" for accuracy in limits]
        if idea == "alone":
            callbacks, made = [StopAfter(1), *callbacks], ["StopAfter(1)", *made]
        probe.idea = idea
        judge_run(probe, idea, f"[{', '.join(made)}]", Given(records, callbacks), epochs)
    resumed = Given(records_of([0.95, 0.5, 0.6]), [make_callback(probe, 0.9)])
    resumed.history.append({"epoch": 0, **resumed.records[0]})
    resumed.epoch, probe.idea = 1, "last"
    judge_run(probe, "last", "resume(…), StopAt(0.9)", resumed, 3)


def plan(step, warmup, total):
    """Climb in equal parts, then go down as torch's scheduler does."""
    if step >= warmup:
        return fall(total - warmup)[min(step, total) - warmup]
    return sum(1 / warmup for _ in range(step + 1))


@functools.cache
def fall(steps):
    """The rates that torch's scheduler gives an optimizer, from the first to the last."""
    sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler, rates = CosineAnnealingLR(sgd, steps), [1.0]
    for _ in range(steps):
        sgd.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates


def step_cases(random):
    yield Case((0, 1, 2), "one more")
    yield Case((0, 2, 3), "one more")
    yield Case((1, 2, 3), "one more")
    yield Case((0, 4, 5), "line")
    yield Case((2, 4, 5), "line")
    yield Case((1, 1, 2), "top")
    yield Case((2, 2, 4), "top")
    yield Case((0, 0, 1), "no warmup")
    yield Case((1, 0, 2), "wave")
    yield Case((1, 0, 3), "wave")
    yield Case((2, 0, 3), "wave")
    yield Case((3, 0, 4), "wave")
    yield Case((3, 2, 4), "rest")
    yield Case((3, 2, 5), "rest")
    yield Case((9, 4, 10), "rest")
    yield Case((1, 0, 1), "end")
    yield Case((3, 1, 3), "end")
    yield Case((2, 0, 1), "after")
    yield Case((5, 2, 4), "after")
    yield Case((7, 2, 4), "after")
    for _ in range(20):
        warmup = random.randint(0, 6)
        total = warmup + random.randint(1, 12)
        step = random.randint(0, total + 3)
        yield Case((step, warmup, total), "line" if step < warmup else "rest" if step < total else "after")


RATE, MOMENTUM = 0.5, 0.5


class Watch(nn.Module):
    """Gives on what it gets, and lets a `Lab` know."""

    def __init__(self, lab):
        super().__init__()
        self.lab = lab

    def forward(self, x):
        self.lab.note_forward(len(x), self.training)
        return x


class Lab:
    """A network of two weights with its optimizer, and notes on what is done with them."""

    def __init__(self, old=False, training=True):
        self.events, self.sizes, self.modes = [], [], []
        self.fresh, self.idle = [], []  # had it no gradient before each backward? has it none at each step?
        self.model = nn.Sequential(Watch(self), nn.Linear(1, 2, bias=False, dtype=torch.float64)).train(training)
        self.weight = self.model[1].weight
        self.weight.data = torch.tensor([[0.5], [-1.0]], dtype=torch.float64)
        self.weight.grad = torch.full_like(self.weight, 3.0) if old else None
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE, momentum=MOMENTUM)
        self.weight.register_hook(self.note_backward)
        self.optimizer.register_step_pre_hook(self.note_step)

    def no_gradient(self):
        return self.weight.grad is None or not self.weight.grad.any()

    def note_forward(self, size, training):
        self.sizes.append(size)
        self.modes.append(training)
        self.events += ["forward"] if torch.is_grad_enabled() else []

    def note_backward(self, grad):
        self.events.append("backward")
        self.fresh.append(self.no_gradient())

    def note_step(self, *_):
        self.events.append("step")
        self.idle.append(self.no_gradient())


def draw(count):
    """So many samples, no two of them alike, with labels in no simple order."""
    numbers = torch.arange(count, dtype=torch.float64)
    return (2 * numbers).cos()[:, None] + 0.5, (numbers**2 % 3 % 2).long()


def descend(weight, batches):
    """SGD as in its definition: each sample's loss just before its step, and the weights at the end."""
    losses, velocity = [], torch.zeros_like(weight)
    for x, y in batches:
        weight = weight.detach().clone().requires_grad_()
        each = F.cross_entropy(x @ weight.T, y, reduction="none")
        velocity = MOMENTUM * velocity + torch.autograd.grad(each.mean(), weight)[0]
        weight = weight - RATE * velocity
        losses += each.tolist()
    return losses, weight.detach()


def sizes_of(batches):
    return Shown(f"len(x) = {', '.join(str(len(x)) for x, _ in batches)}")


def compare_weights(lab, weight, case, why):
    """Raise `Wrong` unless the weights are these; `why()` is the idea."""
    if not same(lab.weight.detach(), weight):
        expected, got = (Shown(f"weight = {show(value)}") for value in (weight, lab.weight.detach()))
        raise Wrong(why(), case=case, expected=expected, got=got)


def compare_loss(got, expected, case, idea):
    if not same(got, expected):
        common, facts = difference(got, expected)
        raise Wrong(common or idea, case=case, expected=rounded(expected), got=rounded(got), **facts)


def rounded(loss):
    """As a message shows it."""
    return Shown(f"{loss:.6g}") if isinstance(loss, float) else loss


def epoch_cases():
    """Ideas that are missing where the weights and where the loss are wrong; a `Lab`; a loader."""

    def loader(count, size, sampler=None):
        return DataLoader(TensorDataset(*draw(count)), size, sampler=sampler)

    yield "loss", "mean", Lab(), loader(1, 1)
    yield "loss", "mean", Lab(), loader(2, 2)
    yield "loss", "mean", Lab(training=False), loader(2, 2)
    yield "old", "mean", Lab(old=True), loader(2, 2)
    yield "zero_grad", "all", Lab(), loader(2, 1)
    yield "zero_grad", "all", Lab(), loader(6, 2)
    yield "zero_grad", "samples", Lab(), loader(3, 2)
    yield "zero_grad", "samples", Lab(old=True, training=False), loader(10, 3)
    yield "zero_grad", "drawn", Lab(), loader(9, 2, [0, 2, 2, 1, 0])


def judge_epoch(probe):
    for number, (idea, idea_of_loss, lab, loader) in enumerate(epoch_cases()):
        batches = list(loader)
        losses, weight = descend(lab.weight, batches)
        mean, case = statistics.fmean(losses), (sizes_of(batches),)
        probe.facts, probe.idea = {"case": case, "expected": rounded(mean)}, idea if number else ""
        got = probe.answer(lab.model, loader, F.cross_entropy, lab.optimizer)
        judge_training(lab, weight, case, batches, idea)
        if number == 0 and same(got, statistics.fmean(descend(weight, batches)[0])):
            idea_of_loss = "before"
        compare_loss(got, mean, case, idea_of_loss)
        if len(lab.modes) > len(batches):
            raise Wrong("once", case=case, calls=len(lab.modes))


def judge_training(lab, weight, case, batches, idea):
    if not all(lab.modes):
        raise Wrong("mode", case=case)
    compare_weights(lab, weight, case, lambda: what_went_wrong(lab.events, lab, len(batches)) or idea)


def what_went_wrong(events, lab, batches):
    """The idea that the notes tell is missing in a loop, "" if they tell nothing."""
    if len(lab.modes) < batches:
        return "every batch"
    if "step" not in events:
        return "step"
    if "backward" not in events[: events.index("step")]:
        return "order"
    if events.count("step") != batches:
        return "each batch"
    return "wiped" if any(lab.idle) else ""


def part_cases():
    """The idea that is missing where the weights are wrong; a `Lab`; how many samples the parts have."""
    yield "mean", Lab(), [1]
    yield "mean", Lab(), [2]
    yield "old", Lab(old=True), [2]
    yield "mean", Lab(), [2, 2]
    yield "sizes", Lab(), [1, 3]
    yield "sizes", Lab(), [2, 2, 1]
    yield "sizes", Lab(old=True), [3, 1, 2, 5]


def judge_parts(probe):
    for number, (idea, lab, sizes) in enumerate(part_cases()):
        x, y = draw(sum(sizes))
        parts = list(zip(x.split(sizes), y.split(sizes), strict=True))
        losses, weight = descend(lab.weight, [(x, y)])
        mean, kept, case = statistics.fmean(losses), copy.deepcopy(parts), (sizes_of(parts),)
        probe.facts, probe.idea = {"case": case, "expected": rounded(mean)}, idea if number else ""
        got = probe.answer(lab.model, parts, F.cross_entropy, lab.optimizer)
        if not unchanged(kept, parts):
            raise Wrong("changed input", case=case)
        judge_step(lab, weight, case, idea)
        compare_loss(got, mean, case, "whole loss")
        judge_memory(lab, sizes, case)


def judge_step(lab, weight, case, idea):
    if lab.events.count("step") > 1:
        raise Wrong("one step", case=case, steps=lab.events.count("step"))
    compare_weights(lab, weight, case, lambda: what_went_wrong_in_parts(lab.events, lab) or idea)


def what_went_wrong_in_parts(events, lab):
    """The idea that the notes tell is missing, "" if they tell nothing."""
    if "step" not in events or "backward" in events[events.index("step") :] or "backward" not in events:
        return "step"
    return "wiped" if any(lab.fresh[1:]) or any(lab.idle) else ""


def judge_memory(lab, sizes, case):
    if max(lab.sizes, default=0) > max(sizes):
        raise Wrong("part", case=case, size=max(lab.sizes), largest=max(sizes))
    if ("forward", "forward") in zip(lab.events, lab.events[1:], strict=False):
        raise Wrong("backward", case=case)


EXERCISES = {
    "8.1": Exercise(
        cases=loss_cases,
        expected=mean_of_samples,
        ideas={
            "samples": {
                "en": "a batch's loss is a mean already: times its size it is the sum over its samples; "
                "all these sums go together, divided by the number of all samples",
                "zh": "一个批量的损失已经是平均值：乘以样本数，才是这个批量的总和；各批量的总和加起来，再除以样本总数",
            },
            "all": {
                "en": "all batches count, the first like the last, and a loss of 0 like any other",
                "zh": "每个批量都要算：第一个和最后一个同等对待，损失为 0 的也一样",
            },
            "equal": {
                "en": "two batches with the same loss are still two: both count",
                "zh": "两个批量的损失即使相等，也仍是两个批量，都要算",
            },
            "weights": {
                "en": "a batch counts as much as it has samples: the mean of the losses makes small batches too important",
                "zh": "一个批量有多少个样本，就占多大的分量：直接对各批量的损失取平均，小批量的影响就太大了",
            },
            "own size": {
                "en": "each loss goes with the size of its own batch, whichever batch is the small one",
                "zh": "每个损失都要配上自己那个批量的样本数，哪个批量小都有可能",
            },
        },
        hints={
            "en": [
                "The losses of three samples are 1, 1 and 4, the first two in one batch. What is the mean? How do you get it from 1 and 4?",
                "loss * size is the sum over the samples of a batch. What do you divide by at the end?",
                "Walk over zip(losses, sizes) and add up loss * size; then divide by how many samples there are: sum(sizes).",
            ],
            "zh": [
                "三个样本的损失是 1、1、4，前两个在同一个批量里。平均值是多少？怎样由 1 和 4 得到它？",
                "loss * size 是一个批量里各样本损失的总和。最后要除以什么？",
                "用 zip(losses, sizes) 逐对取出，把 loss * size 累加起来；再除以样本总数 sum(sizes)。",
            ],
        },
    ),
    "8.2": Exercise(
        judge=judge_stop,
        takes="class",
        ideas={
            "callback": {
                "en": "for {case}: got {got}, which is no Callback: the class has to inherit from it",
                "zh": "{case} 得到的是 {got}，不是 Callback：这个类要继承 Callback",
            },
            "event": {
                "en": "for {case}: it has no method on_epoch_end; at the end of an epoch the trainer looks for just that name",
                "zh": "{case} 没有 on_epoch_end 方法；每个轮次结束时，训练器找的就是这个名字",
            },
            "stop": {
                "en": "when the accuracy is reached, set trainer.stop = True: nothing else ends training",
                "zh": "达到要求的精度时，就设 trainer.stop = True：只有这样才能结束训练",
            },
            "go on": {
                "en": "as long as the accuracy is not reached, training goes on",
                "zh": "还没有达到要求的精度，就继续训练",
            },
            "last": {
                "en": "the epoch that has just ended decides, trainer.history[-1], and no earlier one",
                "zh": "只看刚结束的轮次，也就是 trainer.history[-1]，而不是更早的轮次",
            },
            "reached": {
                "en": "just as much is enough: reached means >=, and without rounding",
                "zh": "刚好相等也算达到：要用 >=，也不要四舍五入",
            },
            "which": {
                "en": "the accuracy in validation counts, valid_accuracy, not that in training",
                "zh": "要看的是验证精度 valid_accuracy，而不是训练精度",
            },
            "no validation": {
                "en": 'without validation there is no "valid_accuracy" in the record: then it does nothing',
                "zh": "没有做验证时，记录里就没有 valid_accuracy，这时什么也不做",
            },
            "again": {
                "en": "one callback serves run after run: what it remembers of one run must not decide the next",
                "zh": "同一个回调可以先后用于几次训练：前一次留下的状态不能影响后一次",
            },
            "alone": {
                "en": "if the accuracy is not reached, leave trainer.stop as it is: another callback may have set it",
                "zh": "没有达到要求的精度时，不要动 trainer.stop：可能是别的回调设好的",
            },
            "own": {
                "en": "each callback has an accuracy of its own, on self: the class is shared by all of them",
                "zh": "每个回调都有自己的精度要求，要存在 self 上：类是大家共用的",
            },
            "history": {
                "en": "for {case}: the history is not as it was: a callback that only looks changes nothing",
                "zh": "输入 {case} 时，history 被改动了；这个回调只需要看，不要改",
            },
        },
        hints={
            "en": [
                "Two questions: is there a valid_accuracy in the last record? And is it large enough? Only then something happens.",
                "trainer.history[-1] is a dict. Its get(name, default) gives the default where there is no such name.",
                'Write an if without an else: if the record has "valid_accuracy", and it is >= self.accuracy, set the trainer\'s stop.',
            ],
            "zh": [
                "要问两个问题：最后一条记录里有 valid_accuracy 吗？够高吗？两者都成立，才要做点什么。",
                "trainer.history[-1] 是一个字典。它的 get(name, default) 在没有这个名字时返回 default。",
                "写一个不带 else 的 if：记录里有 valid_accuracy，并且 >= self.accuracy，就设好训练器的 stop。",
            ],
        },
    ),
    "8.3": Exercise(
        cases=step_cases,
        expected=plan,
        ideas={
            "one more": {
                "en": "steps are counted from 0: the first one already gets 1 / warmup, and step warmup - 1 gets 1",
                "zh": "步数从 0 数起：第一步就已经是 1 / warmup，第 warmup - 1 步是 1",
            },
            "line": {
                "en": "until step warmup it rises in a straight line, by 1 / warmup each step",
                "zh": "在第 warmup 步之前沿直线上升，每一步增加 1 / warmup",
            },
            "top": {
                "en": "at step warmup the fall begins: there p is 0, and the factor still 1",
                "zh": "从第 warmup 步开始下降：这时 p 为 0，系数仍是 1",
            },
            "no warmup": {
                "en": "without warmup the very first step is at the top: look out for a division by 0",
                "zh": "没有预热时，第一步就在最高点：小心除以 0",
            },
            "wave": {
                "en": "it falls as (1 + cos(π · p)) / 2: slowly, then fast, then slowly; the angle is in radians",
                "zh": "按 (1 + cos(π · p)) / 2 下降：先慢，后快，再慢；角度用弧度",
            },
            "rest": {
                "en": "p is the share of the fall that is done: steps since warmup, divided by all steps from warmup to total",
                "zh": "p 是下降过程完成的比例：warmup 之后走过的步数，除以从 warmup 到 total 的总步数",
            },
            "end": {
                "en": "at step total the factor is 0, and not a step earlier or later",
                "zh": "系数正好在第 total 步变成 0，不早也不晚",
            },
            "after": {
                "en": "after step total it stays 0: a cosine would rise again",
                "zh": "第 total 步之后一直是 0：余弦则会重新上升",
            },
        },
        hints={
            "en": [
                "Three stretches: up to warmup, from there to total, and after that. Draw them. What is the factor at each border?",
                "p is (step - warmup) / (total - warmup). What do you do with a p larger than 1? math.cos takes radians, math.pi is π.",
                "First `if step < warmup` with the straight line; then p = min((step - warmup) / (total - warmup), 1), and the formula.",
            ],
            "zh": [
                "一共三段：warmup 之前，从 warmup 到 total，total 之后。画出来看看，在交界的地方系数各是多少？",
                "p 是 (step - warmup) / (total - warmup)。p 大于 1 时怎么办？math.cos 用的是弧度，math.pi 就是 π。",
                "先写 if step < warmup，返回直线上的值；然后 p = min((step - warmup) / (total - warmup), 1)，代入公式。",
            ],
        },
    ),
    "8.4": Exercise(
        judge=judge_epoch,
        ideas={
            "loss": {
                "en": "each step of the optimizer uses the gradients of loss_fn(model(x), y), just as they are",
                "zh": "优化器每一步用的，就是 loss_fn(model(x), y) 的梯度，不多也不少",
            },
            "step": {
                "en": "backward only computes gradients: it is optimizer.step() that changes the weights",
                "zh": "backward 只计算梯度，真正改变权重的是 optimizer.step()",
            },
            "order": {
                "en": "backward comes before step: a step needs the gradients of its own batch",
                "zh": "先 backward，再 step：每一步都要用当前这个批量的梯度",
            },
            "wiped": {
                "en": "between backward and step the gradients are needed: clear them before backward, or after step",
                "zh": "从 backward 到 step 之间，梯度还有用：清零要放在 backward 之前，或者 step 之后",
            },
            "mode": {
                "en": "for {case}: the model computes in eval mode: switch it to train mode before the first batch",
                "zh": "输入 {case} 时，模型是在评估模式下计算的：在第一个批量之前，要先切换到训练模式",
            },
            "old": {
                "en": "the model may bring gradients along from before: clear them before the first backward",
                "zh": "模型可能带着以前留下的梯度：第一次 backward 之前就要清零",
            },
            "zero_grad": {
                "en": "backward adds to the gradients that are there: clear them for every batch",
                "zh": "backward 会把梯度累加到已有的梯度上：每个批量都要清零",
            },
            "every batch": {
                "en": "every batch of the loader goes through the model, the last one, too, even if it is small",
                "zh": "加载器给出的每个批量都要通过模型，最后一个也不例外，哪怕它比较小",
            },
            "each batch": {
                "en": "one step of the optimizer for each batch: no fewer and no more",
                "zh": "每个批量让优化器走一步，不多也不少",
            },
            "before": {
                "en": "the loss is the one that backward was called on, before the step; after the step it is another one",
                "zh": "要用的是调用 backward 的那个损失，也就是这一步之前的损失；走完这一步，损失就变了",
            },
            "mean": {
                "en": "the mean of the samples' losses: a batch's loss is a mean already, and stands for all its samples",
                "zh": "要返回各样本损失的平均值：一个批量的损失已经是平均值，代表其中的所有样本",
            },
            "all": {
                "en": "the mean over the whole epoch: all batches together, neither the last one alone nor their sum",
                "zh": "要对整个轮次取平均：所有批量都算，既不是只看最后一个，也不是各批量之和",
            },
            "samples": {
                "en": "the mean is over samples, not over batches: a batch counts as much as it has samples",
                "zh": "要对样本取平均，而不是对批量取平均：一个批量有多少个样本，就占多大的分量",
            },
            "drawn": {
                "en": "divide by the number of samples that came; with a sampler, that need not be len(loader.dataset)",
                "zh": "要除以实际取到的样本数；用了采样器，它不一定等于 len(loader.dataset)",
            },
            "once": {
                "en": "for {case}: the model is called {calls} times, and once for each batch is enough: "
                "keep the loss in a variable; with dropout, each call gives another one",
                "zh": "输入 {case} 时，模型被调用了 {calls} 次，其实每个批量一次就够了：把损失存到变量里；用了暂退法（dropout）时，每次得到的损失都不一样",
            },
        },
        hints={
            "en": [
                "First train mode. Then for each batch: forward, loss, clear, backward, step. And two numbers that you add to.",
                "Add up loss.item() times the number of samples, and count the samples; divide after the loop, not in it.",
                "For each x, y: loss = loss_fn(model(x), y); then zero_grad(), backward(), step(), in this order; and add loss.item() * len(x).",
            ],
            "zh": [
                "先切换到训练模式。然后对每个批量：前向传播、求损失、清零、反向传播、走一步。另外还有两个数要累加。",
                "累加 loss.item() 乘以样本数，同时数样本；除法放在循环之后，而不是循环里面。",
                "对每一对 x, y：loss = loss_fn(model(x), y)；然后依次调用 zero_grad()、backward()、step()；再累加 loss.item() * len(x)。",
            ],
        },
    ),
    "8.5": Exercise(
        judge=judge_parts,
        ideas={
            "step": {
                "en": "the optimizer makes its step at the end, when backward has been called for all parts",
                "zh": "所有部分都调用过 backward 之后，最后才让优化器走一步",
            },
            "one step": {
                "en": "for {case}: {steps} steps of the optimizer: after a step the weights are other ones, and the next part would see those",
                "zh": "输入 {case} 时，优化器走了 {steps} 步：每走一步，权重就变了，后面的部分用到的就不再是原来的权重",
            },
            "wiped": {
                "en": "the gradients of all parts have to add up: clear them once, before the first part, and not again until the step is made",
                "zh": "各部分的梯度要累加起来：只在第一部分之前清零一次，走完那一步之前不要再清零",
            },
            "old": {
                "en": "the model may bring gradients along from before: clear them before the first part",
                "zh": "模型可能带着以前留下的梯度：在第一部分之前要清零",
            },
            "mean": {
                "en": "the whole batch's loss is a mean, so its gradient is the mean over all samples, not the sum over the parts",
                "zh": "整个批量的损失是平均值，所以它的梯度是对所有样本的平均，而不是各部分之和",
            },
            "sizes": {
                "en": "parts of different sizes count differently: each with its share of the samples",
                "zh": "各部分大小不同，分量也不同：按各自占样本总数的比例来算",
            },
            "whole loss": {
                "en": "the loss of the whole batch, before the step, is the mean over all of its samples: each part's loss with its share",
                "zh": "要返回的是走这一步之前、整个批量的损失，即对所有样本的平均：各部分的损失乘以它所占的比例，再相加",
            },
            "part": {
                "en": "for {case}: the model gets {size} samples at once; the largest part has {largest}, and more may not fit into memory",
                "zh": "输入 {case} 时，模型一次收到 {size} 个样本；最大的部分只有 {largest} 个，再多内存就可能放不下",
            },
            "backward": {
                "en": "for {case}: the model is called twice without backward in between: "
                "until backward, all that it has computed stays in memory",
                "zh": "输入 {case} 时，模型连续调用了两次，中间没有 backward：在 backward 之前，模型算出的中间结果全都留在内存里",
            },
        },
        hints={
            "en": [
                "backward adds to the gradients that are there. What does each part's loss have to be multiplied by, so that the sum is right?",
                "Count all samples first. A part with 3 of 12 samples counts a quarter. Clear before the loop, step after it.",
                "In the loop: part = loss_fn(model(x), y) * (len(x) / count); part.backward(); and add part.item() to what you return.",
            ],
            "zh": [
                "backward 会把梯度累加到已有的梯度上。每个部分的损失要乘以什么，加起来才正好？",
                "先数出样本总数。12 个样本里占 3 个的部分，分量是四分之一。循环之前清零，循环之后走一步。",
                "循环里：part = loss_fn(model(x), y) * (len(x) / count)；part.backward()；再把 part.item() 累加到要返回的数上。",
            ],
        },
    ),
}

QUIZZES = {
    "8.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "nothing complains: adding to gradients is allowed, and some loops do so on purpose",
                "b": "backward adds to what is in .grad, so each step goes in the direction of all batches so far",
                "c": "backward() adds, it does not overwrite: that is why there is a zero_grad at all",
                "d": "the learning rate stays as it is; it is the gradients that are wrong",
            },
            "zh": {
                "a": "什么错也不会报：累加梯度本来就是允许的，有的循环还特意这样做",
                "b": "backward 会加到 .grad 里已有的值上，所以每一步都朝着到目前为止所有批量的梯度之和的方向走",
                "c": "backward() 是累加，不是覆盖：正因如此，才需要 zero_grad",
                "d": "学习率没有变，错的是梯度",
            },
        },
    ),
    "8.b": Quiz(
        right="d",
        why={
            "en": {
                "a": "it can be: both are switched off in validation, and an easier task has a lower loss",
                "b": "it can be: the mean still has the bad beginning of the epoch in it",
                "c": "it can be: which frames are kept aside is partly luck",
                "d": "then it would be the other way round: known by heart means a low loss in training, and a higher one on "
                "frames that it has not seen",
            },
            "zh": {
                "a": "有可能：验证时两者都关闭，任务变容易，损失就低",
                "b": "有可能：平均值里还包括轮次开头那些较差的结果",
                "c": "有可能：哪些帧留作验证，多少带点运气",
                "d": "那样就会反过来：把训练集背下来，训练损失就很低，而在没见过的帧上损失更高",
            },
        },
    ),
}
