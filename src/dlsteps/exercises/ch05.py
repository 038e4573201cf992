"""Lesson 05, looking at the data."""

import math

import torch

from dlsteps.exercises.exercise import Case, Exercise, Quiz


def count_shares(labels, num_classes):
    """Add 1/N to a label's class, label by label."""
    shares = [0.0] * num_classes
    for label in labels:
        shares[label] += 1 / len(labels)
    return shares


def label_cases(random):
    yield Case(([0], 1), "share")
    yield Case(([0, 1], 2), "share")
    yield Case(([0, 0, 0, 1], 2), "share")
    yield Case(([0, 0, 1], 2), "share")
    yield Case(([1, 1, 0, 1], 2), "order")
    yield Case(([0], 2), "never")
    yield Case(([1], 2), "never")
    yield Case(([2, 0], 3), "never")
    yield Case(([], 2), "empty")
    for _ in range(5):
        yield Case(([random.randint(0, 3) for _ in range(7)], 5), "share")


def average(images, labels, num_classes):
    """Pixel by pixel: add up a class's values, and divide by how many there are."""
    _, height, width = images.shape
    means = torch.zeros(num_classes, height, width)
    for k in range(num_classes):
        members = [image for image, label in zip(images.tolist(), labels.tolist(), strict=True) if label == k]
        for y in range(height):
            for x in range(width):
                means[k, y, x] = sum(image[y][x] for image in members) / max(len(members), 1)
    return means


def pixels(*images):
    return torch.tensor(images, dtype=torch.uint8)


def class_cases(random):
    yield Case((pixels([[10]]), torch.tensor([0]), 1), "scale")
    yield Case((pixels([[10]], [[20]]), torch.tensor([0, 0]), 1), "mean")
    yield Case((pixels([[10]], [[21]]), torch.tensor([0, 0]), 1), "fraction")
    yield Case((pixels([[100]], [[200]]), torch.tensor([0, 0]), 1), "overflow")
    yield Case((pixels([[0, 10]], [[20, 30]]), torch.tensor([0, 0]), 1), "pixel")
    yield Case((pixels([[10]], [[30]]), torch.tensor([1, 0]), 2), "class")
    yield Case((pixels([[10]], [[30]], [[50]]), torch.tensor([1, 0, 1]), 2), "class")
    yield Case((pixels([[10]]), torch.tensor([0]), 2), "empty")
    yield Case((pixels([[10]]), torch.tensor([1]), 2), "empty")
    for _ in range(3):
        images = [[[random.randint(0, 255) for _ in "xyz"] for _ in "ab"] for _ in range(6)]
        yield Case((pixels(*images), torch.tensor([random.randint(0, 3) for _ in range(6)]), 5), "class")


def lay_out(images, columns):
    """Fill a list of rows, pixel by pixel."""
    count, height, width = images.shape
    rows = math.ceil(count / columns)
    picture = [[0] * (columns * width) for _ in range(rows * height)]
    for i, image in enumerate(images.tolist()):
        for y in range(height):
            for x in range(width):
                picture[i // columns * height + y][i % columns * width + x] = image[y][x]
    return torch.tensor(picture, dtype=images.dtype)


def picture_cases(random):
    yield Case((pixels([[1]]), 1))
    yield Case((pixels([[1]], [[2]]), 2), "row by row")
    yield Case((pixels([[1]], [[2]], [[3]], [[4]]), 2), "row by row")
    yield Case((pixels([[1, 2]], [[3, 4]]), 2), "whole")
    yield Case((pixels([[1], [2]], [[3], [4]]), 2), "whole")
    yield Case((pixels([[1, 2]], [[3, 4]]), 1), "whole")
    yield Case((pixels([[1], [2]], [[3], [4]]), 1), "whole")
    yield Case((pixels([[1]], [[2]], [[3]]), 2), "free")
    yield Case((pixels([[1]]), 3), "free")
    yield Case((torch.tensor([[[0.5]], [[1.5]]]), 1))
    for columns in (1, 2, 4, 7):
        images = [[[random.randint(0, 255) for _ in "xyz"] for _ in "ab"] for _ in range(5)]
        yield Case((pixels(*images), columns), "whole")


def find_equal(images):
    """Compare each image with those before it, from the first on."""
    images, pairs = images.tolist(), []
    for j in range(len(images)):
        for i in range(j):
            if images[i] == images[j]:
                pairs.append((i, j))
                break
    return pairs


def copy_cases(random):
    yield Case((pixels([[1]]),), "itself")
    yield Case((pixels([[1]], [[1]]),), "pair")
    yield Case((pixels([[1]], [[2]]),), "pixel")
    yield Case((pixels([[1, 2]], [[1, 3]]),), "pixel")
    yield Case((pixels([[1, 2]], [[2, 1]]),), "pixel")
    yield Case((pixels([[1, 3]], [[2, 2]]),), "pixel")
    yield Case((pixels([[1], [2]], [[1], [3]]),), "pixel")
    yield Case((pixels([[1], [2]], [[2], [1]]),), "pixel")
    yield Case((pixels([[1]], [[2]], [[1]]),), "anywhere")
    yield Case((pixels([[1]], [[1]], [[1]]),), "first")
    yield Case((pixels([[1]], [[2]], [[2]], [[1]]),), "order")
    alike = [[[1, 2], [3, 4]], [[3, 4], [1, 2]], [[1, 2], [4, 3]], [[1, 3], [2, 4]]]
    for _ in range(5):
        yield Case((pixels(*random.choices(alike, k=6)),), "pixel")


def look_around(features, labels, k):
    """For each sample: sort all others by their distance, and look at the labels of the first k."""
    points, labels, found = features.tolist(), labels.tolist(), []
    for i in range(len(points)):
        others = sorted((math.dist(points[i], points[j]), j) for j in range(len(points)) if j != i)
        if labels[i] not in [labels[j] for _, j in others[:k]]:
            found.append(i)
    return found


def neighbour_cases(random):
    """No sample has two others at the same distance."""

    def case(features, labels, k, idea):
        return Case((torch.tensor(features), torch.tensor(labels), k), idea)

    yield case([[1.0], [2.0], [4.0]], [0, 0, 0], 2, "none")
    yield case([[1.0], [2.0]], [0, 1], 1, "itself")
    yield case([[1.0], [2.0], [4.0]], [0, 0, 1], 2, "none")
    yield case([[1.0], [2.0], [4.0]], [0, 1, 2], 2, "none")
    yield case([[1.0], [2.0], [4.0]], [0, 1, 0], 2, "all k")
    yield case([[1.0], [2.0], [4.0], [8.0]], [0, 0, 1, 1], 3, "none")
    yield case([[1.0], [2.0], [4.0]], [0, 0, 1], 1, "nearest")
    yield case([[1.0], [2.0], [4.0]], [0, 1, 0], 1, "all k")
    yield case([[0.0, 1.0], [2.0, 0.0], [3.0, 5.0]], [0, 1, 0], 1, "Euclidean")  # by |x| + |y|, sample 2 is nearer to 1
    yield case([[0.0, 1.0], [1.0, 3.0], [4.0, 0.0]], [0, 1, 0], 1, "Euclidean")  # by max(|x|, |y|), it is, too
    yield case([[1.0], [1.0]], [0, 1], 1, "twin")
    for _ in range(5):
        features = [[random.gauss(0, 1) for _ in "xyz"] for _ in range(9)]
        yield case(features, [random.randint(0, 2) for _ in range(9)], 3, "all k")


EXERCISES = {
    "5.1": Exercise(
        cases=label_cases,
        expected=count_shares,
        ideas={
            "share": {
                "en": "a share is how often the class occurs, divided by the number of labels",
                "zh": "占比是这个类别出现的次数除以标签总数",
            },
            "order": {
                "en": "the shares stand in the order of the classes: 0, 1, 2, …",
                "zh": "占比按类别的次序排列：0、1、2……",
            },
            "never": {
                "en": "a class that never occurs has its place, too: 0.0",
                "zh": "从未出现的类别也要占一个位置，值为 0.0",
            },
            "empty": {
                "en": "without labels there is nothing to divide by: all shares are 0.0",
                "zh": "一个标签也没有时，不能除以 0：占比全为 0.0",
            },
        },
        hints={
            "en": [
                "How often does class 0 occur among the labels? How often class 1? Out of how many?",
                "labels.count(k) counts; range(num_classes) names every class. And if len(labels) is 0?",
                "[labels.count(k) / max(len(labels), 1) for k in range(num_classes)]",
            ],
            "zh": [
                "类别 0 在标签里出现几次？类别 1 呢？标签一共有几个？",
                "labels.count(k) 用来数次数，range(num_classes) 给出每个类别。如果 len(labels) 是 0 呢？",
                "[labels.count(k) / max(len(labels), 1) for k in range(num_classes)]",
            ],
        },
    ),
    "5.2": Exercise(
        cases=class_cases,
        expected=average,
        ideas={
            "scale": {"en": "the scale stays 0 … 255", "zh": "数值仍按 0 … 255 来表示，不要缩放"},
            "mean": {
                "en": "the mean: add up the images of a class, and divide by how many there are",
                "zh": "平均值：把同一类别的图片加起来，再除以张数",
            },
            "fraction": {
                "en": "a mean can have a fraction: turn the images into float32 first",
                "zh": "平均值可以带小数：先把图片转换成 float32",
            },
            "overflow": {
                "en": "uint8 ends at 255, and larger sums begin again at 0: turn the images into float32 first",
                "zh": "uint8 最大是 255，超出就从 0 重新数起：先把图片转换成 float32",
            },
            "pixel": {
                "en": "each pixel has its own mean: over the images, not over height or width",
                "zh": "每个像素各有自己的平均值：对图片求平均，而不是对高或宽",
            },
            "class": {
                "en": "each class has its own mean, of just the images with its label",
                "zh": "每个类别各求各的平均值，只用标签是它的那些图片",
            },
            "empty": {
                "en": "a class without images gets zeros, not nan",
                "zh": "没有图片的类别全为 0，而不是 nan",
            },
        },
        hints={
            "en": [
                "Begin with a tensor of zeros for all classes. Which images have the label k?",
                "images[labels == k] are those. Their mean is over axis 0, and needs float32.",
                "for k in labels.unique(): means[k] = images[labels == k].float().mean(dim=0)",
            ],
            "zh": [
                "先为所有类别准备一个全是 0 的张量。哪些图片的标签是 k？",
                "images[labels == k] 就是这些图片。沿第 0 轴求平均值，而且要先转换成 float32。",
                "for k in labels.unique(): means[k] = images[labels == k].float().mean(dim=0)",
            ],
        },
    ),
    "5.3": Exercise(
        cases=picture_cases,
        expected=lay_out,
        ideas={
            "row by row": {
                "en": "from left to right, then the next row",
                "zh": "从左到右摆满一行，再摆下一行",
            },
            "whole": {
                "en": "every image stays whole, in a place of H × W pixels of its own",
                "zh": "每张图片都保持完整，各占一块 H × W 像素的位置",
            },
            "free": {
                "en": "the last row may be short; what stays free there is 0",
                "zh": "最后一行可以不满，空出来的地方是 0",
            },
        },
        hints={
            "en": [
                "Begin with a picture of zeros that is large enough. In which row and column is image i?",
                "Row i // columns, column i % columns. Its first pixel is at row * H, column * W.",
                "picture[top : top + height, left : left + width] = image, with rows = -(-count // columns) in all",
            ],
            "zh": [
                "先准备一张够大的、全为 0 的大图。第 i 张图片在第几行、第几列？",
                "在第 i // columns 行、第 i % columns 列。它的左上角在“行 × H”“列 × W”处。",
                "picture[top : top + height, left : left + width] = image；总行数 rows = -(-count // columns)",
            ],
        },
    ),
    "5.4": Exercise(
        cases=copy_cases,
        expected=find_equal,
        ideas={
            "itself": {
                "en": "an image that equals none before it has no pair, not even with itself",
                "zh": "前面没有和它相同的图片，就不能成对；和它自己不算",
            },
            "pair": {
                "en": "an image that equals an earlier one gives a pair: (the earlier one's number, its own)",
                "zh": "和前面某张相同的图片给出一对编号：（前面那张，它自己）",
            },
            "pixel": {
                "en": "images are equal if every pixel is, each with the one in the same place",
                "zh": "两张图片相同，是指同一位置上的像素个个相同",
            },
            "anywhere": {
                "en": "the earlier image can be any of those before, not only the one just before",
                "zh": "前面的图片可以是之前的任何一张，不只是紧挨着的那张",
            },
            "first": {
                "en": "one pair for each image that was seen before, with the first that it equals",
                "zh": "前面出现过的图片，每张只成一对：和最早与它相同的那张",
            },
            "order": {
                "en": "the pairs are in the order of the later image, j",
                "zh": "各对按后面那张图片 j 的次序排列",
            },
        },
        hints={
            "en": [
                "Go through the images in order, and remember which you have seen, and where first.",
                "A dictionary remembers: what you look up must be fixed, such as image.numpy().tobytes().",
                "if key in first: pairs.append((first[key], j)); then first.setdefault(key, j)",
            ],
            "zh": [
                "按次序看每张图片，记住见过哪些，第一次见到是在哪里。",
                "可以用字典来记：字典的键必须是不可变的，例如 image.numpy().tobytes()。",
                "if key in first: pairs.append((first[key], j))，然后 first.setdefault(key, j)",
            ],
        },
    ),
    "5.5": Exercise(
        cases=neighbour_cases,
        expected=look_around,
        ideas={
            "none": {
                "en": "a suspect is a sample whose label none of its neighbours has; which labels they have does not matter",
                "zh": "邻居里没有一个和它标签相同，这样的样本才可疑；邻居各是什么标签并不重要",
            },
            "itself": {
                "en": "a sample is not its own neighbour: leave it out, whatever else is near",
                "zh": "样本不是它自己的邻居：找邻居时要把它自己排除在外",
            },
            "nearest": {
                "en": "the neighbours are the samples at the smallest distances",
                "zh": "邻居是距离最小的那些样本",
            },
            "all k": {"en": "all k neighbours count, not one more or less", "zh": "k 个邻居都要看，不多也不少"},
            "Euclidean": {
                "en": "the distance is Euclidean: the root of the sum of the squared differences, over all features",
                "zh": "距离是欧几里得距离：所有特征之差的平方和，再开方",
            },
            "twin": {
                "en": "another sample can be at distance 0: leave the sample itself out by its number, not by its distance",
                "zh": "别的样本与它的距离也可能是 0：要按编号排除它自己，而不是按距离",
            },
        },
        hints={
            "en": [
                "torch.cdist(features, features) gives all distances. How do you keep a sample from finding itself?",
                'distances.fill_diagonal_(float("inf")) does; topk(k, largest=False).indices are the neighbours.',
                "(labels[neighbours] != labels[:, None]).all(dim=1) says who is alone; nonzero() gives the numbers.",
            ],
            "zh": [
                "torch.cdist(features, features) 给出所有距离。怎样才能不让样本找到它自己？",
                'distances.fill_diagonal_(float("inf")) 就行；邻居是 topk(k, largest=False).indices。',
                "(labels[neighbours] != labels[:, None]).all(dim=1) 指出哪些样本落单，nonzero() 给出它们的编号。",
            ],
        },
    ),
}

QUIZZES = {
    "5.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "the picture may also be an unusual one: a 4 that is drawn like a 9 is still a 4",
                "b": "a wrong label or an unusual picture: only looking tells",
                "c": "a duplicate would have its twin as its nearest neighbour, as a rule with the same label",
            },
            "zh": {
                "a": "也可能是图片不寻常：一个 4 写得像 9，也还是 4",
                "b": "是标签错了，还是图片不寻常，只有亲眼看了才知道",
                "c": "如果是重复的图片，离它最近的就是和它一样的那张，标签通常也相同",
            },
        },
    ),
}
