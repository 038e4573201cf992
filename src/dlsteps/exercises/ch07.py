"""Lesson 07, pretrained models."""

import math
from collections import OrderedDict

import torch
from torch import nn

from dlsteps.exercises.compare import same
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong


def first_k(logits, names, k):
    """Softmax as in its definition, in double precision; then take the largest that is left, k times."""
    powers = [math.exp(logit) for logit in logits.tolist()]
    left, pairs = list(range(len(names))), []
    for _ in range(k):
        best = max(left, key=lambda i: powers[i])
        left.remove(best)
        pairs.append((names[best], powers[best] / sum(powers)))
    return pairs


def logit_cases(random):
    def case(idea, logits, names, k):
        return Case((torch.tensor(logits), names, k), idea)

    yield case("softmax", [0.0], ["cat"], 1)
    yield case("softmax", [2.0], ["cat"], 1)
    yield case("pairs", [3.0, 1.0], ["cat", "dog"], 2)
    yield case("pairs", [1.0, 3.0], ["cat", "dog"], 2)
    yield case("pairs", [1.0, 3.0, 2.0], ["cat", "dog", "owl"], 3)
    yield case("k", [0.0, 50.0], ["cat", "dog"], 1)  # dog has 1.0, with or without the cat
    yield case("all classes", [1.0, 3.0], ["cat", "dog"], 1)
    yield case("all classes", [-1.0, -3.0, -2.0], ["cat", "dog", "owl"], 2)
    yield case("same name", [1.0, 3.0], ["crane", "crane"], 2)  # ImageNet's are a bird and a machine
    yield case("overflow", [100.0, 99.0], ["cat", "dog"], 2)
    yield case("overflow", [-200.0, -201.0], ["cat", "dog"], 2)
    for k in (1, 3, 6):
        yield case("all classes", random.sample([i / 2 for i in range(-9, 9)], 6), list("abcdef"), k)


def cut(state_dict, prefix):
    """Look at the letters of each name, one by one."""
    pairs = []
    for name, tensor in state_dict.items():
        begins = len(name) >= len(prefix) and all(name[i] == prefix[i] for i in range(len(prefix)))
        pairs.append((name[len(prefix) :] if begins else name, tensor))
    return dict(pairs)


def name_cases():
    """OrderedDict where there are several names: so `state_dict()` gives them, and so a message shows their order."""

    def case(idea, names, prefix="module."):
        kind = dict if len(names) < 2 else OrderedDict
        return Case((kind((name, torch.tensor([i + 1.0])) for i, name in enumerate(names)), prefix), idea)

    yield case("prefix", ["module.bias"])
    yield case("letters", ["module.dense"])  # lstrip would leave "nse"
    yield case("once", ["module.module.weight"])
    yield case("once", ["module.submodule.weight"])
    yield case("others", ["head.weight"])
    yield case("middle", ["head.module.weight"])
    yield case("middle", ["submodule.weight"])
    yield case("any text", ["net.ten.weight"], "net.")
    yield case("any text", ["net1.weight"], "net.")  # in a regular expression the dot is any character
    yield case("any text", ["old_conv.weight"], "old_")
    yield case("any text", ["encoder.blocks.0.weight"], "encoder.blocks.")
    yield case("empty", [])
    yield case("order", ["module.stem", "head", "module.blocks"])
    yield case("order", ["stem", "module.head", "blocks", "module.body"])
    yield case("clash", ["module.module.weight", "module.weight"])  # the second name is the first one's new name
    yield case("others", ["module.head.weight", "modules.weight", "module"])


def judge_unwrap(probe):
    """Compare names and values as ever; then see whether the dictionary is new, its order kept, its tensors no copies."""
    answer, calls = probe.answer, []

    def watched(state_dict, prefix):
        calls[:] = state_dict, answer(state_dict, prefix)
        return dict(calls[1]) if isinstance(calls[1], dict) else calls[1]  # any kind of dictionary will do

    probe.answer = watched
    for case in name_cases():
        expected = cut(*case.args)
        probe.expect(expected, *case.args, idea=case.idea)
        given, got = calls
        if got is given:
            raise Wrong("new", case=case.args)
        if list(got) != list(expected):
            raise Wrong("order", case=case.args, expected=list(expected), got=list(got))
        for name, tensor, mine in zip(got, given.values(), got.values(), strict=True):
            if mine is not tensor:
                raise Wrong("copies", case=case.args, name=name)


def sort_names(ours, theirs):
    """Put each name into its list: first ours, then theirs."""
    loaded, missing, unexpected, mismatched = [], [], [], []
    for name in ours:
        if name not in theirs:
            missing.append(name)
        elif list(ours[name]) == list(theirs[name]):
            loaded.append(name)
        else:
            mismatched.append(name)
    for name in theirs:
        if name not in ours:
            unexpected.append(name)
    return loaded, missing, unexpected, mismatched


def shape_cases(random):
    """Until the order is looked at, there is only one name to a list: a set has these in the right order, too."""
    yield Case(({"weight": (2,)}, {"weight": (2,)}), "loaded")
    yield Case(({"weight": (2,)}, {}), "missing")
    yield Case(({}, {"weight": (2,)}), "unexpected")
    yield Case(({"weight": (2,)}, {"weight": (3,)}), "mismatched")
    yield Case(({"bn": (2,)}, {"bn1": (2,)}), "by name")
    yield Case(({"stem": (2,), "head": (3,)}, {"head": (3,), "neck": (2,)}), "by name")
    yield Case(({"weight": (64, 32)}, {"weight": (32, 64)}), "whole shape")
    for ours, theirs in [((2, 3), (2,)), ((2,), (2, 3)), ((2,), (2, 1)), ((1,), ()), ((), (1,))]:
        yield Case(({"weight": ours}, {"weight": theirs}), "no axes" if () in (ours, theirs) else "whole shape")
    yield Case(({"num_batches_tracked": ()}, {"num_batches_tracked": ()}), "no axes")
    yield from order_cases(random)
    for _ in range(5):
        sides = [{name: random.choice([(2, 3), (3, 2), ()]) for name in random.sample("abcdefgh", 6)} for _ in "ab"]
        yield Case(tuple(sides), "order")


def order_cases(random):
    """OrderedDict, since a message shows the order of its names."""
    for one, other in [((2,), (2,)), ((2,), (3,))]:
        ours, theirs = [("stem", one), ("head", one)], [("head", other), ("stem", other)]
        yield Case((OrderedDict(ours), OrderedDict(theirs)), "order")
    pairs = [("stem", (2,)), ("head", (3,))]
    yield Case((OrderedDict(pairs), OrderedDict()), "order")
    yield Case((OrderedDict(), OrderedDict(pairs)), "order")
    for _ in range(2):  # so many names that no set has them in order by chance
        names = random.sample("abcdefghijklmnopqrstuvwxyzABCDEF", 32)
        ours = OrderedDict((name, (2,)) for name in names[:24])
        theirs = OrderedDict((name, (2 + (name in names[:8]),)) for name in random.sample(names[:16] + names[24:], 24))
        yield Case((ours, theirs), "order")


class Model(nn.Module):
    """A module of the parts that are given."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def layer(frozen=False, bias=False):
    return nn.Linear(2, 2, bias).requires_grad_(not frozen)


def scale():
    return nn.Parameter(torch.ones(2))


def submodule_cases():
    """The idea, a model, and the name of a submodule; until the order is looked at, one parameter is to train."""
    yield "names", Model(head=layer()), "head"
    yield "others", Model(body=layer(), head=layer()), "head"
    yield "others", Model(scale=scale(), head=layer(), tail=nn.BatchNorm1d(2)), "head"
    yield "frozen", Model(body=layer(frozen=True), head=layer(frozen=True)), "head"
    yield "dot", Model(head=layer(), head2=layer(), head_norm=layer()), "head"
    yield "whole name", Model(ahead=Model(head=layer()), head=layer()), "head"
    yield "whole name", Model(ahead=Model(head=layer()), body=Model(ahead=Model(head=layer()))), "ahead.head"
    yield "nested", Model(blocks=nn.Sequential(layer(), layer()), head=layer(frozen=True)), "blocks.1"
    yield "nested", Model(body=Model(scale=scale(), stem=Model(conv=layer(), norm=layer()))), "body.stem.conv"
    yield "dot", Model(blocks=nn.Sequential(*[layer() for _ in range(11)]), blocks_1=layer()), "blocks.1"
    yield "inside", Model(stem=layer(), head=nn.Sequential(nn.ReLU(), Model(norm=layer(frozen=True)))), "head"
    yield "order", Model(body=layer(), head=layer(bias=True)), "head"
    yield "order", Model(body=layer(), head=nn.Sequential(*[layer(i % 2, bias=True) for i in range(6)])), "head"
    yield "buffers", Model(body=nn.BatchNorm1d(2), head=nn.BatchNorm1d(2)), "head"


def describe(model):
    """What a look at the model shows: which tensors train, and all that has to stay as it is."""
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    return {
        "requires_grad": {name: tensor.requires_grad for name, tensor in tensors.items()},
        "data": {name: tensor.detach().clone() for name, tensor in tensors.items()},
        "grad": {name: None if tensor.grad is None else tensor.grad.clone() for name, tensor in tensors.items()},
        "training": {name: module.training for name, module in model.named_modules()},
    }


def judge_train_only(probe):
    """Compare the names that are returned; then look at the model that the answer worked on."""
    answer, looks = probe.answer, []

    def watched(model, name):
        for i, parameter in enumerate(model.parameters()):
            parameter.grad = torch.full_like(parameter, float(i))
        looks[:] = describe(model), answer(model, name), describe(model)
        return looks[1]

    probe.answer = watched
    for idea, model, name in submodule_cases():
        model.get_submodule(name).eval()  # one part in another mode than the rest
        names = [inner for inner, _ in model.get_submodule(name).named_parameters(prefix=name)]
        probe.expect(names, model, name, idea=idea)
        before, _, after = looks
        expected = {inner: inner in names for inner in before["requires_grad"]}
        if after["requires_grad"] != expected:
            raise Wrong(idea, case=(model, name), expected=expected, got=after["requires_grad"])
        for what in ("data", "grad", "training"):
            if not same(after[what], before[what]):
                raise Wrong("only", case=(model, name), what=what)


def choose(features, labels, queries):
    """One query after the other, one class after the other, with Python's numbers."""
    features, labels, chosen = features.tolist(), labels.tolist(), []
    for query in queries.tolist():
        cosines = []
        for k in range(max(labels) + 1):
            members = [feature for feature, label in zip(features, labels, strict=True) if label == k]
            mean = [sum(values) / len(members) for values in zip(*members, strict=True)]
            product = sum(a * b for a, b in zip(query, mean, strict=True))
            cosines.append(product / math.hypot(*query) / math.hypot(*mean))
        chosen.append(cosines.index(max(cosines)))
    return torch.tensor(chosen)


def vectors(random, count, size):
    return [[random.gauss(0.5, 1) for _ in range(size)] for _ in range(count)]


def feature_cases(random):
    def case(idea, features, labels, queries):
        return Case((torch.tensor(features).float(), torch.tensor(labels), torch.tensor(queries).float()), idea)

    yield case("nearest", [[1, 0]], [0], [[2, 1]])
    yield case("nearest", [[2, 0], [0, 2]], [0, 1], [[1, 3]])
    yield case("nearest", [[2, 0], [0, 2]], [0, 1], [[3, 1], [1, 3], [0, 2]])
    yield case("nearest", [[1, 0], [-1, 1]], [0, 1], [[-2, 0]])  # class 0 is just opposite
    yield case("class", [[1, 0], [0, 1]], [1, 0], [[1, 3]])
    yield case("Euclidean", [[1, 0], [8, 6]], [0, 1], [[2, 1]])
    yield case("product", [[1, 0], [8, 6]], [0, 1], [[8, 1]])
    yield case("mean", [[1, 0], [0, 1], [2, 1]], [0, 0, 1], [[1, 1]])  # the nearest feature is 2, 1
    yield case("mean", [[1, 0], [2, 0], [4, 0], [1, 1]], [0, 0, 0, 1], [[4, 3]])  # three features are no majority
    yield case("as they are", [[1, 0], [0, 9], [2, 1]], [0, 0, 1], [[1, 1]])
    yield case("mean", [[1, 0], [1, 0], [1, 9], [2, 2]], [0, 0, 0, 1], [[1, 3]])  # the median is 1, 0
    yield case("class", [[1, 0], [0, 1], [0, 3], [2, 1]], [1, 0, 0, 1], [[3, 1], [1, 3]])
    for classes, count, size in [(3, 7, 5), (4, 20, 3), (2, 9, 8)]:
        labels = [*range(classes), *(random.randrange(classes) for _ in range(count - classes))]
        random.shuffle(labels)
        yield case("mean", vectors(random, count, size), labels, vectors(random, 6, size))


EXERCISES = {
    "7.1": Exercise(
        cases=logit_cases,
        expected=first_k,
        ideas={
            "softmax": {
                "en": "softmax makes probabilities of the logits: each from 0 to 1, and all together 1",
                "zh": "softmax 把 logits 变成概率：每个都在 0 到 1 之间，加起来等于 1",
            },
            "pairs": {
                "en": "the most probable class comes first, and each name has its own class's probability",
                "zh": "概率最大的类别排在最前面；名字和概率要属于同一个类别",
            },
            "k": {
                "en": "just k pairs: those of the k most probable classes",
                "zh": "只要 k 对，也就是概率最大的 k 个类别",
            },
            "all classes": {
                "en": "softmax over all classes first, then the k largest: these need not add up to 1",
                "zh": "先对所有类别做 softmax，再取最大的 k 个；这 k 个概率加起来不一定等于 1",
            },
            "same name": {
                "en": "two classes can have the same name: go by the class's number, not by its name",
                "zh": "不同的类别可能同名：要按类别的编号来找，而不是按名字",
            },
            "overflow": {
                "en": "in float32, exp(100) is inf and exp(-200) is 0; torch's softmax knows how to avoid that",
                "zh": "在 float32 里，exp(100) 是 inf，exp(-200) 是 0；torch 自带的 softmax 会避开这个问题",
            },
        },
        hints={
            "en": [
                "First turn all logits into probabilities. Then: at which places are the k largest of them?",
                "logits.softmax(dim=0) are the probabilities; topk(k) of these gives the largest, and their places.",
                "values, indices = logits.softmax(dim=0).topk(k); tolist() makes Python numbers of both; names[i] is the name",
            ],
            "zh": [
                "先把所有的 logits 变成概率。其中最大的 k 个在哪些位置？",
                "logits.softmax(dim=0) 就是概率；再用 topk(k)，得到最大的 k 个值和它们的位置。",
                "values, indices = logits.softmax(dim=0).topk(k)；tolist() 把两者变成 Python 的数；名字是 names[i]",
            ],
        },
    ),
    "7.2": Exercise(
        judge=judge_unwrap,
        ideas={
            "prefix": {
                "en": "a name that begins with the prefix loses just that; its tensor stays with it",
                "zh": "以前缀开头的名字只去掉这段前缀，对应的张量不变",
            },
            "letters": {
                "en": "the prefix is a piece of text, not a choice of letters: lstrip takes away more",
                "zh": "前缀是一整段文字，不是一组字母：lstrip 会把后面的字母也去掉",
            },
            "once": {
                "en": "it goes once, at the start: all that comes after it stays, even if it is the same text again",
                "zh": "只在开头去掉一次，后面的部分都要留下，即使其中又出现同样的文字",
            },
            "others": {
                "en": "a name that does not begin with the prefix stays as it is, and stays in the dictionary",
                "zh": "不以前缀开头的名字保持原样，而且仍要留在字典里",
            },
            "middle": {
                "en": "a name that holds the prefix further on does not begin with it",
                "zh": "这段文字出现在名字中间，不算以它开头",
            },
            "any text": {
                "en": "the prefix is the text that is given, letter for letter, with or without a dot at its end; a dot is just a dot",
                "zh": "前缀就是给定的那段文字，必须逐字相同，不一定以点结尾；其中的点也只代表点本身",
            },
            "empty": {
                "en": "of a dictionary without names comes a new one without names",
                "zh": "字典里一个名字也没有时，得到的新字典也是空的",
            },
            "order": {
                "en": "the names keep their order, those that change and those that stay",
                "zh": "名字的顺序不变，不管是改了的还是没改的",
            },
            "clash": {
                "en": "a new name can be the old name of another tensor: begin with an empty dictionary, and none gets lost",
                "zh": "新名字可能正好是另一个张量的旧名字：从空字典开始往里放，就不会有张量丢失",
            },
            "new": {
                "en": "for {case}: it returns the dictionary that it was given, not a new one",
                "zh": "输入 {case} 时，返回的就是传入的那个字典，而不是新的字典",
            },
            "copies": {
                "en": "for {case}: {name!r} is not the same tensor, but a copy; a network's weights are large",
                "zh": "输入 {case} 时，{name!r} 不是原来的那个张量，而是副本；网络的权重很占内存",
            },
        },
        hints={
            "en": [
                "Go through the pairs of name and tensor. What becomes of a name, if it begins with the prefix, and if not?",
                "name.startswith(prefix) asks; name[len(prefix):] is the rest. Or look for a method of str that does both.",
                "{name.removeprefix(…): tensor for name, tensor in state_dict.items()}",
            ],
            "zh": [
                "一对一对地看名字和张量。名字以前缀开头时变成什么？不以前缀开头呢？",
                "name.startswith(prefix) 用来判断，name[len(prefix):] 是剩下的部分。str 也有一个方法，能一次做完这两件事。",
                "{name.removeprefix(…): tensor for name, tensor in state_dict.items()}",
            ],
        },
    ),
    "7.3": Exercise(
        cases=shape_cases,
        expected=sort_names,
        ideas={
            "loaded": {
                "en": "the first list: names in both, with the same shape; all four lists hold names only",
                "zh": "第一个列表：两边都有、形状也相同的名字；四个列表里都只有名字",
            },
            "missing": {
                "en": "the second list: names that only ours has",
                "zh": "第二个列表：只有 ours 里才有的名字",
            },
            "unexpected": {
                "en": "the third list: names that only theirs has",
                "zh": "第三个列表：只有 theirs 里才有的名字",
            },
            "mismatched": {
                "en": "the fourth list: names in both, with different shapes; they are in none of the others",
                "zh": "第四个列表：两边都有、形状却不同的名字；这些名字不在其他列表里",
            },
            "by name": {
                "en": "names decide, whole names: neither the place in the dictionary nor the shape does",
                "zh": "要看完整的名字，而不是看在字典里的位置，也不是看形状",
            },
            "whole shape": {
                "en": "two shapes are the same if they have the same lengths in the same order, not just as many elements",
                "zh": "两个形状相同，是指各轴长度按顺序都相同；只是元素个数相等还不够",
            },
            "no axes": {
                "en": "() is a shape, too, that of a single number, and it is not (1,): `if shape` takes it for nothing",
                "zh": "() 也是形状，表示单个数，和 (1,) 不同；写成 if shape 会把它当作没有",
            },
            "order": {
                "en": "names are in the order of ours, those of the third list in the order of theirs",
                "zh": "名字按 ours 的顺序排列，第三个列表按 theirs 的顺序排列",
            },
        },
        hints={
            "en": [
                "Take one name of ours. Is it in theirs? If so, are the two shapes equal? That puts it into one of three lists.",
                "`name in theirs` asks for the name; (64, 32) == (32, 64) is False. The third list goes through theirs.",
                "loaded: [name for name in ours if name in theirs and ours[name] == theirs[name]]; the others likewise",
            ],
            "zh": [
                "先看 ours 里的一个名字。theirs 里有它吗？有的话，两个形状相等吗？由此就知道它归入三个列表中的哪一个。",
                "name in theirs 判断有没有这个名字；(64, 32) == (32, 64) 是 False。第三个列表要从 theirs 里找。",
                "loaded 是 [name for name in ours if name in theirs and ours[name] == theirs[name]]，其他几个也类似",
            ],
        },
    ),
    "7.4": Exercise(
        judge=judge_train_only,
        ideas={
            "names": {
                "en": "the names are those that model.named_parameters() gives, such as head.weight, of what trains now",
                "zh": "要返回的是现在参与训练的参数的名字，写法与 model.named_parameters() 给出的相同，例如 head.weight",
            },
            "others": {
                "en": "requires_grad is False for every parameter outside the submodule, wherever in the model it is",
                "zh": "子模块以外的每个参数，不管在模型的什么地方，requires_grad 都是 False",
            },
            "frozen": {
                "en": "what was frozen in the submodule trains again: requires_grad is True for all of it",
                "zh": "子模块里原来冻结的参数也要重新参与训练：requires_grad 都是 True",
            },
            "dot": {
                "en": "a name can begin like the submodule's and be another's: head2 like head, blocks.10 like blocks.1",
                "zh": "开头相同的名字可能属于别的子模块：head2 和 head，blocks.10 和 blocks.1",
            },
            "whole name": {
                "en": "the name leads from the model itself to the submodule: head is not ahead.head",
                "zh": "名字是从模型本身开始、一直到子模块的路径：head 不是 ahead.head",
            },
            "nested": {
                "en": "a name with dots leads into a submodule of a submodule; what is beside it does not train",
                "zh": "名字中带点（.），指的是子模块里面的子模块；它旁边的参数不参与训练",
            },
            "inside": {
                "en": "a submodule can hold modules itself: their parameters belong to it",
                "zh": "子模块里面还可以有模块，它们的参数也属于这个子模块",
            },
            "buffers": {
                "en": "only parameters train: the running statistics of a BatchNorm layer are buffers",
                "zh": "参与训练的只有参数：批量规范化层里累积的统计量是缓冲区（buffer），不是参数",
            },
            "order": {
                "en": "all of the submodule's parameters, in the order of model.named_parameters()",
                "zh": "子模块的全部参数，按 model.named_parameters() 的顺序排列",
            },
            "only": {
                "en": "for {case}: a .{what} is not as it was before; requires_grad is all that may change",
                "zh": "输入 {case} 时，有的 .{what} 变了；能改的只有 requires_grad",
            },
        },
        hints={
            "en": [
                "Two steps: first freeze everything, then let the submodule train. How do you find it by its name?",
                "model.get_submodule(name) finds it; module.requires_grad_(…) sets all parameters of a module at once.",
                "model.requires_grad_(False); the submodule the other way; then [n for n, p in model.named_parameters() if …]",
            ],
            "zh": [
                "分两步：先冻结所有参数，再让子模块参与训练。怎样按名字找到它？",
                "model.get_submodule(name) 用来找子模块；module.requires_grad_(…) 一次设好一个模块的所有参数。",
                "model.requires_grad_(False)；子模块则反过来；最后 [n for n, p in model.named_parameters() if …]",
            ],
        },
    ),
    "7.5": Exercise(
        cases=feature_cases,
        expected=choose,
        ideas={
            "nearest": {
                "en": "the class whose mean has the largest cosine similarity with the query: 1 is the same direction, -1 the opposite",
                "zh": "对每个查询，取平均值与它余弦相似度最大的那个类别：方向相同时为 1，正好相反时为 -1",
            },
            "class": {
                "en": "mean k is that of the features with label k, wherever they stand and however many there are",
                "zh": "第 k 个平均值只由标签为 k 的特征求得，不管它们在哪里、有几个",
            },
            "Euclidean": {
                "en": "the direction counts, not the distance: a mean that is far away can have the same direction",
                "zh": "看的是方向，不是距离：离得远的平均值，方向也可能相同",
            },
            "product": {
                "en": "the dot product is large if a mean is long: divide by the mean's length",
                "zh": "平均值这个向量越长，点积就越大：要除以它的长度",
            },
            "mean": {
                "en": "compare with the mean of a class, not with its single features",
                "zh": "要和类别的平均值比较，而不是和其中单个的特征比较",
            },
            "as they are": {
                "en": "the mean is that of the features as they are: normalise after it, not before",
                "zh": "平均值要对原样的特征来求：即使要把长度化为 1，也得在求平均值之后",
            },
        },
        hints={
            "en": [
                "One mean for each class first: a (K, D) tensor. What is left of the cosine when all lengths are 1?",
                "features[labels == k].mean(dim=0) is one mean; F.normalize gives each row of a tensor the length 1.",
                "F.normalize(queries) @ F.normalize(means).T is (M, K), the cosine of each query with each mean",
            ],
            "zh": [
                "先给每个类别求一个平均值，得到 (K, D) 的张量。如果长度都是 1，余弦的公式还剩下什么？",
                "features[labels == k].mean(dim=0) 是其中一个平均值；F.normalize 把张量每一行的长度化为 1。",
                "F.normalize(queries) @ F.normalize(means).T 的形状是 (M, K)，即每个查询与每个平均值的余弦",
            ],
        },
    ),
}

QUIZZES = {
    "7.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "they can be computed once only while the pictures stay the same; a shifted picture has other features",
                "b": "other pixels, other features: each epoch sends every picture through the whole extractor again",
                "c": "frozen stays frozen: it has to run again, but nothing in it has to learn",
            },
            "zh": {
                "a": "只有图片不变，特征才能只算一次；图片平移以后，特征也变了",
                "b": "像素变了，特征就变了：每个轮次都要让每张图片重新通过整个特征提取器",
                "c": "冻结的部分仍然冻结：它要重新计算，但不需要训练",
            },
        },
    ),
}
