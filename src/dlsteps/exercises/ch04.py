"""Lesson 04, transforms."""

import statistics

import torch

from dlsteps.exercises.exercise import Case, Exercise, Quiz


def draw_bytes(random, *shape):
    """A uint8 tensor of random numbers."""
    count = torch.Size(shape).numel()
    return torch.tensor([random.randrange(256) for _ in range(count)], dtype=torch.uint8).reshape(shape)


def in_uint8(values):
    return torch.tensor(values, dtype=torch.uint8)


def to_float(x):
    """One number after the other."""
    if x.dtype == torch.float32:
        return x
    return torch.tensor([value / 255 for value in x.flatten().tolist()]).reshape(x.shape)


def float_cases(random):
    yield Case((in_uint8([0, 51, 255]),), "scale")
    yield Case((torch.tensor([0.5, 1.0]),), "float")
    yield Case((in_uint8([0, 1]),), "by dtype")
    yield Case((torch.tensor([-2.0, 2.0]),), "by dtype")
    yield Case((in_uint8([[0, 255], [51, 51]]),), "any shape")
    yield Case((in_uint8(51),), "any shape")
    yield Case((torch.tensor([[[0.25]]]),), "any shape")
    yield Case((draw_bytes(random, 2, 3, 2, 2),), "any shape")


def channel_stats(x):
    """Python's own mean and std, of a list for each channel."""
    lists = [(x[:, channel] / 255).flatten().tolist() for channel in range(x.shape[1])]
    means, stds = map(statistics.fmean, lists), map(statistics.pstdev, lists)
    return torch.tensor([*means]), torch.tensor([*stds])


def stats_cases(random):
    yield Case((in_uint8([[[[255, 255]]]]),), "scale")
    yield Case((in_uint8([[[[0, 255]]]]),), "std")
    yield Case((in_uint8([[[[0, 0, 0, 255]]]]),), "std")
    yield Case((in_uint8([[[[0]], [[255]]], [[[0]], [[255]]]]),), "each channel")  # as many channels as pictures
    yield Case((in_uint8([[[[0]]], [[[255]]]]),), "together")
    yield Case((in_uint8([[[[0], [255]]]]),), "together")
    yield Case((draw_bytes(random, 2, 3, 4, 5),), "together")


def normalise(x, mean, std):
    """One channel of one picture after the other."""
    out = x.clone()
    for picture in out:
        for channel in range(len(mean)):
            picture[channel] = (picture[channel] - mean[channel]) / std[channel]
    return out


def normalise_cases(random):
    """All numbers are such that float32 holds every result exactly, in whichever order it is computed."""
    yield Case((torch.tensor([[[[1.0, 4.0]]]]), torch.tensor([1.0]), torch.tensor([2.0])), "given")
    for shape in [(1, 2, 1, 2), (1, 2, 2, 1), (2, 2, 1, 1), (1, 2, 1, 3)]:  # mean fits columns, rows, pictures, neither
        yield Case((torch.full(shape, 4.0), torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0])), "channel")
    for shape in [(2, 3, 4, 5), (2, 2, 2, 2), (3, 3, 3, 3)]:
        mean = torch.tensor([random.randrange(8) / 8 for _ in range(shape[1])])
        std = torch.tensor([random.choice([0.125, 0.25, 0.5, 2.0]) for _ in range(shape[1])])
        yield Case((draw_bytes(random, *shape) / 256, mean, std), "channel")


def flip(x, y, chosen, mirror):
    """One picture after the other, one column after the other."""
    new_x, new_y, width = x.clone(), y.clone(), x.shape[3]
    for i in range(len(x)):
        if chosen[i]:
            for column in range(width):
                new_x[i, :, :, column] = x[i, :, :, width - 1 - column]
            new_y[i] = mirror[y[i]]
    return new_x, new_y


def flip_cases(random):
    def case(idea, x, y, chosen, mirror=(2, 1, 0)):
        return Case((torch.tensor(x), torch.tensor(y), torch.tensor(chosen), torch.tensor(mirror)), idea)

    yield case("left to right", [[[[1.0, 2.0], [3.0, 4.0]]]], [1], [True])
    yield case("left to right", [[[[1.0, 2.0]], [[3.0, 4.0]]]], [1], [True])
    yield case("chosen", [[[[1.0, 2.0]]]], [1], [False])
    yield case("label", [[[[1.0, 2.0]]]], [0], [True])
    yield case("chosen", [[[[1.0, 2.0]]]], [0], [False])
    yield case("look up", [[[[1.0, 2.0]]]], [0], [True], [1, 0])
    yield case("look up", [[[[1.0, 2.0]]]], [3], [True], [1, 0, 2, 3])
    yield case("each", [[[[1.0, 2.0]]], [[[3.0, 4.0]]]], [0, 2], [True, False])
    yield case("each", [[[[1.0, 2.0]]], [[[3.0, 4.0]]], [[[5.0, 6.0]]]], [0, 0, 2], [False, True, True])
    yield case("each", [[[[1.0, 2.0]]], [[[3.0, 4.0]]]], [0, 2], [False, False])
    for shape in [(5, 2, 3, 4), (2, 2, 2, 2)]:
        y = [random.randrange(4) for _ in range(shape[0])]
        chosen = [True, False, *(random.random() < 0.5 for _ in y[2:])]
        yield case("each", (draw_bytes(random, *shape) / 255).tolist(), y, chosen, [1, 0, 3, 2])


def shift(x, pixels):
    """Step by step: the column at the edge once more, and the one at the other end goes."""
    columns = list(x.unbind(2))
    for _ in range(abs(pixels)):
        columns = columns[:1] + columns[:-1] if pixels > 0 else columns[1:] + columns[-1:]
    return torch.stack(columns, 2)


def shift_cases(random):
    dot, row = torch.tensor([[[0.0, 1.0, 0.0]]]), torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    yield Case((dot, 1), "right")
    yield Case((dot, -1), "left")
    yield Case((row, 1), "edge")
    yield Case((row, -1), "edge")
    yield Case((row, 2), "edge")
    yield Case((torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 1), "edge")
    yield Case((torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), -1), "edge")
    yield Case((dot, 0), "zero")
    for pixels in (2, -2, 3, -3, 100, -100):
        yield Case((torch.tensor([[[1.0, 2.0]]]), pixels), "wide")
    for pixels in (3, -3, 6, -7):
        yield Case((draw_bytes(random, 2, 3, 5) / 255, pixels), "wide" if abs(pixels) > 5 else "edge")


EXERCISES = {
    "4.1": Exercise(
        cases=float_cases,
        expected=to_float,
        ideas={
            "scale": {
                "en": "0 becomes 0, 255 becomes 1, and what is between stays between",
                "zh": "0 变成 0，255 变成 1，中间的数按比例换算",
            },
            "float": {
                "en": "float32 has been converted already: its values stay as they are",
                "zh": "float32 的张量已经转换过了，值保持不变",
            },
            "by dtype": {
                "en": "the dtype alone decides, whatever the values: uint8 can be dark, float32 can lie beyond 0 … 1",
                "zh": "只由 dtype 决定，与值无关：uint8 的画面可能很暗，float32 的值也可能超出 0 … 1",
            },
            "any shape": {
                "en": "it works for any shape, also for a single number without axes",
                "zh": "什么形状都要能处理，包括没有轴的单个数",
            },
        },
        hints={
            "en": [
                "Two cases. x.dtype tells them apart; do not look at the values.",
                "if x.dtype == torch.uint8: make it float, with x.float(), before you divide by 255.",
                "x.float() / 255 for uint8; else x itself",
            ],
            "zh": [
                "分两种情况，用 x.dtype 来区分，不要去看里面的值。",
                "if x.dtype == torch.uint8：先用 x.float() 转成浮点数，再除以 255。",
                "是 uint8 就返回 x.float() / 255，否则返回 x 本身",
            ],
        },
    ),
    "4.2": Exercise(
        cases=stats_cases,
        expected=channel_stats,
        ideas={
            "scale": {
                "en": "first the mean, then the std, both on the scale 0 … 1; make floats before you compute",
                "zh": "先平均值，后标准差，都按 0 … 1 的尺度；计算之前先转成浮点数",
            },
            "std": {
                "en": "std is the root of the mean squared distance: divide by the number of values, not by one less",
                "zh": "各个值与平均值之差，平方后求平均，再开方，就是标准差；求平均时除以个数，不减一",
            },
            "each channel": {
                "en": "each channel has a mean and a std of its own; the channels are axis 1",
                "zh": "每个通道各有自己的平均值和标准差；通道是轴 1",
            },
            "together": {
                "en": "one std for all pictures, rows and columns together: pictures differ from each other, too",
                "zh": "所有画面、所有行和列合在一起，求一个标准差：画面与画面之间也有差别",
            },
        },
        hints={
            "en": [
                "Of the four axes only one stays: that of the channels. Which three are averaged over?",
                "mean and std take several axes at once: x.mean(dim=(…)). Convert to 0 … 1 first.",
                "x = x.float() / 255; then x.mean(dim=(0, 2, 3)) and x.std(dim=(0, 2, 3), correction=0)",
            ],
            "zh": [
                "四个轴里只留下一个，就是通道。要对哪三个轴求平均？",
                "mean 和 std 都可以一次对几个轴计算：x.mean(dim=(…))。先转换到 0 … 1。",
                "x = x.float() / 255，再用 x.mean(dim=(0, 2, 3)) 和 x.std(dim=(0, 2, 3), correction=0)",
            ],
        },
    ),
    "4.3": Exercise(
        cases=normalise_cases,
        expected=normalise,
        ideas={
            "given": {
                "en": "subtract the mean that is given, then divide the result by the std that is given",
                "zh": "先减去给定的平均值，再把结果除以给定的标准差",
            },
            "channel": {
                "en": "the numbers in mean and std belong to the channels, not to the columns: add two axes of length 1 behind",
                "zh": "mean 和 std 里的每个数对应一个通道，而不是一列：要在后面添上两个长度为 1 的轴",
            },
        },
        hints={
            "en": [
                "Shapes are lined up from their ends: in x - mean, whose axis does mean's only axis meet?",
                "mean has to have the shape (C, 1, 1), so that C meets the channels: None makes an axis of length 1.",
                "(x - mean[:, None, None]) / …, and the same for std",
            ],
            "zh": [
                "形状是从末尾开始对齐的：x - mean 里，mean 唯一的轴对上了 x 的哪个轴？",
                "mean 的形状要变成 (C, 1, 1)，这样 C 才对得上通道：用 None 可以添一个长度为 1 的轴。",
                "(x - mean[:, None, None]) / …，std 也同样处理",
            ],
        },
    ),
    "4.4": Exercise(
        cases=flip_cases,
        expected=flip,
        ideas={
            "left to right": {
                "en": "left to right: each row backwards, while rows and channels keep their places",
                "zh": "左右翻转：每一行左右颠倒，行和通道的次序不变",
            },
            "chosen": {
                "en": "what is not chosen stays as it is, the picture and the label",
                "zh": "没有选中的，画面和标签都保持不变",
            },
            "label": {
                "en": "a mirrored picture gets the mirrored label",
                "zh": "画面翻转了，标签也要换成镜像的标签",
            },
            "look up": {
                "en": "mirror[k] is the mirrored label of k: look it up, whatever the labels are",
                "zh": "k 的镜像标签是 mirror[k]：要从表里查，不管有哪些标签",
            },
            "each": {
                "en": "each picture of the batch is decided by its own entry in chosen",
                "zh": "批量里的每张画面，由 chosen 中对应它的那一项决定",
            },
        },
        hints={
            "en": [
                "Mirror all pictures, and all labels, each into a new tensor. Then take each from the new or the old.",
                "torch.where(condition, new, old) takes; mirror[y] looks up all labels at once. Which axis are the columns?",
                "torch.where(chosen[:, None, None, None], x.flip(3), x); the labels likewise, without the Nones",
            ],
            "zh": [
                "先把所有画面都翻转，所有标签都换成镜像的，放进新的张量；再决定每一项用新的还是旧的。",
                "torch.where(条件, 新, 旧) 负责挑选；mirror[y] 一次查出所有标签。列是哪个轴？",
                "torch.where(chosen[:, None, None, None], x.flip(3), x)；标签也一样，只是不用加 None",
            ],
        },
    ),
    "4.5": Exercise(
        cases=shift_cases,
        expected=shift,
        ideas={
            "right": {
                "en": "the columns move to the right: what was in column 0 is in column 1 after a shift by 1",
                "zh": "各列向右移：移动 1 列以后，原来第 0 列的内容在第 1 列",
            },
            "left": {
                "en": "a negative number moves the picture to the left",
                "zh": "pixels 是负数时，画面向左移",
            },
            "edge": {
                "en": "free places repeat the column at that edge: no zeros, nothing from the other side",
                "zh": "空出来的位置重复那一侧最边上的一列：不补零，也不从另一侧绕回来",
            },
            "zero": {
                "en": "a shift by 0 changes nothing; as a slice, :-0 is :0, which is empty",
                "zh": "移动 0 列，什么都不变；写成切片时 :-0 就是 :0，是空的",
            },
            "wide": {
                "en": "a shift by the whole width or more leaves only the edge column, repeated",
                "zh": "移动的列数达到或超过宽度时，每一列都是最边上的那一列",
            },
        },
        hints={
            "en": [
                "Ask from the other side: which column of x does each column of the result come from?",
                "Column i comes from i - pixels. Where that is outside, take the nearest column there is.",
                "columns = torch.arange(x.shape[2]) - pixels; then .clamp(0, …), and as an index: x[:, :, columns]",
            ],
            "zh": [
                "反过来想：结果的每一列，各来自 x 的哪一列？",
                "第 i 列来自第 i - pixels 列。如果超出了画面，就取离它最近的那一列。",
                "columns = torch.arange(x.shape[2]) - pixels，再用 .clamp(0, …) 限制范围，然后用作下标：x[:, :, columns]",
            ],
        },
    ),
}

QUIZZES = {
    "4.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "the mirrored game is the same game, with left and right swapped; so are the labels",
                "b": "a mirrored 3 or 7 is no digit, and a mirrored 2 looks like an S: no label would be right",
                "c": "a mirrored cat is a cat",
            },
            "zh": {
                "a": "镜像里的游戏还是同一个游戏，只是左右互换，标签也跟着互换就行",
                "b": "镜像的 3 或 7 什么数字也不是，镜像的 2 看起来像 S：给什么标签都不对",
                "c": "镜像里的猫还是猫",
            },
        },
    ),
}
