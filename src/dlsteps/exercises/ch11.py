"""Lesson 11, early stopping and regularisation."""

import math
from random import Random

import torch
from torch import nn
from torch.nn import functional as F

from dlsteps.exercises.compare import Shown, difference, same, show
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong

NAN = math.nan


def look_back(losses, patience):
    """After each epoch, look at all the losses until then."""
    for ended in range(1, len(losses) + 1):
        seen = [loss for loss in losses[:ended] if not math.isnan(loss)]
        best = losses.index(min(seen)) + 1
        if ended == best + patience:
            break
    return ended, best


LOSSES = (  # patience, the losses of all the epochs that there might be, and the idea that is missing
    (1, [3.0, 2.0, 1.0], "goes on"),
    (1, [1.0, 2.0, 3.0], "ends"),
    (2, [1.0, 2.0], "ends"),
    (2, [1.0, 2.0, 3.0, 4.0], "ends"),
    (2, [3.0, 2.0, 4.0, 5.0, 6.0], "ends"),
    (1, [1.0, 2.0, 0.5], "reached"),
    (2, [3.0, 2.0, 2.5, 2.2, 1.0], "lowest"),
    (2, [1.0, 3.0, 2.0, 4.0], "lowest"),
    (2, [3.0, 4.0, 2.0, 3.0, 1.0], "reset"),
    (3, [3.0, 4.0, 4.0, 2.0, 3.0, 3.0, 1.0], "reset"),
    (1, [1.0, 1.0, 0.5], "equal"),
    (2, [2.0, 1.0, 1.0, 1.0, 0.5], "equal"),
    (3, [2.0, 1.0, 1.0, 2.0], "equal"),
    (1, [1.0, NAN, 0.5], "nan"),
    (2, [1.0, NAN, 0.5], "nan"),
    (2, [2.0, NAN, 3.0, 1.0], "nan"),
    (2, [2.0, 1.0, NAN, NAN, 0.5], "nan"),
    (2, [2.0, NAN, 1.0, 1.5, 0.5], "nan"),
    (1, [2000.0, 1000.0, 1500.0], "any size"),
    (1, [1.0, 0.0, 0.5, 0.25], "any size"),
    (1, [-1.0, -2.0, -1.5], "any size"),
    (1, [1.0, 0.9999, 0.9998, 2.0], "a little"),
)


def draw_losses(random):
    """Some runs with few different losses, so that lowest ones come again; half of them with nan."""
    for idea, more in [("reset", []), ("nan", [NAN])] * 5:
        losses = [random.choice([0.5, 1.0, 1.5, 2.0, 2.5, *more]) for _ in range(random.randint(3, 9))]
        yield random.randint(1, 3), [3.0, *losses], idea


def loss_cases(random):
    yield Case(([2.0], 1), "from 1")
    for patience, losses, idea in (*LOSSES, *draw_losses(random)):
        yield Case((losses, patience), idea)


def as_cross_entropy(y, classes, smoothing):
    """The targets that torch's own loss has in mind: its gradient is what softmax gives, less these."""
    logits = torch.zeros(len(y), classes, dtype=torch.float64, requires_grad=True)
    F.cross_entropy(logits, y, label_smoothing=smoothing, reduction="sum").backward()
    return (1 / classes - logits.grad).float()


def label_cases(random):
    def case(idea, labels, classes, smoothing):
        return Case((torch.tensor(labels), classes, smoothing), idea)

    yield case("one", [0], 2, 0.0)
    yield case("one", [1], 3, 0.0)
    yield case("shares", [1], 2, 0.2)
    yield case("shares", [2], 4, 0.2)
    yield case("shares", [0], 4, 0.5)
    yield case("rows", [0, 1], 2, 0.2)
    yield case("rows", [1, 1], 2, 0.2)
    yield case("rows", [2, 0, 0], 3, 0.1)
    yield case("rows", [1, 0, 1, 0, 0], 4, 0.1)
    for classes in (2, 3, 5, 10):
        labels = [random.randrange(classes) for _ in range(random.randint(2, 8))]
        yield case("rows", labels, classes, random.choice([0.1, 0.2, 0.3]))


SIGMAS = 6  # so far from its mean a right answer gets once in 500 million times


def numbers(*shape):
    """Numbers of both signs, none of them 0."""
    count = torch.arange(math.prod(shape))
    return ((count % 7 + 1) * (-1) ** count).float().reshape(shape)


def describe(value):
    return Shown(f"{value.dtype}, {tuple(value.shape)}") if isinstance(value, torch.Tensor) else value


def find_dropped(probe, x, p):
    """Where the answer made 0 of the values of `x`; raise `Wrong` unless all the others are as they should be."""
    got = probe(x, p, True)
    common, facts = difference(got, x)
    if common:
        raise Wrong(common, case=(x, p, True), expected=describe(x), got=describe(got), **facts)
    dropped, right = got.detach() == 0, x / (1 - p)
    odd = ~(dropped | torch.isclose(got.detach(), right, 1e-4, 1e-6))
    if odd.any():
        before, after, wanted = (f"{float(value.detach()[odd][0]):.4g}" for value in (x, got, right))
        raise Wrong("scale", case=(x, p, True), before=before, after=after, wanted=wanted)
    return dropped


def judge_dropout(probe):
    for p in (0.5, 0.25, 0.0):
        probe.expect(numbers(3), numbers(3), p, False, idea="evaluation")
    for x in (numbers(4), numbers(2, 3), numbers(5, 1, 2), numbers(3, 2, 4, 5), numbers(4, 6).double()):
        for p in (0.25, 0.8):
            find_dropped(probe, x, p)
    for x in (numbers(4), numbers(20, 10)):
        probe.expect(x, x, 0.0, True, idea="none")
    for x in (numbers(40, 50), numbers(6, 4, 10, 12)):
        judge_neighbours(x, find_dropped(probe, x, 0.5))
    for p in (0.05, 0.5, 0.85):
        judge_share(probe, numbers(2000), p)
    judge_calls(probe, numbers(16, 32), 0.5)
    judge_gradient(probe, numbers(4, 5), 0.5)


def judge_neighbours(x, dropped):
    """With p = 0.5, two neighbours fare alike as often as not; the axis where this is least true tells the mistake.

    If not just half of all went, that is looked at later, unless it was all or nothing.
    """
    alike, gone = {}, dropped.double().mean().item()
    usual = gone**2 + (1 - gone) ** 2 if 0 < gone < 1 else 0.5
    for axis in reversed(range(dropped.ndim)):
        first, second = dropped.movedim(axis, 0)[:-1], dropped.movedim(axis, 0)[1:]
        alike[axis] = (first == second).double().mean().item(), first.numel()
    axis = max(alike, key=lambda axis: abs(alike[axis][0] - usual))
    share, pairs = alike[axis]
    if abs(share - usual) > SIGMAS * 0.5 / math.sqrt(pairs):
        raise Wrong("own chance" if axis else "samples", case=(x, 0.5, True), axis=axis, share=f"{share:.0%}")


def judge_share(probe, x, p):
    count, zeros = x.numel(), int(find_dropped(probe, x, p).sum())
    if abs(zeros - p * count) > SIGMAS * math.sqrt(count * p * (1 - p)):
        raise Wrong("share", case=(x, p, True), zeros=zeros, count=count, about=round(p * count))


def judge_calls(probe, x, p):
    """Call after call: other values, from torch's generator, and not the same number of them each time."""
    state, calls = torch.get_rng_state(), [find_dropped(probe, x, p) for _ in range(8)]
    if any(torch.equal(*pair) for pair in zip(calls, calls[1:], strict=False)):
        raise Wrong("again", case=(x, p, True))
    torch.set_rng_state(state)
    if not torch.equal(find_dropped(probe, x, p), calls[0]):
        raise Wrong("generator", case=(x, p, True))
    counts = [torch.stack([dropped.sum() for dropped in calls]), *(calls[0].sum(axis) for axis in (0, 1))]
    if any(len(count.unique()) == 1 for count in counts):
        raise Wrong("fixed", case=(x, p, True))


def judge_gradient(probe, x, p):
    """The gradient of each value is what it was multiplied by."""
    for training in (True, False):
        probe.facts, probe.idea = {"case": (x, p, training)}, "gradient"
        mine = x.clone().requires_grad_()
        got = probe.answer(mine, p, training)
        got.sum().backward()
        if not same(mine.grad, got.detach() / x):
            raise Wrong("gradient", case=(x, p, training))


MODELS = (  # the idea that is missing, code, the parameters that shrink, and the others
    ("matrices", "nn.Linear(1, 1, bias=False)", "weight", ""),
    ("matrices", "nn.Linear(2, 3, bias=False)", "weight", ""),
    ("biases", "nn.Linear(1, 1)", "weight", "bias"),
    ("each", "nn.Linear(2, 3)", "weight", "bias"),
    ("kernels", "nn.Conv1d(1, 1, 1)", "weight", "bias"),
    ("kernels", "nn.Conv2d(2, 3, 3)", "weight", "bias"),
    ("inside", "nn.Sequential(nn.Linear(1, 1))", "0.weight", "0.bias"),
    ("scales", "nn.BatchNorm1d(1)", "", "weight bias"),
    ("scales", "nn.LayerNorm(3)", "", "weight bias"),
    ("any name", "nn.PReLU()", "", "weight"),
    ("any name", "self.gain = nn.Parameter(torch.ones(3))", "", "gain"),
    ("any name", "self.table = nn.Parameter(torch.ones(2, 3))", "table", ""),
    ("any name", "self.biases = nn.Linear(1, 2)", "biases.weight", "biases.bias"),
    ("any name", "self.norm = nn.Linear(1, 2)", "norm.weight", "norm.bias"),
    ("any name", "self.bn = nn.Conv2d(1, 1, 1, bias=False)", "bn.weight", ""),
    ("no axes", "self.scale = nn.Parameter(torch.tensor(2.0))", "", "scale"),
    ("none", "nn.ReLU()", "", ""),
    ("frozen", "nn.Linear(1, 1).requires_grad_(False)", "", ""),
    ("frozen", "nn.Sequential(nn.Linear(1, 1).requires_grad_(False), nn.Linear(1, 1))", "1.weight", "1.bias"),
    ("buffers", "nn.BatchNorm1d(2, affine=False)", "", ""),
    ("buffers", "self.register_buffer('seen', torch.ones(2, 2))", "", ""),
    ("each", "self.a = nn.Parameter(torch.ones(1, 1)); self.b = nn.Parameter(torch.ones(1))", "a", "b"),
    ("each", "nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))", "0.weight", "0.bias 1.weight 1.bias"),
    ("inside", "nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)), nn.ReLU())", "0.0.weight",
     "0.0.bias 0.1.weight 0.1.bias"),
    ("inside", "self.token = nn.Parameter(torch.ones(1, 2)); self.inner = nn.Linear(1, 2)", "token inner.weight",
     "inner.bias"),
    ("once", "self.a = nn.Linear(2, 2); self.b = self.a", "a.weight", "a.bias"),
    ("once", "self.a = nn.Linear(2, 2); self.b = nn.Linear(2, 2); self.b.weight = self.a.weight", "a.weight",
     "a.bias b.bias"),
    ("order", "self.b = nn.Linear(2, 3); self.a = nn.Linear(3, 2)", "b.weight a.weight", "b.bias a.bias"),
    ("order", "nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1), nn.Linear(1, 4))", "0.weight 1.weight 2.weight",
     "0.bias 1.bias 2.bias"),
)  # fmt: skip


def build(code):
    """The module that an expression makes; or one with attributes, set as `__init__` would set them."""
    names = {"nn": nn, "torch": torch, "self": nn.Module()}
    if not code.startswith("self"):
        return eval(code, names)
    exec(code, names)
    return names["self"]


def look(module):
    """What an answer could change about a module's parameters."""
    return [(id(value), value.requires_grad, value.tolist()) for value in module.parameters()]


def with_names(value, names):
    """The same, with the names of parameters in their place, for a message."""
    if type(value) in (list, tuple):
        return type(value)(with_names(inner, names) for inner in value)
    if isinstance(value, dict):
        return {key: with_names(inner, names) for key, inner in value.items()}
    return Shown(names[id(value)]) if id(value) in names else value


def judge_groups(probe):
    for number, (idea, code, *groups) in enumerate(MODELS):
        module, decay = build(code), (0.1, 0.01)[number % 2]
        named = dict(module.named_parameters())
        groups, before = [[named[name] for name in group.split()] for group in groups], look(module)
        expected = [{"params": groups[0], "weight_decay": decay}, {"params": groups[1], "weight_decay": 0.0}]
        names = {id(value): name for name, value in (*named.items(), *module.named_buffers())}
        probe.facts = {"case": (Shown(f"{code}, {decay}"),), "expected": with_names(expected, names)}
        probe.idea = idea if number else ""  # an answer that fails at once may lack anything
        got = probe.answer(module, decay)
        facts = probe.facts | {"got": with_names(got, names)}
        judge_form(got, expected, facts)
        judge_members(got, expected, idea, module, facts)
        if look(module) != before:
            raise Wrong("left alone", case=probe.facts["case"])


def judge_form(got, expected, facts):
    """A list of two dictionaries with the right keys, and lists in them."""
    if not isinstance(got, list):
        common, more = difference(got, expected)
        raise Wrong(common, **facts, **more)
    if len(got) != 2 or not all(isinstance(group, dict) for group in got):
        raise Wrong("two groups", **facts)
    if any(set(group) != {"params", "weight_decay"} for group in got):
        raise Wrong("keys", **facts)
    if not all(isinstance(group["params"], list) for group in got):
        raise Wrong("lists", **facts)


def judge_members(got, expected, idea, module, facts):
    members = [[id(value) for value in group["params"]] for group in got]
    wanted = [[id(value) for value in group["params"]] for group in expected]
    decays, right = ([group["weight_decay"] for group in groups] for groups in (got, expected))
    if members == wanted and same(decays, right):
        return
    if members == wanted:
        idea = "decay"
    elif members == wanted[::-1] and same(decays, right[::-1]):
        idea = "first"
    elif list(map(sorted, members)) == list(map(sorted, wanted)):
        idea = "order"
    raise Wrong(find_stranger([*got[0]["params"], *got[1]["params"]], module) or idea, **facts)


def find_stranger(values, module):
    """The idea that is missing if something belongs in no group, or stands there twice; else ""."""
    parameters, buffers = ({id(value) for value in kind()} for kind in (module.parameters, module.buffers))
    if not all(isinstance(value, torch.Tensor) for value in values):
        return "themselves"
    ids = [id(value) for value in values]
    if not parameters | buffers >= set(ids):
        return "copies"
    if buffers & set(ids):
        return "buffers"
    return "once" if len(set(ids)) < len(ids) else ""


class Net(nn.Sequential):
    """A small network that knows whether a state was loaded into it."""

    loaded = False

    def load_state_dict(self, *args, **options):
        self.loaded = True
        return super().load_state_dict(*args, **options)


class Run:
    """A training for show: in epoch n all numbers in the network become n, and the losses are given."""

    def __init__(self, losses, case):
        self.losses, self.case, self.calls = losses, case, []
        self.model = Net(nn.Linear(1, 1), nn.BatchNorm1d(1))
        self.fill(0)

    @property
    def epoch(self):
        return self.calls.count("train_epoch")

    def fill(self, number):
        with torch.no_grad():
            for value in self.model.state_dict().values():
                value.fill_(number)

    def state(self):
        """{the name of each tensor in the network: the number in it}"""
        return {name: value.double().mean().item() for name, value in self.model.state_dict().items()}

    def train_epoch(self):
        if set(self.state().values()) != {self.epoch}:
            raise Wrong("meanwhile", case=self.case)
        if self.epoch == len(self.losses):
            raise Wrong("epochs", case=self.case, expected=times(self.epoch), got=times(self.epoch + 1))
        self.calls.append("train_epoch")
        self.fill(self.epoch)

    def evaluate(self):
        self.calls.append("evaluate")
        return self.losses[max(self.epoch, 1) - 1]


def times(count):
    return Shown(f"train_epoch() × {count}")


def run_cases(random):
    """The idea that is missing, patience, and the losses, as many as there may be epochs."""
    yield "epochs", 1, [2.0]
    yield "epochs", 1, [2.0, 1.0]
    yield "epochs", 5, [2.0, 1.0, 3.0]
    for patience, losses, idea in (*LOSSES, *draw_losses(random)):
        yield {"goes on": "epochs", "reached": "ends"}.get(idea, idea), patience, losses


def judge_patience(probe):
    for number, (idea, patience, losses) in enumerate(run_cases(Random(11))):
        case = (Shown(f"epochs = {len(losses)}, patience = {patience}, losses = {losses}"),)
        run, (ended, best) = Run(losses, case), look_back(losses, patience)
        probe.facts, probe.idea = {"case": case}, idea if number else ""  # one that fails at once may lack anything
        got = probe.answer(run.model, run.train_epoch, run.evaluate, len(losses), patience)
        judge_turns(run, ended, idea)
        if not same(got, losses[:ended]):
            common, facts = difference(got, losses[:ended])
            raise Wrong(common or "losses", case=case, expected=losses[:ended], got=got, **facts)
        judge_state(run, best)


def judge_turns(run, ended, idea):
    if run.calls != ["train_epoch", "evaluate"] * run.epoch:
        more = ["…"] * (len(run.calls) > 4)
        raise Wrong("turns", case=run.case, calls=", ".join(run.calls[:4] + more) or show(run.calls))
    if run.epoch != ended:
        raise Wrong(idea, case=run.case, expected=times(ended), got=times(run.epoch))


def judge_state(run, best):
    """Raise `Wrong` unless the network has all that it had in epoch `best`."""
    others = {name: number for name, number in run.state().items() if number != best}
    parameters = others.keys() & dict(run.model.named_parameters())
    has = ", ".join(f"{number:g}" for number in sorted(set(others.values())))
    if others:
        is_last = set(others.values()) == {run.epoch} and run.losses[run.epoch - 1] != run.losses[best - 1]
        idea = "which" if not is_last else "copy" if run.model.loaded else "restore"
        raise Wrong(idea if parameters else "buffers", case=run.case, best=best, has=has)


EXERCISES = {
    "11.1": Exercise(
        cases=loss_cases,
        expected=look_back,
        ideas={
            "from 1": {
                "en": "both numbers are counted from 1: a run of a single epoch gives (1, 1)",
                "zh": "两个数都从 1 数起：只有一个轮次时，得到 (1, 1)",
            },
            "goes on": {
                "en": "as long as the losses get lower, the run goes on, up to the last epoch",
                "zh": "只要损失还在创新低，训练就继续，直到最后一个轮次",
            },
            "ends": {
                "en": "first the epoch after which it ends, just `patience` epochs after the best, or the last; then the best",
                "zh": "第一个数是在哪个轮次之后结束：最好的轮次之后正好再过 patience 个轮次，不够就到最后一个轮次；第二个数是最好的轮次",
            },
            "reached": {
                "en": "only the epochs until the end count: what a longer run would have found, nobody knows",
                "zh": "只看结束之前的轮次：再训练下去会怎样，这时谁也不知道",
            },
            "lowest": {
                "en": "compare with the lowest loss until then, not with that of the epoch before",
                "zh": "要和此前最低的损失比较，而不是和前一个轮次的比较",
            },
            "reset": {
                "en": "`patience` epochs in a row: after each new lowest loss the count begins again",
                "zh": "要连续 patience 个轮次：每次出现新的最低损失，都要重新数起",
            },
            "equal": {
                "en": "a loss that equals the lowest is no improvement: the count goes on, and the best stays the first of them",
                "zh": "和最低损失相等不算进步：继续往下数，最好的仍是最先出现的那个",
            },
            "nan": {
                "en": "nan is no improvement, and later losses are not to be compared with it: every < with a nan is False",
                "zh": "nan 不算进步，后面的损失也不要和它比较：和 nan 用 < 比较，总是得到 False",
            },
            "any size": {
                "en": "a loss can be any number, large, 0 or negative: begin with math.inf, or with the first loss",
                "zh": "损失可以是任何数，很大的数、0 或者负数都行：一开始用 math.inf，或者第一个损失",
            },
            "a little": {
                "en": "lower is lower, however little",
                "zh": "只要更低就算进步，哪怕只低一点点",
            },
        },
        hints={
            "en": [
                "Go through the losses and keep two things in mind: the lowest so far, and in which epoch it came.",
                "enumerate(losses, 1) counts from 1. How many epochs have brought nothing: this epoch less the best one.",
                "If loss < lowest, note loss and epoch. If not, and epoch - best has reached patience, return both at once.",
            ],
            "zh": [
                "依次看每个损失，同时记住两样东西：目前最低的损失，以及它出现在哪个轮次。",
                "enumerate(losses, 1) 从 1 数起。已经有几个轮次没有进步？就是当前轮次减去最好的轮次。",
                "如果 loss < lowest，就记下这个损失和轮次；否则，如果 epoch - best 达到了 patience，就立刻返回这两个数。",
            ],
        },
    ),
    "11.2": Exercise(
        cases=label_cases,
        expected=as_cross_entropy,
        ideas={
            "one": {
                "en": "without smoothing the right class gets 1, and every other 0",
                "zh": "smoothing 为 0 时，正确的类别是 1，其他都是 0",
            },
            "shares": {
                "en": "each class gets smoothing / classes, the right one, too, and that one 1 - smoothing on top: together 1",
                "zh": "每个类别都得到 smoothing / classes，正确的类别也不例外，它另外再加 1 - smoothing；各类别之和为 1",
            },
            "rows": {
                "en": "each row has a right class of its own: in row i that is y[i]; targets[:, y] means whole columns",
                "zh": "每一行有自己的正确类别：第 i 行的是 y[i]；targets[:, y] 指的是整列",
            },
        },
        hints={
            "en": [
                "Write down the row for class 1 of 4 and smoothing 0.2 by hand. Which part of it is the same in all rows?",
                "torch.full(shape, value) makes the equal part. targets[[0, 1, 2], y] means: in row 0 column y[0], and so on.",
                "Begin with torch.full((len(y), classes), …); then += 1 - smoothing at targets[torch.arange(…), y].",
            ],
            "zh": [
                "共 4 个类别，正确的是类别 1，smoothing 为 0.2：先在纸上写出这一行。其中哪一部分在每一行都相同？",
                "torch.full(shape, value) 可以生成相同的部分。targets[[0, 1, 2], y] 指的是第 0 行的 y[0] 列，依此类推。",
                "先用 torch.full((len(y), classes), …)；再对 targets[torch.arange(…), y] 这些位置 += 1 - smoothing。",
            ],
        },
    ),
    "11.3": Exercise(
        judge=judge_dropout,
        ideas={
            "evaluation": {
                "en": "when it is not training, nothing is thrown away and nothing scaled: x as it is",
                "zh": "不是训练时，既不置零，也不缩放：原样返回 x",
            },
            "scale": {
                "en": "for {case}: {before} has become {after}; what stays is divided by 1 - p, which makes {wanted}",
                "zh": "输入 {case} 时，{before} 变成了 {after}；留下来的值要除以 1 - p，应得到 {wanted}",
            },
            "none": {
                "en": "p is the probability of becoming 0, not of staying: with p = 0, all values stay as they are",
                "zh": "p 是变成 0 的概率，而不是留下的概率：p 为 0 时，所有的值都不变",
            },
            "own chance": {
                "en": "for {case}: {share} of the neighbours along axis {axis} fare alike, about 50% should: "
                "each value has a chance of its own, so draw as many numbers as x has",
                "zh": "输入 {case} 时，沿轴 {axis} 相邻的两个值，有 {share} 同去同留，本来应在 50% 左右："
                "每个值都要单独决定，所以 x 有多少个值，就要抽多少个随机数",
            },
            "samples": {
                "en": "for {case}: {share} of the neighbours along axis 0 fare alike, about 50% should: "
                "each sample of a batch draws its own values",
                "zh": "输入 {case} 时，沿轴 0 相邻的两个值，有 {share} 同去同留，本来应在 50% 左右：批量里的每个样本都要另外抽取",
            },
            "share": {
                "en": "for {case}: {zeros} of {count} values have become 0, it should be about {about}",
                "zh": "输入 {case} 时，{count} 个值中有 {zeros} 个变成了 0，应在 {about} 个左右",
            },
            "again": {
                "en": "for {case}: two calls threw away the very same values: draw anew in every call, and set no seed in here",
                "zh": "输入 {case} 时，先后两次调用，变成 0 的值完全相同：每次调用都要重新抽取，也不要在这里设种子",
            },
            "generator": {
                "en": "for {case}: from the same state of torch's generator it drew other values: "
                "take random numbers from torch, so that torch.manual_seed makes them reproducible",
                "zh": "输入 {case} 时，torch 的随机数生成器状态相同，抽取的结果却不同：随机数要从 torch 取，"
                "这样用 torch.manual_seed 才能复现",
            },
            "fixed": {
                "en": "for {case}: in every call, or in every row, just as many values became 0: with a chance for each, that varies",
                "zh": "输入 {case} 时，每次调用或每一行里，变成 0 的个数都完全一样：如果每个值单独决定，个数应该有多有少",
            },
            "gradient": {
                "en": "gradients have to get through: no detach(), no .data, no NumPy, no torch.no_grad() on the way",
                "zh": "梯度要能传过去：途中不要用 detach()、.data、NumPy 或 torch.no_grad()",
            },
        },
        hints={
            "en": [
                "First the easy case: not training. In the other one you need a random number for each value. Of which shape?",
                "torch.rand_like(x) lies between 0 and 1, and is below p with probability p. A comparison gives True and False.",
                "x times (torch.rand_like(x) >= p) makes the zeros, because False counts as 0; then divide by 1 - p.",
            ],
            "zh": [
                "先处理简单的情形：不是训练时。训练时，每个值都需要一个随机数。随机数的形状应该是什么？",
                "torch.rand_like(x) 的值在 0 和 1 之间，小于 p 的概率正是 p。比较之后，得到 True 和 False。",
                "x 乘以 (torch.rand_like(x) >= p)，就有了那些 0，因为 False 当作 0；最后再除以 1 - p。",
            ],
        },
    ),
    "11.4": Exercise(
        judge=judge_groups,
        ideas={
            "matrices": {
                "en": "the first group holds the parameters with two or more dimensions, such as a linear layer's weight",
                "zh": "第一组是二维及以上的参数，例如线性层的权重",
            },
            "biases": {
                "en": "a bias has one dimension: it belongs in the second group",
                "zh": "偏置是一维的，属于第二组",
            },
            "kernels": {
                "en": "two or more: the kernels of a convolution have three, four or five dimensions",
                "zh": "是二维及以上，而不只是二维：卷积核有三维、四维或五维",
            },
            "scales": {
                "en": "the scale of a normalisation layer is called weight, too, but has one dimension: go by ndim, not by name",
                "zh": "规范化层的缩放系数也叫 weight，但只有一维：要看 ndim，而不是看名字",
            },
            "any name": {
                "en": "only the number of dimensions counts, neither the name nor the kind of layer",
                "zh": "只看有几维，不看名字，也不看是哪种层",
            },
            "no axes": {
                "en": "a parameter can be a single number, with no dimension at all: it belongs to the others",
                "zh": "参数也可以只是一个数，即零维：它属于第二组",
            },
            "none": {
                "en": "a model without parameters gives two groups, too, with empty lists",
                "zh": "模型没有参数时，也要返回两组，里面是空列表",
            },
            "frozen": {
                "en": "a parameter whose requires_grad is False is in neither group",
                "zh": "requires_grad 为 False 的参数，两组都不放",
            },
            "buffers": {
                "en": "buffers, such as a BatchNorm layer's running averages, are no parameters: no optimizer changes them",
                "zh": "缓冲区不是参数，例如批量规范化层的移动平均值：优化器不会去改它们",
            },
            "each": {
                "en": "each parameter by itself, even if its numbers equal another's; `in` a list of tensors asks ==, not is",
                "zh": "每个参数要分别判断，哪怕它的数和另一个参数相等；在张量的列表里用 in，比较的是 ==，而不是 is",
            },
            "inside": {
                "en": "the parameters of all modules inside count, however deep, and those that the model has itself",
                "zh": "里面各层模块的参数都要算，不管嵌套多少层；模型自己直接拥有的参数也一样",
            },
            "once": {
                "en": "a parameter that is used in two places is one parameter: model.parameters() gives it once",
                "zh": "用在两个地方的参数仍是一个参数：model.parameters() 只给出一次",
            },
            "order": {
                "en": "within a group the parameters are in the order of model.parameters()",
                "zh": "每一组里的参数，按 model.parameters() 的顺序排列",
            },
            "two groups": {
                "en": "a list of two dictionaries, always two, even if there is nothing in one of them",
                "zh": "返回由两个字典组成的列表；总是两个，哪怕其中一组是空的",
            },
            "keys": {
                "en": 'each dictionary has the keys "params" and "weight_decay", and no others',
                "zh": '每个字典的键是 "params" 和 "weight_decay"，没有别的',
            },
            "lists": {
                "en": "params is a list: a generator can be gone through only once, and a set has no order",
                "zh": "params 要用列表：生成器只能遍历一次，集合没有顺序",
            },
            "themselves": {
                "en": "params holds the parameters themselves, not their names, and no pairs",
                "zh": "params 里放的是参数本身，不是名字，也不是二元组",
            },
            "copies": {
                "en": "an optimizer has to get the model's own parameters; copies, detach(), .data and state_dict() are other tensors",
                "zh": "优化器要拿到模型自己的参数；副本、detach()、.data 和 state_dict() 给出的都是另外的张量",
            },
            "decay": {
                "en": "weight_decay is decay in the first group, and 0.0 in the second",
                "zh": "第一组的 weight_decay 是 decay，第二组的是 0.0",
            },
            "first": {
                "en": "the group whose weights shrink comes first, the others second",
                "zh": "要衰减的那一组在前，其余的在后",
            },
            "left alone": {
                "en": "for {case}: the parameters are not as they were; sorting them into groups is all that is asked",
                "zh": "输入 {case} 时，参数被改动了；只要求分组，不要改参数",
            },
        },
        hints={
            "en": [
                "How many dimensions has the weight of a linear layer, its bias, a kernel, the scale of a BatchNorm layer?",
                "model.parameters() gives each parameter once, in order. parameter.ndim and parameter.requires_grad decide.",
                "First the list of all p with p.requires_grad; from that one list with ndim > 1, and one with the rest.",
            ],
            "zh": [
                "线性层的权重有几维？它的偏置、卷积核、批量规范化层的缩放系数，又各是几维？",
                "model.parameters() 按顺序给出每个参数，各一次。看 parameter.ndim 和 parameter.requires_grad 就能决定。",
                "先列出所有 requires_grad 为真的参数 p；再从中分出两个列表：ndim > 1 的，和其余的。",
            ],
        },
    ),
    "11.5": Exercise(
        judge=judge_patience,
        ideas={
            "epochs": {
                "en": "as long as the losses get lower, training goes on, but never for more than `epochs` epochs",
                "zh": "只要损失还在创新低，就继续训练，但最多训练 epochs 个轮次",
            },
            "ends": {
                "en": "it stops as soon as `patience` epochs in a row have brought nothing lower: neither before nor after",
                "zh": "一旦连续 patience 个轮次都没有创新低，就立刻停止，不早也不晚",
            },
            "turns": {
                "en": "for {case}: the calls were {calls}; in each epoch train_epoch() comes once, then evaluate() once",
                "zh": "输入 {case} 时，调用的顺序是 {calls}；每个轮次先调用一次 train_epoch()，再调用一次 evaluate()",
            },
            "losses": {
                "en": "all losses are returned, one for each epoch, in their order: those after the best, too, and nan",
                "zh": "要返回所有的损失，每个轮次一个，按先后排列：最好的轮次之后的也要，nan 也要",
            },
            "lowest": {
                "en": "compare with the lowest loss until then, not with that of the epoch before",
                "zh": "要和此前最低的损失比较，而不是和前一个轮次的比较",
            },
            "reset": {
                "en": "`patience` epochs in a row: after each new lowest loss the count begins again",
                "zh": "要连续 patience 个轮次：每次出现新的最低损失，都要重新数起",
            },
            "equal": {
                "en": "a loss that equals the lowest is no improvement, the count goes on",
                "zh": "和最低损失相等不算进步，继续往下数",
            },
            "nan": {
                "en": "nan is no improvement, and later losses are not to be compared with it: every < with a nan is False",
                "zh": "nan 不算进步，后面的损失也不要和它比较：和 nan 用 < 比较，总是得到 False",
            },
            "any size": {
                "en": "a loss can be any number, large, 0 or negative: begin with math.inf",
                "zh": "损失可以是任何数，很大的数、0 或者负数都行：一开始用 math.inf",
            },
            "a little": {
                "en": "lower is lower, however little",
                "zh": "只要更低就算进步，哪怕只低一点点",
            },
            "restore": {
                "en": "for {case}: at the end the model has the weights of epoch {has}, epoch {best} was best: load these into it, "
                "however the run ended; `model = …` would only give the name to another model",
                "zh": "输入 {case} 时，模型最后的权重是第 {has} 个轮次的，而最好的是第 {best} 个：不管训练怎样结束，都要把后者"
                "加载进去；写 model = … 只是让这个名字指向另一个模型",
            },
            "copy": {
                "en": "for {case}: what was loaded were the weights of epoch {has}, epoch {best} was best: "
                "state_dict() holds the model's own tensors, which go on changing; keep a deep copy",
                "zh": "输入 {case} 时，加载进去的是第 {has} 个轮次的权重，而最好的是第 {best} 个：state_dict() 里就是模型自己的张量，"
                "会随着训练继续变化；要保存一份深拷贝",
            },
            "which": {
                "en": "for {case}: the model ends with numbers from epoch {has}, but epoch {best} brought the lowest loss; "
                "of equal ones the first counts, and nan never does",
                "zh": "输入 {case} 时，模型最后的数来自第 {has} 个轮次，而损失最低的是第 {best} 个；相等时以最先出现的为准，nan 不算",
            },
            "buffers": {
                "en": "for {case}: the parameters are those of epoch {best}, the averages of batch normalisation still of {has}: "
                "they are buffers, which are in state_dict() and not among parameters()",
                "zh": "输入 {case} 时，参数是第 {best} 个轮次的，批量规范化的移动平均值却还是第 {has} 个的：它们是缓冲区，在 state_dict() 里，"
                "不在 parameters() 里",
            },
            "meanwhile": {
                "en": "for {case}: between two epochs the weights were changed: load the best ones only at the end",
                "zh": "输入 {case} 时，权重在两个轮次之间被改动了：只在最后才加载最好的权重",
            },
        },
        hints={
            "en": [
                "One loop: train, evaluate, note the loss. What do you have to keep when it is the lowest? And what at the end?",
                "copy.deepcopy(model.state_dict()) keeps the weights as they are now; load_state_dict brings them back.",
                "If the loss is lowest: keep it and a deep copy, and waited = 0; else waited += 1, break at patience. Load at the end.",
            ],
            "zh": [
                "一个循环：训练、评估、记下损失。损失创新低时，要保存什么？结束时又要做什么？",
                "copy.deepcopy(model.state_dict()) 能保存此刻的权重；以后用 load_state_dict 放回去。",
                "创新低时，记下损失和一份深拷贝，并令 waited = 0；否则 waited += 1，达到 patience 就 break。循环之后再加载。",
            ],
        },
    ),
}

QUIZZES = {
    "11.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "accuracy only asks which answer is the first choice, the loss also how sure the network is of it",
                "b": "it grows surer of what it knows by heart; of its wrong answers, too, and each of those costs ever more",
                "c": "with too small a learning rate, both losses fall, only slowly",
                "d": "then the validation loss would look too good, and fall along with the training loss",
            },
            "zh": {
                "a": "精度只看首选的答案对不对，损失还看网络对这个答案有多大把握",
                "b": "它对背下来的东西越来越有把握；对错误的答案也是如此，于是每个错误的代价越来越大",
                "c": "学习率太小时，两个损失都会下降，只是慢一些",
                "d": "那样的话，验证损失会显得过于好看，并且跟着训练损失一起下降",
            },
        },
    ),
    "11.b": Quiz(
        right="b",
        why={
            "en": {
                "a": "it has not trained on them, but it was chosen by them, among twenty settings and all their epochs",
                "b": "the winner is good, and lucky on just these samples; on new ones it stays good, but the luck is gone",
                "c": "it was chosen for its result on these samples, and part of that was luck, which does not come again",
                "d": "training accuracy says how much it knows by heart; validation is a little too kind, but far more telling",
            },
            "zh": {
                "a": "虽然没有用这些样本训练，却用它们做了选择：从二十种设置、每种的所有轮次里挑出来的",
                "b": "胜出的设置确实好，但在这些样本上也有运气成分；换成新样本，好处还在，运气就没有了",
                "c": "它是按这些样本上的结果选出来的，其中有一部分是运气，而运气不会再来一次",
                "d": "训练精度只说明它背下了多少；验证精度虽然略微偏高，却有用得多",
            },
        },
    ),
}
