"""Lesson 03, datasets, samplers and loaders."""

import torch
from torch.nn import functional as F
from torch.utils.data import BatchSampler

from dlsteps.exercises.exercise import Case, Exercise, Quiz


def batches(indices, size, drop_last):
    """The way torch's own loader does it."""
    return list(BatchSampler(indices, size, drop_last))


def index_cases(random):
    yield Case(([4], 1, False), "cut")
    yield Case(([4, 2], 1, False), "cut")
    yield Case(([4, 2], 2, False), "cut")
    yield Case(([1, 1], 2, False), "cut")
    yield Case(([4], 2, False), "short batch")
    yield Case(([4, 2, 0], 2, False), "short batch")
    yield Case(([4, 2], 2, True), "full batch")
    yield Case(([4, 2, 0], 2, True), "drop")
    yield Case(([4], 2, True), "drop")
    yield Case(([], 2, False), "empty")
    yield Case(([], 2, True), "empty")
    yield Case(([4, 2, 0, 1, 3], 2, False), "short batch")
    yield Case(([4, 2, 0, 1, 3], 2, True), "drop")
    for _ in range(10):
        indices = random.choices(range(10), k=random.randint(1, 10))
        yield Case((indices, random.randint(1, 4), random.choice([False, True])), "cut")


def pad_collate(samples):
    """Pad each picture with torch's own function, then put them together."""
    height, width = (max(x.shape[axis] for x, _ in samples) for axis in (1, 2))
    padded = [F.pad(x, (0, width - x.shape[2], 0, height - x.shape[1])) for x, _ in samples]
    return torch.stack(padded), torch.tensor([y for _, y in samples])


def sample_cases(random):
    def sample(channels, height, width, label):
        numbers = [random.uniform(-1, 1) for _ in range(channels * height * width)]
        return torch.tensor(numbers).view(channels, height, width), label

    yield Case(([(torch.tensor([[[0.5]]]), 3)],), "as they are")
    yield Case(([(torch.tensor([[[0.5]]]), 2), (torch.tensor([[[0.25]]]), 0)],), "order")
    yield Case(([(torch.tensor([[[1.0]], [[2.0]]]), 0), (torch.tensor([[[3.0]], [[4.0]]]), 1)],), "first axis")
    yield Case(([(torch.tensor([[[1.0, 2.0]]]), 0), (torch.tensor([[[3.0]]]), 1)],), "corner")
    yield Case(([(torch.tensor([[[1.0]]]), 0), (torch.tensor([[[2.0], [3.0]]]), 1)],), "corner")
    yield Case(([(torch.tensor([[[1.0, 2.0, 3.0]]]), 0), (torch.tensor([[[4.0]]]), 1)],), "corner")
    yield Case(([(torch.tensor([[[1.0], [2.0]]]), 0), (torch.tensor([[[3.0, 4.0], [5.0, 6.0]]]), 1)],), "corner")
    yield Case(([(torch.tensor([[[1.0, 2.0]]]), 0), (torch.tensor([[[3.0], [4.0]]]), 1)],), "largest")
    yield Case(([(torch.tensor([[[-1.0]]]), 1000)],), "as they are")
    yield Case(([sample(3, 2, 4, 1), sample(3, 4, 3, 0), sample(3, 1, 5, 2)],), "corner")
    yield Case(([sample(1, 3, 3, 2), sample(1, 2, 5, 2)],), "corner")


def balanced(labels):
    """Each class is a queue, filled again when it is empty; go on until every sample has come up."""
    order, queues = [], {}
    while len(set(order)) < len(labels):
        for wanted in sorted(set(labels)):
            if not queues.get(wanted):
                queues[wanted] = [i for i, label in enumerate(labels) if label == wanted]
            order.append(queues[wanted].pop(0))
    return order


def label_cases(random):
    yield Case(([0],), "classes")
    yield Case(([3],), "classes")
    yield Case(([0, 1],), "smallest first")
    yield Case(([1, 0],), "smallest first")
    yield Case(([10, 9],), "smallest first")
    yield Case(([1, 8],), "smallest first")  # a set of these happens to begin with 8
    yield Case(([0, 0],), "order")
    yield Case(([0, 0, 1],), "rounds")
    yield Case(([0, 1, 1],), "rounds")
    yield Case(([],), "empty")
    yield Case(([0, 0, 0, 1, 1],), "again")
    yield Case(([0, 1, 1, 1, 0],), "again")
    for _ in range(10):
        yield Case((random.choices([0, 1, 1, 1, 2, 5], k=random.randint(1, 10)),), "rounds")


def split(count, valid, gap):
    """Look at every sample, and count how many come after it."""
    lists = [], []
    for i in range(count):
        later = count - 1 - i
        if later < valid:
            lists[1].append(i)
        elif later >= valid + gap:
            lists[0].append(i)
    return lists


def split_cases(random):
    yield Case((2, 1, 0), "valid")
    yield Case((3, 2, 0), "valid")
    yield Case((3, 1, 1), "gap")
    yield Case((4, 1, 2), "gap")
    yield Case((2, 1, 1), "start")
    yield Case((3, 1, 3), "start")
    yield Case((2, 2, 0), "start")
    yield Case((2, 0, 0), "none")
    yield Case((10, 3, 2), "gap")
    for _ in range(10):
        yield Case((random.randint(5, 12), random.randint(1, 5), random.randint(0, 6)), "gap")


def stack_numbers(segments, depth):
    """Step back from each frame, and stay where the frame before is of another segment."""
    stacks = []
    for i, segment in enumerate(segments):
        stack = [i]
        while len(stack) < depth:
            before = stack[0] - 1
            stack.insert(0, before if before >= 0 and segments[before] == segment else stack[0])
        stacks.append(stack)
    return stacks


def segment_cases(random):
    yield Case(([0], 1), "depth")
    yield Case(([0, 0], 1), "depth")
    yield Case(([0], 2), "start")
    yield Case(([0, 0], 2), "oldest first")
    yield Case(([0, 1], 2), "segment")
    yield Case(([0, 0], 3), "first frame")
    yield Case(([0, 0, 0], 3), "oldest first")
    yield Case(([0, 1, 1], 3), "segment")
    yield Case(([0, 0, 0, 1, 1], 2), "segment")
    yield Case(([4, 4, 7, 7, 7], 3), "segment")
    for _ in range(10):
        segments = sorted(random.choices(range(4), k=random.randint(3, 8)))
        yield Case((segments, random.randint(1, 4)), "segment")


EXERCISES = {
    "3.1": Exercise(
        cases=index_cases,
        expected=batches,
        ideas={
            "cut": {
                "en": "the first `size` indices are the first batch, the next `size` the second, all in their order",
                "zh": "前 size 个下标是第一个批量，接下来的 size 个是第二个，次序都不变",
            },
            "short batch": {
                "en": "without drop_last, what is left over at the end is a batch of its own",
                "zh": "drop_last 不为真时，末尾剩下的下标自成一个批量",
            },
            "drop": {
                "en": "with drop_last, a last batch that is short is left out",
                "zh": "drop_last 为真时，末尾不满的批量要去掉",
            },
            "full batch": {
                "en": "drop_last leaves out a short batch only: a full one stays, even if it is the last",
                "zh": "drop_last 只去掉不满的批量：装满的要留下，哪怕它排在最后",
            },
            "empty": {
                "en": "without indices there is no batch, not even an empty one",
                "zh": "一个下标也没有时，就没有批量，连空的批量也没有",
            },
        },
        hints={
            "en": [
                "At which positions in the list do the batches begin?",
                "range(0, len(indices), size) are these; indices[i : i + size] is the batch that begins at i.",
                "Cut everything first; then keep a batch if len(batch) == size or not drop_last.",
            ],
            "zh": [
                "每个批量从列表的哪个位置开始？",
                "range(0, len(indices), size) 就是这些位置，indices[i : i + size] 是从 i 开始的那个批量。",
                "先全部切好；再看每个批量，满足 len(batch) == size or not drop_last 就留下。",
            ],
        },
    ),
    "3.2": Exercise(
        cases=sample_cases,
        expected=pad_collate,
        ideas={
            "as they are": {
                "en": "neither the numbers in x nor the labels in y change",
                "zh": "x 里的数和 y 里的标签都保持原样",
            },
            "order": {
                "en": "x[i] and y[i] are those of samples[i], for every i",
                "zh": "对每个 i，x[i] 和 y[i] 都来自 samples[i]",
            },
            "first axis": {
                "en": "x[0] is the whole first sample: the new axis comes first, and reshape alone moves no numbers",
                "zh": "x[0] 是完整的第一个样本：新的轴在最前面；只用 reshape，数并不会换位置",
            },
            "corner": {
                "en": "each picture is in the upper left corner of a place that fits the largest, and the rest is 0",
                "zh": "给每张图的位置都要放得下最大的图；图放在左上角，其余的地方都是 0",
            },
            "largest": {
                "en": "the largest H and the largest W can be those of different pictures",
                "zh": "最大的 H 和最大的 W 可能来自不同的图",
            },
        },
        hints={
            "en": [
                "How large does x have to be? Look through all samples before you fill anything in.",
                "torch.zeros(B, C, height, width) is x, still empty; then copy each picture into a slice of x[i].",
                "x[i, :, : picture.shape[1], : picture.shape[2]] = picture; and torch.tensor makes y of a list",
            ],
            "zh": [
                "x 要有多大？先看完所有的样本，再往里填。",
                "torch.zeros(B, C, height, width) 就是还没填的 x；再把每张图复制到 x[i] 的一块切片里。",
                "x[i, :, : picture.shape[1], : picture.shape[2]] = picture；y 用 torch.tensor 从列表得到",
            ],
        },
    ),
    "3.3": Exercise(
        cases=label_cases,
        expected=balanced,
        ideas={
            "classes": {
                "en": "a round names one sample, by its number, of each class that occurs, whatever the labels are",
                "zh": "不管标签是哪些数，每一轮都从出现过的每个类别里取一个样本，写下它的编号",
            },
            "smallest first": {
                "en": "in a round, the class with the smallest label comes first; labels are numbers",
                "zh": "在一轮之内，标签最小的类别排在最前面；标签是数",
            },
            "order": {
                "en": "within a class, the samples come in their order",
                "zh": "同一类别的样本，按原来的次序出现",
            },
            "rounds": {
                "en": "the largest class says how many rounds there are, and every class is in each of them",
                "zh": "最大的类别决定一共有几轮，而每一轮里每个类别都要有",
            },
            "again": {
                "en": "a class that has no more samples starts again with its first",
                "zh": "一个类别的样本用完了，就从它的第一个重新开始",
            },
            "empty": {"en": "without labels, the list is empty", "zh": "一个标签也没有时，列表为空"},
        },
        hints={
            "en": [
                "First make one list of sample numbers for each class. How many rounds does the longest of them need?",
                "Round r takes the sample at place r of each class; r % len(samples) begins again at the end.",
                "[samples[r % len(samples)] for r in range(rounds) for samples in classes]; rounds: max(…, default=0)",
            ],
            "zh": [
                "先给每个类别列出它的样本编号。其中最长的列表需要几轮？",
                "第 r 轮取每个类别里位置为 r 的样本；用 r % len(samples)，到了末尾就从头再来。",
                "[samples[r % len(samples)] for r in range(rounds) for samples in classes]；没有标签时用 max(…, default=0)",
            ],
        },
    ),
    "3.4": Exercise(
        cases=split_cases,
        expected=split,
        ideas={
            "valid": {
                "en": "the second list has the last `valid` numbers, the first one what comes before",
                "zh": "第二个列表是最后 valid 个编号，第一个列表里的编号都在它们之前",
            },
            "gap": {
                "en": "just before validation, `gap` numbers are in neither list",
                "zh": "紧挨在验证样本之前的 gap 个编号，两个列表里都没有",
            },
            "start": {
                "en": "if nothing is left before the gap, the first list is empty: a slice that ends below 0 is not",
                "zh": "间隔之前什么也不剩时，第一个列表为空；切片的终点若小于 0，得到的却不一定为空",
            },
            "none": {
                "en": "with valid = 0 the second list is empty: [-0:] is everything",
                "zh": "valid = 0 时，第二个列表为空；而 [-0:] 取到的是全部",
            },
        },
        hints={
            "en": [
                "With which number does validation begin? With which one would the gap begin?",
                "Validation begins with count - valid, the gap with count - valid - gap. range(-1) is empty.",
                "first = count - valid; then list(range(first - gap)) and list(range(first, count))",
            ],
            "zh": [
                "验证从哪个编号开始？间隔又从哪个编号开始？",
                "验证从 count - valid 开始，间隔从 count - valid - gap 开始。range(-1) 是空的。",
                "first = count - valid，然后是 list(range(first - gap)) 和 list(range(first, count))",
            ],
        },
    ),
    "3.5": Exercise(
        cases=segment_cases,
        expected=stack_numbers,
        ideas={
            "depth": {
                "en": "each frame has a stack, and each stack has `depth` numbers",
                "zh": "每一帧都有一个堆叠，每个堆叠里有 depth 个编号",
            },
            "start": {
                "en": "frame 0 has a stack, too: nothing is before it, so it is repeated",
                "zh": "第 0 帧也有堆叠：它前面什么也没有，所以重复它自己",
            },
            "oldest first": {
                "en": "a stack ends with its own frame, and the oldest comes first",
                "zh": "堆叠以它自己的那一帧结尾，最早的排在最前面",
            },
            "segment": {
                "en": "all frames of a stack are of one segment, and the numbers are those in the whole list",
                "zh": "一个堆叠里的帧都在同一段，编号是整个列表里的编号",
            },
            "first frame": {
                "en": "what stands in for missing frames is the first frame of the segment, always",
                "zh": "用来顶替缺少的帧的，总是这一段的第一帧",
            },
        },
        hints={
            "en": [
                "Take one frame, i. How far back may its stack reach? That depends on where its segment begins.",
                "segments.index(segments[i]) is the first frame of i's segment. No number in the stack may be smaller.",
                "[max(i - back, first) for back in range(depth - 1, -1, -1)] is the stack of frame i.",
            ],
            "zh": [
                "先看某一帧 i。它的堆叠最远能回到哪里？这要看它所在的段从哪里开始。",
                "segments.index(segments[i]) 是 i 所在段的第一帧。堆叠里的编号都不能比它小。",
                "第 i 帧的堆叠就是 [max(i - back, first) for back in range(depth - 1, -1, -1)]。",
            ],
        },
    ),
}

QUIZZES = {
    "3.a": Quiz(
        right="a",
        why={
            "en": {
                "a": "batches are dealt out whole and in turn: the first to worker 0, the second to worker 1",
                "b": "the right worker for the wrong reason: sample 6 is even, and worker 1 fetches it, too",
                "c": "whatever the workers are doing, the batches go to them in turn, and come back in order",
            },
            "zh": {
                "a": "批量是整个轮流分出去的：第一个给工作进程 0，第二个给工作进程 1，这样轮下去",
                "b": "工作进程说对了，理由不对：样本 6 的编号是偶数，同样由工作进程 1 去取",
                "c": "不管各个工作进程忙不忙，批量都轮流分给它们，再按原来的次序交回来",
            },
        },
    ),
    "3.b": Quiz(
        right="b",
        why={
            "en": {
                "a": "random validation frames have near-duplicates in training, 1/60 s away; the next game has none",
                "b": "the next game is like that recording: not one of its frames has a neighbour in training",
                "c": "the two measure different things, and only one of them is what you want to know",
            },
            "zh": {
                "a": "随机抽出的验证帧，在训练集里都有相隔 1/60 秒、几乎相同的帧；下一局的帧却没有",
                "b": "下一局就像那份录像：没有哪一帧在训练集里有相邻的帧",
                "c": "两个数衡量的不是一回事，而你想知道的只是其中之一",
            },
        },
    ),
}
