"""Checks of what belongs to what: parameters, layers, optimizer and scheduler."""

import torch
from torch import nn

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.report import Finding, Skip, listed

FRESH = 0.03  # how near to torch's default initialisation a weight is that was never trained


def held_by(optimizer):
    """{id: parameter} of all that an optimizer moves."""
    return {id(p): p for group in optimizer.param_groups for p in group["params"]}


def leaves(output):
    """All tensors that require gradients and that the output was computed from."""
    nodes = [t.grad_fn for t in tensors(output) if t.grad_fn is not None]
    seen, found = set(nodes), []
    while nodes:
        node = nodes.pop()
        if hasattr(node, "variable"):
            found.append(node.variable)
        following = {following for following, _ in node.next_functions if following is not None} - seen
        seen |= following
        nodes += following
    return found


def inner_tensors(model):
    """{id: (where, tensor)} of tensors that a model keeps otherwise than as its parameters and buffers."""
    known = {id(t) for t in [*model.parameters(), *model.buffers()]}
    modules, found = {id(m) for m in model.modules()}, {}
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            if not attribute.startswith("_") or attribute not in vars(nn.Module()):
                where = f"{name}.{attribute}" if name else attribute
                collect(where, value, known, modules, found)
    return found


def collect(where, value, known, modules, found, depth=4):
    if isinstance(value, torch.Tensor):
        if id(value) not in known:
            found.setdefault(id(value), (where, value))
    elif isinstance(value, nn.Module):
        if id(value) not in modules:
            for name, tensor in [*value.named_parameters(), *value.named_buffers()]:
                collect(f"{where}.{name}", tensor, known, modules, found)
            for name, module in value.named_modules():
                plain = {a: v for a, v in vars(module).items() if not a.startswith("_")}
                collect(f"{where}.{name}" if name else where, plain, known, modules, found, depth - 1)
    elif depth and isinstance(value, list | tuple | dict) and len(value) <= 1000:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            inside = f"{where}.{key}" if isinstance(value, dict) and not where.endswith("]") else f"{where}[{key!r}]"
            collect(inside, part, known, modules, found, depth - 1)


def hidden_leaves(model, output, batch, loss_fn):
    """[(name, tensor)] that the output depends on and that should learn, but are no parameters of the model."""
    known = {id(p) for p in model.parameters()} | {id(t) for t in tensors([batch.inputs, batch.named])}
    known |= {id(p) for p in loss_fn.parameters()} if isinstance(loss_fn, nn.Module) else set()
    where = inner_tensors(model)
    hidden = [tensor for tensor in leaves(output) if id(tensor) not in known]
    return [(where.get(id(t), (f"a tensor {tuple(t.shape)} from outside the model",))[0], t) for t in hidden]


def unregistered_submodule(hidden, optimizer):
    """Layers or tensors that the output needs, that want gradients, and that neither optimizer nor model know."""
    held = held_by(optimizer) if optimizer else {}
    lost = [(name, tensor) for name, tensor in hidden if id(tensor) not in held]
    if lost:
        count = sum(tensor.numel() for _, tensor in lost)
        message = f"The output depends on {listed(sorted(name for name, _ in lost))} ({count} numbers), which model.parameters() does not give."  # noqa: E501
        yield Finding(
            "unregistered-submodule", "error", message, {"names": sorted(n for n, _ in lost), "numbers": count}
        )


def optimizer_of_another_model(model, optimizer, hidden=()):
    """None of what the optimizer moves is the model's."""
    own = {id(p) for p in model.parameters()} | {id(t) for _, t in hidden}
    held = held_by(optimizer)
    if held and own and not own & set(held):
        message = f"None of the optimizer's {len(held)} parameters is among the model's {len(own)}."
        yield Finding("optimizer-of-another-model", "error", message, {"held": len(held), "model": len(own)})


def parameter_not_in_optimizer(model, optimizer, order):
    """Parameters that want gradients and are not moved. `order`: names as the forward pass comes to them.

    If all of them come before all that train, it may be on purpose: a backbone that stays as it is.
    """
    held = held_by(optimizer)
    wanted = {name: p for name, p in model.named_parameters() if p.requires_grad}
    missing = [name for name, p in wanted.items() if id(p) not in held]
    if not missing or len(missing) == len(wanted):
        return
    severity = "advice" if comes_before(missing, set(wanted) - set(missing), order) else "error"
    message = f"{len(missing)} of {len(wanted)} parameters are not in the optimizer: {listed(missing)}."
    if severity == "advice":
        message += " If that is on purpose, requires_grad_(False) says so, and saves time."
    yield Finding("parameter-not-in-optimizer", severity, message, {"missing": missing, "of": len(wanted)})


def comes_before(some, others, order):
    place = {name: i for i, name in enumerate(order)}
    return max(place.get(name, 0) for name in some) < min(place.get(name, 0) for name in others)


def order_of_use(model, call):
    """Names of parameters as the forward pass comes to their layers; those of layers not called first, in order."""
    called, hooks = {}, []
    for name, module in model.named_modules():

        def note(module, args, name=name):
            called.setdefault(name, len(called))

        hooks.append(module.register_forward_pre_hook(note))
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    every = [name for name, _ in model.named_parameters()]
    return sorted(every, key=lambda name: nearest(called, name.rpartition(".")[0]))  # sorted is stable


def nearest(called, name):
    """When a module was called, or else the one that it is in (as nn.MultiheadAttention's out_proj)."""
    while name and name not in called:
        name = name.rpartition(".")[0]
    return called.get(name, -1)


def frozen_by_accident(model, order):
    """requires_grad=False for all, for the end of the network, in its middle, or for layers nobody has trained."""
    everything = dict(model.named_parameters())
    frozen = [name for name, p in everything.items() if not p.requires_grad and p.is_floating_point()]
    if not frozen:
        return
    evidence = {"frozen": frozen, "of": len(everything)}
    if len(frozen) == len(everything):
        message = f"All {len(frozen)} parameters have requires_grad=False: nothing trains."
        yield Finding("frozen-by-accident", "error", message, evidence)
        return
    fresh = [name for name in frozen if looks_fresh(everything[name])] or without_a_trace(everything, frozen)
    at_start = comes_before(frozen, set(everything) - set(frozen), order)
    at_end = order[-1] in frozen
    if not fresh and at_start:
        return
    severity = "error" if fresh and at_end else "advice"
    reason = (
        "they come last"
        if at_end
        else f"{len(fresh)} of them look as if never trained"
        if fresh
        else "others before them train"
    )
    which = listed(fresh or frozen)
    message = f"{len(frozen)} of {len(everything)} parameters have requires_grad=False, and {reason}: {which}."
    yield Finding("frozen-by-accident", severity, message, evidence)


def looks_fresh(weight):
    """As torch makes weights: spread evenly up to 1 / sqrt(fan_in), which training blurs."""
    if weight.ndim < 2 or weight.numel() < 32:
        return False
    top = weight.abs().max().item() * weight[0].numel() ** 0.5
    even = (weight.double().pow(2).mean().sqrt() / weight.abs().max()).item() * 3**0.5  # 1, if spread evenly
    return abs(top - 1) < FRESH and abs(even - 1) < 0.15


def without_a_trace(everything, frozen):
    """The frozen weights, if each frozen vector (biases, mostly) holds one value only, as before any training."""
    vectors = [everything[name] for name in frozen if everything[name].ndim == 1 and everything[name].numel() >= 4]
    alike = vectors and all(bool((vector == vector[0]).all()) for vector in vectors)
    return [name for name in frozen if everything[name].ndim > 1] if alike else []


def scheduler_stale(scheduler, optimizer):
    """The scheduler sets the learning rate of another optimizer."""
    theirs = getattr(scheduler, "optimizer", None)
    if theirs is None:
        raise Skip("the scheduler does not say whose learning rate it sets")
    inner = getattr(theirs, "optimizer", theirs)  # wrapped once
    if inner is not optimizer and inner is not getattr(optimizer, "optimizer", optimizer):
        message = "The scheduler was made from another optimizer than the one that trains."
        groups = [len(o.param_groups) for o in (inner, optimizer)]
        yield Finding("scheduler-stale", "error", message, {"groups": groups})
