"""Lesson 10, watching training."""

import contextlib
import copy
import functools
import math
from random import Random

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as all_modules

from dlsteps.exercises.compare import Shown, difference, same, show_error
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong
from dlsteps.exercises.guard import TooLong


def weighted_means(values, weight):
    """Each from its definition: the newest value weighs 1, the one before it weight, then weight², and so on."""
    means = []
    for count in range(1, len(values) + 1):
        weights = [weight**age for age in reversed(range(count))]
        means.append(math.fsum(map(float.__mul__, weights, values)) / math.fsum(weights))
    return means


def curve_cases(random):
    yield Case(([2.0], 0.5), "divide")
    yield Case(([2.0], 0.75), "roles")
    yield Case(([2.0, 2.0], 0.5), "count")
    yield Case(([2.0, 4.0], 0.5), "start")
    yield Case(([2.0, 4.0], 0.75), "roles")
    yield Case(([2.0, 4.0], 0.0), "zero")
    yield Case(([], 0.5), "empty")
    yield Case(([4.0, 0.0, -2.0], 0.5), "all")
    yield Case(([4.0, 2.0, 2.0, 2.0], 0.75), "all")
    for weight in (0.1, 0.6, 0.9):
        yield Case(([random.uniform(0.5, 3) for _ in range(12)], weight), "all")


def judge_smooth(probe):
    """As ever; but a division by 0 at the very first value tells from where n is counted."""
    with Catch(ZeroDivisionError) as caught:
        for case in curve_cases(Random(10)):
            probe.expect(weighted_means(*case.args), *case.args, idea=case.idea)
    if caught.error:
        raise Wrong(probe.idea or "from 1", **probe.facts, error=show_error(caught.error))


class Catch:
    """Keeps the error that its block raises, if it is one of these kinds."""

    def __init__(self, *kinds):
        self.kinds, self.error = kinds, None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        self.error = error
        return isinstance(error, self.kinds) and not isinstance(error, TooLong)


def count_dead(outputs):
    """Go through all that is not 0, and strike out its unit."""
    dead = set(range(outputs.shape[1]))
    for place in outputs.nonzero().tolist():
        dead.discard(place[1])
    return len(dead) / outputs.shape[1]


def relu_cases(random):
    def case(idea, outputs):
        return Case((torch.tensor(outputs, dtype=torch.float32),), idea)

    yield case("dead", [[0]])
    yield case("dead", [[2]])
    yield case("every sample", [[0, 3], [2, 0]])
    yield case("units", [[3, 2], [0, 0]])
    yield case("share", [[0, 3], [0, 2]])
    yield case("share", [[0, 0, 0, 1]])
    yield case("units", [[3, 0, 2], [1, 0, 5]])
    yield case("exactly", [[1e-12, 0], [0, 0]])
    yield case("places", [[[[0, 0]], [[0, 3]]]])
    yield case("places", [[[[0], [2]], [[0], [0]], [[1], [0]]]])
    yield case("pictures", [[[[0, 0]], [[1, 2]]], [[[0, 0]], [[3, 4]]]])
    yield case("pictures", [[[[0, 0]], [[1, 2]]], [[[0, 5]], [[0, 0]]]])
    for shape in [(5, 7), (3, 4, 3, 2), (4, 6, 2, 3)]:
        yield case("units" if len(shape) == 2 else "pictures", relu_outputs(random, shape))


def relu_outputs(random, shape):
    """Mostly zeros, of which about half the units have nothing else."""
    units = torch.tensor([random.random() < 0.5 for _ in range(shape[1])])
    numbers = torch.tensor([random.choice([0, 0, 0, 0, 1, 2]) for _ in range(math.prod(shape))]).view(shape)
    return (numbers * units.view(1, -1, *[1] * (len(shape) - 2))).tolist()


class Lab:
    """A model of given parameters and gradients with its optimizer, and notes on the steps.

    `parts` are (values, gradient) by name, nested as modules are; gradient None freezes. A tensor is a buffer.
    """

    def __init__(self, optimizer, text, parts, before=False):
        self.model, self.text = make_module(parts), text
        self.optimizer = optimizer(self.model)
        if before:
            self.optimizer.step()
            for parameter in self.model.parameters():
                parameter.grad = parameter.grad.flip(0) * 2
        self.steps, self.idle = 0, False
        self.optimizer.register_step_pre_hook(self.note_step)

    def note_step(self, *_):
        self.steps += 1
        self.idle = all(parameter.grad is None or not parameter.grad.any() for parameter in self.model.parameters())

    def __str__(self):
        texts = [
            f"{name} = {value.tolist()}, grad = {None if value.grad is None else value.grad.tolist()}"
            for name, value in self.model.named_parameters()
        ]
        return f"{self.text}: {'; '.join(texts)}"


def make_module(parts):
    module = nn.Module()
    for name, part in parts.items():
        if isinstance(part, torch.Tensor):
            module.register_buffer(name, part)
        else:
            setattr(module, name, make_module(part) if isinstance(part, dict) else make_parameter(*part))
    return module


def make_parameter(values, grad):
    made = nn.Parameter(torch.tensor(values), requires_grad=grad is not None)
    made.grad = None if grad is None else torch.tensor(grad)
    return made


def sgd(**options):
    return lambda model: torch.optim.SGD(model.parameters(), lr=0.5, **options)


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.25)


def groups(model):
    first, *others = model.parameters()
    return torch.optim.SGD([{"params": [first]}, {"params": others, "lr": 0.25}], lr=0.5)


def only_head(model):
    return torch.optim.SGD(model.head.parameters(), lr=0.5)


STRAIGHT, CORNER = ([[3.0, 4.0]], [[2.0, 0.0]]), ([[3.0, 0.0], [0.0, 4.0]], [[0.0, 2.0], [4.0, 0.0]])
KERNEL = [[[[1.0, 2.0], [2.0, 4.0]]]], [[[[0.0, 1.0], [0.0, 0.0]]]]
FROZEN = [[1.0, 2.0]], None
LABS = (  # the idea that is missing, and how to make a `Lab`
    ("ratio", sgd(), "SGD(lr=0.5)", {"weight": ([[2.0]], [[1.0]])}),
    ("norm", sgd(), "SGD(lr=0.5)", {"weight": STRAIGHT}),
    ("norm", sgd(), "SGD(lr=0.5)", {"weight": CORNER}),
    ("bias", sgd(), "SGD(lr=0.5)", {"weight": STRAIGHT, "bias": ([1.0], [1.0])}),
    ("names", sgd(), "SGD(lr=0.5)", {"0": {"weight": STRAIGHT}, "1": {"weight": CORNER}}),
    ("names", sgd(), "SGD(lr=0.5)", {"body": {"stem": {"weight": CORNER}}, "head": {"weight": STRAIGHT}}),
    ("dimensions", sgd(), "SGD(lr=0.5)", {"conv": {"weight": KERNEL}}),
    ("dimensions", sgd(), "SGD(lr=0.5)", {"kernel": KERNEL, "norm": {"weight": ([1.0, 2.0], [1.0, 1.0])}}),
    ("buffers", sgd(), "SGD(lr=0.5)", {"weight": STRAIGHT, "table": torch.ones(2, 2)}),
    ("still", sgd(), "SGD(lr=0.5)", {"body": {"weight": FROZEN}, "head": {"weight": STRAIGHT}}),
    ("still", only_head, "SGD(head, lr=0.5)", {"body": {"weight": CORNER}, "head": {"weight": STRAIGHT}}),
    ("moved", adam, "Adam(lr=0.25)", {"weight": STRAIGHT}),
    ("moved", sgd(weight_decay=0.5), "SGD(lr=0.5, weight_decay=0.5)", {"weight": STRAIGHT}),
    ("moved", sgd(momentum=0.5), "SGD(lr=0.5, momentum=0.5)", {"weight": CORNER}, True),
    ("moved", adam, "Adam(lr=0.25)", {"0": {"weight": CORNER, "bias": ([1.0, 2.0], [2.0, 1.0])}}, True),
    ("moved", groups, "SGD(0: lr=0.5, 1: lr=0.25)", {"0": {"weight": STRAIGHT}, "1": {"weight": CORNER}}),
)


def judge_ratios(probe):
    for number, (idea, *recipe) in enumerate(LABS):
        lab, twin = Lab(*recipe), Lab(*recipe)
        old = arrays(twin.model)
        twin.optimizer.step()
        new = arrays(twin.model)
        expected = {name: length(new[name] - old[name]) / length(old[name]) for name in old if old[name].ndim >= 2}
        probe.facts, probe.idea = {"case": (Shown(lab),), "expected": rounded(expected)}, idea if number else ""
        got = probe.answer(lab.model, lab.optimizer)
        got = dict(got) if isinstance(got, dict) else got
        facts = probe.facts | {"got": rounded(got)}
        judge_kind(got, expected, facts)
        judge_one_step(lab, new, facts["case"])
        judge_names(got, expected, idea, facts)
        judge_moves(got, expected, {name: length(old[name]) / length(new[name]) for name in old}, idea, facts)


def arrays(model):
    return {name: np.array(value.tolist()) for name, value in model.named_parameters()}


def length(numbers):
    return math.hypot(*numbers.flat)


def rounded(ratios):
    """As a message shows them."""
    if not isinstance(ratios, dict):
        return ratios
    return {name: Shown(repr(round(value, 4))) if isinstance(value, float) else value for name, value in ratios.items()}


def judge_kind(got, expected, facts):
    common, more = difference(got, expected)
    if common:
        raise Wrong(common, **facts, **more)


def judge_one_step(lab, weights, case):
    """Raise `Wrong` unless the weights are those after one step."""
    if lab.steps > 1:
        raise Wrong("one step", case=case, steps=lab.steps)
    if same(arrays(lab.model), weights):
        return
    raise Wrong("step" if not lab.steps else "wiped" if lab.idle else "stays", case=case)


def judge_names(got, expected, idea, facts):
    if got.keys() != expected.keys():
        raise Wrong("names" if idea in ("ratio", "norm", "moved") else idea, **facts)


def judge_moves(got, expected, shorter, idea, facts):
    """`shorter` is how long each parameter was before the step, divided by how long it is now."""
    for name, ratio in expected.items():
        if same(got[name], ratio):
            continue
        if got[name] is not None:
            judge_kind(got[name], ratio, facts)
        if got[name] == 0:
            raise Wrong("clone", **facts)
        raise Wrong("before" if same(got[name], ratio * shorter[name]) else idea, **facts)


class Model(nn.Module):
    """Modules by name, and the way that x takes through them."""

    def __init__(self, way, **parts):
        super().__init__()
        self.way = way
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        return self.way(self, x)


class Double(nn.Module):
    """Notes how often it is called, and whether what it gets has gradients."""

    def __init__(self):
        super().__init__()
        self.calls, self.graphs = 0, False

    def forward(self, x):
        self.calls += 1
        self.graphs |= x.requires_grad
        return 2 * x


class Breaks(nn.Module):
    """Raises an error."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


def linear(*rows):
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows, dtype=torch.float32)
    return layer


def turn():
    return linear([1, -2], [3, 1])


def sequence(*layers):
    return nn.Sequential(*layers)


def listen_cases():
    """The idea that is missing, and a model, which takes two features."""
    yield "leaves", sequence(linear([1, -2]))
    yield "closure", sequence(turn(), nn.ReLU())
    yield "gradients", sequence(turn(), Double())
    yield "leaves", sequence(sequence(turn(), nn.ReLU()), linear([1, 1]))
    yield "leaves", Model(lambda self, x: self.head(self.parts[0](x)), parts=nn.ModuleList([turn()]), head=nn.Tanh())
    yield "leaves", sequence(turn(), nn.Flatten(), nn.Identity(), sequence())
    yield "clone", sequence(turn(), nn.ReLU(inplace=True))
    yield "clone", sequence(turn(), nn.Hardtanh(-1, 2, inplace=True), linear([1, 1], [0, -1]), nn.ReLU(inplace=True))
    yield "forward", Model(lambda self, x: self.head(self.body(x) - x), body=turn(), head=linear([1, 1]))
    yield "order", Model(lambda self, x: self.last(self.first(x)), last=linear([1, 1]), first=turn())
    yield "mode", sequence(turn(), nn.BatchNorm1d(2))
    yield "mode", sequence(turn(), nn.BatchNorm1d(2)).eval()
    mixed = sequence(turn(), nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    mixed[1].eval()
    yield "mode", mixed
    watched = sequence(turn(), nn.ReLU())
    watched[0].register_forward_hook(somebody)
    watched[1].register_forward_pre_hook(somebody)
    yield "others", watched
    yield "itself", turn()


def somebody(*_):
    """Somebody else's hook."""


def judge_listen(probe):
    x = torch.tensor([[1.0, 1.0], [3.0, -2.0]])
    for number, (idea, model) in enumerate(listen_cases()):
        heard, twin = overhear(model, x)
        case = (Shown(" ".join(repr(model).split())),)
        probe.facts, probe.idea = {"case": case, "expected": keys_of(heard)}, idea if number else ""
        before, mine = Traces(model), x.clone()
        with own_switches() as left:
            got = probe.answer(model, mine)
        judge_outputs(got, heard, x, idea, case)
        if not same(mine, x):
            raise Wrong("changed input", case=case)
        judge_calls(model, twin, before, got, case)
        judge_traces(before, Traces(model), left, case, "hooks")
    judge_error(probe, x)


def keys_of(outputs):
    return Shown(f"dict_keys({list(outputs)})")


@torch.no_grad()
def overhear(model, x):
    """Ask a copy, whose innermost modules write down themselves what they give; returns that, and the copy."""
    twin, heard = copy.deepcopy(model), {}
    for name, module in twin.named_modules():
        if len([*module.children()]) == 0:
            heard[name] = None
            module.forward = functools.partial(write_down, heard, name, module.forward)
    twin(x.clone())
    return heard, twin


def write_down(heard, name, forward, x):
    given = forward(x)
    heard[name] = given.clone()
    return given


class Traces:
    """What an answer could leave behind on a model."""

    def __init__(self, model):
        modules = dict(model.named_modules())
        self.modes = {name: module.training for name, module in modules.items()}
        self.hooks = [
            (name, kind, id(hook))
            for name, module in modules.items()
            for kind in ("_forward_hooks", "_forward_pre_hooks")
            for hook in getattr(module, kind).values()
        ]
        self.forwards = [name for name, module in modules.items() if "forward" in vars(module)]
        self.state = copy.deepcopy(model.state_dict())


@contextlib.contextmanager
def own_switches():
    """Yields a list, in which is afterwards what was left behind for all models: it is put back here."""
    left, hooks, grads = [], all_modules._global_forward_hooks, torch.is_grad_enabled()
    known = set(hooks)
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_grad_enabled, grads)
        stack.callback(lambda: [hooks.pop(key) for key in set(hooks) - known])
        yield left
        left += ["hooks"] * (set(hooks) > known) + ["switch"] * (torch.is_grad_enabled() != grads)


def judge_outputs(got, heard, x, idea, case):
    if not isinstance(got, dict):
        judge_kind(got, heard, {"case": case, "expected": keys_of(heard), "got": got})
    judge_keys(got, heard, idea, case)
    alone = idea in ("leaves", "closure")  # nothing else can have gone wrong
    for name, before, given in zip(heard, [x, *heard.values()], heard.values(), strict=False):
        if same(got[name], given):
            continue
        facts = {"case": (*case, Shown(repr(name))), "expected": given, "got": got[name]}
        if got[name] is not None and not (alone and (same(got[name], before) or same(got[name], (before,)))):
            judge_kind(got[name], given, facts)
        raise Wrong("output" if alone else idea, **facts)


def judge_keys(got, heard, idea, case):
    names, mine = list(heard), list(got)
    facts = {"case": case, "expected": keys_of(heard), "got": keys_of(got)}
    if mine == names:
        return
    if set(mine) == set(names):
        raise Wrong("order", **facts)
    looped = idea == "closure" and mine == names[-1:]
    raise Wrong("closure" if looped else "itself" if idea == "itself" else "leaves", **facts)


def judge_calls(model, twin, before, got, case):
    """How often, and with gradients or without; the averages of a BatchNorm layer tell, too."""
    doubles = [module for module in model.modules() if isinstance(module, Double)]
    if any(module.graphs for module in doubles) or any(tensor.requires_grad for tensor in got.values()):
        raise Wrong("gradients", case=case)
    state = model.state_dict()
    if any(module.calls > 1 for module in doubles) or not (same(state, before.state) or same(state, twin.state_dict())):
        raise Wrong("once", case=case)


def judge_traces(before, after, left, case, idea):
    if set(before.hooks) - set(after.hooks):
        raise Wrong("others", case=case)
    if after.hooks != before.hooks or after.forwards != before.forwards or "hooks" in left:
        raise Wrong(idea, case=case)
    if after.modes != before.modes:
        raise Wrong("mode", case=case)
    if left:
        raise Wrong(left[0], case=case)


def judge_error(probe, x):
    """With a model that raises an error."""
    error = ValueError("broken")
    model = sequence(turn(), Breaks(error), nn.ReLU())
    case, before = (Shown("Sequential(Linear, Breaks, ReLU), Breaks: raise ValueError"),), Traces(model)
    with own_switches() as left, Catch(BaseException) as caught:
        probe.answer(model, x.clone())
    judge_traces(before, Traces(model), left, case, "after an error")
    if repr(caught.error) != repr(error):  # of a copy, it is a copy
        facts = {"got": None} if caught.error is None else {"error": show_error(caught.error)}
        raise Wrong("passed on", case=case, expected=error, **facts)


class Net:
    """Makes a model whose logits are mix @ sums**power, with a sum for each of the weights, (K, C, H, W).

    All numbers are whole, so that all that is computed is exact. Without mix, each sum makes a logit. A used model
    has gradients, from before, in some of its weights, and others are frozen.
    """

    def __init__(self, weights, power=1, mix=None, used=False):
        self.weights, self.power, self.used = torch.tensor(weights, dtype=torch.float32), power, used
        self.mix = mix or np.eye(len(weights)).tolist()

    def __repr__(self):
        logits = "" if self.power == 1 else f", logits = sums**{self.power}"
        return f"weights = {self.weights.int().tolist()}{logits}{', weights.grad = 1' * self.used}"

    def make(self):
        norm = nn.BatchNorm2d(self.weights.shape[1], eps=0.5)
        norm.running_var.fill_(0.5)  # with eps that is 1: in eval mode, the layer changes nothing
        sums = linear(*self.weights.flatten(1).tolist())
        if self.used:
            sums.weight.grad = torch.ones_like(sums.weight)
            norm.weight.requires_grad_(False)
        return sequence(norm, nn.Flatten(), sums, Power(self.power), linear(*self.mix)).eval()


class Power(nn.Module):
    def __init__(self, power):
        super().__init__()
        self.power = power

    def forward(self, x):
        return math.prod([x] * self.power)


def mean_map(net, x, action, noises):
    """Pixel by pixel, in double precision, with the derivative written out."""
    slopes = [slope(net, (x + noise).double().numpy(), action) for noise in noises]
    found = np.zeros(x.shape[1:], np.float32)
    for row, column in np.ndindex(*found.shape):
        found[row, column] = max(abs(np.mean([one[c, row, column] for one in slopes])) for c in range(len(x)))
    return torch.from_numpy(found)


def slope(net, x, action):
    """Of sum**power, with respect to x: power times sum**(power - 1) times the weights."""
    total = np.zeros(x.shape)
    for share, weights in zip(net.mix[action], net.weights.double().numpy(), strict=True):
        total += share * net.power * (weights * x).sum() ** (net.power - 1) * weights
    return total


def saliency_cases(random):
    """At first the noise is 0; with power 1 it does not matter, with power 2 only its mean does."""

    def case(idea, weights, noises=((0, 0),), action=0, **options):
        x = torch.tensor([[[2.0, 1.0]]]).repeat(len(weights[0]), 1, 1)
        noises = torch.tensor([[[noise]] * len(x) for noise in noises], dtype=torch.float32)
        return Case((Net(weights, **options), x, action, noises), idea)

    three, bent = [[[[2, 3]]], [[[1, 4]]], [[[5, 1]]]], [[[[1, 2]]]]
    yield case("logit", three[:1])
    yield case("action", three, action=1)
    yield case("action", three)
    yield case("absolute", [[[[-2, 3]]]])
    yield case("channels", [[[[2, 5]], [[4, 1]], [[3, 3]]]])
    yield case("absolute", [[[[-5, 2]], [[3, -4]]]])
    yield case("noise", bent, [(1, 0)], power=2)
    yield case("mean", bent, [(1, 0), (0, 1)], power=2)
    yield case("cancel", bent, [(1, 0), (-6, -1)], power=2)
    yield case("each", bent, [(1, 0), (-6, -1)], power=3)
    yield case("each", bent, [(1, 0), (-6, -1)], power=3, used=True)
    for count, *shape in [(4, 2, 3, 5), (2, 3, 4, 1), (8, 1, 2, 4), (1, 3, 2, 3)]:
        yield random_case(random, count, shape)


def random_case(random, count, shape):
    """Two sums are mixed, so the channels of a pixel do not always rise and fall together."""

    def draw(largest, *shape):
        return np.array([random.randint(-largest, largest) for _ in range(math.prod(shape))]).reshape(shape)

    net = Net(draw(2, 2, *shape).tolist(), power=3, mix=[[1, -2], [-1, 3], [2, 1]], used=True)
    x, noises = torch.from_numpy(draw(3, *shape)).float(), torch.from_numpy(draw(2, count, *shape)).float()
    return Case((net, x, random.randrange(3), noises), "each")


class Marks(Traces):
    """What gradients could leave behind, too."""

    def __init__(self, model):
        super().__init__(model)
        parameters = dict(model.named_parameters())
        self.grads = {name: None if p.grad is None else p.grad.tolist() for name, p in parameters.items()}
        self.frozen = [name for name, p in parameters.items() if not p.requires_grad]
        self.batches = self.state.get("0.num_batches_tracked")  # that its BatchNorm has seen in train mode
        self.hooks += [
            key for module in model.modules() for key in (*module._backward_hooks, *module._backward_pre_hooks)
        ]


def judge_saliency(probe):
    """What a message shows is a model's weights, what the answer gets is the model."""
    answer, kept = probe.answer, []
    probe.answer = lambda *args: watch(answer, kept, *args)
    for case in saliency_cases(Random(10)):
        with Catch(Wrong) as caught:
            probe.expect(mean_map(*case.args), *case.args, idea=case.idea)
        got, inputs, *marks = kept
        judge_marks(*marks, case.args)
        if any(tensor.requires_grad or tensor.grad is not None for tensor in inputs):
            raise Wrong("inputs", case=case.args)
        if caught.error:
            raise caught.error
        if got.requires_grad:
            raise Wrong("carries", case=case.args)


def watch(answer, kept, net, x, action, noises):
    """What the answer returns; that, its inputs, and what it has left behind are kept."""
    model = net.make()
    before = Marks(model)
    with own_switches() as left:
        got = answer(model, x, action, noises)
    kept[:] = got, (x, noises), before, Marks(model), left
    return got


def judge_marks(before, after, left, case):
    """Comes before what the answer has returned: in train mode, say, that is wrong, too."""
    for name, old in before.grads.items():
        if after.grads.get(name) != old:
            raise Wrong("wiped" if old and not np.any(after.grads.get(name) or 0) else "weights", case=case)
    if after.frozen != before.frozen:
        raise Wrong("frozen", case=case)
    if (after.modes, after.batches) != (before.modes, before.batches):
        raise Wrong("mode", case=case)
    if left or (after.hooks, after.forwards) != (before.hooks, before.forwards) or not same(after.state, before.state):
        raise Wrong("trace", case=case)


EXERCISES = {
    "10.1": Exercise(
        judge=judge_smooth,
        ideas={
            "divide": {
                "en": "the average begins at 0, so what is shown is the average divided by 1 - weight ** n: "
                "the first number is then the first value itself",
                "zh": "平均值从 0 开始，所以显示的是它除以 1 - weight ** n 的结果：这样，第一个数正好就是第一个值",
            },
            "from 1": {
                "en": "n is counted from 1: for n = 0, 1 - weight ** n is 0; enumerate begins at 0 unless told otherwise",
                "zh": "n 从 1 数起：n = 0 时，1 - weight ** n 等于 0；enumerate 默认从 0 数起，可以另外指定",
            },
            "count": {
                "en": "n grows with each value: 1, 2, 3 …; and only what is shown is divided, "
                "while the average itself goes on as it is",
                "zh": "每来一个值，n 就加 1：1、2、3……；除法只用于显示的数，平均值本身不除，接着往下算",
            },
            "start": {
                "en": "the average begins at 0 and takes up each value as the text says; "
                "if it begins at the first value, that one counts too much",
                "zh": "平均值从 0 开始，每个值都按题目里的公式计入；如果从第一个值开始，第一个值的分量就太大了",
            },
            "roles": {
                "en": "weight is for the average so far, 1 - weight for the new value: the larger weight is, the smoother the curve",
                "zh": "weight 乘的是之前的平均值，1 - weight 乘的是新的值：weight 越大，曲线越平滑",
            },
            "zero": {
                "en": "with weight 0 nothing is smoothed: the values come out as they are; do not divide by weight",
                "zh": "weight 为 0 时不做平滑，原来的值是多少就是多少；不要拿 weight 作除数",
            },
            "empty": {
                "en": "one number for each value: for no values an empty list",
                "zh": "每个值对应一个数：没有值时，返回空列表",
            },
            "all": {
                "en": "each value goes into the average, a 0 like any other, and keeps a part in it for ever, ever smaller",
                "zh": "每个值都要计入平均值，0 也不例外；它的影响越来越小，但一直都在",
            },
        },
        hints={
            "en": [
                "Two different things: the average, which you keep from value to value, and what you show of it. Only one is divided.",
                "Let enumerate(values, 1) count for you: it gives n and the value. The average is 0.0 before the loop.",
                "In the loop: update the average as in the text; then append average / (1 - weight ** n) to a list, and return that.",
            ],
            "zh": [
                "有两样东西要分清：一样是平均值，一直保留到下一个值；一样是显示出来的数。只有其中一样要做除法。",
                "让 enumerate(values, 1) 替你数数：它同时给出 n 和值。循环之前，平均值是 0.0。",
                "循环里：先按题目里的公式更新平均值，再把 average / (1 - weight ** n) 添加到列表末尾；最后返回这个列表。",
            ],
        },
    ),
    "10.2": Exercise(
        cases=relu_cases,
        expected=count_dead,
        ideas={
            "dead": {
                "en": "dead is what gives 0: 1.0 if all units are dead, 0.0 if none is",
                "zh": "给出 0 的才是死单元：全是死单元时返回 1.0，一个也没有时返回 0.0",
            },
            "every sample": {
                "en": "a 0 now and then is no death: a dead unit is 0 for every sample, the first as well as the last",
                "zh": "偶尔给出一个 0 不算死：对每个样本都给出 0 的单元才是死单元，第一个样本和最后一个样本都不例外",
            },
            "units": {
                "en": "a unit is a column of outputs: outputs[:, k], over all samples; a row is one sample",
                "zh": "outputs 的一列 outputs[:, k] 才是一个单元，包括所有的样本；一行是一个样本",
            },
            "share": {
                "en": "the share is the number of dead units, divided by the number of all units",
                "zh": "占比等于死单元的个数除以单元总数",
            },
            "exactly": {
                "en": "a unit that gives very little is not dead: only 0 itself counts, and == is the right question here",
                "zh": "给出的数很小，也不算死：只有正好是 0 才算，这里就该用 == 来判断",
            },
            "places": {
                "en": "in (B, C, H, W) a unit is a whole channel: one place where it is not 0, and it is alive",
                "zh": "形状为 (B, C, H, W) 时，一个单元是整个通道：只要有一个位置不是 0，它就没有死",
            },
            "pictures": {
                "en": "a channel is dead if it is 0 in all pictures of the batch together; "
                "take outputs[:, k], a reshape alone would mix samples and channels",
                "zh": "一个通道在批量的所有图片里都是 0，才算死；要取 outputs[:, k]，直接 reshape 会把样本和通道混在一起",
            },
        },
        hints={
            "en": [
                "One unit first: which numbers in outputs did it give? Ask all of them for 0. Then all units, then the share.",
                "(outputs == 0) is a tensor of True and False; .all(dim=…) joins along an axis, and .mean() needs .float() before it.",
                "outputs.transpose(0, 1).flatten(1) has a row for each unit, whether there were 2 axes or 4. Ask == 0, all along dim 1.",
            ],
            "zh": [
                "先看一个单元：outputs 里哪些数是它给出的？看看它们是不是全为 0。然后再看所有的单元，最后求占比。",
                "(outputs == 0) 是由 True 和 False 组成的张量；.all(dim=…) 沿一个轴合并；.mean() 之前要先 .float()。",
                "outputs.transpose(0, 1).flatten(1) 的每一行对应一个单元，不管原来有 2 个轴还是 4 个轴。和 0 比较，再沿第 1 个轴用 all。",
            ],
        },
    ),
    "10.3": Exercise(
        judge=judge_ratios,
        ideas={
            "ratio": {
                "en": "how far the parameter has moved, divided by how long it was",
                "zh": "参数移动的距离，除以它原来的长度",
            },
            "clone": {
                "en": "a step writes the new weights into the same tensors: keep a clone of the old ones",
                "zh": "优化器走一步时，新的权重直接写进原来的张量：要先用 clone 把旧的存下来",
            },
            "before": {
                "en": "divide by the norm from before the step, not by that after it",
                "zh": "要除以走这一步之前的范数，而不是之后的范数",
            },
            "norm": {
                "en": "the norm of the difference: the root of the sum of all squares, over the whole parameter; "
                "not the difference of two norms, no mean, no maximum",
                "zh": "要求的是差的范数：整个参数所有元素的平方和再开方；不是两个范数之差，也不是平均值或最大值",
            },
            "bias": {
                "en": "a bias has one dimension: only parameters with two or more are asked for",
                "zh": "偏置只有一个维度：只要两个或更多维度的参数",
            },
            "names": {
                "en": "the keys are the names that model.named_parameters() gives, such as 0.weight: whole names",
                "zh": "键是 model.named_parameters() 给出的名字，要写全，例如 0.weight",
            },
            "dimensions": {
                "en": "the number of dimensions decides, not the name: a convolution has four, and a BatchNorm's weight has one",
                "zh": "要看维数，不要看名字：卷积的权重有四维，批量规范化的 weight 只有一维",
            },
            "buffers": {
                "en": "parameters only: state_dict() gives buffers, too",
                "zh": "只要参数：state_dict() 里还有缓冲区",
            },
            "still": {
                "en": "a parameter that has not moved counts, too, with 0.0: it may be frozen, or not be the optimizer's",
                "zh": "没有移动的参数也要算，结果是 0.0：它可能被冻结了，也可能不归这个优化器管",
            },
            "moved": {
                "en": "look at the weights before and after: an optimizer's step is not simply lr * grad, "
                "there are momentum, weight decay, Adam, and groups with rates of their own",
                "zh": "要比较走这一步之前和之后的权重：优化器走的一步不一定是 lr * grad，还有动量、权重衰减、Adam，各组的学习率也可以不同",
            },
            "step": {
                "en": "for {case}: optimizer.step() was not called: it makes the step",
                "zh": "输入 {case} 时，没有调用 optimizer.step()：这一步要由它来走",
            },
            "one step": {
                "en": "for {case}: {steps} steps of the optimizer instead of one",
                "zh": "输入 {case} 时，优化器走了 {steps} 步，应该只走一步",
            },
            "wiped": {
                "en": "for {case}: the gradients were gone before the step: leave them there, do not clear them",
                "zh": "输入 {case} 时，还没走这一步，梯度就被清掉了：走完之前不要清零",
            },
            "stays": {
                "en": "for {case}: afterwards the weights are not those to which one step leads: keep what the optimizer has done",
                "zh": "输入 {case} 时，最后的权重不是走一步之后的权重：要保留优化器走这一步的结果",
            },
        },
        hints={
            "en": [
                "You need each weight twice, before the step and after it. What happens to a tensor that you have only put into a variable?",
                "Before: {name: p.detach().clone() for …}, where p.ndim says how many dimensions it has. Then the step. Then look again.",
                "With `old` from before, and p from dict(model.named_parameters()) after the step: (p - old).norm(), old.norm(), .item().",
            ],
            "zh": [
                "每个权重要用到两次：走这一步之前和之后。如果只是把张量放进一个变量，走完之后它会怎样？",
                "走之前：{name: p.detach().clone() for …}，p.ndim 是它的维数。然后走一步，再看一次。",
                "old 是之前存下的，p 来自走完之后的 dict(model.named_parameters())：要用到 (p - old).norm()、old.norm() 和 .item()。",
            ],
        },
    ),
    "10.4": Exercise(
        judge=judge_listen,
        ideas={
            "leaves": {
                "en": "the keys: each module without modules inside, of whatever kind and however deep, "
                "by its name in named_modules(); what holds others is left out",
                "zh": "键是每个内部不再有模块的模块，不管是哪一种、嵌套多深，名字与 named_modules() 里的相同；装着其他模块的不要",
            },
            "closure": {
                "en": "all outputs went to one name: a function made in a loop looks up `name` when it is called, "
                "and by then the loop is over; make it in a function of its own, with name as argument",
                "zh": "所有的输出都记到同一个名字下了：在循环里定义的函数，调用时才去找 name，那时循环已经结束；"
                "要另写一个函数来定义它，name 作为参数传进去",
            },
            "output": {
                "en": "what a module gave is the third thing that its hook gets: module, inputs, output; "
                "and if a hook returns something, that takes the output's place",
                "zh": "钩子得到三样东西：module、inputs、output；模块给出的是第三样。钩子如果返回什么，就会顶替这个输出",
            },
            "gradients": {
                "en": "for {case}: the model still keeps what gradients would need: show it x inside of torch.no_grad()",
                "zh": "输入 {case} 时，计算中还在记录梯度；要在 torch.no_grad() 里让模型看 x",
            },
            "switch": {
                "en": "for {case}: afterwards, gradients are still switched off for everybody: with `with torch.no_grad():` "
                "they come back by themselves",
                "zh": "输入 {case} 时，结束之后梯度仍然关着，别处也用不了了；用 with torch.no_grad(): 就会自动恢复",
            },
            "clone": {
                "en": "nn.ReLU(inplace=True) writes into what the layer before it gave: keep a clone of each output",
                "zh": "nn.ReLU(inplace=True) 会直接改写前一层的输出：每个输出都要存一份 clone",
            },
            "forward": {
                "en": "call the model itself: its forward can do more than pass x from one layer to the next",
                "zh": "要调用模型本身：它的 forward 不一定只是把 x 从一层传到下一层",
            },
            "order": {
                "en": "the names are in the order of named_modules(); a model can use its modules in another order",
                "zh": "名字按 named_modules() 的顺序排列；模型使用各个模块的顺序可能与此不同",
            },
            "mode": {
                "en": "for {case}: leave train and eval mode as they are, for each module, while you listen and afterwards: "
                "BatchNorm computes otherwise in each",
                "zh": "输入 {case} 时，每个模块是训练模式还是评估模式，运行中和结束后都要保持原样：批量规范化在两种模式下的算法不同",
            },
            "once": {
                "en": "for {case}: the model sees x more than once: one call is enough for all hooks, "
                "and each moves the averages of BatchNorm",
                "zh": "输入 {case} 时，模型看了不止一次 x：所有的钩子只要调用一次模型就够了；每调用一次，批量规范化的平均值都会变",
            },
            "hooks": {
                "en": "for {case}: something was left behind that listens: call remove() on each hook that you have registered",
                "zh": "输入 {case} 时，有钩子留在了模型上：你注册的每个钩子都要 remove()",
            },
            "after an error": {
                "en": "for {case}: hooks were left behind: remove them in a `finally`, which also runs after an error",
                "zh": "输入 {case} 时，钩子留下来了：把 remove() 写在 finally 里，出错时也会执行",
            },
            "passed on": {
                "en": "an error of the model has to reach the caller: use finally, or raise it again after except",
                "zh": "模型抛出的错误要传给调用者：用 finally；如果用 except，就要再 raise",
            },
            "others": {
                "en": "for {case}: a hook is gone that somebody else has registered: remove only your own",
                "zh": "输入 {case} 时，别人注册的钩子不见了：只移除自己的",
            },
            "itself": {
                "en": "a model without modules inside is one of them itself; its name in named_modules() is the empty text",
                "zh": "如果模型内部没有模块，那么它自己就是要找的模块；named_modules() 给它的名字是空字符串",
            },
        },
        hints={
            "en": [
                "Four steps: find the innermost modules, register a hook with each, call the model once, remove the hooks. The last one always.",
                "list(module.children()) is empty for an innermost module. A hook that knows its name: a function that gets the name and "
                "returns the hook.",
                "hooks = [module.register_forward_hook(…) for …]; try the call, in no_grad; finally remove them all. "
                "And {name: outputs[name] for name, …} puts them in order.",
            ],
            "zh": [
                "分四步：找出最里层的模块，给每个模块注册钩子，调用一次模型，移除钩子。不管怎样，最后一步都要做。",
                "对于最里层的模块，list(module.children()) 是空的。要让钩子知道自己的名字，可以写一个函数：传入名字，返回钩子。",
                "hooks = [module.register_forward_hook(…) for …]；try 里在 no_grad 下调用模型，finally 里全部移除。"
                "最后用 {name: outputs[name] for name, …} 排好顺序。",
            ],
        },
    ),
    "10.5": Exercise(
        judge=judge_saliency,
        ideas={
            "logit": {
                "en": "what counts is the gradient of the logit, as the model gives it: no softmax, no loss; "
                "and the gradient as it is, neither scaled nor multiplied by the input",
                "zh": "要求的是模型给出的 logit 本身的梯度：不做 softmax，也不用损失；梯度既不缩放，也不乘以输入",
            },
            "action": {
                "en": "the model gives (N, A): of each row, take the logit of action, not that of another one, or the largest",
                "zh": "模型给出的形状是 (N, A)：每一行都取 action 的 logit，不是别的动作的，也不是最大的",
            },
            "absolute": {
                "en": "a gradient that is far below 0 counts as much as one far above: "
                "first the absolute values, then the largest of them",
                "zh": "远小于 0 的梯度和远大于 0 的同样重要：先取绝对值，再取其中最大的",
            },
            "channels": {
                "en": "of the channels of a pixel the largest absolute value counts: no sum, no mean, not one channel for all pixels",
                "zh": "每个像素在各个通道里取最大的绝对值：不是求和，不是平均，也不是所有像素都用同一个通道",
            },
            "noise": {
                "en": "the gradient is taken at x plus the noise, not at x, and not at the noise alone",
                "zh": "梯度要在 x 加上噪声的地方求，而不是只在 x 处，也不是只在噪声处",
            },
            "mean": {
                "en": "the mean of the gradients for all noises: their sum, divided once by N; not one of them, or the largest",
                "zh": "要对所有噪声的梯度求平均：求和之后除以 N，只除一次；不是只取其中一个，也不是取最大的",
            },
            "cancel": {
                "en": "first the mean, then the absolute value: what is positive for one noise and negative for another "
                "has to cancel out",
                "zh": "先求平均，再取绝对值：加上一个噪声时为正、加上另一个噪声时为负的梯度，要能互相抵消",
            },
            "each": {
                "en": "first a gradient for each noise, then the mean of them, channel by channel, then the largest: "
                "the gradient at the mean of all inputs is something else",
                "zh": "先对每个噪声各求一次梯度，再逐个通道求平均，最后取最大：在所有输入的平均值处求梯度，是另一回事",
            },
            "weights": {
                "en": "for {case}: afterwards the weights' .grad is not as it was: backward() adds to it; "
                "torch.autograd.grad(…, inputs) gives you the inputs' gradients, and leaves the weights alone",
                "zh": "输入 {case} 时，权重的 .grad 变了：backward() 会往里面累加；"
                "torch.autograd.grad(…, inputs) 只给出输入的梯度，不动权重",
            },
            "wiped": {
                "en": "for {case}: the gradients that the weights had before are gone: zero_grad() clears all of them, "
                "not only yours",
                "zh": "输入 {case} 时，权重原有的梯度不见了：zero_grad() 会把它们全部清掉，不只是你算出来的",
            },
            "frozen": {
                "en": "for {case}: afterwards requires_grad of a weight is not as it was: you need not touch it at all",
                "zh": "输入 {case} 时，有的权重的 requires_grad 变了：其实根本不用动它",
            },
            "mode": {
                "en": "for {case}: the model is in eval mode, and has to compute in it and stay in it: "
                "in train mode, BatchNorm mixes the inputs of a batch",
                "zh": "输入 {case} 时，模型处于评估模式，要一直保持这个模式：在训练模式下，批量规范化会把一个批量里的输入混在一起",
            },
            "trace": {
                "en": "for {case}: something was left behind: a hook, a changed weight, or gradients switched off for everybody",
                "zh": "输入 {case} 时，留下了痕迹：没有移除的钩子、改动过的权重，或者别处的梯度也给关掉了",
            },
            "inputs": {
                "en": "for {case}: afterwards x or noises have requires_grad or a .grad: call requires_grad_() on their sum, "
                "which is yours",
                "zh": "输入 {case} 时，x 或 noises 多了 requires_grad 或 .grad：要对它们的和调用 requires_grad_()，那才是你自己的张量",
            },
            "carries": {
                "en": "for {case}: the result still carries a graph, which keeps the model's weights: "
                "detach() it, and do without create_graph",
                "zh": "输入 {case} 时，结果还带着计算图，连着模型的权重：要用 detach() 断开，也不要用 create_graph",
            },
        },
        hints={
            "en": [
                "Three steps: a gradient for each noisy input, their mean, and of that one number for each pixel. "
                "Where do the signs have to stay?",
                "x + noises is a batch of N already. Let it require gradients, and ask torch.autograd.grad for them: "
                "it takes one number, say, the sum of all N logits, and the tensor, and returns a tuple.",
                "With gradients of shape (N, C, H, W): .mean(dim=0) first, then .abs(), and .amax(dim=0) over the channels.",
            ],
            "zh": [
                "分三步：对每个加了噪声的输入各求一次梯度，求它们的平均，再从平均里为每个像素取一个数。正负号要保留到哪一步？",
                "x + noises 已经是 N 个样本的批量。让它需要梯度，再用 torch.autograd.grad 求梯度："
                "传入一个数（例如 N 个 logit 之和）和这个张量，它返回一个元组。",
                "gradients 的形状是 (N, C, H, W)：先 .mean(dim=0)，再 .abs()，最后用 .amax(dim=0) 在各个通道里取最大。",
            ],
        },
    ),
}

QUIZZES = {
    "10.a": Quiz(
        right="c",
        why={
            "en": {
                "a": "it can be: TensorBoard sees only the folder that it was given, and what lies below it",
                "b": "it can be: a writer collects numbers and writes them now and then; flush() or close() does it at once",
                "c": "nan is written like any other number: its chart is there, and only the line is missing",
                "d": "it can be: a relative path begins where TensorBoard was started, so it leads to another folder, or to none",
            },
            "zh": {
                "a": "有可能：TensorBoard 只看启动时指定的文件夹，以及它下面的内容",
                "b": "有可能：写入器先把数攒起来，隔一阵才写一次；flush() 或 close() 会让它马上写入",
                "c": "nan 和别的数一样会写进去：图还是有的，只是没有线",
                "d": "有可能：相对路径从启动 TensorBoard 的地方算起，所以会指向另一个文件夹，或者根本不存在的地方",
            },
        },
    ),
    "10.b": Quiz(
        right="c",
        why={
            "en": {
                "a": "a unit that gives 0 for every input has gradient 0: its own weights no longer learn; "
                "only changes in the layers before it could wake it",
                "b": "a smaller step helps only those that still learn: to a dead unit no gradient comes, at any rate",
                "c": "what killed them was a step that was too large, early on: with a smaller rate, or one that rises slowly, "
                "they do not die in the first place",
                "d": "more samples, and the unit gives 0 for each of them: still no gradient reaches its weights",
            },
            "zh": {
                "a": "对每个输入都给出 0 的单元，梯度是 0，自己的权重学不到东西；只有前面的层变了，它才可能醒过来",
                "b": "步子变小，只对还在学习的单元有用：死单元得不到梯度，学习率是多少都一样",
                "c": "它们是训练初期步子太大造成的：学习率小一些，或者慢慢升上去，它们一开始就不会死",
                "d": "样本再多，它对每一个也都给出 0：梯度还是到不了它的权重",
            },
        },
    ),
}
