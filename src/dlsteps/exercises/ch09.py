"""Lesson 09, the clinic."""

import copy
import itertools
import math
from random import Random

import torch
from torch import nn

from dlsteps.exercises.compare import Shown, difference, same
from dlsteps.exercises.exercise import Exercise, Quiz, Wrong


def insist(got, expected, idea, facts):
    """Raise `Wrong` unless the answer has returned what it should."""
    if same(got, expected):
        return
    common, more = difference(got, expected)
    raise Wrong(common or ("order" if is_shuffled(got, expected) else idea), **facts, got=got, **more)


def is_shuffled(got, expected):
    return isinstance(expected, list) and sorted(map(repr, got)) == sorted(map(repr, expected))


def mean_surprise(labels):
    """Sample by sample: how surprised is somebody who says the share of each class?"""
    numbers = labels.tolist()
    return math.fsum(math.log(len(numbers) / numbers.count(number)) for number in numbers) / len(numbers)


LABELS = (
    ("even", [0, 1]),
    ("even", [0, 1, 2]),
    ("even", [0, 0, 1, 1]),
    ("runs", [0, 1, 0, 1]),
    ("shares", [0, 0, 0, 1]),
    ("shares", [0, 1, 1, 2, 2, 2]),
    ("shares", [2, 1, 0, 1, 1]),
    ("one", [0]),
    ("one", [0, 0, 0]),
    ("gaps", [1, 1]),
    ("gaps", [0, 2, 2]),
    ("gaps", [5, 3, 3, 3, 9]),
)


def draw_labels(random):
    """Labels of few out of many classes, some more frequent than others."""
    for count in (5, 20, 50):
        classes = random.sample(range(20), 4)
        yield "gaps", random.choices(classes, [1, 2, 3, 4], k=count) + classes


def judge_floor(probe):
    for idea, labels in (*LABELS, *draw_labels(Random(9))):
        labels = torch.tensor(labels)
        expected = mean_surprise(labels)
        try:
            probe.expect(expected, labels, idea=idea)
        except Wrong as wrong:
            wrong.idea = find_slip(wrong.facts.get("got"), expected, len(labels)) if wrong.idea == idea else wrong.idea
            wrong.idea = wrong.idea or idea
            raise


def find_slip(got, expected, count):
    """The idea that is missing if the number is right but for a factor; else ""."""
    slips = {"sign": -1, "base": 1 / math.log(2), "total": count}
    return next((idea for idea, factor in slips.items() if expected and same(got, factor * expected)), "")


SETUPS = (  # the idea that is missing, model and optimizer, and the names of what is left behind
    ("held", "model = nn.Linear(1, 1); optimizer = SGD(model.parameters())", ""),
    ("held", "model = nn.Linear(1, 1); optimizer = SGD([model.weight])", "bias"),
    ("held", "model = nn.Linear(1, 1); optimizer = SGD([model.bias])", "weight"),
    ("inside", "model = nn.Sequential(nn.Linear(1, 1)); optimizer = SGD([model[0].bias])", "0.weight"),
    ("itself", "model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)).apply(ones); "
     "optimizer = SGD(model[0].parameters())", "1.weight 1.bias"),
    ("groups", "model = nn.Linear(1, 1); optimizer = SGD([{'params': [model.weight]}, {'params': [model.bias]}])", ""),
    ("groups", "model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)); "
     "optimizer = SGD([{'params': model[0].parameters()}, {'params': model[2].parameters(), 'lr': 0.5}])",
     "1.weight 1.bias"),
    ("frozen", "model = nn.Linear(1, 1); model.weight.requires_grad_(False); optimizer = SGD([model.bias])", ""),
    ("frozen", "model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)); model[0].requires_grad_(False); "
     "optimizer = SGD(model.parameters())", ""),
    ("frozen", "model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)); model[0].requires_grad_(False); "
     "optimizer = SGD(model[0].parameters())", "1.weight 1.bias"),
    ("itself", "model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)); optimizer = SGD(model[0].parameters())",
     "1.weight 1.bias"),
    ("itself", "model = nn.Linear(2, 3); optimizer = SGD([model.bias])", "weight"),
    ("itself", "model = nn.Linear(2, 3); optimizer = SGD(copy.deepcopy(model).parameters())", "weight bias"),
    ("itself", "model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)); optimizer = SGD(model.parameters()); "
     "model[1] = nn.Linear(3, 1)", "1.weight 1.bias"),
    ("inside", "model = nn.Module(); model.scale = nn.Parameter(torch.tensor(2.0)); model.layer = nn.Linear(1, 1); "
     "optimizer = SGD(model.layer.parameters())", "scale"),
    ("inside", "model = nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(2, 3)), nn.ReLU()), nn.Linear(3, 1)); "
     "optimizer = SGD(model[1].parameters())", "0.0.0.weight 0.0.0.bias"),
    ("buffers", "model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)); optimizer = SGD(model[0].parameters())",
     "1.weight 1.bias"),
    ("buffers", "model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)); optimizer = SGD(model.parameters())", ""),
    ("order", "model = nn.Module(); model.b = nn.Linear(2, 3); model.a = nn.Linear(3, 1); "
     "optimizer = SGD([model.a.weight])", "b.weight b.bias a.bias"),
    ("order", "model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(12)]); optimizer = SGD(model[:9].parameters())",
     "9.weight 9.bias 10.weight 10.bias 11.weight 11.bias"),
    ("shared", "model = nn.Module(); model.a = nn.Linear(2, 2); model.b = nn.Linear(2, 2); "
     "model.b.weight = model.a.weight; optimizer = SGD(model.a.parameters())", "b.bias"),
    ("shared", "model = nn.Module(); model.a = nn.Linear(2, 2); model.b = nn.Linear(2, 2); "
     "model.b.weight = model.a.weight; optimizer = SGD([model.a.bias])", "a.weight b.bias"),
)  # fmt: skip


@torch.no_grad()
def ones(module):
    for value in module.parameters(recurse=False):
        value.fill_(1)


def run_setup(code):
    names = {"nn": nn, "torch": torch, "copy": copy, "SGD": torch.optim.SGD, "ones": ones}
    exec(code, names)
    return names["model"], names["optimizer"]


def judge_left(probe):
    for number, (idea, code, left) in enumerate(SETUPS):
        (model, optimizer), left = run_setup(code), left.split()
        probe.facts = {"case": (Shown(code),), "expected": left}
        probe.idea = idea if number else ""  # an answer that fails at once may lack anything
        before = look(model), members(optimizer)
        got = probe.answer(model, optimizer)
        if (look(model), members(optimizer)) != before:
            raise Wrong("left alone", case=probe.facts["case"])
        insist(got, left, idea, probe.facts)


def members(optimizer):
    return [[id(value) for value in group["params"]] for group in optimizer.param_groups]


def look(model):
    """What an answer could change about a model: numbers, gradients, what trains, and modes."""
    return numbers(model), grads(model), [p.requires_grad for p in model.parameters()], modes(model)


def numbers(model):
    return {name: value.tolist() for name, value in model.state_dict().items()}


def grads(model):
    return {name: None if p.grad is None else p.grad.tolist() for name, p in model.named_parameters()}


def modes(model):
    return {name: module.training for name, module in model.named_modules()}


def linear(*rows):
    """A linear layer without bias, with these weights."""
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows, dtype=torch.float32)
    return layer


def used(model):
    """With gradients from before."""
    for value in model.parameters():
        value.grad = torch.ones_like(value)
    return model


class Constant(nn.Module):
    """Always answers the same, whatever it sees; with `trained`, that is a parameter."""

    def __init__(self, answer, trained):
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer), requires_grad=trained)

    def forward(self, x):
        return self.answer.expand(len(x), -1)


class InList(nn.Module):
    """Keeps its linear layer in a list, where no module looks for parameters."""

    def __init__(self, *rows):
        super().__init__()
        self.layers = [linear(*rows)]

    def forward(self, x):
        return self.layers[0](x)


class Scale(nn.Module):
    """Multiplies by a number, kept in one way or another."""

    def __init__(self, number, kept):
        super().__init__()
        if kept == "attribute":
            self.number = torch.tensor(float(number))
        else:
            self.register_buffer("number", torch.tensor(float(number)), persistent=kept == "buffer")

    def forward(self, x):
        return self.number * x


class Centre(nn.Module):
    """Subtracts the batch's mean while it trains, and later a number, which is no buffer."""

    def __init__(self, mean):
        super().__init__()
        self.mean = torch.tensor(float(mean))

    def forward(self, x):
        return x - (x.mean(0) if self.training else self.mean)


NAMES = {"nn": nn, "torch": torch, "linear": linear, "used": used, "sequence": nn.Sequential}
NAMES |= {kind.__name__: kind for kind in (Constant, InList, Scale, Centre)}


def build(code):
    return eval(code, dict(NAMES))


READERS = (  # the idea that is missing, a model, and x
    ("unread", "linear([1])", [[2]]),
    ("unread", "linear([0])", [[2]]),
    ("unread", "used(linear([0, 2]))", [[1, 1]]),
    ("unread", "linear([0, 3, 0]).eval()", [[1, 2, 3], [4, 5, 6]]),
    ("unread", "linear([1, 0, 0])", [[2, -2, 0]]),
    ("negative", "linear([-1, 0])", [[1, 1]]),
    ("negative", "used(linear([-2, 0, 3])).eval()", [[1, 1, 1], [2, 2, 2]]),
    ("little", "linear([0.000001, 0])", [[1, 1]]),
    ("each output", "linear([1, 0], [0, 1])", [[1, 1]]),
    ("each output", "linear([0, 2, 0], [1, 0, 0])", [[1, 1, 1]]),
    ("each output", "linear([0, 0, 0], [0, 0, 2], [0, 0, 0])", [[1, 1, 1]]),
    ("each sample", "sequence(linear([1, 0], [0, 1]), nn.ReLU())", [[1, -1], [-1, 1]]),
    ("each sample", "sequence(linear([1, 0, 0], [0, 1, 0]), nn.ReLU())", [[-1, -1, 1], [1, -1, 1], [-1, 1, 1]]),
    ("outputs cancel", "linear([1, 0], [-1, 0])", [[1, 1]]),
    ("outputs cancel", "sequence(linear([1, 2, 0], [2, 1, 0]), nn.Softmax(1))", [[1, 1, 1]]),
    ("outputs cancel", "linear([1, 2, 0], [2, -3, 0], [-3, 1, 0])", [[1, 2, 3], [2, 2, 2]]),
    ("samples cancel", "sequence(linear([1], [-1]), nn.ReLU(), linear([1, 1]))", [[1], [-1]]),
    ("samples cancel", "sequence(linear([1, 0], [-1, 0]), nn.ReLU(), linear([1, 1]))", [[2, 1], [-3, 1]]),
    ("gradients", "linear([1, 1])", [[0, 1]]),
    ("gradients", "sequence(linear([1, 0], [0, 1]), nn.ReLU())", [[1, -0.5]]),
    ("gradients", "sequence(linear([1, 2], [0, 1]), nn.ReLU(), linear([0, 3]))", [[1, 1], [2, 1]]),
    ("constant", "used(Constant([1.0, 2.0], True))", [[1, 1, 1], [2, 2, 2]]),
    ("constant", "Constant([1.0, 2.0], False)", [[1, 1]]),
    ("mode", "sequence(nn.BatchNorm1d(2), nn.Dropout(), linear([0, 1])).eval()", [[1, 1], [2, 4]]),
)  # fmt: skip


@torch.no_grad()
def find_unread(model, x):
    """Move one number of x a very little, and look whether any output moves."""
    model, x, moved = copy.deepcopy(model).double(), x.double(), set()
    for row, column in itertools.product(*map(range, x.shape)):
        other = x.clone()
        other[row, column] += 1e-4
        if not torch.equal(model(x), model(other)):
            moved.add(column)
    return [column for column in range(x.shape[1]) if column not in moved]


def judge_unread(probe):
    for number, (idea, code, rows) in enumerate(READERS):
        model, x = build(code), torch.tensor(rows, dtype=torch.float32)
        case, expected = (Shown(f"model = {code}, x = {rows}"),), find_unread(model, x)
        probe.facts, probe.idea = {"case": case, "expected": expected}, idea if number else ""
        insist(ask_and_look(probe.answer, model, x, case), expected, idea, probe.facts)


def ask_and_look(answer, model, x, case):
    """What the answer returns; raise `Wrong` if it has left something behind."""
    before, mine = look(model), x.clone()
    with torch.enable_grad():
        got = answer(model, mine)
    judge_traces(before, look(model), case)
    if not same(mine, x):
        raise Wrong("changed input", case=case)
    if mine.requires_grad or mine.grad is not None:
        raise Wrong("x", case=case)
    return got


def judge_traces(before, after, case):
    """Raise `Wrong` unless the model is as it was."""
    for name, old in before[1].items():
        if after[1][name] != old:
            raise Wrong("wiped" if old and not after[1][name] else "grads", case=case)
    if after[2] != before[2]:
        raise Wrong("frozen", case=case)
    if after[3] != before[3] or after[0] != before[0]:  # in train mode, BatchNorm changes its averages
        raise Wrong("mode", case=case)


TRIPS = (  # the idea that is missing, model and fresh, with different numbers in place of {0} and {1}, x, the answer
    ("load", "linear([{0}])", [[1]], True),
    ("load", "sequence(linear([{0}], [{1}]), nn.ReLU(), linear([1, {1}])).eval()", [[1], [2]], True),
    ("outputs", "InList([{0}])", [[1]], False),
    ("outputs", "sequence(linear([{1}]), InList([{0}])).eval()", [[1]], False),
    ("outputs", "Scale({0}, 'attribute')", [[1, 2]], False),
    ("outputs", "Scale({0}, 'unsaved buffer').eval()", [[1, 2]], False),
    ("outputs", "Scale({0}, 'buffer')", [[1, 2]], True),
    ("outputs", "InList([1])", [[1]], True),
    ("dropout", "sequence(linear(*[[{0}]] * 40), nn.Dropout())", [[1]], True),
    ("averages", "sequence(linear([{0}]), nn.BatchNorm1d(1))", [[1], [3]], True),
    ("eval", "sequence(linear([1]), Centre({0}))", [[1], [3]], False),
    ("each", "InList([{0}], [{1}])", [[1]], False),
    ("each", "InList([{0}], [1])", [[1]], False),
    ("each", "InList([{0}])", [[0], [1]], False),
    ("each", "InList([{0}])", [[1], [0]], False),
    ("nearly", "InList([2.000{0}])", [[1]], False),
)
TOGETHER, APART = ((True, True), (False, False)), ((True, False), (False, True))


def trip_cases():
    """Each with both models in the mode that its code says; then with dropout, one of them in the other mode."""
    for idea, code, rows, survives in TRIPS:
        yield idea, code, rows, survives, TOGETHER[code.endswith(".eval()")]
    for flags in APART:
        yield "mode", "linear([{0}])", [[1]], True, flags
        yield "dropout", "sequence(linear(*[[{0}]] * 40), nn.Dropout())", [[1]], True, flags


class Watch:
    """Notes, before a state is loaded, whether these are the very tensors of `model`."""

    def __init__(self, model):
        self.model, self.direct = model, False

    def __call__(self, module, state, *_):
        own = {value.data_ptr() for value in self.model.state_dict().values()}
        self.direct |= any(value.data_ptr() in own for value in state.values())


def judge_survives(probe):
    for number, (idea, code, rows, survives, flags) in enumerate(trip_cases()):
        codes = code.format(2, 3), code.format(3, 2)
        pair = [build(one).train(flag) for one, flag in zip(codes, flags, strict=True)]
        case = (Shown("model = {}, fresh = {}, x = {}, training: {}, {}".format(*codes, rows, *flags)),)
        probe.facts, probe.idea = {"case": case, "expected": survives}, idea if number else ""
        judge_trip(probe, *pair, torch.tensor(rows, dtype=torch.float32), idea)


def judge_trip(probe, model, fresh, x, idea):
    case, before, old = probe.facts["case"], look(model), look(fresh)
    got, direct = take_trip(probe.answer, model, fresh, x, case)
    insist(got, probe.facts["expected"], idea, probe.facts)
    if direct:
        raise Wrong("file", case=case)
    judge_pair(before, look(model), old, look(fresh), case)


def take_trip(answer, model, fresh, x, case):
    """What the answer returns, and whether it has loaded the model's own tensors."""
    watch, mine = Watch(model), x.clone()
    fresh.register_load_state_dict_pre_hook(watch)
    try:
        with torch.enable_grad():
            got = answer(model, fresh, mine)
    except EOFError:
        raise Wrong("seek", case=case) from None
    if not same(mine, x):
        raise Wrong("changed input", case=case)
    return got, watch.direct


def judge_pair(before, after, old, new, case):
    """Raise `Wrong` unless only the numbers of `fresh` have changed, to those of `model`."""
    if (before[3], old[3]) != (after[3], new[3]):
        raise Wrong("mode", case=case)
    changed = [name for name in before[0] if before[0][name] != after[0][name]]
    if any("running" not in name and "tracked" not in name for name in changed):
        raise Wrong("model", case=case)
    if changed or new[0] not in (old[0], before[0]):
        raise Wrong("averages", case=case)


STEP, PAIR = "loss_fn(model(x), y).backward()", "sequence(linear([1, 2]), nn.Linear(1, 1))"
EVALUATIONS = (  # the idea that is missing, what evaluate does, the model, and whether that leaves it alone
    ("same", "model(x)", "linear([1, 2])", True),
    ("same", "model(x)", "sequence(linear([1, 2]), nn.BatchNorm1d(1)).eval()", True),
    ("mode", "model.eval(); model(x)", "linear([1, 2])", False),
    ("mode", "model.train(); model(x)", "linear([1, 2]).eval()", False),
    ("mode", "model.eval(); model(x); model.train()", "linear([1, 2])", True),
    ("modules", "model[1].eval(); model(x)", PAIR, False),
    ("modules", "model[0].train(); model(x)", f"{PAIR}.eval()", False),
    ("modules", "model.eval(); model(x); model.train()", "sequence(linear([1, 2]), nn.BatchNorm1d(1).eval())", False),
    ("modules", "model.eval(); model.training = True", PAIR, False),
    ("copies", "model.weight.data += 1", "linear([1, 2])", False),
    ("copies", "model[1].bias.data += 1", f"{PAIR}.eval()", False),
    ("copies", "model.weight = nn.Parameter(model.weight + 1)", "linear([1, 2])", False),
    ("each", "model.weight.data = model.weight.data.flip(1)", "linear([1, 2])", False),
    ("each", "model.weight.data *= -1", "linear([1, -1], [2, -2])", False),
    ("little", "model.weight.data *= 1.000001", "linear([0.5, 0.25])", False),
    ("buffers", "model(x)", "sequence(linear([1, 2]), nn.BatchNorm1d(1))", False),
    ("buffers", "model[1].num_batches_tracked += 1", "sequence(linear([1, 2]), nn.BatchNorm1d(1)).eval()", False),
    ("gradients", STEP, "linear([1, 2])", False),
    ("gradients", STEP, "used(linear([1, 2]))", False),
    ("gradients", "model.zero_grad()", "used(linear([1, 2]))", False),
    ("gradients", "model[1].bias.grad *= 2", f"used({PAIR})", False),
    ("gradients", "model.weight.grad = torch.zeros(1, 2)", "linear([1, 2])", False),
    ("gradients", "model.weight.grad *= -1", "used(linear([1, 2]))", False),
    ("afterwards", "model(x)", "used(linear([1, 2]))", True),
    ("afterwards", f"{STEP}; model.zero_grad()", "linear([1, 2])", True),
    ("afterwards", "model.weight.detach().add_(1); model(x); model.weight.detach().sub_(1)", "linear([1, 2])", True),
)  # fmt: skip


class Evaluate:
    """Runs code instead of measuring, and notes what it is called with."""

    def __init__(self, code):
        self.code, self.calls = code, []

    def __call__(self, model, loader, loss_fn):
        self.calls.append((model, loader, loss_fn))
        for x, y in loader:
            exec(self.code, {"model": model, "x": x, "y": y, "loss_fn": loss_fn, "nn": nn, "torch": torch})
        return 0.5


def judge_alone(probe):
    loader = [(torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.zeros(2, 1))]
    for number, (idea, code, model_code, alone) in enumerate(EVALUATIONS):
        evaluate, args = Evaluate(code), (build(model_code), loader, nn.MSELoss())
        case = (Shown(f"model = {model_code}, evaluate: {code}"),)
        probe.facts, probe.idea = {"case": case, "expected": alone}, idea if number else ""
        with torch.enable_grad():
            got = probe.answer(evaluate, *args)
        if len(evaluate.calls) != 1:
            raise Wrong("once", case=case, count=len(evaluate.calls))
        if list(map(id, evaluate.calls[0])) != list(map(id, args)):
            raise Wrong("arguments", case=case)
        insist(got, alone, idea, probe.facts)


EXERCISES = {
    "9.1": Exercise(
        judge=judge_floor,
        ideas={
            "even": {
                "en": "K classes that are equally frequent give ln K: for each class its share times the logarithm of its share, "
                "all added up, with a minus",
                "zh": "K 个类别一样多时，应得到 ln K：每个类别用占比乘以占比的对数，全部加起来，再取相反数",
            },
            "sign": {
                "en": "the minus: logarithms of shares are negative, a cross-entropy is not",
                "zh": "负号：占比的对数是负数，而交叉熵不会是负数",
            },
            "base": {
                "en": "the natural logarithm, as in torch's cross-entropy: log, not log2",
                "zh": "要用自然对数，和 torch 的交叉熵一样：是 log，不是 log2",
            },
            "total": {
                "en": "the loss is the mean over the samples, not their sum: shares, not counts, in front of the logarithms",
                "zh": "损失是各样本的平均值，不是总和：对数前面乘的是占比，而不是个数",
            },
            "runs": {
                "en": "a class counts over all the labels, wherever they stand, not only where equal ones follow each other",
                "zh": "一个类别要在全部标签里数，不管排在哪里，而不只是数连在一起的",
            },
            "shares": {
                "en": "frequent classes are said with more certainty, and they count more often: each logarithm has the share "
                "of its own class as weight. ln K is reached only if all are equally frequent",
                "zh": "常见的类别可以猜得更有把握，也出现得更多：每个对数都要乘以该类别自己的占比。只有各类别一样多时才是 ln K",
            },
            "one": {
                "en": "with a single class there is nothing to guess: 0.0",
                "zh": "只有一个类别时，没有什么可猜的：应是 0.0",
            },
            "gaps": {
                "en": "a class number that does not occur adds nothing: leave it out, since 0 times log 0 is nan; "
                "and the largest number does not say how many classes there are",
                "zh": "没有出现的类别不起作用，要先去掉，因为 0 乘以 log 0 得到 nan；最大的编号也不等于类别的个数",
            },
        },
        hints={
            "en": [
                "Take the labels 0, 0, 0, 1. What should one say for class 0, what for class 1? What does each sample then cost?",
                "labels.bincount() counts each class, also those with 0 samples. A sample of a class costs -log of its share.",
                "Keep the counts above 0, divide by the number of labels, and take minus the sum of share times share.log(); then .item().",
            ],
            "zh": [
                "以标签 0、0、0、1 为例：对类别 0 应该给出多大的概率？类别 1 呢？这样，每个样本的损失是多少？",
                "labels.bincount() 数出每个类别有几个，包括 0 个的。某个类别的一个样本，损失是占比的对数的相反数。",
                "只留下大于 0 的个数，除以标签总数，得到占比；占比乘以占比的 .log()，求和后取相反数，最后用 .item()。",
            ],
        },
    ),
    "9.2": Exercise(
        judge=judge_left,
        ideas={
            "held": {
                "en": 'what the optimizer holds stands in group["params"] for each group of optimizer.param_groups; '
                "gradients and optimizer.state do not tell",
                "zh": '优化器管理的参数，在 optimizer.param_groups 每一组的 group["params"] 里；看梯度或 optimizer.state 都判断不出来',
            },
            "groups": {
                "en": "an optimizer can have several groups: go through all of optimizer.param_groups",
                "zh": "优化器可以有好几个参数组：optimizer.param_groups 要全部看一遍",
            },
            "frozen": {
                "en": "a parameter whose requires_grad is False should not train: it is not left behind, in the optimizer or not",
                "zh": "requires_grad 为 False 的参数本来就不训练：不管在不在优化器里，都不算遗漏",
            },
            "itself": {
                "en": "the parameter itself has to be in the optimizer: not one with the same numbers, shape, name or place; "
                "`in` compares tensors with ==, so compare with `is`, or by id(…)",
                "zh": "优化器里要有这个参数本身，而不是数值、形状、名字或位置相同的另一个；对张量用 in，比较的是 ==，"
                "所以要用 is，或者比较 id(…)",
            },
            "inside": {
                "en": "all parameters of the model, with the names that named_parameters() gives: its own, and those deep inside",
                "zh": "模型的所有参数都要看，名字和 named_parameters() 给出的一样：模型自己直接拥有的要算，里层模块的也要算",
            },
            "buffers": {
                "en": "only parameters: the running averages of batch normalisation are buffers, which no optimizer holds",
                "zh": "只看参数：批量规范化的移动平均值是缓冲区，本来就不归优化器管理",
            },
            "order": {
                "en": "the names come in the order of named_parameters(); a set has no order, and sorted() makes another",
                "zh": "名字要按 named_parameters() 的顺序排列；集合没有顺序，sorted() 排出来的又是另一种顺序",
            },
            "shared": {
                "en": "a parameter used in two places is one parameter, under one name, as named_parameters() lists it",
                "zh": "用在两个地方的参数仍是一个参数，只有一个名字，就是 named_parameters() 列出的那个",
            },
            "left alone": {
                "en": "for {case}: model or optimizer are not as they were; only names are asked for, nothing is to be mended",
                "zh": "输入 {case} 时，模型或优化器被改动了；只要求列出名字，不要动手修复",
            },
        },
        hints={
            "en": [
                "First all parameters that the optimizer holds, then those of the model. When are two of them the same one?",
                'optimizer.param_groups is a list of dictionaries with the key "params". id(p) is the same only for the very same object.',
                "Collect the id of each parameter of each group in a set; then go through named_parameters() and keep the names "
                "of those that require a gradient and whose id is missing there.",
            ],
            "zh": [
                "先找出优化器管理的所有参数，再看模型的参数。怎样才算是“同一个”参数？",
                'optimizer.param_groups 是由字典组成的列表，字典里有键 "params"。只有同一个对象，id(p) 才相同。',
                "把每一组里每个参数的 id 收进一个集合；再遍历 named_parameters()，留下需要梯度、而 id 不在集合里的参数的名字。",
            ],
        },
    ),
    "9.3": Exercise(
        judge=judge_unread,
        ideas={
            "unread": {
                "en": "a list with the numbers of the columns that are not read, from 0, however many there are",
                "zh": "返回一个列表，里面是没有被读取的列的编号，从 0 数起，有几列就列出几列",
            },
            "negative": {
                "en": "a negative gradient is one, too: ask whether it is not 0, not whether it is greater",
                "zh": "梯度是负数，也说明读取了这一列：要看是否不等于 0，而不是是否大于 0",
            },
            "little": {
                "en": "a column that has little influence is read, too: only a gradient of exactly 0 says that it is not",
                "zh": "影响很小的列也是被读取了：只有梯度正好是 0，才说明没有",
            },
            "each output": {
                "en": "one output that depends on the column is enough: look at all of them, not only at the first or the largest",
                "zh": "只要有一个输出依赖这一列，就算被读取：所有的输出都要看，而不只是第一个或最大的那个",
            },
            "each sample": {
                "en": "a column may be read for some samples only, because a ReLU is off for the others: one sample is enough",
                "zh": "某一列可能只有一部分样本会读取，因为对其他样本，ReLU 输出 0：只要有一个样本读取就够了",
            },
            "outputs cancel": {
                "en": "gradients of several outputs can cancel when they are added: the outputs of a softmax always add up to 1, "
                "so their sum has gradient 0. Ask each output by itself",
                "zh": "几个输出的梯度加在一起，可能互相抵消：softmax 的各个输出之和总是 1，所以对它们的和求导，梯度是 0。"
                "要对每个输出分别求梯度",
            },
            "samples cancel": {
                "en": "gradients of several samples can cancel when they are added: ask each for != 0 first, and join with any",
                "zh": "几个样本的梯度加在一起，可能互相抵消：要先逐个判断是否不等于 0，再用 any 合并",
            },
            "gradients": {
                "en": "by gradients, at x itself: a column of zeros can be read, too, a large change says something about another "
                "place, and the weights of one layer do not tell what the others make of it",
                "zh": "要用梯度，而且就在 x 处：全为 0 的列也可能被读取；改动太大，看到的是别处的情形；"
                "只看某一层的权重，也不知道别的层怎样处理",
            },
            "constant": {
                "en": "if the output does not depend on x at all, no column is read: all of them are in the list. torch raises an "
                "error, or gives None, when it finds no way back to x; out + 0 * x.sum() always has one",
                "zh": "如果输出与 x 完全无关，就没有一列被读取：所有的列都在列表里。找不到回到 x 的路时，torch 会报错或给出 None；"
                "而 out + 0 * x.sum() 总有一条路",
            },
            "order": {
                "en": "the columns come in their order, from left to right",
                "zh": "列的编号要从小到大，即按从左到右的顺序",
            },
            "grads": {
                "en": "for {case}: the gradients of the model's parameters are not as they were; backward() adds to them, "
                "torch.autograd.grad does not",
                "zh": "输入 {case} 时，模型参数的梯度变了；backward() 会往上累加，torch.autograd.grad 则不会",
            },
            "wiped": {
                "en": "for {case}: the parameters had gradients from before, and these are gone: zero_grad() throws away all of them",
                "zh": "输入 {case} 时，参数原有的梯度不见了：zero_grad() 会把它们一起丢掉",
            },
            "frozen": {
                "en": "for {case}: requires_grad of the model's parameters is not what it was",
                "zh": "输入 {case} 时，模型参数的 requires_grad 和原来不一样了",
            },
            "mode": {
                "en": "for {case}: the model is not as it was: is it in the mode in which it came? And in train mode, a model changes "
                "the averages of its batch normalisation with each call",
                "zh": "输入 {case} 时，模型和原来不一样了：它还处在原来的模式吗？另外，在训练模式下，每次调用都会改变批量规范化的移动平均值",
            },
            "x": {
                "en": "for {case}: x wants gradients now, or has some, and did not before: work on x.detach().clone()",
                "zh": "输入 {case} 时，x 现在需要梯度，或者带上了梯度，原来并没有：请在 x.detach().clone() 上操作",
            },
        },
        hints={
            "en": [
                "The gradient of one output with respect to x has the shape of x. Which numbers of it belong to column j? When is it read?",
                "torch.autograd.grad(y, x) gives a tuple of gradients and leaves .grad alone; y is one number. retain_graph=True allows "
                "the next one.",
                "On a copy of x that wants gradients: for each output k the gradient of out[:, k].sum(), which is != 0 in any sample. "
                "Join these for all k with |. If nothing depends on x: out + 0 * x.sum().",
            ],
            "zh": [
                "一个输出对 x 的梯度，形状和 x 相同。其中哪些数属于第 j 列？什么时候算是读取了这一列？",
                "torch.autograd.grad(y, x) 返回由梯度组成的元组，不改动 .grad；其中 y 是一个数。加上 retain_graph=True，才能接着求下一个。",
                "在需要梯度的 x 的副本上：对每个输出 k，求 out[:, k].sum() 的梯度，看哪些列在任一样本中 != 0；把所有 k 的结果用 | 合并。"
                "输出可能与 x 无关，所以用 out + 0 * x.sum()。",
            ],
        },
    ),
    "9.4": Exercise(
        judge=judge_survives,
        ideas={
            "load": {
                "en": "fresh has other weights at first: only after load_state_dict has it those of the model",
                "zh": "fresh 一开始的权重是另外的：用 load_state_dict 加载之后，才和模型的一样",
            },
            "seek": {
                "en": "for {case}: the file ends where reading begins: after writing, its position is at the end; file.seek(0) goes back",
                "zh": "输入 {case} 时，什么也没有读到：写完之后，位置在文件的末尾；用 file.seek(0) 回到开头",
            },
            "file": {
                "en": "for {case}: fresh was given the model's own tensors; let them go through a file: torch.save, then torch.load",
                "zh": "输入 {case} 时，fresh 直接拿到了模型自己的张量；要经过文件：先 torch.save，再 torch.load",
            },
            "outputs": {
                "en": "compare the outputs of model and fresh: layers in a list, tensors that are only attributes and unsaved buffers "
                "are in no state dict, so that two equal state dicts say nothing about them; buffers are in it",
                "zh": "要比较 model 和 fresh 的输出：列表里的层、只是属性的张量、不保存的缓冲区，都不在状态字典里，"
                "所以状态字典相等，并不能说明它们也相等；普通的缓冲区则在里面",
            },
            "dropout": {
                "en": "in eval mode, both of them: in train mode dropout throws away other values each time",
                "zh": "两个模型都要切换到评估模式：在训练模式下，暂退法每次丢掉的值都不同",
            },
            "averages": {
                "en": "for {case}: the averages of batch normalisation are not what they were: in train mode, each call changes them; "
                "both models are to be in eval mode when they compute",
                "zh": "输入 {case} 时，批量规范化的移动平均值变了：在训练模式下，每次调用都会改变它们；两个模型计算时都要处在评估模式",
            },
            "eval": {
                "en": "the outputs in eval mode count: in train mode, a layer may compute with the batch and never use what it keeps",
                "zh": "要看评估模式下的输出：在训练模式下，有的层只用当前的批量来计算，根本用不到自己保存的数",
            },
            "mode": {
                "en": "for {case}: model and fresh are left in the mode in which they came, each in its own: note it before eval()",
                "zh": "输入 {case} 时，model 和 fresh 都要回到各自原来的模式：调用 eval() 之前，先记下来",
            },
            "each": {
                "en": "each output of each sample has to be the same; sums can be equal by chance, and so can the first choice",
                "zh": "每个样本的每个输出都要相同；总和可能碰巧相等，首选的类别也可能碰巧一样",
            },
            "nearly": {
                "en": "the same, not nearly: a file keeps every number exactly; with a generous tolerance, a lost layer can go unnoticed",
                "zh": "要完全相同，而不是差不多：文件会原样保存每个数；容差太大，丢了一层也可能发现不了",
            },
            "model": {
                "en": "for {case}: the model's own weights have changed: the state goes from model to fresh, not back",
                "zh": "输入 {case} 时，model 自己的权重变了：状态是从 model 到 fresh，而不是反过来",
            },
        },
        hints={
            "en": [
                "Two steps: the state goes by a file from model to fresh; then both see x. What makes a network answer differently each time?",
                "torch.save writes into an io.BytesIO(), seek(0) goes to its beginning, torch.load reads. model.training is the mode, "
                "model.train(flag) sets it.",
                "Save the state dict, seek(0), load it into fresh. Note both .training, set both to eval(), compare with torch.equal "
                "without gradients, give each its mode by train(…), and only then return.",
            ],
            "zh": [
                "分两步：先让状态经过文件，从 model 到 fresh；再让两者都看 x。什么会让网络每次给出的结果不同？",
                "torch.save 可以写进 io.BytesIO()，seek(0) 回到开头，torch.load 读出来。model.training 是当前的模式，model.train(flag) 用来设置。",
                "保存状态字典，seek(0)，加载到 fresh。记下两者的 .training，都切换到 eval()，不带梯度地用 torch.equal 比较；"
                "再用 train(…) 各自恢复模式，最后才返回。",
            ],
        },
    ),
    "9.5": Exercise(
        judge=judge_alone,
        ideas={
            "same": {
                "en": "an evaluate that only computes leaves everything alone: True; compare values, as two copies are never the same object",
                "zh": "只做计算的 evaluate 什么也不会改动，应是 True；要比较数值，因为两份副本绝不是同一个对象",
            },
            "once": {
                "en": "for {case}: evaluate was called {count} times, it is to be called once",
                "zh": "输入 {case} 时，evaluate 被调用了 {count} 次，应该只调用一次",
            },
            "arguments": {
                "en": "for {case}: evaluate is called with model, loader and loss_fn themselves; if you need a copy, keep it to compare",
                "zh": "输入 {case} 时，调用 evaluate 要传入 model、loader 和 loss_fn 本身；如果需要副本，只用来比较",
            },
            "mode": {
                "en": "the mode counts: model.training before and after, and whatever it was, do not set it yourself",
                "zh": "模式也要比较：看调用前后的 model.training；原来是什么模式都可以，自己不要去设置",
            },
            "modules": {
                "en": "each module has a mode of its own: for all of model.modules(), compare module.training",
                "zh": "每个模块都有自己的模式：要对 model.modules() 里的每个模块比较 module.training",
            },
            "copies": {
                "en": "the values before have to be kept as copies: parameters() and state_dict() hold the model's own tensors, "
                "which change along, and equal themselves for ever",
                "zh": "之前的数值要保存成副本：parameters() 和 state_dict() 里就是模型自己的张量，会跟着一起变，永远和自己相等",
            },
            "each": {
                "en": "number by number: sums and norms can stay the same while the numbers change",
                "zh": "要逐个数比较：数变了，总和与范数却可能不变",
            },
            "little": {
                "en": "left as it was means exactly: with a tolerance, or rounded, a small step goes unnoticed",
                "zh": "保持原样，指的是完全一样：带容差或者四舍五入，就发现不了很小的改动",
            },
            "buffers": {
                "en": "buffers count, too: batch normalisation in train mode changes its averages and its counter with each call",
                "zh": "缓冲区也要比较：在训练模式下，批量规范化每次调用都会改变移动平均值和计数",
            },
            "gradients": {
                "en": "each parameter's .grad counts: that it appears, even as zeros, changes, or is gone; keep a copy of it, "
                "None as None. copy.deepcopy(model) leaves the gradients out",
                "zh": "每个参数的 .grad 也要比较：从无到有（哪怕全是 0）、变化、消失都算改动；要保存它的副本，"
                "None 就记为 None。copy.deepcopy(model) 不会复制梯度",
            },
            "afterwards": {
                "en": "what counts is whether model is afterwards what it was before: gradients from before may stay, "
                "and what was put back is no change",
                "zh": "只看结束之后是否和之前一样：原有的梯度留着不算改动，改了又恢复的也不算",
            },
        },
        hints={
            "en": [
                "Write down all that could change, before and after, and compare the two. A helper that writes it down saves half the work.",
                "tolist() makes plain numbers of a tensor: a copy that == compares. A gradient can be None. model.modules() gives all modules.",
                "A helper returns three lists: tolist() of all parameters and buffers, of all .grad (or None), and each module's training. "
                "Call it, then evaluate, then it once more, and compare.",
            ],
            "zh": [
                "把可能改变的东西，在调用之前和之后各记录一遍，再作比较。写一个专门记录的辅助函数，可以省一半工夫。",
                "tolist() 把张量变成普通的数：既是副本，又能用 == 比较。梯度可能是 None。model.modules() 给出所有的模块。",
                "辅助函数返回三个列表：所有参数和缓冲区的 tolist()，所有 .grad 的 tolist()（或 None），以及每个模块的 training。"
                "先调用它，再调用 evaluate，然后再调用它一次，比较两次的结果。",
            ],
        },
    ),
}

QUIZZES = {
    "9.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "before the first step, the learning rate has done nothing yet",
                "b": "who knows nothing and says so gets ln 10 = 2.3; 11.8 takes a network that is very sure, and wrong: its logits are huge",
                "c": "an untrained network knows nothing about labels, right ones or shuffled ones: both give about 2.3",
                "d": "with inputs and weights of the usual size, an untrained network gives each class about 1/10: about ln 10 = 2.3",
            },
            "zh": {
                "a": "第一步之前，学习率还没有起过任何作用",
                "b": "一无所知并且没有把握，损失是 ln 10 = 2.3；达到 11.8，说明网络很有把握却错了：它的 logits 特别大",
                "c": "未经训练的网络对标签一无所知，标签是对的还是打乱的，结果都在 2.3 左右",
                "d": "输入和权重的大小正常时，未经训练的网络给每个类别的概率都在 1/10 左右，损失在 ln 10 = 2.3 左右",
            },
        },
    ),
    "9.b": Quiz(
        right="c",
        why={
            "en": {
                "a": "weights that no gradient reaches stay as they are: then it could not learn even 16 samples",
                "b": "probabilities lie between 0 and 1, and as logits they cannot be far apart: the loss would have stopped well above 0 "
                "on the batch, too",
                "c": "16 samples can be learned by heart with any labels; for the whole set there is no rule to find, "
                "and to say the share of each class is the best that is left",
                "d": "compared with the labels of all samples at once, no output can be right: "
                "the loss would not have come near 0 on the batch, either",
            },
            "zh": {
                "a": "梯度传不到的权重不会变化：那样的话，连 16 个样本也学不会",
                "b": "概率在 0 和 1 之间，当作 logits 就拉不开差距：在这个批量上，损失也会停在明显大于 0 的地方",
                "c": "只有 16 个样本时，不管标签是什么都能背下来；对整个训练集却没有规律可学，最好也只能说出每个类别的占比",
                "d": "每个输出都要和所有样本的标签比较，就不可能全对：在这个批量上，损失也不会接近 0",
            },
        },
    ),
}
