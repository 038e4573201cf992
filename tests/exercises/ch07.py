"""Answers to the exercises of lesson 07."""

import copy
import heapq
import math
import operator
import re
from collections import OrderedDict, namedtuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from dlsteps.models.loading import freeze


def by_topk(logits, names, k):
    values, indices = logits.softmax(0).topk(k)
    return [(names[i], p) for p, i in zip(values.tolist(), indices.tolist(), strict=True)]


def by_sorting_pairs(logits, names, k):
    pairs = zip(names, torch.softmax(logits, -1).tolist(), strict=True)
    return sorted(pairs, key=lambda pair: pair[1], reverse=True)[:k]


def in_numpy(logits, names, k):
    powers = np.exp(logits.numpy() - logits.numpy().max())
    best = np.argsort(-powers)[:k]
    return list(zip(np.array(names)[best], (powers / powers.sum())[best], strict=True))


def by_log(logits, names, k):
    logs = logits - logits.logsumexp(0)
    return [
        (names[i], math.exp(logs[i])) for i in heapq.nlargest(k, range(len(names)), key=logits.tolist().__getitem__)
    ]


def one_after_the_other(logits, names, k):
    left, pairs = F.softmax(logits.double(), dim=0), []
    for _ in range(k):
        i = int(left.argmax())
        pairs.append((names[i], float(left[i])))
        left[i] = -1
    return pairs


def over_the_k(logits, names, k):
    values, indices = logits.topk(k)
    return [(names[i], p) for p, i in zip(values.softmax(0).tolist(), indices.tolist(), strict=True)]


def with_values(values):
    """An answer in which something else stands where the probabilities should."""

    def answer(logits, names, k):
        found = values(logits)
        return [(names[i], found[i].item()) for i in found.argsort(descending=True)[:k]]

    return answer


def smallest_first(logits, names, k):
    return by_topk(logits, names, k)[::-1]


def the_smallest(logits, names, k):
    values, indices = logits.softmax(0).topk(k, largest=False)
    return [(names[i], p) for p, i in zip(values.tolist(), indices.tolist(), strict=True)]


def the_first_names(logits, names, k):
    return [*zip(names, logits.softmax(0).sort(descending=True).values.tolist(), strict=True)][:k]


def not_sorted(logits, names, k):
    return [*zip(names, logits.softmax(0).tolist(), strict=True)][:k]


def wrong_way_round(logits, names, k):
    p, ranks = logits.softmax(0), logits.argsort(descending=True).argsort()
    return [(names[i], p[logits.argsort(descending=True)[j]].item()) for j, i in enumerate(ranks[:k].tolist())]


def by_dictionary(logits, names, k):
    found = dict(zip(names, logits.softmax(0).tolist(), strict=True))
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def by_names_index(logits, names, k):
    p = logits.softmax(0).tolist()
    return [(name, p[names.index(name)]) for name, _ in by_topk(logits, names, k)]


def look_up_the_probability(logits, names, k):
    probabilities = logits.softmax(0).tolist()
    return [(names[probabilities.index(p)], p) for p in sorted(probabilities)[: -k - 1 : -1]]


def take_out_of_logits(logits, names, k):
    probabilities, pairs = logits.softmax(0), []
    for _ in range(k):
        i = logits.argmax()
        pairs.append((names[i], probabilities[i].item()))
        logits[i] = -math.inf
    return pairs


def exp_by_hand(logits, names, k):
    return with_values(lambda x: x.exp() / x.exp().sum())(logits, names, k)


def by_starting(state_dict, prefix):
    new = {}
    for name, tensor in state_dict.items():
        new[name[len(prefix) :] if name.startswith(prefix) else name] = tensor
    return new


def by_regex(state_dict, prefix):
    start = re.compile("^" + re.escape(prefix))
    return {start.sub("", name): tensor for name, tensor in state_dict.items()}


def ordered(state_dict, prefix):
    return OrderedDict((name.removeprefix(prefix), tensor) for name, tensor in state_dict.items())


def by_partition(state_dict, prefix):
    names = []
    for name in state_dict:
        before, _, after = name.partition(prefix)
        names.append(name if before else after or name)
    return dict(zip(names, state_dict.values(), strict=True))


def by_slicing(state_dict, prefix):
    cut, new = len(prefix), type(state_dict)()
    for name in state_dict:
        new[name[cut * (name[:cut] == prefix) :]] = state_dict[name]
    return new


def by_emptying_a_copy(state_dict, prefix):
    left, new = dict(state_dict), {}
    while left:
        name = next(iter(left))
        new[name.replace(prefix, "", 1) if name.find(prefix) == 0 else name] = left.pop(name)
    return new


def renamed(rename):
    """An answer that makes each new name of the old one and the prefix."""
    return lambda state_dict, prefix: {rename(name, prefix): tensor for name, tensor in state_dict.items()}


def again_and_again(name, prefix):
    while name.startswith(prefix):
        name = name[len(prefix) :]
    return name


def drop_others(state_dict, prefix):
    return {n[len(prefix) :]: tensor for n, tensor in state_dict.items() if n.startswith(prefix)}


def rename_in_place(state_dict, prefix):
    for name in list(state_dict):
        if name.startswith(prefix):
            state_dict[name[len(prefix) :]] = state_dict.pop(name)
    return state_dict


def rename_in_a_copy(state_dict, prefix):
    return rename_in_place(state_dict.copy(), prefix)


def by_torch(state_dict, prefix):
    new = state_dict.copy()
    consume_prefix_in_state_dict_if_present(new, prefix)
    return new


def put_all_back(state_dict, prefix):
    new = dict(state_dict)
    for name in state_dict:
        new[name.removeprefix(prefix)] = new.pop(name)
    return new


def only_if_needed(state_dict, prefix):
    return by_starting(state_dict, prefix) if any(n.startswith(prefix) for n in state_dict) else state_dict


def transpose(state_dict, prefix):
    names, tensors = zip(*state_dict.items(), strict=True)
    return dict(zip([n.removeprefix(prefix) for n in names], tensors, strict=True))


def zeros(state_dict, prefix):
    new = by_starting(state_dict, prefix)
    for tensor in state_dict.values():
        tensor.zero_()
    return new


def next_to_it(state_dict, prefix):
    return {**state_dict, **drop_others(state_dict, prefix)}


def by_get(ours, theirs):
    absent = object()
    loaded = [name for name, shape in ours.items() if theirs.get(name, absent) == shape]
    mismatched = [name for name, shape in ours.items() if theirs.get(name, shape) != shape]
    missing = [name for name in ours if theirs.get(name, absent) is absent]
    return loaded, missing, [name for name in theirs if ours.get(name, absent) is absent], mismatched


def by_sets(ours, theirs):
    both, equal = ours.keys() & theirs.keys(), {name for name, _ in ours.items() & theirs.items()}
    groups = (ours, equal), (ours, ours.keys() - both), (theirs, theirs.keys() - both), (ours, both - equal)
    return tuple([name for name in side if name in group] for side, group in groups)


def by_trying(ours, theirs):
    lists = {True: [], None: [], False: []}
    for name in ours:
        try:
            lists[ours[name] == theirs[name]].append(name)
        except KeyError:
            lists[None].append(name)
    return lists[True], lists[None], list(filter(lambda name: name not in ours, theirs)), lists[False]


def by_using_up(ours, theirs):
    left, loaded, missing, mismatched = dict(theirs), [], [], []
    for name, shape in ours.items():
        if name in left:
            (loaded if left.pop(name) == shape else mismatched).append(name)
        else:
            missing.append(name)
    return loaded, missing, list(left), mismatched


Report = namedtuple("Report", ["loaded", "missing", "unexpected", "mismatched"])


def as_report(ours, theirs):
    kinds = {name: "missing" if name not in theirs else ours[name] == theirs[name] for name in ours}
    kinds |= {name: "unexpected" for name in theirs if name not in ours}
    return Report(
        *([name for name, kind in kinds.items() if kind == k] for k in (True, "missing", "unexpected", False))
    )


def compared(equal):
    """An answer with its own idea of when two shapes are the same."""

    def answer(ours, theirs):
        _, missing, unexpected, _ = by_get(ours, theirs)
        both = [name for name in ours if name in theirs]
        loaded = [name for name in both if equal(ours[name], theirs[name])]
        return loaded, missing, unexpected, [name for name in both if name not in loaded]

    return answer


def picked(*places):
    """An answer whose lists are in other places."""
    return lambda ours, theirs: tuple(by_get(ours, theirs)[place] for place in places)


def if_shape(ours, theirs):
    _, _, unexpected, _ = by_get(ours, theirs)
    loaded = [name for name in ours if theirs.get(name) == ours[name]]
    missing = [name for name in ours if not theirs.get(name)]
    return loaded, missing, unexpected, [name for name in ours if name not in loaded + missing]


def one_and_no_axes(ours, theirs):
    return compared(lambda a, b: (a or (1,)) == (b or (1,)))(ours, theirs)


def place_by_place(ours, theirs):
    loaded, mismatched = [], []
    for (name, a), b in zip(ours.items(), theirs.values(), strict=False):
        (loaded if a == b else mismatched).append(name)
    return loaded, list(ours)[len(theirs) :], list(theirs)[len(ours) :], mismatched


def any_name_with_the_shape(ours, theirs):
    _, missing, unexpected, mismatched = by_get(ours, theirs)
    loaded = [name for name in ours if ours[name] in theirs.values()]
    return loaded, [n for n in missing if n not in loaded], unexpected, [n for n in mismatched if n not in loaded]


def beginnings(ours, theirs):
    def known(name, side):
        return any(other.startswith(name) or name.startswith(other) for other in side)

    missing, unexpected = [n for n in ours if not known(n, theirs)], [n for n in theirs if not known(n, ours)]
    loaded = [n for n in ours if n not in missing and theirs.get(n, ours[n]) == ours[n]]
    return loaded, missing, unexpected, [n for n in ours if n not in loaded + missing]


def filter_first(ours, theirs):
    return by_get(ours, {name: shape for name, shape in theirs.items() if name in ours})


def mismatched_count_as_missing(ours, theirs):
    loaded, missing, unexpected, mismatched = by_get(ours, theirs)
    return loaded, [name for name in ours if name in missing + mismatched], unexpected, mismatched


def only_names_in_both(ours, theirs):
    loaded = [name for name in ours if ours[name] == theirs[name]]
    return loaded, [], [], [name for name in ours if name not in loaded]


def go_through_theirs(ours, theirs):
    loaded, missing, unexpected, mismatched = by_get(ours, theirs)
    return [n for n in theirs if n in loaded], missing, unexpected, [n for n in theirs if n in mismatched]


def as_sets(ours, theirs):
    return tuple(list(set(names)) for names in by_get(ours, theirs))


def use_up_theirs(ours, theirs):
    lists = by_get(ours, theirs)
    for name in ours:
        theirs.pop(name, None)
    return lists[0], lists[1], list(theirs), lists[3]


def with_shapes(ours, theirs):
    lists = by_get(ours, theirs)
    return *lists[:3], [(name, ours[name], theirs[name]) for name in lists[3]]


def train_names(train):
    """An answer in which each parameter trains or not by its name, and those that do are returned."""

    def answer(model, name):
        for inner, parameter in model.named_parameters():
            parameter.requires_grad = bool(train(inner, name))
        return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]

    return answer


def train_module(find):
    """An answer that freezes everything and then finds the module that is to train."""

    def answer(model, name):
        model.requires_grad_(False)
        for parameter in find(model, name).parameters():
            parameter.requires_grad = True
        return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]

    return answer


def walk(model, name):
    for part in name.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model


def by_identity(model, name):
    ids = set(map(id, operator.attrgetter(name)(model).parameters()))
    names = []
    for inner, parameter in model.named_parameters():
        parameter.requires_grad_(id(parameter) in ids)
        names += [inner] if id(parameter) in ids else []
    return names


def by_prefix_of_torch(model, name):
    inside = dict(model.get_submodule(name).named_parameters(prefix=name))
    for inner, parameter in model.named_parameters():
        parameter.requires_grad = inner in inside
    return list(inside)


def module_by_module(model, name):
    for path, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad = f"{path}.".startswith(f"{name}.")
    return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]


def train_head(model, name):
    """Freeze and train, without a word about what trains."""
    model.requires_grad_(False)
    model.get_submodule(name).requires_grad_(True)


SOLVED = train_module(nn.Module.get_submodule)


def names_within(model, name):
    SOLVED(model, name)
    return [inner for inner, _ in model.get_submodule(name).named_parameters()]


def names_only(model, name):
    return [inner for inner, _ in model.named_parameters() if inner.startswith(f"{name}.")]


def never_freeze(model, name):
    model.get_submodule(name).requires_grad_(True)
    return names_only(model, name)


def never_thaw(model, name):
    for inner, parameter in model.named_parameters():
        if not inner.startswith(f"{name}."):
            parameter.requires_grad = False
    return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]


def never_thaw_but_say_so(model, name):
    never_thaw(model, name)
    return names_only(model, name)


def freeze_it(model, name):
    train_head(model, name)
    return [inner for inner, parameter in model.named_parameters() if not parameter.requires_grad]


def freeze_the_submodule(model, name):
    return train_names(lambda inner, name: not inner.startswith(f"{name}."))(model, name)


def freeze_children(model, name):
    for child, module in model.named_children():
        module.requires_grad_(child == name)
    return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]


def only_its_own(model, name):
    model.requires_grad_(False)
    for parameter in model.get_submodule(name).parameters(recurse=False):
        parameter.requires_grad = True
    return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]


def in_list(model, name):
    inside = list(model.get_submodule(name).parameters())
    for parameter in model.parameters():
        parameter.requires_grad = parameter in inside
    return [inner for inner, parameter in model.named_parameters() if parameter.requires_grad]


def through_the_state_dict(model, name):
    for inner, tensor in model.state_dict().items():
        tensor.requires_grad = inner.startswith(f"{name}.") and tensor.is_floating_point()
    return names_only(model, name)


def names_of_the_state_dict(model, name):
    train_head(model, name)
    return [inner for inner in model.state_dict() if inner.startswith(f"{name}.")]


def set_another_attribute(model, name):
    for inner, parameter in model.named_parameters():
        parameter.require_grad = parameter.trains = inner.startswith(f"{name}.")
    return names_only(model, name)


def set_on_modules(model, name):
    for path, module in model.named_modules():
        module.requires_grad = path.startswith(name)
    return names_only(model, name)


def and_then(change):
    """The right answer, which goes on to change something else."""

    def answer(model, name):
        names = SOLVED(model, name)
        change(model)
        return names

    return answer


def zero_what_is_frozen(model):
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data.zero_()


def with_new_parameters(model):
    for module in model.modules():
        for inner, old in list(module.named_parameters(recurse=False)):
            setattr(module, inner, nn.Parameter(old.detach(), old.requires_grad))


def freeze_the_rest(model, name):
    freeze(model)
    model.get_submodule(name).requires_grad_(True)
    return names_only(model, name)


def work_on_a_copy(model, name):
    return SOLVED(copy.deepcopy(model), name)


def class_means(features, labels):
    return torch.stack([features[labels == k].mean(0) for k in range(int(labels.max()) + 1)])


def by_cosine_similarity(features, labels, queries):
    means = class_means(features, labels)
    return F.cosine_similarity(queries[:, None], means[None], dim=-1).argmax(-1)


def by_adding_up(features, labels, queries):
    """A sum points where the mean does, and a query's length is the same for every class."""
    sums = torch.zeros(int(labels.max()) + 1, features.shape[1]).index_add_(0, labels, features)
    return (queries @ F.normalize(sums).T).argmax(1)


def by_unit_distance(features, labels, queries):
    means = F.one_hot(labels).float().T @ features / labels.bincount()[:, None]
    return torch.cdist(F.normalize(queries), F.normalize(means)).argmin(1)


def by_arrays(features, labels, queries):
    x, y, q = features.double().numpy(), labels.numpy(), queries.double().numpy()
    means = np.array([x[y == k].mean(axis=0) for k in np.unique(y)])
    cosines = q @ means.T / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(means, axis=1)
    return torch.from_numpy(cosines.argmax(axis=1))


def by_angles(features, labels, queries):
    means, chosen = class_means(features, labels), []
    for query in queries:
        angles = [torch.acos((query @ mean / (query.norm() * mean.norm())).clamp(-1, 1)).item() for mean in means]
        chosen.append(min(range(len(angles)), key=angles.__getitem__))
    return torch.tensor(chosen)


def by_matrix(score, means=class_means):
    """An answer that computes some (M, K) scores of queries and means, and takes the largest."""
    return lambda features, labels, queries: score(queries, means(features, labels)).argmax(1)


def cosine(queries, means):
    return F.normalize(queries) @ F.normalize(means).T


def means_of_unit_features(features, labels):
    return class_means(F.normalize(features), labels)


def medians(features, labels):
    return torch.stack([features[labels == k].median(0).values for k in range(int(labels.max()) + 1)])


def first_members(features, labels):
    return torch.stack([features[labels == k][0] for k in range(int(labels.max()) + 1)])


def last_members(features, labels):
    return torch.stack([features[labels == k][-1] for k in range(int(labels.max()) + 1)])


def in_order_of_appearance(features, labels):
    return torch.stack([features[labels == k].mean(0) for k in dict.fromkeys(labels.tolist())])


def equal_blocks(features, labels):
    count = len(features) // (int(labels.max()) + 1)
    return torch.stack([block.mean(0) for block in features.split(count)][: int(labels.max()) + 1])


def nearest_single_feature(features, labels, queries):
    return labels[cosine(queries, features).argmax(1)]


def mean_similarity(features, labels, queries):
    similarity = cosine(queries, features)
    return torch.stack([similarity[:, labels == k].mean(1) for k in labels.unique()], 1).argmax(1)


def sum_similarity(features, labels, queries):
    similarity = cosine(queries, features)
    return torch.stack([similarity[:, labels == k].sum(1) for k in labels.unique()], 1).argmax(1)


def centred(features, labels, queries):
    return by_cosine_similarity(features - features.mean(0), labels, queries - features.mean(0))


def farthest(features, labels, queries):
    return cosine(queries, class_means(features, labels)).argmin(1)


def squeezed(features, labels, queries):
    return by_cosine_similarity(features, labels, queries).squeeze()


def over_queries(features, labels, queries):
    return cosine(queries, class_means(features, labels)).argmax(0)


def normalise_in_place(features, labels, queries):
    queries /= queries.norm(dim=1, keepdim=True)
    return by_cosine_similarity(features, labels, queries)


RIGHT = {
    "7.1": [by_topk, by_sorting_pairs, in_numpy, by_log, one_after_the_other],
    "7.2": [by_starting, by_regex, ordered, by_partition, by_slicing, by_emptying_a_copy],
    "7.3": [by_get, by_sets, by_trying, by_using_up, as_report],
    "7.4": [
        SOLVED,
        train_module(walk),
        train_module(lambda model, name: dict(model.named_modules())[name]),
        train_names(lambda inner, name: inner.startswith(f"{name}.")),
        train_names(lambda inner, name: re.match(re.escape(name) + r"\.", inner)),
        train_names(lambda inner, name: inner.split(".")[: name.count(".") + 1] == name.split(".")),
        by_identity,
        by_prefix_of_torch,
        module_by_module,
    ],
    "7.5": [by_cosine_similarity, by_adding_up, by_unit_distance, by_arrays, by_angles],
}
WRONG = {
    "7.1": [
        ("the logits are the probabilities", with_values(lambda x: x), "softmax"),
        ("exp is enough", with_values(torch.exp), "softmax"),
        ("sigmoid makes probabilities, too", with_values(torch.sigmoid), "softmax"),
        ("log_softmax is softmax", with_values(lambda x: x.log_softmax(0)), "softmax"),
        ("it divides by the sum of the logits", with_values(lambda x: x / x.sum()), "softmax"),
        ("it divides by the largest", with_values(lambda x: (x - x.max()).exp()), "pairs"),
        ("it is a percentage", with_values(lambda x: 100 * x.softmax(0)), "softmax"),
        ("it is rounded", with_values(lambda x: (x.softmax(0) * 100).round() / 100), "pairs"),
        ("the smallest of the k comes first", smallest_first, "pairs"),
        ("it takes the smallest", the_smallest, "pairs"),
        ("only the probabilities are sorted", the_first_names, "pairs"),
        ("nothing is sorted", not_sorted, "pairs"),
        ("a class's rank is its place", wrong_way_round, "pairs"),
        ("all classes are returned", lambda logits, names, k: by_topk(logits, names, len(names)), "k"),
        ("it is always the five best", lambda logits, names, k: by_topk(logits, names, min(5, len(names))), "k"),
        ("only the best one counts", lambda logits, names, k: by_topk(logits, names, 1), "pairs"),
        ("softmax is over the k", over_the_k, "all classes"),
        ("a dictionary holds all classes", by_dictionary, "same name"),
        ("a name is found again by index", by_names_index, "same name"),
        ("exp never overflows", exp_by_hand, "overflow"),
        ("tensors in place of floats", lambda x, names, k: [(n, torch.tensor(p)) for n, p in by_topk(x, names, k)], "type"),
        ("numbers in place of names", lambda x, names, k: [(names.index(n), p) for n, p in by_topk(x, names, k)], "type"),
        ("the probability comes first", lambda *args: [(p, name) for name, p in by_topk(*args)], "type"),
        ("lists in place of pairs", lambda *args: [[*pair] for pair in by_topk(*args)], "type"),
        ("a dictionary is returned", lambda *args: dict(by_topk(*args)), "type"),
        ("two lists are returned", lambda *args: tuple(map(list, zip(*by_topk(*args), strict=True))), "type"),
        ("the largest are taken out of the logits", take_out_of_logits, "changed input"),
        ("softmax is done in place", lambda x, names, k: by_topk(x.copy_(x.softmax(0)).log(), names, k), "changed input"),
    ],
    "7.2": [
        ("the dictionary is returned as it is", lambda state_dict, prefix: dict(state_dict), "prefix"),
        ("a dot is left over", renamed(lambda name, prefix: name.removeprefix(prefix.rstrip("."))), "prefix"),
        ("the prefix is added", renamed(lambda name, prefix: prefix + name), "prefix"),
        ("only the last part is kept", renamed(lambda name, prefix: name.split(".")[-1]), "once"),
        ("lstrip takes away a prefix", renamed(str.lstrip), "letters"),
        ("strip takes away a prefix", renamed(lambda name, prefix: name.strip(prefix)), "letters"),
        ("the prefix goes everywhere", renamed(lambda name, prefix: name.replace(prefix, "")), "once"),
        ("it goes as often as it is there", renamed(again_and_again), "once"),
        ("what is after the last prefix is kept", renamed(lambda name, prefix: name.split(prefix)[-1]), "once"),
        ("each name is cut", renamed(lambda name, prefix: name[len(prefix) :]), "others"),
        ("the first part is always the prefix", renamed(lambda name, prefix: name.split(".", 1)[-1]), "others"),
        ("other names are dropped", drop_others, "others"),
        ("each name holds the prefix", renamed(lambda name, prefix: name.split(prefix, 1)[1]), "others"),
        ("it goes where it is first found", renamed(lambda name, prefix: name.replace(prefix, "", 1)), "middle"),
        ("the prefix is a pattern", renamed(lambda name, prefix: re.sub("^" + prefix, "", name)), "any text"),
        ("the prefix is always module.", renamed(lambda name, prefix: name.removeprefix("module.")), "any text"),
        ("a prefix is one part", renamed(lambda n, prefix: n.partition(".")[2] if n.startswith(prefix) else n), "any text"),
        ("there are always names", transpose, "empty"),
        ("new names come last", rename_in_a_copy, "order"),
        ("torch's own function does it", by_torch, "order"),
        ("names are sorted", lambda *args: dict(sorted(by_starting(*args).items())), "order"),
        ("others come last", lambda *args: drop_others(*args) | by_starting(*args), "order"),
        ("names change one by one", put_all_back, "clash"),
        ("old names stay, too", next_to_it, "prefix"),
        ("nothing to do, nothing new", only_if_needed, "new"),
        ("tensors are cloned", lambda *args: {name: t.clone() for name, t in by_starting(*args).items()}, "copies"),
        ("it renames in place", rename_in_place, "changed input"),
        ("the tensors are emptied", zeros, "changed input"),
        ("pairs are returned", lambda *args: list(by_starting(*args).items()), "type"),
        ("only names are returned", lambda *args: list(by_starting(*args)), "type"),
    ],
    "7.3": [
        ("pairs of names and shapes", lambda a, b: tuple([(n, a.get(n)) for n in names] for names in by_get(a, b)), "type"),
        ("missing and unexpected are swapped", picked(0, 2, 1, 3), "missing"),
        ("the file is ours", lambda ours, theirs: by_get(theirs, ours), "missing"),
        ("mismatched comes second", picked(0, 3, 1, 2), "missing"),
        ("unexpected and mismatched are swapped", picked(0, 1, 3, 2), "unexpected"),
        ("what does not fit is missing", mismatched_count_as_missing, "mismatched"),
        ("what does not fit is loaded", compared(lambda a, b: True), "mismatched"),
        ("what is in both is loaded and mismatched", lambda *args: (*by_get(*args)[:3], by_get(*args)[0]), "loaded"),
        ("each name is in both", only_names_in_both, "missing"),
        ("what is unexpected was filtered out before", filter_first, "unexpected"),
        ("equal numbers of elements are enough", compared(lambda a, b: math.prod(a) == math.prod(b)), "whole shape"),
        ("equal numbers of axes are enough", compared(lambda a, b: len(a) == len(b)), "mismatched"),
        ("the order of the axes does not matter", compared(lambda a, b: sorted(a) == sorted(b)), "whole shape"),
        ("the axes that both have are enough", compared(lambda a, b: all(map(operator.eq, a, b))), "whole shape"),
        ("the first axis is enough", compared(lambda a, b: a[:1] == b[:1]), "whole shape"),
        ("a shape without axes is none", if_shape, "no axes"),
        ("() is (1,)", one_and_no_axes, "no axes"),
        ("each shape has a first axis", compared(lambda a, b: a[0] == b[0] and a == b), "no axes"),
        ("the place decides", place_by_place, "by name"),
        ("the shape decides", any_name_with_the_shape, "by name"),
        ("the beginning of a name is enough", beginnings, "by name"),
        ("names are sorted", lambda *args: tuple(map(sorted, by_get(*args))), "order"),
        ("all lists have the order of theirs", go_through_theirs, "order"),
        ("sets keep their order", as_sets, "order"),
        ("lists are the wrong way round", lambda *args: tuple(names[::-1] for names in by_get(*args)), "order"),
        ("theirs is used up", use_up_theirs, "changed input"),
        ("mismatched names come with their shapes", with_shapes, "type"),
        ("a list of lists is returned", lambda *args: list(by_get(*args)), "type"),
        ("sets are returned", lambda *args: tuple(map(set, by_get(*args))), "type"),
        ("a dictionary is returned", lambda *args: as_report(*args)._asdict(), "type"),
    ],
    "7.4": [
        ("names begin at the submodule", names_within, "names"),
        ("what is frozen is returned", freeze_it, "names"),
        ("the submodule is frozen", freeze_the_submodule, "names"),
        ("everything is frozen", train_names(lambda inner, name: False), "names"),
        ("names are enough", names_only, "others"),
        ("nothing is frozen", never_freeze, "others"),
        ("everything trains", train_names(lambda inner, name: True), "others"),
        ("a module has a requires_grad of its own", set_on_modules, "others"),
        ("it is called require_grad", set_another_attribute, "others"),
        ("a state_dict holds the parameters themselves", through_the_state_dict, "others"),
        ("it works on a copy", work_on_a_copy, "others"),
        ("a list of tensors can be asked with in", in_list, "others"),
        ("the rest of the model are its children", freeze_children, "others"),
        ("what is frozen stays frozen", never_thaw, "frozen"),
        ("what is frozen stays frozen, and is returned", never_thaw_but_say_so, "frozen"),
        ("the beginning of the name is enough", train_names(str.startswith), "dot"),
        ("the name may be anywhere", train_names(lambda inner, name: name in inner), "dot"),
        ("the name and a dot may be anywhere", train_names(lambda inner, name: f"{name}." in inner), "whole name"),
        ("one part of the path is enough", train_names(lambda inner, name: name in inner.split(".")), "whole name"),
        ("the last parts of the path are enough", train_names(lambda i, name: i.rpartition(".")[0].endswith(name)), "whole name"),
        ("the first part of the path is the name", train_names(lambda inner, name: inner.split(".")[0] == name), "whole name"),
        ("the first parts are the same", train_names(lambda i, name: i.split(".")[0] == name.split(".")[0]), "nested"),
        ("the name is an attribute", train_module(getattr), "whole name"),
        ("the name is a pattern", train_names(lambda inner, name: re.match(f"{name}.", inner)), "dot"),
        ("the name is a pattern with a dot", train_names(lambda inner, name: re.match(rf"{name}\.", inner)), "dot"),
        ("names have one dot at most", train_module(lambda m, name: walk(m, ".".join(name.split(".")[:2]))), "nested"),
        ("a submodule holds no modules", only_its_own, "inside"),
        ("a parameter's module is the submodule", train_names(lambda i, name: i.rpartition(".")[0] == name), "inside"),
        ("what is in the state_dict trains", names_of_the_state_dict, "buffers"),
        ("names are sorted", lambda *args: sorted(SOLVED(*args)), "order"),
        ("names are a set in between", lambda *args: list(set(SOLVED(*args))), "order"),
        ("the rest does not run in train mode", and_then(nn.Module.eval), "only"),
        ("what trains runs in train mode", and_then(nn.Module.train), "only"),
        ("gradients are thrown away", and_then(nn.Module.zero_grad), "only"),
        ("what is frozen is zero", and_then(zero_what_is_frozen), "only"),
        ("parameters are made anew", and_then(with_new_parameters), "only"),
        ("freeze does it", freeze_the_rest, "only"),
        ("parameters are returned", lambda m, n: [p for p in m.parameters() if SOLVED(m, n) and p.requires_grad], "type"),
        ("the model is returned", lambda model, name: SOLVED(model, name) and model, "type"),
        ("a tuple is returned", lambda *args: tuple(SOLVED(*args)), "type"),
        ("nothing is returned", train_head, "no return"),
    ],
    "7.5": [
        ("it takes the smallest similarity", farthest, "nearest"),
        ("all belong to class 0", lambda features, labels, queries: torch.zeros(len(queries), dtype=torch.long), "nearest"),
        ("the sign does not matter", by_matrix(lambda q, m: cosine(q, m).abs()), "nearest"),
        ("classes come as they occur", by_matrix(cosine, in_order_of_appearance), "class"),
        ("classes are of the same size and in order", by_matrix(cosine, equal_blocks), "class"),
        ("the distance decides", by_matrix(lambda q, m: -torch.cdist(q, m)), "Euclidean"),
        ("distances of unit queries", by_matrix(lambda q, m: -torch.cdist(F.normalize(q), m)), "Euclidean"),
        ("the sum of the differences decides", by_matrix(lambda q, m: -torch.cdist(q, m, p=1)), "Euclidean"),
        ("the product decides", by_matrix(lambda q, m: q @ m.T), "product"),
        ("only queries get the length 1", by_matrix(lambda q, m: F.normalize(q) @ m.T), "product"),
        ("all means together get the length 1", by_matrix(lambda q, m: q @ (m / m.norm()).T), "product"),
        ("lengths meet the columns", by_matrix(lambda q, m: q @ (m / m.norm(dim=1)).T), "product"),
        ("columns get the length 1", by_matrix(lambda q, m: q @ F.normalize(m, dim=0).T), "product"),
        ("the nearest single feature decides", nearest_single_feature, "mean"),
        ("the mean of the similarities decides", mean_similarity, "mean"),
        ("the sum of the similarities decides", sum_similarity, "mean"),
        ("the first of a class stands for it", by_matrix(cosine, first_members), "mean"),
        ("the last of a class stands for it", by_matrix(cosine, last_members), "mean"),
        ("the median is the mean", by_matrix(cosine, medians), "mean"),
        ("features get the length 1 first", by_matrix(cosine, means_of_unit_features), "as they are"),
        ("what all have in common is taken away first", centred, "Euclidean"),
        ("the similarity is along axis 1", by_matrix(lambda q, m: F.cosine_similarity(q[:, None], m[None])), "nearest"),
        ("the first query belongs to the first mean", by_matrix(lambda q, m: F.cosine_similarity(q, m)[:, None]), "shape"),
        ("the similarity is returned", lambda f, y, q: cosine(q, class_means(f, y)).amax(1), "dtype"),
        ("all similarities are returned", lambda f, y, q: cosine(q, class_means(f, y)), "shape"),
        ("it looks for the best query of a class", over_queries, "shape"),
        ("a single answer has no axis", squeezed, "shape"),
        ("it is int32", lambda *args: by_cosine_similarity(*args).int(), "dtype"),
        ("a list is returned", lambda *args: by_cosine_similarity(*args).tolist(), "type"),
        ("queries are divided in place", normalise_in_place, "changed input"),
    ],
}  # fmt: skip
PAIRS = "return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)] -> "
PAIRS += "return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices"
SAME_LENGTH = "topk gives as many values as indices"
MEANS = "means = torch.stack([features[labels == k].mean(dim=0) for k in classes]) -> "
MEANS += "means = torch.stack([features[labels == k]."
COSINES = "similarity = F.normalize(queries, dim=1) @ F.normalize(means, dim=1).T -> similarity = "
EQUIVALENT = {
    "7.1": {
        "best = logits.softmax(dim=0).topk(k) -> best = logits.softmax(dim=-1).topk(k)": "the only axis is the last, too",
        PAIRS + ".tolist())]": SAME_LENGTH,
        PAIRS + ".tolist(), strict=False)]": SAME_LENGTH,
        PAIRS + ", strict=True)]": "a tensor of one whole number is an index, too",
    },
    "7.5": {
        MEANS + "sum(dim=0) for k in classes])": "a sum points where its mean does",
        COSINES + "F.normalize(queries) @ F.normalize(means, dim=1).T": "dim=1 is what normalize takes by itself",
        COSINES + "F.normalize(queries, dim=1) @ F.normalize(means).T": "dim=1 is what normalize takes by itself",
    },
}
