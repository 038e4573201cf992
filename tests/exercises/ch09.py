"""Answers to the exercises of lesson 09."""

import collections
import copy
import io
import itertools
import math
import os
import tempfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# A loss without looking


def with_counter(labels):
    counts, loss = collections.Counter(labels.tolist()), 0.0
    for count in counts.values():
        loss += count / len(labels) * math.log(len(labels) / count)
    return loss


def by_cross_entropy(labels):
    """What the loss itself says, if each sample gets the logarithms of the shares."""
    shares = F.one_hot(labels).double().mean(0)
    return F.cross_entropy(shares.log().expand(len(labels), -1), labels).item()


def by_categorical(labels):
    return torch.distributions.Categorical(probs=labels.bincount().double()).entropy().item()


def by_entr(labels):
    _, counts = labels.unique(return_counts=True)
    return float(torch.special.entr(counts / counts.sum()).sum())


def in_numpy(labels):
    shares = np.unique(labels.numpy(), return_counts=True)[1] / len(labels)
    return -np.dot(shares, np.log(shares))


def floor(loss, shares=lambda labels: labels.unique(return_counts=True)[1] / len(labels)):
    """An answer with another formula, or other shares."""
    return lambda labels: loss(shares(labels)).item()


def entropy(shares):
    return -(shares * shares.log()).sum()


def all_counts(labels):
    return labels.bincount() / len(labels)


def of_runs(labels):
    return labels.unique_consecutive(return_counts=True)[1] / len(labels)


def two_classes(labels):
    share = labels.float().mean()
    return -(share * share.log() + (1 - share) * (1 - share).log()).item()


def shares_as_logits(labels):
    shares = all_counts(labels)
    return F.cross_entropy(shares.expand(len(labels), -1), labels).item()


def up_to_the_largest(labels):
    loss = 0.0
    for k in range(int(labels.max()) + 1):
        share = (labels == k).sum().item() / len(labels)
        loss -= share * math.log(share)
    return loss


# Left behind


def with_is(model, optimizer):
    held = [p for group in optimizer.param_groups for p in group["params"]]
    left = []
    for name, p in model.named_parameters():
        if p.requires_grad and not any(p is other for other in held):
            left.append(name)
    return left


def by_difference(model, optimizer):
    """A tensor's hash is its identity, and a set looks at that first."""
    names = {p: name for name, p in model.named_parameters() if p.requires_grad}
    for group in optimizer.param_groups:
        for p in group["params"]:
            names.pop(p, None)
    return list(names.values())


def by_memory(model, optimizer):
    held = {p.data_ptr() for group in optimizer.param_groups for p in group["params"]}
    return [n for n, p in model.named_parameters() if p.data_ptr() not in held and p.requires_grad]


def by_chain(model, optimizer):
    held = set(map(id, itertools.chain(*(group["params"] for group in optimizer.param_groups))))
    trained = filter(lambda pair: pair[1].requires_grad, model.named_parameters())
    return [name for name, _ in itertools.filterfalse(lambda pair: id(pair[1]) in held, trained)]


def left(named=lambda model: model.named_parameters(), wanted=lambda p: p.requires_grad, is_held=None, finish=list):
    """An answer that looks at other parameters, or compares in another way."""

    def answer(model, optimizer):
        held = [p for group in optimizer.param_groups for p in group["params"]]
        inside = is_held or (lambda p, held: any(p is other for other in held))
        return finish([name for name, p in named(model) if wanted(p) and not inside(p, held)])

    return answer


def first_group_only(model, optimizer):
    held = {id(p) for p in optimizer.param_groups[0]["params"]}
    return [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]


def last_group_only(model, optimizer):
    for group in optimizer.param_groups:
        held = {id(p) for p in group["params"]}
    return [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]


def groups_are_parameters(model, optimizer):
    held = {id(p) for p in optimizer.param_groups}
    return [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]


def by_state(model, optimizer):
    return [name for name, p in model.named_parameters() if p.requires_grad and p not in optimizer.state]


def by_place(model, optimizer):
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    return [name for name, p in model.named_parameters() if p.requires_grad][count:]


def inside_twice(model):
    for name, module in model.named_children():
        yield from ((f"{name}.{key}", p) for key, p in module.named_parameters(recurse=False))
    yield from model.named_parameters(recurse=False)


def children_only(model):
    parts = [*model.named_children()]
    if not parts:
        yield from model.named_parameters()
    for name, module in parts:
        yield from ((f"{name}.{key}", p) for key, p in module.named_parameters())


def with_buffers(model):
    yield from model.named_parameters()
    yield from model.named_buffers()


def of_state_dict(model):
    return model.state_dict(keep_vars=True).items()


def frozen_left(model, optimizer):
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [name for name, p in model.named_parameters() if id(p) not in held or not p.requires_grad]


def mends(model, optimizer):
    names = with_is(model, optimizer)
    if names:
        optimizer.add_param_group({"params": [model.get_parameter(name) for name in names]})
    return names


def freezes(model, optimizer):
    names = with_is(model, optimizer)
    for name in names:
        model.get_parameter(name).requires_grad_(False)
    return names


# Columns that nobody reads


def by_jacobian(model, x):
    table = torch.autograd.functional.jacobian(model, x)
    return (table == 0).flatten(0, 2).all(0).nonzero().flatten().tolist()


def one_by_one(model, x):
    x, found = x.clone().requires_grad_(True), set()
    for row in model(x):
        for out in row:
            if out.requires_grad:
                (grad,) = torch.autograd.grad(out, x, retain_graph=True, allow_unused=True)
                found |= set() if grad is None else set(grad.nonzero()[:, 1].tolist())
    return sorted(set(range(x.shape[1])) - found)


def on_a_copy(model, x):
    """backward, as often as there are outputs, where it does not matter."""
    twin = copy.deepcopy(model)
    read = torch.zeros_like(x, dtype=torch.bool)
    for k in range(twin(x).shape[1]):
        mine = x.clone().requires_grad_()
        (twin(mine)[:, k].sum() + mine.sum() * 0).backward()
        read |= mine.grad.abs() > 0
    return [j for j in range(x.shape[1]) if not read[:, j].any()]


def with_gradients_put_back(model, x):
    kept, mine, flag = [p.grad for p in model.parameters()], x.detach().clone().requires_grad_(), model.training
    for p in model.parameters():
        p.grad = None
    model.eval()
    read = torch.zeros(x.shape[1])
    outputs = model(mine) + 0 * mine.sum()
    for k in range(outputs.shape[1]):
        mine.grad = None
        outputs[:, k].sum().backward(retain_graph=True)
        read += mine.grad.abs().amax(0)
    for p, grad in zip(model.parameters(), kept, strict=True):
        p.grad = grad
    model.train(flag)
    return np.flatnonzero(read.numpy() == 0).tolist()


READ = {
    "start": ["x = x.detach().clone().requires_grad_()"],
    "out": ["out = model(x) + 0 * x.sum()"],
    "none": ["read = torch.zeros(x.shape[1], dtype=torch.bool)"],
    "loop": ["for k in range(out.shape[1]):"],
    "grad": ["    grad, = torch.autograd.grad(out[:, k].sum(), x, retain_graph=True)"],
    "join": ["    read |= (grad != 0).any(0)"],
    "end": [],
    "return": ["return [j for j in range(x.shape[1]) if not read[j]]"],
}


def written(name, lines):
    """The function of this name that has these lines."""
    space = {"copy": copy, "io": io, "nn": nn, "np": np, "os": os, "torch": torch, "F": F}
    exec("\n".join([f"def {name}:", *(f"    {line}" for line in lines)]), space)
    return space[name.split("(")[0]]


def reads(**changes):
    """An answer with some of its lines replaced."""
    return written("answer(model, x)", itertools.chain(*(READ | changes).values()))


def in_one(grad, join="read |= (grad != 0).any(0)"):
    """Without a loop over the outputs."""
    return reads(loop=[], grad=[f"grad, = torch.autograd.grad({grad}, x)"], join=[join])


def by_zeroing(model, x):
    columns = []
    for j in range(x.shape[1]):
        other = x.clone()
        other[:, j] = 0
        if torch.equal(model(x), model(other)):
            columns.append(j)
    return columns


def by_adding_one(model, x):
    columns = []
    for j in range(x.shape[1]):
        other = x.clone()
        other[:, j] += 1
        if torch.equal(model(x), model(other)):
            columns.append(j)
    return columns


def by_first_weight(model, x):
    weights = [p for p in model.parameters() if p.ndim == 2]
    if not weights:
        return list(range(x.shape[1]))
    return [j for j in range(x.shape[1]) if not weights[0][:, j].any()]


# Does it survive?


def in_a_real_file(model, fresh, x):
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), os.path.join(folder, "state.pt"))
        fresh.load_state_dict(torch.load(os.path.join(folder, "state.pt"), weights_only=True))
    outputs = []
    for one in (model, fresh):
        flags = [(module, module.training) for module in one.modules()]
        outputs.append(one.eval()(x).detach())
        for module, flag in flags:
            module.training = flag
    return bool((outputs[0] == outputs[1]).all())


def with_bytes(model, fresh, x):
    written = io.BytesIO()
    torch.save(model.state_dict(), written)
    fresh.load_state_dict(torch.load(io.BytesIO(written.getvalue())))

    def ask(one):
        was = one.training
        try:
            return one.eval()(x).tolist()
        finally:
            one.train(was)

    return ask(model) == ask(fresh)


def on_copies(model, fresh, x):
    """Copies may stay in eval mode."""
    model, fresh, file = copy.deepcopy(model).eval(), copy.deepcopy(fresh).eval(), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file))
    return torch.allclose(model(x), fresh(x))


TRIP = {
    "save": ["file = io.BytesIO()", "torch.save(model.state_dict(), file)", "file.seek(0)"],
    "load": ["fresh.load_state_dict(torch.load(file))"],
    "note": ["flags = model.training, fresh.training"],
    "eval": ["model.eval()", "fresh.eval()"],
    "ask": ["with torch.no_grad():", "    first, second = model(x), fresh(x)"],
    "same": ["same = torch.equal(first, second)"],
    "back": ["model.train(flags[0])", "fresh.train(flags[1])"],
    "return": ["return same"],
}


def trip(**changes):
    """An answer with some of its lines replaced."""
    return written("answer(model, fresh, x)", itertools.chain(*(TRIP | changes).values()))


# Measuring without touching


def with_a_deep_copy(evaluate, model, loader, loss_fn):
    before = copy.deepcopy(model)
    for old, new in zip(before.parameters(), model.parameters(), strict=True):
        old.grad = copy.deepcopy(new.grad)
    return compare_with(before, evaluate, model, loader, loss_fn)


def compare_with(before, evaluate, model, loader, loss_fn):
    evaluate(model, loader, loss_fn)
    for old, new in zip(before.modules(), model.modules(), strict=True):
        if old.training != new.training:
            return False
    for old, new in zip(before.state_dict().values(), model.state_dict().values(), strict=True):
        if not torch.equal(old, new):
            return False
    for old, new in zip(before.parameters(), model.parameters(), strict=True):
        if (old.grad is None) != (new.grad is None):
            return False
        if old.grad is not None and not torch.equal(old.grad, new.grad):
            return False
    return True


def with_clones(evaluate, model, loader, loss_fn):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    slopes = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    training = {name: module.training for name, module in model.named_modules()}
    evaluate(model, loader, loss_fn)
    now = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return (
        all(value.equal(state[name]) for name, value in model.state_dict().items())
        and slopes.keys() == now.keys()
        and all(now[name].equal(slopes[name]) for name in now)
        and training == {name: module.training for name, module in model.named_modules()}
    )


def as_bytes(evaluate, model, loader, loss_fn):
    def picture():
        slopes = [None if p.grad is None else p.grad.numpy().tobytes() for p in model.parameters()]
        values = [value.detach().numpy().tobytes() for value in (*model.parameters(), *model.buffers())]
        return [slopes, values, *[module.training for module in model.modules()]]

    before = picture()
    evaluate(model, loader, loss_fn)
    return before == picture()


ALONE = {
    "values": "[v.tolist() for v in model.state_dict().values()]",
    "grads": "[None if p.grad is None else p.grad.tolist() for p in model.parameters()]",
    "modes": "[m.training for m in model.modules()]",
    "before": "pass",
    "call": "evaluate(model, loader, loss_fn)",
    "after": "pass",
    "return": "state() == before",
}


def alone(**changes):
    """An answer with some of its parts replaced."""
    parts = ALONE | changes
    state = "state = lambda: ({values}, {grads}, {modes})".format(**parts)
    lines = [state, parts["before"], "before = state()", parts["call"], parts["after"], f"return {parts['return']}"]
    return written("answer(evaluate, model, loader, loss_fn)", lines)


def by_reference(before, values="model.state_dict()"):
    """An answer that keeps something and compares it afterwards, tensor by tensor."""
    lines = [
        f"before = {before}",
        "modes = [m.training for m in model.modules()]",
        "evaluate(model, loader, loss_fn)",
        f"after = {values}",
        "same = all(torch.equal(before[name], after[name]) for name in after)",
        "return same and modes == [m.training for m in model.modules()]",
    ]
    return written("answer(evaluate, model, loader, loss_fn)", lines)


def compares_models(evaluate, model, loader, loss_fn):
    before = copy.deepcopy(model)
    evaluate(model, loader, loss_fn)
    return before == model


RIGHT = {
    "9.1": [with_counter, by_cross_entropy, by_categorical, by_entr, in_numpy],
    "9.2": [with_is, by_difference, by_memory, by_chain],
    "9.3": [by_jacobian, one_by_one, on_a_copy, with_gradients_put_back],
    "9.4": [in_a_real_file, with_bytes, on_copies],
    "9.5": [with_a_deep_copy, with_clones, as_bytes],
}
WRONG = {
    "9.1": [
        ("logarithms without shares", floor(lambda s: -s.log().sum()), "total"),
        ("the shares without logarithms", floor(lambda s: (s * (1 - s)).sum()), "even"),
        ("whole division", floor(entropy, lambda y: y.bincount() // len(y)), "even"),
        ("there are two classes", two_classes, "even"),
        ("the minus is forgotten", floor(lambda s: (s * s.log()).sum()), "sign"),
        ("bits", floor(lambda s: -(s * s.log2()).sum()), "base"),
        ("counts in place of shares", lambda y: by_entr(y) * len(y), "total"),
        ("equal neighbours are a class", floor(entropy, of_runs), "runs"),
        ("ln K whatever the shares", floor(lambda s: torch.tensor(float(len(s))).log()), "shares"),
        ("a network that gives zeros", lambda y: F.cross_entropy(torch.zeros(len(y), int(y.max()) + 1), y).item(), "shares"),
        ("always the most frequent class", floor(lambda s: -s.max().log()), "shares"),
        ("the mean over the classes", floor(lambda s: -s.log().mean()), "shares"),
        ("shares are logits", shares_as_logits, "shares"),
        ("at least two classes", lambda y: by_entr(y) or math.log(2), "one"),
        ("classes without samples are kept", floor(entropy, all_counts), "gaps"),
        ("all numbers up to the largest occur", up_to_the_largest, "gaps"),
        ("a little is added to each share", floor(entropy, lambda y: (y.bincount() + 0.0001) / len(y)), "even"),
        ("a tensor is returned", lambda y: entropy(y.unique(return_counts=True)[1] / len(y)), "type"),
        ("nothing is returned", lambda y: None, "no return"),
    ],
    "9.2": [
        ("groups are parameters", groups_are_parameters, "held"),
        ("the optimizer's state tells", by_state, "held"),
        ("no gradient means left behind", left(is_held=lambda p, held: p.grad is not None), "held"),
        ("those that are held", left(is_held=lambda p, held: not any(p is other for other in held)), "held"),
        ("only the first group", first_group_only, "groups"),
        ("only the last group", last_group_only, "groups"),
        ("frozen ones, too", left(wanted=lambda p: True), "frozen"),
        ("frozen ones are left behind, even if they are held", frozen_left, "frozen"),
        ("only frozen ones", left(wanted=lambda p: not p.requires_grad), "held"),
        ("in compares", left(is_held=lambda p, held: p in held), "itself"),
        ("equal is the same", left(is_held=lambda p, held: any(torch.equal(p, q) for q in held)), "itself"),
        ("the same shape", left(is_held=lambda p, held: p.shape in [q.shape for q in held]), "itself"),
        ("as many as are missing", by_place, "held"),
        ("the parameters of children", left(children_only), "inside"),
        ("two levels deep", left(inside_twice), "inside"),
        ("the model's own only", left(lambda model: model.named_parameters(recurse=False)), "inside"),
        ("only matrices", left(wanted=lambda p: p.requires_grad and p.ndim > 1), "held"),
        ("no single numbers", left(wanted=lambda p: p.requires_grad and p.ndim), "inside"),
        ("buffers are parameters", left(with_buffers, wanted=lambda p: p.requires_grad or not isinstance(p, nn.Parameter)), "buffers"),
        ("sorted", left(finish=sorted), "order"),
        ("through a set", left(finish=lambda names: sorted(set(names), key=lambda name: name[::-1])), "order"),
        ("backwards", left(finish=lambda names: names[::-1]), "order"),
        ("a shared one has two names", left(of_state_dict), "shared"),
        ("duplicates are kept", left(lambda model: model.named_parameters(remove_duplicate=False)), "shared"),
        ("it adds them", mends, "left alone"),
        ("it freezes them", freezes, "left alone"),
        ("a set is returned", left(finish=set), "type"),
        ("a generator is returned", left(finish=iter), "type"),
        ("nothing is returned", left(finish=lambda names: None), "no return"),
    ],
    "9.3": [
        ("those that are read", reads(**{"return": ["return [j for j in range(x.shape[1]) if read[j]]"]}), "unread"),
        ("counted from 1", reads(**{"return": ["return [j + 1 for j in range(x.shape[1]) if not read[j]]"]}), "unread"),
        ("only positive gradients", reads(join=["    read |= (grad > 0).any(0)"]), "negative"),
        ("little is nothing", reads(join=["    read |= (grad.abs() > 1e-4).any(0)"]), "little"),
        ("allclose to 0", reads(join=["    read |= ~torch.isclose(grad, torch.zeros(()), atol=1e-3).all(0)"]), "little"),
        ("only the first output", reads(loop=["for k in [0]:"]), "each output"),
        ("only the last output", reads(loop=["for k in [-1]:"]), "each output"),
        ("only the largest output", reads(grad=["    grad, = torch.autograd.grad(out.max(), x, retain_graph=True)"]), "each output"),
        ("the last output overwrites", reads(join=["    read = (grad != 0).any(0)"]), "each output"),
        ("every output has to read it", reads(none=["read = torch.ones(x.shape[1], dtype=torch.bool)"], join=["    read &= (grad != 0).any(0)"]), "each output"),
        ("only the first sample", reads(join=["    read |= grad[0] != 0"]), "each sample"),
        ("every sample has to read it", reads(join=["    read |= (grad != 0).all(0)"]), "each sample"),
        ("the outputs are added", in_one("out.sum()"), "outputs cancel"),
        ("the mean of the outputs", in_one("out.mean()"), "outputs cancel"),
        ("the samples are added", reads(join=["    read |= grad.sum(0) != 0"]), "samples cancel"),
        ("the mean of the samples", reads(join=["    read |= grad.mean(0) != 0"]), "samples cancel"),
        ("the absolute value too late", reads(join=["    read |= grad.sum(0).abs() > 0"]), "samples cancel"),
        ("gradient times x", reads(join=["    read |= (grad * x != 0).any(0)"]), "gradients"),
        ("set to 0", by_zeroing, "gradients"),
        ("a large step", by_adding_one, "gradients"),
        ("the first weights tell", by_first_weight, "gradients"),
        ("every output depends on x", reads(out=["out = model(x)"]), "constant"),
        ("unused is allowed, but None forgotten", reads(out=["out = model(x)"], grad=["    grad, = torch.autograd.grad(out[:, k].sum(), x, retain_graph=True, allow_unused=True)"]), "constant"),
        ("unused gives zeros, but there may be no graph", reads(out=["out = model(x)"], grad=["    grad, = torch.autograd.grad(out[:, k].sum(), x, retain_graph=True, materialize_grads=True)"]), "constant"),
        ("no graph: no columns", reads(out=["out = model(x)", "if not out.requires_grad: return []", "out = out + 0 * x.sum()"]), "constant"),
        ("the graph can be used twice", reads(grad=["    grad, = torch.autograd.grad(out[:, k].sum(), x)"]), "each output"),
        ("backward", reads(grad=["    x.grad = None", "    out[:, k].sum().backward(retain_graph=True)", "    grad = x.grad"]), "grads"),
        ("backward, and zero_grad", reads(grad=["    x.grad = None", "    out[:, k].sum().backward(retain_graph=True)", "    grad = x.grad"], end=["model.zero_grad()"]), "wiped"),
        ("zero_grad to begin with", reads(start=["model.zero_grad()", *READ["start"]]), "wiped"),
        ("all is frozen", reads(start=["model.requires_grad_(False)", *READ["start"]]), "frozen"),
        ("eval mode stays", reads(start=["model.eval()", *READ["start"]]), "mode"),
        ("afterwards train mode", reads(start=["model.eval()", *READ["start"]], end=["model.train()"]), "mode"),
        ("x wants gradients", reads(start=["x.requires_grad_()"]), "x"),
        ("x keeps its gradient", reads(start=["x.requires_grad_()"], end=["x.grad = torch.zeros_like(x)", "x.requires_grad_(False)"]), "x"),
        ("x is changed", reads(end=["x.data += 1"], start=["old = x", "x = x.detach().requires_grad_()"]), "changed input"),
        ("backwards", reads(**{"return": ["return [j for j in range(x.shape[1]) if not read[j]][::-1]"]}), "order"),
        ("a tensor is returned", reads(**{"return": ["return (~read).nonzero().flatten()"]}), "type"),
        ("a mask is returned", reads(**{"return": ["return (~read).tolist()"]}), "unread"),
        ("a list of tensors", reads(**{"return": ["return list((~read).nonzero().flatten())"]}), "type"),
        ("nothing is returned", reads(**{"return": []}), "no return"),
    ],
    "9.4": [
        ("nothing is loaded", trip(load=[]), "load"),
        ("the state is read, but not loaded", trip(load=["state = torch.load(file)"]), "load"),
        ("the state dict is only updated", trip(load=["fresh.state_dict().update(torch.load(file))"]), "load"),
        ("the file is not rewound", trip(save=TRIP["save"][:2]), "seek"),
        ("no file", trip(save=[], load=["fresh.load_state_dict(model.state_dict())"]), "file"),
        ("state dicts are compared", trip(same=["same = all(torch.equal(v, fresh.state_dict()[k]) for k, v in model.state_dict().items())"]), "outputs"),
        ("keys are compared", trip(same=["same = list(model.state_dict()) == list(fresh.state_dict())"]), "outputs"),
        ("load says all keys matched", trip(load=["same = str(fresh.load_state_dict(torch.load(file))) == '<All keys matched successfully>'"], same=[]), "outputs"),
        ("the model itself is saved", trip(save=["file = io.BytesIO()", "torch.save(model, file)", "file.seek(0)"], load=["fresh = torch.load(file, weights_only=False)"]), "outputs"),
        ("fresh is a copy of model", trip(save=[], load=["fresh = copy.deepcopy(model)"]), "outputs"),
        ("model is compared with itself", trip(ask=["first, second = model(x), model(x)"]), "outputs"),
        ("always", lambda model, fresh, x: True, "outputs"),
        ("no eval mode", trip(eval=[]), "dropout"),
        ("train mode", trip(eval=["model.train()", "fresh.train()"]), "dropout"),
        ("only model in eval mode", trip(eval=["model.eval()"]), "dropout"),
        ("only fresh in eval mode", trip(eval=["fresh.eval()"]), "dropout"),
        ("the same seed in place of eval mode", trip(eval=[], ask=["torch.manual_seed(0)", "first = model(x)", "torch.manual_seed(0)", "second = fresh(x)"]), "averages"),
        ("copies in place of eval mode", trip(eval=[], ask=["torch.manual_seed(0)", "first = copy.deepcopy(model)(x)", "torch.manual_seed(0)", "second = copy.deepcopy(fresh)(x)"]), "eval"),
        ("eval mode stays", trip(back=[]), "mode"),
        ("returns too early", trip(same=["return torch.equal(first, second)"]), "mode"),
        ("train mode at the end", trip(back=["model.train()", "fresh.train()"]), "mode"),
        ("both have the mode of model", trip(back=["model.train(flags[0])", "fresh.train(flags[0])"]), "mode"),
        ("modes exchanged", trip(back=["model.train(flags[1])", "fresh.train(flags[0])"]), "mode"),
        ("noted after eval", trip(note=[], eval=[*TRIP["eval"], *TRIP["note"]]), "mode"),
        ("sums are compared", trip(same=["same = bool(first.sum() == second.sum())"]), "each"),
        ("one equal output is enough", trip(same=["same = bool((first == second).any())"]), "each"),
        ("the first choice is compared", trip(same=["same = torch.equal(first.argmax(1), second.argmax(1))"]), "outputs"),
        ("only the first sample", trip(same=["same = torch.equal(first[0], second[0])"]), "each"),
        ("only the last sample", trip(same=["same = torch.equal(first[-1], second[-1])"]), "each"),
        ("shapes are compared", trip(same=["same = first.shape == second.shape"]), "outputs"),
        ("nearly is enough", trip(same=["same = torch.allclose(first, second, atol=1e-2)"]), "nearly"),
        ("the other way round", trip(save=["file = io.BytesIO()", "torch.save(fresh.state_dict(), file)", "file.seek(0)"], load=["model.load_state_dict(torch.load(file))"]), "model"),
        ("a tensor is returned", trip(same=["same = (first == second).all()"]), "type"),
        ("nothing is returned", trip(**{"return": []}), "no return"),
    ],
    "9.5": [
        ("copies are the same object", compares_models, "same"),
        ("changed or not, the wrong way round", alone(**{"return": "state() != before"}), "same"),
        ("is compares", alone(**{"return": "state() is before"}), "same"),
        ("the mode is set to eval", alone(before="model.eval()"), "mode"),
        ("it goes without modes", alone(modes="0"), "mode"),
        ("it has to be in train mode at the end", alone(modes="0", **{"return": "state() == before and model.training"}), "same"),
        ("only the mode of the model", alone(modes="model.training"), "modules"),
        ("only the modes of its children", alone(modes="[m.training for m in model.children()]"), "mode"),
        ("are all in eval mode?", alone(modes="any(m.training for m in model.modules())"), "modules"),
        ("a state dict is a copy", by_reference("model.state_dict()"), "copies"),
        ("copy() is a copy", by_reference("model.state_dict().copy()"), "copies"),
        ("detach is a copy", by_reference("{n: v.detach() for n, v in model.state_dict().items()}"), "copies"),
        ("a list of parameters is a copy", by_reference("dict(model.named_parameters())", "dict(model.named_parameters())"), "copies"),
        ("values do not matter", alone(values="0"), "copies"),
        ("only the first parameter", alone(values="[next(model.parameters()).tolist()]"), "copies"),
        ("ids instead of values", alone(values="[id(p) for p in model.parameters()]"), "copies"),
        ("sums tell", alone(values="[v.sum().item() for v in model.state_dict().values()]"), "each"),
        ("norms tell", alone(values="[v.float().norm().item() for v in model.state_dict().values()]"), "each"),
        ("the text tells", alone(values="str(model.state_dict())"), "little"),
        ("rounded", alone(values="[v.float().round(decimals=4).tolist() for v in model.state_dict().values()]"), "little"),
        ("parameters are all", alone(values="[p.tolist() for p in model.parameters()]"), "buffers"),
        ("only numbers with a point", alone(values="[v.tolist() for v in model.state_dict().values() if v.is_floating_point()]"), "buffers"),
        ("it goes without gradients", alone(grads="0"), "gradients"),
        ("is there a gradient?", alone(grads="[p.grad is None for p in model.parameters()]"), "gradients"),
        ("None is 0", alone(grads="[0.0 if p.grad is None else p.grad.abs().sum().item() for p in model.parameters()]"), "gradients"),
        ("gradients are kept as they are", alone(grads="[p.grad for p in model.parameters()]", **{"return": "str(state()) == str(before)"}), "gradients"),
        ("every parameter has a gradient", alone(grads="[p.grad.tolist() for p in model.parameters()]"), "raised"),
        ("the norm of the gradient", alone(grads="[None if p.grad is None else p.grad.norm().item() for p in model.parameters()]"), "gradients"),
        ("no gradients while it measures", alone(call="with torch.no_grad(): evaluate(model, loader, loss_fn)"), "gradients"),
        ("a deep copy has the gradients", lambda evaluate, model, *args: compare_with(copy.deepcopy(model), evaluate, model, *args), "gradients"),
        ("there may be no gradients", alone(grads="all(p.grad is None for p in model.parameters())", **{"return": "state() == before and before[1]"}), "afterwards"),
        ("each write counts", alone(values="[(v.tolist(), v.data_ptr(), v._version) for v in model.state_dict().values()]"), "afterwards"),
        ("evaluate is called twice", alone(call="evaluate(model, loader, loss_fn); evaluate(model, loader, loss_fn)"), "once"),
        ("evaluate is never called", alone(call="pass"), "once"),
        ("one evaluate for each question", alone(**{"return": "state() == before and evaluate(model, loader, loss_fn) > 0"}), "once"),
        ("a copy is evaluated", alone(call="twin = copy.deepcopy(model); evaluate(twin, loader, loss_fn)"), "arguments"),
        ("the loader becomes a list", alone(call="evaluate(model, list(loader), loss_fn)"), "arguments"),
        ("arguments in another order", alone(call="evaluate(loader, model, loss_fn)"), "raised"),
        ("what evaluate returns", alone(call="loss = evaluate(model, loader, loss_fn)", **{"return": "loss"}), "type"),
        ("what has changed is returned", alone(**{"return": "[a == b for a, b in zip(state(), before)]"}), "type"),
        ("nothing is returned", alone(**{"return": "None"}), "no return"),
    ],
}  # fmt: skip
ORDER = "both are done, in either order"
EQUIVALENT = {
    "9.3": {
        "out = model(x) + 0 * x.sum() -> out = model(x) - 0 * x.sum()": "0 more or 0 less",
        "out = model(x) + 0 * x.sum() -> out = model(x) + 0 * x.mean()": "times 0, all the same",
        "grad, = torch.autograd.grad(out[:, k].sum(), x, retain_graph=True) -> "
        "grad, = torch.autograd.grad(out[:, k].mean(), x, retain_graph=True)": "smaller by a factor, and 0 only where the sum's is",
    },
    "9.4": {
        "(model.eval(), fresh.eval()) -> (fresh.eval(), model.eval())": ORDER,
        "same = torch.equal(model(x), fresh(x)) -> same = torch.equal(fresh(x), model(x))": ORDER,
        "(model.train(modes[0]), fresh.train(modes[1])) -> (fresh.train(modes[1]), model.train(modes[0]))": ORDER,
    },
    "9.5": {
        "values = [value.tolist() for value in (*model.parameters(), *model.buffers())] -> "
        "values = [value.tolist() for value in (*model.buffers(), *model.parameters())]": ORDER,
        "return (values, grads, [module.training for module in model.modules()]) -> "
        "return ([module.training for module in model.modules()], grads, values)": ORDER,
    },
}
