"""Answers to the exercises of lesson 11."""

import copy
import io
import itertools
import math
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# When it stops


def counts_waiting(losses, patience):
    best, waited = 0, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best]:
            best, waited = i, 0
        else:
            waited += 1
        if waited == patience:
            return i + 1, best + 1
    return len(losses), best + 1


def with_a_while(losses, patience):
    epoch, best = 1, 1
    while epoch < len(losses) and epoch - best < patience:
        epoch += 1
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
    return epoch, best


def by_improvements(losses, patience):
    """First all epochs that are lower than all before, then the first gap between them that is too long."""
    lower = [1]
    for epoch, loss in enumerate(losses[1:], 2):
        if loss < losses[lower[-1] - 1]:
            lower.append(epoch)
    for best, following in itertools.pairwise([*lower, math.inf]):
        if following - best > patience:
            return min(best + patience, len(losses)), best


def by_recursion(losses, patience, best=0):
    for i in range(best + 1, min(best + patience + 1, len(losses))):
        if losses[i] < losses[best]:
            return by_recursion(losses, patience, i)
    return min(best + patience + 1, len(losses)), best + 1


def in_numpy(losses, patience):
    clean = np.nan_to_num(np.array(losses), nan=np.inf)
    bests = np.array([clean[: i + 1].argmin() for i in range(len(clean))])
    ends = np.flatnonzero(np.arange(len(clean)) - bests >= patience)
    end = ends[0] if len(ends) else len(clean) - 1
    return int(end) + 1, int(bests[end]) + 1


def stops(improved=lambda loss, lowest: loss < lowest, lowest=math.inf, enough=lambda waited, patience: waited >= patience,
          reset=True, previous=False):  # fmt: skip
    """An answer that counts how long it waits, with something else in it."""

    def answer(losses, patience):
        known, best, waited = lowest, 0, 0
        for epoch, loss in enumerate(losses, 1):
            if improved(loss, known):
                best, waited = epoch, waited * (not reset)
                known = loss
            else:
                known = loss if previous else known
                waited += 1
                if enough(waited, patience):
                    return epoch, best
        return len(losses), best

    return answer


def changed(change):
    """An answer that makes something else of the two right numbers."""
    return lambda losses, patience: change(*counts_waiting(losses, patience))


def best_of_all(losses, patience):
    clean = [math.inf if math.isnan(loss) else loss for loss in losses]
    return counts_waiting(losses, patience)[0], clean.index(min(clean)) + 1


def never_stops(losses, patience):
    return len(losses), best_of_all(losses, patience)[1]


def last_of_the_equal(losses, patience):
    ended, best = counts_waiting(losses, patience)
    return ended, max(i for i, loss in enumerate(losses[:ended], 1) if loss == losses[best - 1])


def by_window(losses, patience):
    """Has the last window anything lower than all before it? min() leaves the nan where it stands first."""
    for epoch in range(patience + 1, len(losses) + 1):
        if not min(losses[epoch - patience : epoch]) < min(losses[: epoch - patience]):
            return epoch, losses.index(min(losses[:epoch])) + 1
    return len(losses), losses.index(min(losses)) + 1


def by_argmin(losses, patience):
    for epoch in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:epoch])) + 1
        if epoch - best >= patience:
            break
    return epoch, best


def skips_nan(losses, patience):
    return counts_waiting([loss for loss in losses if not math.isnan(loss)], patience)


def nan_does_not_count(losses, patience):
    lowest, best, waited = math.inf, 0, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest:
            lowest, best, waited = loss, epoch, 0
        elif loss >= lowest:
            waited += 1
            if waited >= patience:
                return epoch, best
    return len(losses), best


def nan_ends_it(losses, patience):
    until = next((i for i, loss in enumerate(losses, 1) if math.isnan(loss)), len(losses))
    return counts_waiting(losses[:until], patience)


def pops(losses, patience):
    ended, best = counts_waiting(losses, patience)
    while len(losses) > ended:
        losses.pop()
    return ended, best


def forgets_the_end(losses, patience):
    lowest, best = math.inf, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best


# Less sure of itself


def by_one_hot(y, classes, smoothing):
    return F.one_hot(y, classes) * (1 - smoothing) + smoothing / classes


def by_eye(y, classes, smoothing):
    return torch.lerp(torch.eye(classes)[y], torch.full((1, classes), 1 / classes), smoothing)


def by_scatter(y, classes, smoothing):
    rest = torch.full((len(y), classes), smoothing / classes)
    return rest.scatter(1, y[:, None], 1 - smoothing + smoothing / classes)


def by_comparison(y, classes, smoothing):
    right = y[:, None] == torch.arange(classes)
    return torch.where(right, 1 - smoothing + smoothing / classes, smoothing / classes)


def by_rows(y, classes, smoothing):
    rows = []
    for label in y.tolist():
        row = [smoothing / classes] * classes
        row[label] += 1 - smoothing
        rows.append(row)
    return torch.tensor(rows)


def smoothed(right, wrong):
    """An answer with other numbers for the right class and the wrong ones."""

    def answer(y, classes, smoothing):
        targets = torch.full((len(y), classes), float(wrong(smoothing, classes)))
        targets[torch.arange(len(y)), y] = float(right(smoothing, classes))
        return targets

    return answer


def placed(place, size=lambda y, classes: (len(y), classes)):
    """An answer that puts the right classes somewhere else."""

    def answer(y, classes, smoothing):
        targets = torch.full(size(y, classes), smoothing / classes)
        targets[place(y)] += 1 - smoothing
        return targets

    return answer


def largest_label(y, classes, smoothing):
    return by_one_hot(y, int(y.max()) + 1, smoothing)


def labels_as_values(y, classes, smoothing):
    return y[:, None] * (1 - smoothing) + torch.full((len(y), classes), smoothing / classes)


def int_targets(y, classes, smoothing):
    targets = torch.zeros(len(y), classes, dtype=torch.int64)
    targets[torch.arange(len(y)), y] = 1
    return (targets * (1 - smoothing) + smoothing / classes).long()


def counts_down(y, classes, smoothing):
    targets = by_one_hot(y, classes, smoothing)
    y -= 1
    return targets


def one_row_for_all(y, classes, smoothing):
    return by_one_hot(y, classes, smoothing).mean(0, keepdim=True).expand(len(y), -1)


def renormalised(y, classes, smoothing):
    targets = F.one_hot(y, classes) + smoothing / classes
    return targets / targets.sum(1, keepdim=True)


# Dropout


def by_functional(x, p, training):
    return F.dropout(x, p, training)


def by_module(x, p, training):
    return nn.Dropout(p).train(training)(x)


def by_bernoulli(x, p, training):
    if training:
        x = torch.bernoulli(torch.full_like(x, 1 - p)) * x / (1 - p)
    return x


def by_where(x, p, training):
    gone = torch.rand(x.shape) < p
    return torch.where(gone, torch.zeros_like(x), x / (1 - p)) if training else x.clone()


def by_index(x, p, training):
    if not training:
        return x
    x = x.clone()
    x[torch.rand(x.shape) < p] = 0
    return x * (1 / (1 - p))


def by_fill(x, p, training):
    return x.masked_fill(torch.empty_like(x).uniform_() < p, 0) / (1 - p) if training else x


def one_by_one(x, p, training):
    if not training:
        return x
    kept = [torch.rand(()).item() >= p for _ in range(x.numel())]
    return x / (1 - p) * torch.tensor(kept).reshape(x.shape)


def dropping(mask=lambda x, p: torch.rand_like(x) >= p, scale=lambda x, p: x / (1 - p), idle=lambda x, p: x):
    """An answer with another mask, another scale, or something to do in evaluation."""
    return lambda x, p, training: scale(x * mask(x, p), p) if training else idle(x, p)


def fixed_number(x, p):
    gone = torch.randperm(x.numel())[: round(p * x.numel())]
    mask = torch.ones(x.numel())
    mask[gone] = 0
    return mask.reshape(x.shape)


def fixed_in_each_row(x, p):
    order = torch.rand_like(x).argsort(-1).argsort(-1)
    return order >= round(p * x.shape[-1])


def smallest_go(x, p):
    values = torch.rand_like(x)
    return values >= values.flatten().sort().values[min(round(p * x.numel()), x.numel() - 1)]


def seeded(x, p):
    torch.manual_seed(0)
    return torch.rand_like(x) >= p


def own_generator(x, p):
    return torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) >= p


masks = {}


def remembered(x, p):
    key = tuple(x.shape), p
    if key not in masks:
        masks[key] = torch.rand_like(x) >= p
    return masks[key]


def from_python(x, p):
    return torch.tensor([random.random() >= p for _ in range(x.numel())]).reshape(x.shape)


def from_numpy(x, p):
    return torch.from_numpy(np.random.rand(*x.shape) >= p)


def from_new_numpy(x, p):
    return torch.from_numpy(np.random.default_rng().random(x.shape) >= p)


def new_seed(x, p):
    torch.seed()
    return torch.rand_like(x) >= p


def through_numpy(x, p, training):
    return by_where(x.detach(), p, training)


@torch.no_grad()
def without_gradients(x, p, training):
    return by_where(x, p, training)


def in_place(x, p, training):
    if training:
        x.mul_(torch.rand_like(x) >= p).div_(1 - p)
    return x


def set_in_place(x, p, training):
    if training:
        x[torch.rand_like(x) < p] = 0
        return x / (1 - p)
    return x


def detached_in_evaluation(x, p, training):
    return by_where(x, p, training) if training else x.detach()


def rescaled_to_the_mean(x, p, training):
    """Divides by the share that has stayed, not by the one that was to be expected."""
    if not training:
        return x
    kept = torch.rand_like(x) >= p
    return x * kept / kept.double().mean().clamp(min=1e-3).to(x)


def forgets_evaluation(x, p, training):
    if training:
        return x * (torch.rand_like(x) >= p) / (1 - p)


# What should not shrink


def by_loop(model, decay):
    groups = [{"params": [], "weight_decay": decay}, {"params": [], "weight_decay": 0.0}]
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[parameter.dim() < 2]["params"].append(parameter)
    return groups


def by_names(model, decay):
    chosen = {name for name, value in model.named_parameters() if len(value.shape) >= 2}
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    first = [value for name, value in trained if name in chosen]
    second = [value for name, value in trained if name not in chosen]
    return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0}]


def by_filter(model, decay):
    def trained(large):
        return list(filter(lambda p: p.requires_grad and (p.ndim >= 2) == large, model.parameters()))

    return [{"params": trained(True), "weight_decay": decay}, {"weight_decay": 0.0, "params": trained(False)}]


def by_modules(model, decay):
    seen, first, second = set(), [], []
    for module in model.modules():
        for value in module.parameters(recurse=False):
            if value.requires_grad and id(value) not in seen:
                seen.add(id(value))
                (first if value.ndim > 1 else second).append(value)
    return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0.0}]


def by_state_dict_with_variables(model, decay):
    values = [v for v in dict.fromkeys(model.state_dict(keep_vars=True).values()) if v.requires_grad]
    groups = [v for v in values if v.ndim > 1], [v for v in values if v.ndim <= 1]
    return [{"params": group, "weight_decay": d} for group, d in zip(groups, (decay, 0.0), strict=True)]


def grouped(large, values=lambda model: model.named_parameters(), trained=lambda value: value.requires_grad):
    """An answer that asks something else of each parameter, or looks elsewhere for them."""

    def answer(model, decay):
        pairs = [(name, value) for name, value in values(model) if trained(value)]
        first = [value for name, value in pairs if large(name, value)]
        second = [value for name, value in pairs if not large(name, value)]
        return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0.0}]

    return answer


def is_large(name, value):
    return value.ndim > 1


def regrouped(change):
    """An answer that makes something else of the right groups."""
    return lambda model, decay: change(by_loop(model, decay))


def with_params(change):
    return regrouped(lambda groups: [group | {"params": change(group["params"])} for group in groups])


def all_walked(model):
    return [("", value) for module in model.modules() for value in module._parameters.values() if value is not None]


def duplicates_kept(model):
    return model.named_parameters(remove_duplicate=False)


def with_buffers(model):
    return [*model.named_parameters(), *model.named_buffers()]


def own_only(model):
    return model.named_parameters(recurse=False)


def children_only(model):
    parts = [*model.children()] or [model]
    return [(name, value) for part in parts for name, value in part.named_parameters()]


def layers_only(model):
    return [pair for part in model.modules() if not [*part.children()] for pair in part.named_parameters()]


def by_kinds(model, decay):
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)
    first, second = [], []
    for module in model.modules():
        for name, value in module.named_parameters(recurse=False):
            (second if isinstance(module, norms) or name == "bias" else first).append(value)
    return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0.0}]


def not_in_list(model, decay):
    trained = [value for value in model.parameters() if value.requires_grad]
    first = [value for value in trained if value.ndim > 1]
    return [
        {"params": first, "weight_decay": decay},
        {"params": [value for value in trained if value not in first], "weight_decay": 0.0},
    ]


def names_of_both(model, decay):
    first = [name for name, value in model.named_parameters() if value.ndim > 1]
    second = [name for name, value in model.named_parameters() if value.ndim <= 1]
    return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0.0}]


def pairs_of_both(model, decay):
    first = [pair for pair in model.named_parameters() if pair[1].ndim > 1]
    second = [pair for pair in model.named_parameters() if pair[1].ndim <= 1]
    return [{"params": first, "weight_decay": decay}, {"params": second, "weight_decay": 0.0}]


def generators(model, decay):
    values = [value for value in model.parameters() if value.requires_grad]
    return [
        {"params": (value for value in values if value.ndim > 1), "weight_decay": decay},
        {"params": (value for value in values if value.ndim <= 1), "weight_decay": 0.0},
    ]


def freezes(model, decay):
    groups = by_loop(model, decay)
    for value in groups[1]["params"]:
        value.requires_grad = False
    return groups


def unfreezes(model, decay):
    groups = by_loop(model, decay)
    for value in model.parameters():
        value.requires_grad = True
    return groups


def there_is_one(model, decay):
    _, values = zip(*model.named_parameters(), strict=True)
    groups = by_loop(model, decay)
    return groups if values else []


def by_size(model, decay):
    """Largest first."""
    groups = by_loop(model, decay)
    for group in groups:
        group["params"].sort(key=torch.numel, reverse=True)
    return groups


# With patience


def keep_bytes(model, train_epoch, evaluate, epochs, patience):
    losses, best = [], 0
    for epoch in range(epochs):
        train_epoch()
        losses.append(evaluate())
        if epoch == 0 or losses[-1] < losses[best]:
            best, buffer = epoch, io.BytesIO()
            torch.save(model.state_dict(), buffer)
        if epoch - best == patience:
            break
    buffer.seek(0)
    model.load_state_dict(torch.load(buffer, weights_only=True))
    return losses


def keep_model(model, train_epoch, evaluate, epochs, patience):
    lowest, best, losses = math.inf, None, []
    waited = 0
    for _ in range(epochs):
        train_epoch()
        loss = evaluate()
        losses += [loss]
        waited += 1
        if loss < lowest:
            lowest, best, waited = loss, copy.deepcopy(model), 0
        if waited >= patience:
            break
    model.load_state_dict(best.state_dict())
    return losses


def keep_clones(model, train_epoch, evaluate, epochs, patience):
    losses = []
    for epoch in range(1, epochs + 1):
        train_epoch()
        losses.append(evaluate())
        best = int(np.nanargmin(losses)) + 1
        if best == epoch:
            kept = {name: value.clone() for name, value in model.state_dict().items()}
        if epoch - best >= patience:
            break
    with torch.no_grad():
        for name, value in model.state_dict().items():
            value.copy_(kept[name])
    return losses


def keep_all(model, train_epoch, evaluate, epochs, patience):
    losses, states = [], []
    while len(losses) < epochs:
        train_epoch()
        losses.append(evaluate())
        states.append(copy.deepcopy(model.state_dict()))
        best = losses.index(min(loss for loss in losses if not math.isnan(loss)))
        if len(losses) - 1 - best >= patience:
            break
    model.load_state_dict(states[best])
    return losses


def assign(model, train_epoch, evaluate, epochs, patience):
    losses, lowest, kept, waited = [], None, None, 0
    for _ in range(epochs):
        train_epoch()
        losses.append(evaluate())
        if lowest is None or losses[-1] < lowest:
            lowest, waited, kept = losses[-1], 0, copy.deepcopy(model.state_dict())
            continue
        waited += 1
        if waited == patience:
            break
    model.load_state_dict(kept, assign=True)
    return losses


LINES = {  # of a run, in the order in which they stand
    "start": ["losses, lowest, waited = [], math.inf, 0"],
    "loop": "for epoch in range(epochs):",
    "train": ["train_epoch()"],
    "evaluate": ["loss = evaluate()"],
    "note": ["losses.append(loss)"],
    "if": "if loss < lowest:",
    "keep": ["lowest, waited, best = loss, 0, copy.deepcopy(model.state_dict())"],
    "else": ["waited += 1"],
    "stop": ["if waited >= patience: break"],
    "end": ["model.load_state_dict(best)"],
    "return": ["return losses"],
}


def patient(**changed):
    """An answer with some of its lines replaced; `order` is another order of those within the loop."""
    parts = LINES | changed
    inside = [line for name in parts.pop("order", ["train", "evaluate", "note"]) for line in parts[name]]
    inside += [parts["if"], *(f"    {line}" for line in parts["keep"])]
    inside += ["else:", *(f"    {line}" for line in parts["else"] or ["pass"]), *parts["stop"]]
    lines = [*parts["start"], parts["loop"], *(f"    {line}" for line in inside), *parts["end"], *parts["return"]]
    source = "def answer(model, train_epoch, evaluate, epochs, patience):\n" + "".join(f"    {x}\n" for x in lines)
    names = {"copy": copy, "math": math, "torch": torch}
    exec(source, names)
    return names["answer"]


def keeping(expression):
    """An answer that keeps something else of the model."""
    return patient(keep=[f"lowest, waited, best = loss, 0, {expression}"])


LOAD_PARAMETERS = ["for mine, kept in zip(model.parameters(), best): mine.data.copy_(kept)"]


RIGHT = {
    "11.1": [counts_waiting, with_a_while, by_improvements, by_recursion, in_numpy, stops()],
    "11.2": [by_one_hot, by_eye, by_scatter, by_comparison, by_rows],
    "11.3": [by_functional, by_module, by_bernoulli, by_where, by_index, by_fill, one_by_one],
    "11.4": [by_loop, by_names, by_filter, by_modules, by_state_dict_with_variables, grouped(is_large)],
    "11.5": [keep_bytes, keep_model, keep_clones, keep_all, assign, patient()],
}
WRONG = {
    "11.1": [
        ("epochs are counted from 0", changed(lambda ended, best: (ended - 1, best - 1)), "from 1"),
        ("the best is counted from 0", changed(lambda ended, best: (ended, best - 1)), "from 1"),
        ("the end is counted from 0", changed(lambda ended, best: (ended - 1, best)), "from 1"),
        ("the best comes first", changed(lambda ended, best: (best, ended)), "ends"),
        ("it ends with the first epoch", lambda losses, patience: (1, 1), "goes on"),
        ("patience is the number of epochs", lambda losses, patience: counts_waiting(losses[:patience], patience), "goes on"),
        ("it never stops", never_stops, "ends"),
        ("it waits one epoch more", stops(enough=lambda waited, patience: waited > patience), "ends"),
        ("it waits one epoch less", stops(enough=lambda waited, patience: waited >= patience - 1), "ends"),
        ("it stops at the first that is not lower", stops(enough=lambda waited, patience: True), "ends"),
        ("the epoch after is the last", changed(lambda ended, best: (ended + 1, best)), "from 1"),
        ("where it ends it is best", changed(lambda ended, best: (ended, ended)), "ends"),
        ("the best of all epochs counts", best_of_all, "reached"),
        ("lower than the epoch before", stops(previous=True), "lowest"),
        ("patience is used up bit by bit", stops(reset=False), "reset"),
        ("equal is an improvement", stops(lambda loss, lowest: loss <= lowest), "equal"),
        ("of equal ones the last is best", last_of_the_equal, "equal"),
        ("nearly equal is equal", stops(lambda loss, lowest: loss < lowest - 1e-3), "a little"),
        ("losses are rounded", stops(lambda loss, lowest: loss < lowest and f"{loss:.3f}" < f"{lowest:.3f}"), "any size"),
        ("not as large is lower", stops(lambda loss, lowest: not loss >= lowest), "nan"),
        ("argmin knows nan", by_argmin, "nan"),
        ("min() knows nan", by_window, "nan"),
        ("nan is no epoch", skips_nan, "nan"),
        ("nan is not waited for", nan_does_not_count, "nan"),
        ("nan ends it", nan_ends_it, "nan"),
        ("no loss is larger than 100", stops(lowest=100.0), "any size"),
        ("a loss of 0 is none", stops(lambda loss, lowest: loss and loss < lowest), "any size"),
        ("no loss is negative", stops(lambda loss, lowest: 0 <= loss < lowest), "any size"),
        ("only the end is returned", changed(lambda ended, best: ended), "type"),
        ("a list is returned", changed(lambda ended, best: [ended, best]), "type"),
        ("the lowest loss is returned", lambda losses, patience: (counts_waiting(losses, patience)[0], min(losses)), "type"),
        ("it always stops early", forgets_the_end, "no return"),
        ("what was not reached goes", pops, "changed input"),
    ],
    "11.2": [
        ("nothing is smoothed", lambda y, classes, smoothing: F.one_hot(y, classes).float(), "shares"),
        ("labels are counted from 1", lambda y, c, s: by_one_hot((y - 1) % c, c, s), "one"),
        ("all is equal", lambda y, c, s: torch.full((len(y), c), 1 / c), "one"),
        ("only the wrong ones get a share", smoothed(lambda s, c: 1 - s, lambda s, c: s / (c - 1)), "shares"),
        ("the right one gets just the rest", smoothed(lambda s, c: 1 - s, lambda s, c: s / c), "shares"),
        ("only the right one shrinks", smoothed(lambda s, c: 1 - s, lambda s, c: 0), "shares"),
        ("only the wrong ones grow", smoothed(lambda s, c: 1, lambda s, c: s / c), "shares"),
        ("the shares are not divided", smoothed(lambda s, c: 1, lambda s, c: s), "shares"),
        ("one share is missing", smoothed(lambda s, c: 1 - s + s / (c - 1), lambda s, c: s / (c - 1)), "shares"),
        ("there are always two classes", smoothed(lambda s, c: 1 - s / 2, lambda s, c: s / 2), "shares"),
        ("smoothing is what stays", smoothed(lambda s, c: s + (1 - s) / c, lambda s, c: (1 - s) / c), "one"),
        ("rows are divided by their sum", renormalised, "shares"),
        ("smoothing is in percent", lambda y, c, s: by_one_hot(y, c, s / 100), "shares"),
        ("labels are columns of all rows", placed(lambda y: (slice(None), y)), "rows"),
        ("labels are rows", placed(lambda y: y), "one"),
        ("all rows have the first label", lambda y, c, s: by_one_hot(y[:1].expand(len(y)), c, s), "rows"),
        ("all rows have the last label", lambda y, c, s: by_one_hot(y[-1:].expand(len(y)), c, s), "rows"),
        ("the rows are mixed", one_row_for_all, "rows"),
        ("labels come sorted", lambda y, c, s: by_one_hot(y.sort().values, c, s), "rows"),
        ("each class is a row", lambda y, c, s: by_one_hot(y, c, s).T, "shape"),
        ("there are as many classes as labels", largest_label, "shape"),
        ("one sample has no axis", lambda y, c, s: by_one_hot(y, c, s).squeeze(0), "shape"),
        ("a label is a value", labels_as_values, "one"),
        ("targets are whole numbers", int_targets, "dtype"),
        ("targets are float64", lambda y, c, s: by_one_hot(y, c, s).double(), "dtype"),
        ("a list is returned", lambda y, c, s: by_one_hot(y, c, s).tolist(), "type"),
        ("an array is returned", lambda y, c, s: np.eye(c, dtype=np.float32)[y] * (1 - s) + s / c, "type"),
        ("labels are counted down", counts_down, "changed input"),
        ("nothing is returned", lambda y, c, s: None, "no return"),
    ],
    "11.3": [
        ("in evaluation it drops, too", lambda x, p, training: by_where(x, p, True), "evaluation"),
        ("only in evaluation it drops", lambda x, p, training: by_where(x, p, not training), "evaluation"),
        ("in evaluation it scales", dropping(scale=lambda x, p: x, idle=lambda x, p: x * (1 - p)), "evaluation"),
        ("in evaluation it divides, too", dropping(idle=lambda x, p: x / (1 - p)), "evaluation"),
        ("in evaluation there is nothing", dropping(idle=lambda x, p: torch.zeros_like(x)), "evaluation"),
        ("nothing is dropped", lambda x, p, training: x, "scale"),
        ("nothing is scaled", dropping(scale=lambda x, p: x), "scale"),
        ("it is divided by p", dropping(scale=lambda x, p: x / p), "scale"),
        ("it is multiplied by 1 - p", dropping(scale=lambda x, p: x * (1 - p)), "scale"),
        ("it is divided by what has stayed", rescaled_to_the_mean, "scale"),
        ("p is the share that stays", dropping(lambda x, p: torch.rand_like(x) < p, lambda x, p: x / p), "scale"),
        ("below p it stays", dropping(lambda x, p: torch.rand_like(x) < p), "none"),
        ("p is bernoulli's p", dropping(lambda x, p: torch.bernoulli(torch.full_like(x, p))), "none"),
        ("randn is rand", dropping(lambda x, p: torch.randn_like(x) >= p), "none"),
        ("the mean is a coin", dropping(lambda x, p: torch.rand_like(x) >= 0.5), "none"),
        ("0 is dropout, not its chance", dropping(lambda x, p: torch.rand_like(x) >= max(p, 0.1)), "none"),
        ("p is in percent", dropping(lambda x, p: 100 * torch.rand_like(x) >= p), "share"),
        ("p is halved", dropping(lambda x, p: torch.rand_like(x) >= p / 2), "share"),
        ("twice is better", dropping(lambda x, p: (torch.rand_like(x) >= p) & (torch.rand_like(x) >= p)), "share"),
        ("tenths are enough", dropping(lambda x, p: torch.randint(0, 10, x.shape) >= 10 * p), "share"),
        ("one number for all", dropping(lambda x, p: torch.rand(()) >= p), "own chance"),
        ("whole samples go", dropping(lambda x, p: torch.rand(len(x), *[1] * (x.ndim - 1)) >= p), "own chance"),
        ("whole rows go", dropping(lambda x, p: torch.rand(*x.shape[:-1], 1) >= p), "own chance"),
        ("whole channels go", dropping(lambda x, p: torch.rand(*x.shape[:2], *[1] * (x.ndim - 2)) >= p), "own chance"),
        ("all samples lose the same", dropping(lambda x, p: torch.rand(x.shape[1:] if x.ndim > 1 else x.shape) >= p), "samples"),
        ("the last axis has a mask", dropping(lambda x, p: torch.rand(x.shape[-1]) >= p), "samples"),
        ("the same number goes each time", dropping(fixed_number), "fixed"),
        ("the same number goes in each row", dropping(fixed_in_each_row), "fixed"),
        ("the smallest go", dropping(smallest_go), "fixed"),
        ("a seed makes it reproducible", dropping(seeded), "again"),
        ("it has its own seeded generator", dropping(own_generator), "again"),
        ("one mask is enough", dropping(remembered), "again"),
        ("Python's numbers are random, too", dropping(from_python), "generator"),
        ("NumPy's numbers are random, too", dropping(from_numpy), "generator"),
        ("NumPy's new generators are random, too", dropping(from_new_numpy), "generator"),
        ("each call needs a new seed", dropping(new_seed), "generator"),
        ("x is detached", through_numpy, "gradient"),
        ("no gradients are needed", without_gradients, "gradient"),
        ("no gradients in evaluation", detached_in_evaluation, "gradient"),
        ("x is overwritten", in_place, "changed input"),
        ("zeros are set in x", set_in_place, "changed input"),
        ("the zeros are left out", lambda x, p, training: x[torch.rand_like(x) >= p] / (1 - p) if training else x, "shape"),
        ("float32 is float", lambda x, p, training: by_where(x.float(), p, training), "dtype"),
        ("a list is returned", lambda x, p, training: by_where(x, p, training).tolist(), "type"),
        ("in evaluation nothing is returned", forgets_evaluation, "no return"),
    ],
    "11.4": [
        ("all weights shrink", grouped(lambda name, value: name.endswith("weight")), "scales"),
        ("all but biases shrink", grouped(lambda name, value: not name.endswith("bias")), "scales"),
        ("everything shrinks", grouped(lambda name, value: True), "biases"),
        ("nothing shrinks", grouped(lambda name, value: False), "matrices"),
        ("single numbers do not shrink", grouped(lambda name, value: value.numel() > 1), "matrices"),
        ("the bias is in the name", grouped(lambda name, value: is_large(name, value) and "bias" not in name), "any name"),
        ("norms are in the name", grouped(lambda name, value: is_large(name, value) and "norm" not in name), "any name"),
        ("kinds of layers count", by_kinds, "any name"),
        ("only weights shrink", grouped(lambda name, value: is_large(name, value) and name.endswith("weight")), "any name"),
        ("only matrices shrink", grouped(lambda name, value: value.ndim == 2), "kernels"),
        ("one dimension is enough", grouped(lambda name, value: value.ndim >= 1), "biases"),
        ("what is not one-dimensional shrinks", grouped(lambda name, value: value.ndim != 1), "no axes"),
        ("three dimensions are many", grouped(lambda name, value: value.ndim > 2), "matrices"),
        ("a shape has a second length", grouped(lambda name, value: value.shape[0] and value.ndim > 1), "no axes"),
        ("frozen ones are there", grouped(is_large, trained=lambda value: True), "frozen"),
        ("frozen ones are not decayed", grouped(lambda n, v: is_large(n, v) and v.requires_grad, trained=lambda v: True), "frozen"),
        ("only frozen ones are there", grouped(is_large, trained=lambda value: not value.requires_grad), "matrices"),
        ("buffers are there", grouped(is_large, with_buffers, lambda value: True), "buffers"),
        ("in asks for the same thing", not_in_list, "each"),
        ("only the model's own parameters", grouped(is_large, own_only), "inside"),
        ("only its children have parameters", grouped(is_large, children_only), "inside"),
        ("only layers have parameters", grouped(is_large, layers_only), "inside"),
        ("modules are walked through", grouped(is_large, all_walked), "once"),
        ("duplicates are kept", grouped(is_large, duplicates_kept), "once"),
        ("the order does not matter", with_params(lambda params: params[::-1]), "order"),
        ("names are sorted", grouped(is_large, lambda model: sorted(model.named_parameters())), "order"),
        ("large ones come first", by_size, "order"),
        ("one group for all", regrouped(lambda groups: groups[:1]), "two groups"),
        ("an empty group is left out", regrouped(lambda groups: [group for group in groups if group["params"]]), "two groups"),
        ("the groups are two lists", regrouped(lambda groups: [group["params"] for group in groups]), "two groups"),
        ("the key is decay", regrouped(lambda gs: [{"params": g["params"], "decay": g["weight_decay"]} for g in gs]), "keys"),
        ("the second needs no decay", regrouped(lambda groups: [groups[0], {"params": groups[1]["params"]}]), "keys"),
        ("a learning rate belongs to it", regrouped(lambda groups: [group | {"lr": 0.1} for group in groups]), "keys"),
        ("a tuple is returned", regrouped(tuple), "type"),
        ("a dictionary is returned", regrouped(lambda groups: {"decay": groups[0], "no decay": groups[1]}), "type"),
        ("nothing is returned", lambda model, decay: None, "no return"),
        ("generators will do", generators, "lists"),
        ("params is a set", with_params(set), "lists"),
        ("params are names", names_of_both, "themselves"),
        ("params are pairs", pairs_of_both, "themselves"),
        ("params are copies", with_params(copy.deepcopy), "copies"),
        ("params are data", with_params(lambda params: [value.data for value in params]), "copies"),
        ("params are in the state dict", grouped(is_large, lambda m: m.state_dict().items(), lambda v: v.is_floating_point()), "copies"),
        ("there is always a parameter", there_is_one, "none"),
        ("the groups are swapped", regrouped(lambda groups: groups[::-1]), "first"),
        ("the lists are swapped", grouped(lambda name, value: value.ndim <= 1), "matrices"),
        ("decay belongs to the biases", regrouped(
            lambda g: [g[0] | {"weight_decay": 0.0}, g[1] | {"weight_decay": g[0]["weight_decay"]}]), "decay"),
        ("decay is 0.1", lambda model, decay: by_loop(model, 0.1), "decay"),
        ("both decay", regrouped(lambda g: [g[0], g[1] | {"weight_decay": g[0]["weight_decay"]}]), "decay"),
        ("what does not decay is frozen", freezes, "left alone"),
        ("all shall train", unfreezes, "left alone"),
    ],
    "11.5": [
        ("training is somebody else's job", patient(train=[]), "turns"),
        ("it trains all epochs", patient(stop=[]), "ends"),
        ("it trains once", patient(stop=["break"]), "epochs"),
        ("epochs are no limit", patient(loop="while True:"), "epochs"),
        ("there is an epoch 0", patient(loop="for epoch in range(epochs + 1):"), "epochs"),
        ("the last epoch is left out", patient(loop="for epoch in range(1, max(epochs, 2)):"), "epochs"),
        ("it waits one epoch more", patient(stop=["if waited > patience: break"]), "ends"),
        ("it waits one epoch less", patient(stop=["if waited and waited >= patience - 1: break"]), "ends"),
        ("patience is the number of epochs", patient(loop="for epoch in range(min(epochs, patience)):"), "epochs"),
        ("it does not wait", patient(stop=["if waited: break"]), "ends"),
        ("it evaluates first", patient(order=["evaluate", "train", "note"]), "turns"),
        ("first it needs a loss to compare with", patient(start=["losses, lowest, waited, best = [], evaluate(), 0, model.state_dict()"]), "turns"),
        ("it evaluates to compare", patient(**{"if": "if evaluate() < lowest:"}), "turns"),
        ("it evaluates to keep", patient(keep=["lowest, waited, best = evaluate(), 0, copy.deepcopy(model.state_dict())"]), "turns"),
        ("it evaluates at the end", patient(end=["model.load_state_dict(best)", "losses.append(evaluate())"]), "turns"),
        ("first all the training", patient(start=["for _ in range(epochs): train_epoch()", *LINES["start"]], train=[]), "turns"),
        ("train_epoch returns the loss", patient(evaluate=["loss = train_epoch()"], train=[]), "raised"),
        ("lower than the epoch before", patient(**{"else": ["lowest, waited = loss, waited + 1"]}), "lowest"),
        ("patience is used up bit by bit", patient(keep=["lowest, best = loss, copy.deepcopy(model.state_dict())"]), "reset"),
        ("equal is an improvement", patient(**{"if": "if loss <= lowest:"}), "equal"),
        ("of equal ones the last is kept", patient(**{
            "if": "if loss < lowest:", "else": ["waited += 1", "if loss == lowest: best = copy.deepcopy(model.state_dict())"]}), "which"),
        ("not as large is lower", patient(**{"if": "if not loss >= lowest:"}), "nan"),
        ("the lowest of all losses is new", patient(**{"if": "if loss == min(losses):"}), "equal"),
        ("nan is not waited for", patient(**{"else": ["waited += loss == loss"]}), "nan"),
        ("nan ends it", patient(stop=["if waited >= patience or loss != loss: break"]), "nan"),
        ("no loss is larger than 100", patient(start=["losses, lowest, waited, best = [], 100.0, 0, model.state_dict()"]), "any size"),
        ("a loss of 0 is none", patient(**{"if": "if loss and loss < lowest:"}), "any size"),
        ("no loss is negative", patient(**{"if": "if 0 <= loss < lowest:"}), "any size"),
        ("nearly equal is equal", patient(**{"if": "if loss < lowest - 1e-3:"}), "a little"),
        ("the state dict is a copy", keeping("model.state_dict()"), "copy"),
        ("a dictionary of it is a copy", keeping("dict(model.state_dict())"), "copy"),
        ("copy() is a copy", keeping("model.state_dict().copy()"), "copy"),
        ("copy.copy is a copy", keeping("copy.copy(model.state_dict())"), "copy"),
        ("detach is a copy", keeping("{name: value.detach() for name, value in model.state_dict().items()}"), "copy"),
        ("on the CPU it is a copy", keeping("{name: value.cpu() for name, value in model.state_dict().items()}"), "copy"),
        ("a shallow copy of the model is one", patient(
            keep=["lowest, waited, best = loss, 0, copy.copy(model)"], end=["model.load_state_dict(best.state_dict())"]), "copy"),
        ("nothing is restored", patient(end=[]), "restore"),
        ("the model is another one", patient(keep=["lowest, waited, best = loss, 0, copy.deepcopy(model)"], end=["model = best"]), "restore"),
        ("only what stopped is restored", patient(stop=["if waited >= patience: model.load_state_dict(best); break"], end=[]), "restore"),
        ("only what did not stop is restored", patient(stop=["if waited >= patience: return losses"]), "restore"),
        ("a state dict is changed", patient(end=["model.state_dict().update(best)"]), "restore"),
        ("what was best at first is kept", patient(
            start=["losses, lowest, waited, best = [], math.inf, 0, copy.deepcopy(model.state_dict())"],
            keep=["lowest, waited = loss, 0"]), "which"),
        ("the state before is kept", patient(
            order=["copy", "train", "evaluate", "note"], copy=["before = copy.deepcopy(model.state_dict())"],
            keep=["lowest, waited, best = loss, 0, before"]), "which"),
        ("the last but `patience` was best", patient(
            start=["losses, lowest, waited, states = [], math.inf, 0, []"], keep=["lowest, waited = loss, 0"],
            note=["losses.append(loss)", "states.append(copy.deepcopy(model.state_dict()))"],
            end=["model.load_state_dict(states[max(0, len(losses) - 1 - patience)])"]), "which"),
        ("parameters are all there is", patient(
            keep=["lowest, waited, best = loss, 0, copy.deepcopy(list(model.parameters()))"], end=LOAD_PARAMETERS), "buffers"),
        ("parameters have names", patient(
            keep=["lowest, waited, best = loss, 0, {n: p.detach().clone() for n, p in model.named_parameters()}"],
            end=["model.load_state_dict(best, strict=False)"]), "buffers"),
        ("after each worse epoch it goes back", patient(**{"else": ["waited += 1", "model.load_state_dict(best)"]}), "meanwhile"),
        ("it begins anew", patient(train=["model.load_state_dict({n: v * 0 for n, v in model.state_dict().items()})", "train_epoch()"]), "meanwhile"),
        ("only the losses until the best", patient(**{"return": ["return losses[: len(losses) - waited]"]}), "losses"),
        ("the loss of the last is left out", patient(**{"return": ["return losses[:-1] or losses"]}), "losses"),
        ("improvements are all losses", patient(note=[], keep=[*LINES["keep"], "losses.append(loss)"]), "losses"),
        ("nan is no loss", patient(note=["if loss == loss: losses.append(loss)"]), "losses"),
        ("losses come sorted", patient(**{"return": ["return sorted(losses)"]}), "losses"),
        ("the lowest is returned", patient(**{"return": ["return lowest"]}), "type"),
        ("the best model is returned", patient(**{"return": ["return model"]}), "type"),
        ("a tuple is returned", patient(**{"return": ["return tuple(losses)"]}), "type"),
        ("nothing is returned", patient(**{"return": []}), "no return"),
    ],
}  # fmt: skip
FIRST = "the first loss is lower than math.inf, so this is never used"
EQUIVALENT = {
    "11.1": {
        "lowest, best = (math.inf, 0) -> lowest, best = (math.inf, 1)": FIRST,
        "lowest, best = (math.inf, 0) -> lowest, best = (math.inf, -1)": FIRST,
    },
    "11.3": {
        "stays = torch.rand_like(x) >= p -> stays = torch.rand_like(x) > p": (
            "a random number is just p once in 16 million times"
        ),
    },
    "11.5": {
        "losses, lowest, waited = ([], math.inf, 0) -> losses, lowest, waited = ([], math.inf, -1)": (
            "the first epoch is always the best so far, and begins the count anew"
        ),
    },
}
