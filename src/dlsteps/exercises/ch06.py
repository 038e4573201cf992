"""Lesson 06, building models."""

import torch
from torch import nn

from dlsteps.exercises.compare import Shown, difference, same, show
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong


def count_places(size, kernel_size, stride, padding):
    """Lay the kernel down at the first pixel, and move it on while it lies within."""
    count, begin = 0, 0
    while begin + kernel_size <= size + 2 * padding:
        count += 1
        begin += stride
    return count


def size_cases(random):
    yield Case((1, 1, 1, 0), "first")
    yield Case((2, 1, 1, 0), "first")
    yield Case((2, 2, 1, 0), "fits")
    yield Case((3, 2, 1, 0), "fits")
    yield Case((3, 1, 2, 0), "stride")
    yield Case((5, 1, 2, 0), "stride")
    yield Case((4, 1, 2, 0), "left over")
    yield Case((2, 1, 5, 0), "left over")
    yield Case((6, 2, 3, 0), "left over")
    yield Case((1, 1, 1, 1), "padding")
    yield Case((2, 1, 1, 1), "padding")
    yield Case((1, 3, 1, 1), "padding")
    yield Case((1, 3, 2, 2), "padding")
    yield Case((2, 1, 3, 1), "together")
    yield Case((3, 2, 4, 2), "together")
    yield Case((224, 7, 2, 3), "together")
    for _ in range(20):
        kernel_size, stride, padding = random.randint(1, 7), random.randint(1, 5), random.randint(0, 4)
        size = random.randint(max(kernel_size - 2 * padding, 1), 40)
        yield Case((size, kernel_size, stride, padding), "together")


class Code:
    """Some code, for a message, and the module that it makes: a module's own text would be many lines long."""

    def __init__(self, code):
        self.code, self.module = code, build(code)

    def __repr__(self):
        return self.code

    def __eq__(self, other):
        return look(self.module) == look(other.module)

    __hash__ = None


def build(code):
    """The module that an expression makes; or one with attributes, set as `__init__` would set them."""
    names = {"nn": nn, "torch": torch, "self": nn.Module()}
    if not code.startswith("self"):
        return eval(code, names)
    exec(code, names)
    return names["self"]


def look(module):
    """What an answer could change about a module."""
    tensors = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    states = [(name, value.requires_grad, value.tolist()) for name, value in tensors]
    return str(module), [part.training for part in module.modules()], states


def count_numbers(case):
    """Go from module to module, and from tensor to tensor, and remember which ones were seen."""
    seen, counts = [], [0, 0, 0]
    for part in case.module.modules():
        for value in (*part._parameters.values(), *part._buffers.values()):
            if value is None or any(value is other for other in seen):
                continue
            seen.append(value)
            place = 2 if not isinstance(value, nn.Parameter) else 0 if value.requires_grad else 1
            counts[place] += len(value.flatten())
    return tuple(counts)


MODULES = (  # code, and the idea that is missing if an answer fails just there
    ("nn.Linear(1, 1)", "order"),
    ("nn.Linear(1, 2)", "numbers"),
    ("nn.Linear(2, 3, bias=False)", "numbers"),
    ("nn.Conv2d(2, 3, 2)", "numbers"),
    ("nn.ReLU()", "none"),
    ("nn.Linear(1, 2).requires_grad_(False)", "frozen"),
    ("nn.Linear(1, 2).eval()", "frozen"),
    (
        "self.weight = nn.Parameter(torch.ones(2), requires_grad=False); self.bias = nn.Parameter(torch.ones(3))",
        "frozen",
    ),
    ("self.scale = nn.Parameter(torch.ones(2))", "any name"),
    ("nn.BatchNorm1d(3)", "buffers"),
    ("nn.BatchNorm1d(3, affine=False)", "buffers"),
    ("nn.BatchNorm1d(3).requires_grad_(False)", "buffers"),
    ("self.register_buffer('seen', torch.zeros(2, 2))", "any name"),
    ("self.register_buffer('seen', torch.zeros(2), persistent=False)", "not saved"),
    ("nn.Sequential(nn.Linear(1, 2))", "inside"),
    ("nn.Sequential(nn.Linear(1, 2).requires_grad_(False), nn.ReLU(), nn.Linear(2, 1))", "inside"),
    ("nn.Sequential(nn.Sequential(nn.Sequential(nn.BatchNorm1d(3))))", "inside"),
    ("self.scale = nn.Parameter(torch.ones(2)); self.inner = nn.Linear(1, 2)", "inside"),
    ("nn.Sequential(nn.BatchNorm1d(1), nn.BatchNorm1d(1))", "equal"),
    ("self.a = nn.Linear(1, 1); self.b = self.a", "once"),
    ("self.a = nn.BatchNorm1d(1); self.b = self.a", "once"),
    ("self.a = nn.Linear(2, 2); self.b = nn.Linear(2, 2); self.b.weight = self.a.weight", "once"),
    ("self.a = nn.BatchNorm1d(2); self.b = nn.BatchNorm1d(2); self.b.running_mean = self.a.running_mean", "once"),
    ("nn.Sequential(nn.Linear(7, 4), nn.BatchNorm1d(4), nn.Linear(4, 9).requires_grad_(False))", "inside"),
)


def judge_count(probe):
    """What a message shows is the code of a module, what the answer gets is the module."""
    answer = probe.answer
    probe.answer = lambda case: answer(case.module)
    for code, idea in MODULES:
        probe.expect(count_numbers(Code(code)), Code(code), idea=idea)


def trace(layers):
    """Take one number of the output, and find what it looks at, layer by layer, from the last to the first."""
    places = {0}
    for kernel_size, stride in reversed(layers):
        places = {place * stride + i for place in places for i in range(kernel_size)}
    return max(places) - min(places) + 1


def layer_cases(random):
    yield Case(([(1, 1)],), "kernel")
    yield Case(([],), "none")
    yield Case(([(2, 1)],), "kernel")
    yield Case(([(3, 1)],), "kernel")
    yield Case(([(3, 2)],), "own stride")
    yield Case(([(2, 1), (2, 1)],), "add")
    yield Case(([(3, 1), (3, 1)],), "add")
    yield Case(([(3, 1), (3, 2)],), "own stride")
    yield Case(([(3, 2), (3, 1)],), "step")
    yield Case(([(3, 2), (1, 2)],), "step")
    yield Case(([(3, 2), (1, 1), (3, 1)],), "multiply")
    yield Case(([(3, 2), (3, 3), (3, 1)],), "multiply")
    yield Case(([(3, 3), (3, 1), (3, 2), (3, 1)],), "multiply")
    yield Case(([(1, 2), (2, 1)],), "gaps")
    yield Case(([(2, 3), (2, 1)],), "gaps")
    yield Case(([(5, 2), (3, 2), (3, 2)],), "multiply")
    yield Case(([(3, 1)] * 10,), "add")
    for _ in range(8):
        layers = [(random.randint(1, 4), random.randint(1, 3)) for _ in range(random.randint(2, 5))]
        yield Case((layers,), "multiply")


def count_products(layers, size):
    """Lay each layer's kernel down, place by place, and add up what its neurons multiply there."""
    total = 0
    for in_channels, out_channels, kernel_size, stride, groups in layers:
        padding = kernel_size // 2
        begins = range(-padding, size + padding - kernel_size + 1, stride)
        for _ in begins:
            for _ in begins:
                total += out_channels * kernel_size * kernel_size * in_channels // groups
        size = len(begins)
    return total


def cost_cases(random):
    yield Case(([(1, 1, 1, 1, 1)], 1), "kernel")
    yield Case(([(1, 1, 3, 1, 1)], 1), "kernel")
    yield Case(([(1, 2, 1, 1, 1)], 1), "channels out")
    yield Case(([(2, 1, 1, 1, 1)], 1), "channels in")
    yield Case(([(2, 3, 1, 1, 1)], 1), "channels in")
    yield Case(([(1, 1, 1, 1, 1)], 2), "places")
    yield Case(([(1, 1, 3, 1, 1)], 2), "padding")
    yield Case(([(1, 1, 1, 2, 1)], 2), "stride")
    yield Case(([(1, 1, 1, 2, 1)], 3), "left over")
    yield Case(([(1, 1, 3, 3, 1)], 5), "left over")
    yield Case(([(2, 2, 1, 1, 2)], 1), "groups")
    yield Case(([(4, 2, 1, 1, 2)], 1), "groups")
    yield Case(([(2, 4, 3, 1, 2)], 2), "groups")
    yield Case(([(1, 1, 1, 1, 1), (1, 1, 1, 1, 1)], 1), "together")
    yield Case(([(1, 1, 1, 2, 1), (1, 1, 1, 1, 1)], 2), "next")
    yield Case(([(1, 1, 3, 2, 1), (1, 1, 3, 2, 1)], 5), "next")
    yield Case(([], 2), "none")
    yield Case(([(6, 16, 5, 2, 1), (16, 32, 3, 2, 1), (32, 32, 3, 2, 1)], 64), "next")
    for _ in range(5):
        yield Case((draw_layers(random), random.randint(5, 12)), "next")


def draw_layers(random):
    """Up to three, each with as many channels in as the one before has out; some of them depthwise."""
    layers, channels = [], random.randint(1, 3)
    for _ in range(random.randint(1, 3)):
        groups = random.choice([1, channels])
        out_channels = groups * random.randint(1, 3)
        layers.append((channels, out_channels, random.choice([1, 3, 5]), random.randint(1, 3), groups))
        channels = out_channels
    return layers


def convolve(x, weight, stride):
    """Number by number, in Python's own arithmetic."""
    channels, height, width = x.shape
    out_channels, _, kernel_size, _ = weight.shape
    rows = range(0, height - kernel_size + 1, stride)
    columns = range(0, width - kernel_size + 1, stride)
    out, x, weight = torch.zeros(out_channels, len(rows), len(columns)), x.tolist(), weight.tolist()
    for o in range(out_channels):
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                out[o, i, j] = sum(
                    weight[o][c][y][z] * x[c][top + y][left + z]
                    for c in range(channels)
                    for y in range(kernel_size)
                    for z in range(kernel_size)
                )
    return out


def slide_cases(random):
    """All numbers are such that float32 holds every sum exactly, in whichever order, and none is near 0."""

    def case(idea, x, weight, stride=1):
        return Case((torch.tensor(x), torch.tensor(weight), stride), idea)

    yield case("product", [[[2.0]]], [[[[3.0]]]])
    yield case("product", [[[2.0]]], [[[[-3.0]]]])
    yield case("product", [[[-2.0]]], [[[[3.0]]]])
    yield case("channels", [[[2.0]], [[3.0]]], [[[[4.0]], [[5.0]]]])
    yield case("outputs", [[[2.0]]], [[[[3.0]]], [[[4.0]]]])
    yield case("outputs", [[[2.0]], [[3.0]]], [[[[4.0]], [[5.0]]], [[[6.0]], [[7.0]]]])
    yield case("places", [[[2.0, 3.0]]], [[[[4.0]]]])
    yield case("places", [[[2.0], [3.0]]], [[[[4.0]]]])
    yield case("patch", [[[1.0, 2.0], [3.0, 4.0]]], [[[[1.0, 1.0], [1.0, 1.0]]]])
    yield case("as it is", [[[1.0, 2.0], [3.0, 4.0]]], [[[[1.0, 0.0], [0.0, 0.0]]]])
    yield case("as it is", [[[1.0, 2.0], [3.0, 4.0]]], [[[[0.0, 1.0], [0.0, 0.0]]]])
    yield case("overlap", [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], [[[[1.0, 1.0], [1.0, 1.0]]]])
    yield case("stride", [[[1.0, 2.0, 3.0]]], [[[[1.0]]]], 2)
    yield case("stride", [[[1.0], [2.0], [3.0]]], [[[[1.0]]]], 2)
    yield case("stride", [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]], [[[[1.0]]]], 2)
    for channels, height, width, out_channels, kernel_size, stride in (
        (2, 4, 5, 3, 2, 1), (3, 5, 4, 2, 3, 1), (2, 5, 7, 2, 2, 2), (1, 7, 5, 1, 2, 3), (2, 3, 3, 2, 3, 1), (2, 6, 6, 2, 3, 2),
    ):  # fmt: skip
        x = draw(random, channels, height, width)
        signs = torch.tensor([random.choice([1.0, -1.0]) for _ in range(out_channels)]).view(-1, 1, 1, 1)
        yield Case((x, signs * draw(random, out_channels, channels, kernel_size, kernel_size), stride), "patch")


def draw(random, *shape):
    """Quarters, from 1/4 to 2."""
    return torch.tensor([random.randint(1, 8) / 4 for _ in range(torch.Size(shape).numel())]).reshape(shape)


def residual_cases():
    """Code of an inner module, what it is called with, one after the other, and the idea that is missing."""
    row = torch.tensor([[1.0, -2.0]])
    yield "nn.ReLU()", [row], "add"
    yield "nn.Identity()", [row], "add"
    yield "nn.Linear(2, 2)", [row], "add"
    yield "nn.Linear(2, 3)", [row], "same shape"
    yield "nn.Linear(2, 1)", [row], "same shape"  # would broadcast to the shape of x
    yield "nn.Linear(1, 2)", [torch.tensor([[1.0]])], "same shape"  # would broadcast to the shape of inner(x)
    yield "nn.Flatten()", [torch.tensor([[[1.0], [2.0]]])], "same shape"  # as many numbers, other axes
    yield "nn.Flatten(0)", [torch.tensor([[1.0, 2.0]])], "same shape"
    yield "nn.Conv2d(2, 1, 1)", [torch.ones(1, 2, 2, 2)], "same shape"
    yield "nn.Conv2d(2, 1, 1)", [torch.ones(2, 2, 2)], "same shape"  # without a batch: only the first axis differs
    yield "nn.MaxPool2d((2, 1))", [torch.ones(1, 2, 2, 2)], "same shape"
    yield "nn.MaxPool2d((1, 2))", [torch.ones(1, 2, 2, 2)], "same shape"
    yield "nn.Conv2d(2, 2, 3, padding=1)", [torch.ones(1, 2, 3, 3)], "add"
    yield "nn.AdaptiveAvgPool1d(2)", [row, torch.ones(1, 4), row], "each call"


def add(x, y):
    """Number by number, where the shapes are the same."""
    if list(x.shape) != list(y.shape):
        return y.detach()
    pairs = zip(x.flatten().tolist(), y.flatten().tolist(), strict=True)
    return torch.tensor([a + b for a, b in pairs]).reshape(x.shape)


def judge_residual(probe):
    if isinstance(probe.answer, nn.Module):  # a function could be called, too, and be taken for a class
        raise Wrong("not this", takes="class", number="6.6", got=probe.answer)
    judge_sums(probe)
    judge_inside(probe)
    judge_calls(probe)
    judge_gradients(probe)


def make(probe, code, inner):
    """What the answer makes of `inner`."""
    probe.idea, probe.facts = "", {"case": (Shown(f"Residual({code})"),)}
    made = probe.answer(inner)
    if not isinstance(probe.answer, type):
        raise Wrong("not this", takes="class", number="6.6", got=probe.answer)
    if not isinstance(made, nn.Module):
        raise Wrong("module", got=made, **probe.facts)
    return made


def judge_sums(probe):
    for number, (code, inputs, idea) in enumerate(residual_cases()):
        inner = build(code)
        made = make(probe, code, inner)
        for x in inputs:
            call = {"case": (Shown(f"Residual({code})({show(x)})"),), "expected": add(x, inner(x))}
            probe.idea = idea if number else ""  # an answer that fails at once may lack anything
            for missing in (idea, "mode"):
                made.train(missing != "mode")
                judge_sum(probe, made, x, missing, call)


def judge_sum(probe, made, x, idea, call):
    probe.facts, mine = call, x.clone()
    got = made(mine)
    if not torch.equal(mine, x):
        raise Wrong("in place", case=call["case"])
    if not same(got, call["expected"]):
        common, facts = ("", {}) if isinstance(got, torch.Tensor) else difference(got, call["expected"])
        raise Wrong(common or idea, got=got, **call, **facts)


def judge_inside(probe):
    """Is all that `inner` holds among what the whole holds? The very same tensors: a copy would not be trained."""
    code = "nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))"
    inner = build(code)
    made = make(probe, code, inner)
    whole = list(made.parameters())
    if not all(any(value is other for other in whole) for value in inner.parameters()):
        raise Wrong("inside", what="parameters()", **probe.facts)
    saved = {value.data_ptr() for value in made.state_dict().values()}
    if not {value.data_ptr() for value in inner.state_dict().values()} <= saved:
        raise Wrong("inside", what="state_dict()", **probe.facts)
    for mode in (False, True):
        made.train(mode)
        if any(part.training != mode for part in inner.modules()):
            raise Wrong("inside", what="train()" if mode else "eval()", **probe.facts)


class Counter(nn.Module):
    """Keeps one column, and counts how often it is called."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return 2 * x[:, :1]


def judge_calls(probe):
    for x in (torch.tensor([[1.0]]), torch.tensor([[1.0, 2.0]])):
        inner = Counter()
        made = make(probe, "inner", inner)
        inner.calls = 0
        made(x)
        if inner.calls != 1:
            raise Wrong("once", calls=inner.calls, case=(Shown(f"Residual(inner)({show(x)})"),))


def judge_gradients(probe):
    for code in ("nn.Linear(2, 2)", "nn.Linear(2, 1)"):
        inner, x = build(code), torch.tensor([[1.0, -2.0]], requires_grad=True)
        y, wanted = inner(x), [x, *inner.parameters()]
        expected = torch.autograd.grad((x + y if x.shape == y.shape else y).sum(), wanted)
        got = make(probe, code, inner)(x)
        tracked = all(value.requires_grad for value in (got, *wanted))
        grads = torch.autograd.grad(got.sum(), wanted, allow_unused=True) if tracked else [None, None, None]
        if not all(map(same, grads, expected)):
            raise Wrong("gradient", **probe.facts)


EXERCISES = {
    "6.1": Exercise(
        cases=size_cases,
        expected=count_places,
        ideas={
            "first": {
                "en": "the first place counts, too; then comes one for each step that is possible from there",
                "zh": "最开始的位置也算一个，此后每能再走一步，就多一个",
            },
            "fits": {
                "en": "the kernel lies within the picture with all of its pixels: it cannot begin at the very last ones",
                "zh": "卷积核要整个落在图片之内，所以不能从末尾的几个像素开始",
            },
            "stride": {
                "en": "a step is `stride` pixels long",
                "zh": "每一步走 stride 个像素",
            },
            "left over": {
                "en": "pixels at the end that are too few for another step give no place: round down",
                "zh": "末尾剩下的像素不够再走一步，就不再多出位置：要向下取整",
            },
            "padding": {
                "en": "there are `padding` zeros at each end, so the picture gets 2 * padding pixels longer",
                "zh": "两端各补 padding 个零，图片一共变长 2 * padding 个像素",
            },
            "together": {
                "en": "picture and zeros are one row of pixels: add first, then divide and round down, once",
                "zh": "图片和补上的零连成一排：先相加，再做除法，只向下取整一次",
            },
        },
        hints={
            "en": [
                "Draw a row of 5 pixels, and move a kernel of 3 over it, first by 1, then by 2. How many places are there?",
                "How many pixels lie behind the kernel in its first place, the zeros included? How many steps do they allow?",
                "Behind it are size + 2 * padding - kernel_size pixels; // stride gives the steps. And the first place?",
            ],
            "zh": [
                "画一排 5 个像素，让大小为 3 的卷积核在上面移动，先每次走 1 个像素，再每次走 2 个像素。各有几个位置？",
                "卷积核在最开始的位置时，后面还有几个像素（连同补的零）？这些像素够走几步？",
                "后面有 size + 2 * padding - kernel_size 个像素，用 // stride 得到步数。最开始的位置算上了吗？",
            ],
        },
    ),
    "6.2": Exercise(
        judge=judge_count,
        ideas={
            "order": {
                "en": "first comes what trains, then what does not, and the buffers at the end",
                "zh": "先是参与训练的参数，再是不参与训练的参数，最后是缓冲区",
            },
            "numbers": {
                "en": "count the numbers in each tensor, not the tensors; a layer need not have a bias",
                "zh": "要数的是每个张量里有多少个数，而不是有几个张量；层也可以没有偏置",
            },
            "none": {
                "en": "a module may hold nothing at all: (0, 0, 0)",
                "zh": "一个模块里可以什么也没有：(0, 0, 0)",
            },
            "frozen": {
                "en": "a parameter whose requires_grad is False belongs to the second number, whatever the mode of its module",
                "zh": "requires_grad 为 False 的参数算在第二个数里，不管模块处于哪种模式",
            },
            "buffers": {
                "en": "the third number is for the buffers, and only for them; one that holds a single number counts as 1",
                "zh": "第三个数统计缓冲区，而且只统计缓冲区；只存一个数的缓冲区算 1",
            },
            "any name": {
                "en": "parameters and buffers can have any name, and stand in the module itself",
                "zh": "参数和缓冲区可以叫任何名字，也可以直接放在模块自己身上",
            },
            "not saved": {
                "en": "a buffer counts even if state_dict() leaves it out",
                "zh": "即使 state_dict() 里没有，缓冲区也要算",
            },
            "inside": {
                "en": "what a module holds itself counts, and so does what the modules inside it hold, however deep",
                "zh": "模块自己的要算，它里面的模块的也要算，不管嵌套多少层",
            },
            "equal": {
                "en": "two tensors with equal numbers are still two: both count",
                "zh": "两个张量的数即使全都相等，也仍是两个张量，都要算",
            },
            "once": {
                "en": "a tensor that stands in two places counts once",
                "zh": "同一个张量出现在两个地方，只算一次",
            },
        },
        hints={
            "en": [
                "A module can list its parameters and its buffers, those of all modules inside included. How many numbers has one?",
                "module.parameters() and module.buffers() name each tensor once; value.numel() is how many numbers are in it.",
                "sum(value.numel() for value in module.parameters() if value.requires_grad) is the first of the three.",
            ],
            "zh": [
                "模块能列出自己的参数和缓冲区，里面各层模块的也都包括在内。一个张量里有多少个数？",
                "module.parameters() 和 module.buffers() 对每个张量只给出一次，value.numel() 是它里面数的个数。",
                "三个数里的第一个是 sum(value.numel() for value in module.parameters() if value.requires_grad)。",
            ],
        },
    ),
    "6.3": Exercise(
        cases=layer_cases,
        expected=trace,
        ideas={
            "kernel": {
                "en": "a number of the first layer sees as many pixels as its kernel is long",
                "zh": "第一层的一个数，看到的像素数就是卷积核的大小",
            },
            "none": {
                "en": "without layers a number is a pixel, and sees itself: 1",
                "zh": "一层也没有时，一个数就是一个像素，只看到它自己：1",
            },
            "own stride": {
                "en": "a layer's stride widens what the layers after it see, not what it sees itself",
                "zh": "一层的步幅扩大的是后面各层的感受野，而不是它自己的",
            },
            "add": {
                "en": "each layer adds kernel_size - 1 neighbours to what was seen before: the kernels overlap",
                "zh": "每一层只在原来的基础上多看 kernel_size - 1 个相邻的数：各个卷积核看到的范围有重叠",
            },
            "step": {
                "en": "after a layer with a stride, neighbours look that many pixels apart",
                "zh": "经过有步幅的一层之后，相邻的两个数所看的位置就相隔这么多像素",
            },
            "multiply": {
                "en": "the strides of all layers before multiply: that is how far apart neighbours look",
                "zh": "前面各层的步幅要相乘，乘积就是相邻两个数所看的位置的间距",
            },
            "gaps": {
                "en": "pixels that are skipped count as well: from the first to the last that it looks at",
                "zh": "跳过的像素也要算：从它看到的第一个像素数到最后一个",
            },
        },
        hints={
            "en": [
                "Draw two layers with kernel 3, first with stride 1, then with stride 2. How far does the upper one see?",
                "Keep two numbers from layer to layer: what a number sees, and how far apart two neighbours look.",
                "field += (kernel_size - 1) * step, for every layer. What becomes of step then? Both begin with 1.",
            ],
            "zh": [
                "画两层大小为 3 的卷积核，先设步幅为 1，再设步幅为 2。上面那层的一个数分别能看多远？",
                "逐层记住两个数：一个数能看到多少像素，相邻两个数所看的位置相隔多远。",
                "每一层都有 field += (kernel_size - 1) * step。接着 step 要怎么变？两个数都从 1 开始。",
            ],
        },
    ),
    "6.4": Exercise(
        cases=cost_cases,
        expected=count_products,
        ideas={
            "kernel": {
                "en": "a neuron has kernel_size * kernel_size weights for a channel, and multiplies with each, also where it meets padding",
                "zh": "对每个通道，一个神经元有 kernel_size * kernel_size 个权重，每个权重做一次乘法，遇到填充的零也不例外",
            },
            "channels out": {
                "en": "each channel of the output takes the whole work once more",
                "zh": "输出每多一个通道，全部计算就要多做一遍",
            },
            "channels in": {
                "en": "a neuron looks at all channels of the input: its weights become as many times more",
                "zh": "一个神经元要看输入的所有通道：有几个通道，权重就是几倍",
            },
            "places": {
                "en": "there is a number for each row and each column, so the side counts twice: size * size",
                "zh": "每一行、每一列都有一个数，所以边长要乘两次：size * size",
            },
            "padding": {
                "en": "with padding, the kernel takes as many places at stride 1 as there are pixels; its zeros are multiplied, too",
                "zh": "有了填充，步幅为 1 时，有几个像素就有几个位置；填充的零也要参与乘法",
            },
            "stride": {
                "en": "the work is done for each number of the output: the size after the stride counts, along both sides",
                "zh": "计算是为输出的每个数做的：要用经过步幅之后的大小，高和宽都是如此",
            },
            "left over": {
                "en": "the size of the output is that of exercise 6.1: not just size // stride",
                "zh": "输出的大小按练习 6.1 来算，而不只是 size // stride",
            },
            "groups": {
                "en": "in groups, a neuron looks at in_channels / groups channels; there are still out_channels of them",
                "zh": "分组以后，一个神经元只看 in_channels / groups 个通道，而输出仍有 out_channels 个通道",
            },
            "together": {
                "en": "the layers come one after the other: their multiplications add up",
                "zh": "各层依次计算，乘法次数要相加",
            },
            "next": {
                "en": "what one layer gives out is the next one's input: go on with its size",
                "zh": "前一层的输出就是后一层的输入：要用它的大小接着算",
            },
            "none": {"en": "without layers nothing is multiplied: 0", "zh": "一层也没有时，什么也不乘：0"},
        },
        hints={
            "en": [
                "How many numbers does one layer give out? And how many weights does a neuron multiply for one of them?",
                "Numbers: out_channels * size * size, with the size of the output. Weights: kernel_size² * in_channels // groups.",
                "First size = (size + 2 * padding - kernel_size) // stride + 1, then add to the total. And for the next layer?",
            ],
            "zh": [
                "一层一共输出多少个数？为了其中一个数，神经元要乘多少个权重？",
                "输出的个数是 out_channels * size * size，size 是输出的大小；权重数是 kernel_size² * in_channels // groups。",
                "先算 size = (size + 2 * padding - kernel_size) // stride + 1，再累加到总数里。下一层呢？",
            ],
        },
    ),
    "6.5": Exercise(
        cases=slide_cases,
        expected=convolve,
        ideas={
            "product": {
                "en": "each number of the patch times the weight in the same place: nothing else is done to it",
                "zh": "小块里的每个数乘以同一位置上的权重，此外什么也不做",
            },
            "channels": {
                "en": "a neuron sees all channels: their products are added up, too",
                "zh": "一个神经元看所有的通道：各通道的乘积也要加在一起",
            },
            "outputs": {
                "en": "channel o of the result comes from weight[o]: the first axis of weight is that of the output",
                "zh": "结果的第 o 个通道由 weight[o] 得到：weight 的第 0 轴对应输出",
            },
            "places": {
                "en": "the same weights are used in every place, each time with the patch that begins there",
                "zh": "每个位置都用同样的权重，乘的是从那里开始的小块",
            },
            "patch": {
                "en": "a patch is K rows high and K columns wide, and the sum goes over all of it",
                "zh": "小块高 K 行、宽 K 列，要对整块求和",
            },
            "as it is": {
                "en": "the kernel is neither flipped nor turned: weight[o, c, 0, 1] is for the first row, second column",
                "zh": "卷积核既不翻转，也不转置：weight[o, c, 0, 1] 对应第一行第二列",
            },
            "overlap": {
                "en": "patches overlap: the next one begins `stride` pixels further, not K",
                "zh": "小块会互相重叠：下一块从 stride 个像素之后开始，而不是 K 个",
            },
            "stride": {
                "en": "the patch for (i, j) begins at row i * stride, column j * stride",
                "zh": "(i, j) 处的小块从第 i * stride 行、第 j * stride 列开始",
            },
        },
        hints={
            "en": [
                "First find H' and W', as in exercise 6.1. Then one loop over the rows, and one over the columns of the result.",
                "x[:, top : top + K, left : left + K] is a patch, with top = i * stride and left = j * stride.",
                "(weight * patch) has the shape (O, C, K, K); sum it over three of its axes, and it goes to answer[:, i, j].",
            ],
            "zh": [
                "先像练习 6.1 那样求出 H' 和 W'，再用两重循环遍历结果的各行和各列。",
                "小块是 x[:, top : top + K, left : left + K]，其中 top = i * stride，left = j * stride。",
                "(weight * patch) 的形状是 (O, C, K, K)；对其中三个轴求和，就是 answer[:, i, j]。",
            ],
        },
    ),
    "6.6": Exercise(
        judge=judge_residual,
        takes="class",
        ideas={
            "module": {
                "en": "for {case}: got {got}, which is no nn.Module",
                "zh": "{case} 得到的是 {got}，不是 nn.Module",
            },
            "add": {
                "en": "where the shapes are the same, the result is x + inner(x)",
                "zh": "形状相同时，结果是 x + inner(x)",
            },
            "in place": {
                "en": "for {case}: x is changed; += writes into a tensor that others have, too, while x + y makes a new one",
                "zh": "{case} 改动了 x：+= 会直接改写别处还要用的张量，x + y 则得到一个新的张量",
            },
            "same shape": {
                "en": "if the shapes differ, on whichever axis, the result is inner(x) alone, even where adding would broadcast",
                "zh": "只要有一个轴的长度不同，结果就只是 inner(x)，即使可以靠广播相加也不行",
            },
            "each call": {
                "en": "the shapes are compared in each call: another x can have another shape",
                "zh": "每次调用都要比较形状：换一个 x，形状就可能不同",
            },
            "mode": {
                "en": "in eval mode it computes the same as in train mode",
                "zh": "评估模式下的计算和训练模式下一样",
            },
            "inside": {
                "en": "for {case}: its {what} does not reach inner; assign the module itself to self: no list, no copy",
                "zh": "{case} 的 {what} 没有顾及 inner：要把模块本身直接赋给 self 的属性，不要放进列表，也不要复制",
            },
            "once": {
                "en": "for {case}: inner is called {calls} times, not once; keep in a variable what it returns",
                "zh": "{case} 把 inner 调用了 {calls} 次，而不是一次；请把它的返回值存到变量里",
            },
            "gradient": {
                "en": "for {case}: gradients do not get to x and to inner's parameters as they should: no detach, data or no_grad",
                "zh": "{case} 没有把梯度正确地传给 x 和 inner 的参数：不要用 detach、data 或 no_grad",
            },
        },
        hints={
            "en": [
                "A module needs two methods: __init__ keeps `inner`, and forward(self, x) computes.",
                "__init__ begins with super().__init__(), then assigns inner to self. forward calls it once, and keeps the result.",
                "y = self.inner(x); x.shape == y.shape says whether to add. And if not?",
            ],
            "zh": [
                "模块需要两个方法：__init__ 保存 inner，forward(self, x) 负责计算。",
                "__init__ 先调用 super().__init__()，再把 inner 赋给 self 的属性；forward 只调用它一次，并存下结果。",
                "y = self.inner(x)；x.shape == y.shape 说明是否要相加。不相加时返回什么？",
            ],
        },
    ),
}

QUIZZES = {
    "6.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "a kernel is as large as before, whatever the picture: the same weights are used in more places",
                "b": "the weights stay, and there are four times as many places at which they are used",
                "c": "each number of the output is work, and there are four times as many of them",
            },
            "zh": {
                "a": "不管图片多大，卷积核还是原来的大小：只是同样的权重要用在更多的位置上",
                "b": "权重不变，要用到它们的位置是原来的四倍",
                "c": "输出的每个数都要计算，而现在有原来的四倍之多",
            },
        },
    ),
    "6.b": Quiz(
        right="b",
        why={
            "en": {
                "a": "a kernel has as many weights at each stride: all strides give the same number",
                "b": "with stride 1 there are four times as many places from there on, and so much more work",
                "c": "the mean over all places takes any size, so nothing complains",
            },
            "zh": {
                "a": "不管步幅是多少，卷积核的权重都一样多：怎么改步幅，参数量都不变",
                "b": "步幅改成 1，从这里往后的位置就多到四倍，计算量也大得多",
                "c": "对所有位置取平均，多大的尺寸都行，所以什么都不会报错",
            },
        },
    ),
}
