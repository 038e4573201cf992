"""Answers to the exercises of lesson 10."""

import contextlib
import copy
import itertools
import math

import numpy as np
import torch
from torch import nn


def by_pairs(values, weight):
    """Numerator and denominator, each a running sum."""
    top, bottom, shown = 0, 0, []
    for value in values:
        top, bottom = top * weight + value, bottom * weight + 1
        shown.append(top / bottom)
    return shown


def by_matrix(values, weight):
    ages = np.arange(len(values))[:, None] - np.arange(len(values))
    weights = np.where(ages < 0, 0.0, float(weight) ** np.abs(ages))
    return list(weights @ np.array(values, dtype=float) / weights.sum(axis=1))


def by_accumulate(values, weight):
    averages = itertools.accumulate(values, lambda old, new: old + (1 - weight) * (new - old), initial=0.0)
    return [average / (1 - weight**n) for n, average in enumerate(averages) if n]


def by_moving_share(values, weight):
    """The share of the newest value shrinks, from 1 to 1 - weight."""
    shown = []
    for i in range(len(values)):
        share = (1 - weight) / (1 - weight ** (i + 1))
        shown.append(share * values[i] + (1 - share) * (shown[-1] if shown else 0.0))
    return shown


def in_float32(values, weight):
    average, left, shown = torch.zeros(()), 1.0, []
    for value in torch.tensor(values):
        average.lerp_(value, 1 - weight)
        left *= weight
        shown.append((average / (1 - left)).item())
    return shown


def smoothing(start="0.0", update="weight * average + (1 - weight) * value", show="average / (1 - weight**n)", **more):
    """An answer with some of its parts replaced; the rest of `more` are lines."""
    lines = [
        "def answer(values, weight):",
        *more.get("before", []),
        f"    average, shown = {start}, {more.get('shown', '[]')}",
        f"    for n, value in enumerate(values, {more.get('first', 1)}):",
        *more.get("inside", []),
        f"        average = {update}",
        f"        shown.append({show})",
        f"    return {more.get('result', 'shown')}",
    ]
    names = {"torch": torch, "np": np}
    exec("\n".join(lines), names)
    return names["answer"]


def in_place(values, weight):
    average = 0.0
    for i, value in enumerate(values):
        average = weight * average + (1 - weight) * value
        values[i] = average / (1 - weight ** (i + 1))
    return values


def by_dividing_by_weight(values, weight):
    shown = []
    for n in range(1, len(values) + 1):
        weights = [weight ** (-i) for i in range(n)]
        shown.append(sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights))
    return shown


def last_two(values, weight):
    return [(weight * a + b) / (weight + 1) for a, b in itertools.pairwise(values[:1] + values)]


def first_is_the_first(values, weight):
    average, shown = (1 - weight) * values[0], [values[0]]
    for n, value in enumerate(values[1:], 2):
        average = weight * average + (1 - weight) * value
        shown.append(average / (1 - weight**n))
    return shown


# Dead units


def by_maximum(outputs):
    places = [axis for axis in range(outputs.ndim) if axis != 1]
    return (outputs.amax(dim=places) == 0).float().mean().item()


def by_counting(outputs):
    dead = 0
    for k in range(outputs.size(1)):
        if not outputs[:, k].any():
            dead += 1
    return dead / outputs.size(1)


def by_numpy(outputs):
    alive = np.moveaxis(outputs.numpy(), 1, 0).reshape(outputs.shape[1], -1).any(axis=1)
    return np.mean(~alive)


def by_cases(outputs):
    zero = outputs == 0
    dead = zero.all(dim=0) if outputs.ndim == 2 else zero.all(dim=3).all(dim=2).all(dim=0)
    return dead.sum().item() / len(dead)


def by_sum(outputs):
    sums = outputs.transpose(0, 1).reshape(outputs.shape[1], -1).sum(dim=1)
    return 1 - torch.count_nonzero(sums).item() / sums.numel()


def by_unique(outputs):
    return 1 - len(outputs.nonzero()[:, 1].unique()) / outputs.shape[1]


def by_mean(outputs):
    """Of a ReLU's outputs, which are never negative, that is as good."""
    return float((outputs.transpose(0, 1).flatten(1).mean(dim=1) == 0).double().mean())


def dead_by(ask, finish=lambda dead: dead.float().mean().item()):
    """An answer that asks something else about (units, all that they gave), or makes something else of the answers."""
    return lambda outputs: finish(ask(outputs.transpose(0, 1).flatten(1)))


def dead_samples(outputs):
    return (outputs.flatten(1) == 0).all(dim=1).float().mean().item()


def each_place(outputs):
    return (outputs == 0).all(dim=0).float().mean().item()


def reshaped(outputs):
    return (outputs.reshape(outputs.shape[1], -1) == 0).all(dim=1).float().mean().item()


def reshaped_if_4d(outputs):
    return by_cases(outputs) if outputs.ndim == 2 else reshaped(outputs)


def each_sample_for_itself(outputs):
    zero = (outputs == 0).flatten(2).all(dim=2) if outputs.ndim == 4 else (outputs == 0).all(dim=0)
    return zero.float().mean().item()


def only_the_middle(outputs):
    if outputs.ndim == 4:
        outputs = outputs[:, :, outputs.shape[2] // 2, outputs.shape[3] // 2]
    return by_counting(outputs)


def only_rows_of_places(outputs):
    if outputs.ndim == 4:
        outputs = outputs[:, :, 0]
    return by_maximum(outputs)


def average_picture(outputs):
    if outputs.ndim == 4:
        return ((outputs == 0).float().mean(dim=(2, 3)) > 0.5).all(dim=0).float().mean().item()
    return by_maximum(outputs)


def only_two_axes(outputs):
    batch, features = outputs.shape
    return sum(not outputs[:, k].any() for k in range(features)) / features


def only_four_axes(outputs):
    return (outputs == 0).all(dim=(0, 2, 3)).float().mean().item()


def writes_ones(outputs):
    outputs[outputs > 0] = 1
    return by_maximum(outputs)


# How far did it go?


def with_copy_of_the_model(model, optimizer):
    old = copy.deepcopy(model)
    optimizer.step()
    ratios = {}
    for (name, now), before in zip(model.named_parameters(), old.parameters(), strict=True):
        if now.dim() >= 2:
            ratios[name] = (torch.dist(now, before) / before.norm()).item()
    return ratios


def with_numpy(model, optimizer):
    before = {name: p.detach().numpy().copy() for name, p in model.named_parameters() if len(p.shape) > 1}
    optimizer.step()
    now = {name: p.detach().numpy() for name, p in model.named_parameters()}
    return {
        name: np.linalg.norm((now[name] - old).ravel()) / np.linalg.norm(old.ravel()) for name, old in before.items()
    }


@torch.no_grad()
def with_squares(model, optimizer):
    matrices = [(name, p, p.clone()) for name, p in model.named_parameters() if p.ndim not in (0, 1)]
    optimizer.step()
    optimizer.zero_grad()
    return {name: (((p - old) ** 2).sum().sqrt() / (old**2).sum().sqrt()).item() for name, p, old in matrices}


def with_vectors(model, optimizer):
    before = {name: p.data.flatten().tolist() for name, p in model.named_parameters() if p.ndim > 1}
    optimizer.step()
    result = {}
    for name, p in model.named_parameters():
        if name in before:
            result[name] = math.dist(p.data.flatten().tolist(), before[name]) / math.hypot(*before[name])
    return result


def ratios(**changed):
    """An answer with some of its parts replaced."""
    parts = {
        "keep": "p.detach().clone()",
        "of": "model.named_parameters()",
        "where": "p.ndim > 1",
        "step": "optimizer.step()",
        "key": "name",
        "ratio": "((now[name] - old).norm() / old.norm()).item()",
        "after": "",
    } | changed
    lines = [
        "def answer(model, optimizer):",
        f"    before = {{name: {parts['keep']} for name, p in {parts['of']} if {parts['where']}}}",
        f"    {parts['step']}",
        f"    now = dict({parts['of']})",
        f"    found = {{{parts['key']}: {parts['ratio']} for name, old in before.items()}}",
        f"    {parts['after']}",
        f"    return {parts.get('result', 'found')}",
    ]
    names = {"torch": torch, "np": np, "nn": nn, "math": math}
    exec("\n".join(lines), names)
    return names["answer"]


def rate_times_gradient(model, optimizer):
    rate = optimizer.param_groups[0]["lr"]
    old = {name: p.detach().norm() for name, p in model.named_parameters() if p.ndim > 1}
    found = {
        name: (rate * p.grad.norm() / old[name]).item() if p.grad is not None and p.requires_grad else 0.0
        for name, p in model.named_parameters()
        if name in old
    }
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer.step()
    return {name: value * any((before[name] != model.get_parameter(name)).flatten()) for name, value in found.items()}


def gradients_are_there(model, optimizer):
    rate = optimizer.param_groups[0]["lr"]
    old = {name: p.detach().norm() for name, p in model.named_parameters() if p.ndim > 1}
    optimizer.step()
    return {name: (rate * p.grad.norm() / old[name]).item() for name, p in model.named_parameters() if name in old}


def step_by_hand(model, optimizer):
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim > 1}
    with torch.no_grad():
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p -= group["lr"] * p.grad
    now = dict(model.named_parameters())
    return {name: ((now[name] - old).norm() / old.norm()).item() for name, old in before.items()}


def put_back(model, optimizer):
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer.step()
    found = {
        name: ((p - before[name]).norm() / before[name].norm()).item()
        for name, p in model.named_parameters()
        if p.ndim > 1
    }
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(before[name])
    return found


def only_the_optimizers(model, optimizer):
    theirs = {id(p) for group in optimizer.param_groups for p in group["params"]}
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim > 1 and id(p) in theirs}
    optimizer.step()
    return {name: ((model.get_parameter(name) - old).norm() / old.norm()).item() for name, old in before.items()}


def a_number_for_all(model, optimizer):
    before = torch.cat([p.detach().clone().flatten() for p in model.parameters() if p.ndim > 1])
    optimizer.step()
    now = torch.cat([p.detach().flatten() for p in model.parameters() if p.ndim > 1])
    return ((now - before).norm() / before.norm()).item()


def of_top_modules(model, optimizer):
    before = {f"{name}.weight": part.weight.detach().clone() for name, part in model.named_children()}
    before |= {"weight": model.weight.detach().clone()} if hasattr(model, "weight") else {}
    optimizer.step()
    return {name: ((model.get_parameter(name) - old).norm() / old.norm()).item() for name, old in before.items()}


# Listen in


def innermost(model):
    return [(name, module) for name, module in model.named_modules() if not list(module.children())]


def with_class(model, x):
    class Ear:
        def __init__(self):
            self.heard = None

        def __call__(self, module, inputs, output):
            self.heard = output.detach().clone()

    ears = {}
    with contextlib.ExitStack() as stack, torch.inference_mode():
        for name, module in innermost(model):
            ears[name] = Ear()
            stack.callback(module.register_forward_hook(ears[name]).remove)
        model(x)
    return {name: ear.heard for name, ear in ears.items()}


@torch.no_grad()
def with_default(model, x):
    outputs, handles = {}, []
    for name, module in model.named_modules():
        if len(list(module.children())) == 0:
            outputs[name] = None

            def listen(module, inputs, output, name=name):
                outputs[name] = output.clone()

            handles.append(module.register_forward_hook(listen))
    try:
        model(x)
    finally:
        while handles:
            handles.pop().remove()
    return outputs


def with_names_of_modules(model, x):
    names = {module: name for name, module in innermost(model)}
    found = dict.fromkeys(names.values())

    def listen(module, inputs, output):
        found[names[module]] = torch.clone(output)

    hooks = [module.register_forward_hook(listen) for module in names]
    try:
        with torch.no_grad():
            model(x)
    except BaseException:
        for hook in hooks:
            hook.remove()
        raise
    for hook in hooks:
        hook.remove()
    return found


def with_own_forwards(model, x):
    """No hooks at all."""
    found, changed = {}, []

    def wrap(name, forward):
        def listen(*args):
            output = forward(*args)
            found[name] = output.clone()
            return output

        return listen

    try:
        for name, module in innermost(model):
            found[name] = None
            module.forward = wrap(name, module.forward)
            changed.append(module)
        with torch.no_grad():
            model(x)
    finally:
        for module in changed:
            del module.forward
    return found


def with_a_copy(model, x):
    """Whatever is left behind is left on the copy."""
    twin, found = copy.deepcopy(model), {}
    for name, module in innermost(twin):
        found[name] = None
        module.register_forward_hook(lambda m, i, output, name=name: found.update({name: output.clone()}))
    with torch.no_grad():
        twin(x)
    return found


LISTENING = {
    "leaves": "[(name, module) for name, module in model.named_modules() if not list(module.children())]",
    "start": "dict.fromkeys(name for name, _ in leaves)",
    "listen": "outputs.__setitem__(name, output.clone())",
    "hooks": "[module.register_forward_hook(listen(name)) for name, module in leaves]",
    "before": "pass",
    "guard": "torch.no_grad()",
    "call": "model(x)",
    "except": "",
    "remove": "for hook in hooks: hook.remove()",
    "after": "pass",
    "result": "outputs",
}


def listening(**changed):
    """An answer with some of its parts replaced."""
    parts = LISTENING | changed
    lines = [
        "def answer(model, x):",
        f"    leaves = {parts['leaves']}",
        f"    outputs = {parts['start']}",
        "    def listen(name):",
        f"        return lambda module, inputs, output: {parts['listen']}",
        f"    {parts['before']}",
        f"    hooks = {parts['hooks']}",
        "    try:",
        f"        with {parts['guard']}:",
        f"            {parts['call']}",
        f"    {parts['except']}",
        "    finally:",
        f"        {parts['remove']}",
        f"    {parts['after']}",
        f"    return {parts['result']}",
    ]
    names = {"torch": torch, "nn": nn, "contextlib": contextlib, "copy": copy}
    exec("\n".join(line for line in lines if line.strip()), names)
    return names["answer"]


def trapped(model, x):
    outputs, hooks = {}, []
    for name, module in innermost(model):
        hooks.append(module.register_forward_hook(lambda m, i, output: outputs.update({name: output.clone()})))  # noqa: B023
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def remove_without_finally(model, x):
    outputs = {name: None for name, _ in innermost(model)}
    hooks = [
        module.register_forward_hook(lambda m, i, output, name=name: outputs.update({name: output.clone()}))
        for name, module in innermost(model)
    ]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return outputs


def for_all_modules(model, x):
    names, outputs = {module: name for name, module in innermost(model)}, {name: None for name, _ in innermost(model)}

    def listen(module, inputs, output):
        if module in names:
            outputs[names[module]] = output.clone()

    nn.modules.module.register_module_forward_hook(listen)
    with torch.no_grad():
        model(x)
    return outputs


@torch.no_grad()
def layer_by_layer(model, x):
    outputs = {}
    for name, module in innermost(model):
        x = module(x)
        outputs[name] = x.clone()
    return outputs


def own_forwards_left(model, x):
    found = {}

    def wrap(name, forward):
        return lambda *args: found.setdefault(name, forward(*args).clone())

    for name, module in innermost(model):
        found[name] = None
        del found[name]
        module.forward = wrap(name, module.forward)
    with torch.no_grad():
        model(x)
    return {name: found[name] for name, _ in innermost(model)}


@torch.no_grad()
def a_call_for_each(model, x):
    outputs = {}
    for name, module in innermost(model):
        hook = module.register_forward_hook(lambda m, i, output, name=name: outputs.update({name: output.clone()}))
        try:
            model(x)
        finally:
            hook.remove()
    return outputs


@torch.no_grad()
def of_children(model, x):
    outputs, hooks = {}, []
    for name, module in model.named_children():
        hooks.append(
            module.register_forward_hook(lambda m, i, output, name=name: outputs.update({name: output.clone()}))
        )
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


# An average of gradients


def in_a_loop(model, x, action, noises):
    total = torch.zeros_like(x)
    for noise in noises:
        noisy = (x + noise).unsqueeze(0).requires_grad_(True)
        total += torch.autograd.grad(model(noisy)[0, action], noisy)[0].squeeze(0)
    return (total / len(noises)).abs().max(dim=0).values


def on_a_copy(model, x, action, noises):
    twin = copy.deepcopy(model)
    inputs = torch.stack([x + noise for noise in noises]).requires_grad_()
    twin(inputs)[:, action].mean().backward()
    return inputs.grad.sum(dim=0).abs().amax(dim=0)


def with_grads_put_back(model, x, action, noises):
    kept = [(p, p.grad) for p in model.parameters()]
    model.zero_grad(set_to_none=True)
    inputs = (x[None] + noises).requires_grad_()
    model(inputs)[:, action].sum().backward()
    for p, old in kept:
        p.grad = old
    return torch.linalg.vector_norm(inputs.grad.mean(0), torch.inf, dim=0)


def with_vmap(model, x, action, noises):
    gradient = torch.func.grad(lambda one: model(one[None])[0, action])
    mean = torch.func.vmap(gradient)(x + noises).mean(dim=0).detach()
    return torch.maximum(mean.amax(dim=0), -mean.amin(dim=0))


def with_backward_for_the_inputs(model, x, action, noises):
    inputs = (x + noises).requires_grad_()
    logits = model(inputs)[:, action]
    logits.backward(torch.full_like(logits, 1 / len(logits)), inputs=[inputs])
    return inputs.grad.sum(dim=0).abs().amax(dim=0)


def with_jacobian(model, x, action, noises):
    rows = torch.autograd.functional.jacobian(model, x + noises)  # (N, A, N, C, H, W)
    rows = torch.stack([rows[n, action, n] for n in range(len(noises))])
    return torch.stack(list(rows.mean(dim=0))).abs().max(dim=0)[0]


def frozen_for_a_while(model, x, action, noises):
    flags = [p.requires_grad for p in model.parameters()]
    x.requires_grad_()
    for p in model.parameters():
        p.requires_grad = False
    gradients = [torch.autograd.grad(model((x + noise)[None])[0][action], x)[0].numpy() for noise in noises]
    x.requires_grad_(False)
    for p, flag in zip(model.parameters(), flags, strict=True):
        p.requires_grad = flag
    return torch.from_numpy(np.abs(np.mean(gradients, axis=0)).max(axis=0))


GRADIENTS = {
    "before": "pass",
    "inputs": "(x + noises).detach().requires_grad_()",
    "logits": "model(inputs)[:, action]",
    "gradients": "torch.autograd.grad(logits.sum(), inputs)[0]",
    "after": "pass",
    "mean": "gradients.mean(dim=0)",
    "result": "mean.abs().amax(dim=0)",
}
BACKWARD = "(logits.sum().backward(), inputs.grad)[1]"


def saliency(**changed):
    """An answer with some of its parts replaced."""
    parts = GRADIENTS | changed
    lines = [
        "def answer(model, x, action, noises):",
        f"    {parts['before']}",
        f"    inputs = {parts['inputs']}",
        f"    logits = {parts['logits']}",
        f"    gradients = {parts['gradients']}",
        f"    {parts['after']}",
        f"    mean = {parts['mean']}",
        f"    return {parts['result']}",
    ]
    names = {"torch": torch, "copy": copy}
    exec("\n".join(lines), names)
    return names["answer"]


def without_a_batch(model, x, action, noises):
    total = 0
    for noise in noises:
        noisy = (x + noise).requires_grad_()
        total = total + torch.autograd.grad(model(noisy)[action], noisy)[0]
    return (total / len(noises)).abs().amax(dim=0)


def one_after_the_other(model, x, action, noises):
    """Each noise on top of those before it."""
    noisy, total = x.clone(), 0
    for noise in noises:
        noisy = (noisy + noise).detach().requires_grad_()
        total = total + torch.autograd.grad(model(noisy[None])[0, action], noisy)[0]
    return (total / len(noises)).abs().amax(dim=0)


def return_in_the_loop(model, x, action, noises):
    for noise in noises:
        noisy = (x + noise).requires_grad_()
        return torch.autograd.grad(model(noisy[None])[0, action], noisy)[0].abs().amax(dim=0)


def strongest_of_each(model, x, action, noises):
    """Of each gradient the channel that counts most, with its sign; of these the mean."""
    inputs = (x + noises).requires_grad_()
    (gradients,) = torch.autograd.grad(model(inputs)[:, action].sum(), inputs)
    places = gradients.abs().argmax(dim=1, keepdim=True)
    return gradients.gather(1, places)[:, 0].mean(dim=0).abs()


def one_channel_for_all(model, x, action, noises):
    inputs = (x + noises).requires_grad_()
    (gradients,) = torch.autograd.grad(model(inputs)[:, action].sum(), inputs)
    mean = gradients.mean(dim=0).abs()
    return mean[mean.sum(dim=(1, 2)).argmax()]


def with_a_hook_on_the_first_layer(model, x, action, noises):
    seen = []
    model[0].register_full_backward_hook(lambda module, inputs, outputs: seen.append(inputs[0]))
    inputs = (x + noises).requires_grad_()
    torch.autograd.grad(model(inputs)[:, action].sum(), inputs)
    return seen[0].mean(dim=0).abs().amax(dim=0)


def with_vmap_and_graph(model, x, action, noises):
    gradient = torch.func.grad(lambda one: model(one[None])[0, action])
    return torch.func.vmap(gradient)(x + noises).mean(dim=0).abs().amax(dim=0)


def kept_but_not_copied(model, x, action, noises):
    kept = [p.grad for p in model.parameters()]
    answer = saliency(gradients=BACKWARD)(model, x, action, noises)
    for p, old in zip(model.parameters(), kept, strict=True):
        p.grad = old
    return answer


def frozen_and_thawed(model, x, action, noises):
    model.requires_grad_(False)
    answer = saliency(gradients=BACKWARD)(model, x, action, noises)
    model.requires_grad_(True)
    return answer


def of_the_weights(model, x, action, noises):
    logits = model(x + noises)[:, action]
    (gradients,) = torch.autograd.grad(logits.sum(), model[2].weight)
    return (gradients[action].view(x.shape) / len(noises)).abs().amax(dim=0)


RIGHT = {
    "10.1": [by_pairs, by_matrix, by_accumulate, by_moving_share, in_float32],
    "10.2": [by_maximum, by_counting, by_numpy, by_cases, by_sum, by_unique, by_mean],
    "10.3": [with_copy_of_the_model, with_numpy, with_squares, with_vectors],
    "10.4": [with_class, with_default, with_names_of_modules, with_own_forwards, with_a_copy],
    "10.5": [
        in_a_loop,
        on_a_copy,
        with_grads_put_back,
        with_vmap,
        with_backward_for_the_inputs,
        with_jacobian,
        frozen_for_a_while,
    ],
}
WRONG = {
    "10.1": [
        ("the average is shown as it is", smoothing(show="average"), "divide"),
        ("it begins at the first value and is divided", smoothing(start="values[0] if values else 0.0"), "divide"),
        ("it is multiplied", smoothing(show="average * (1 - weight**n)"), "divide"),
        ("divided by weight ** n", smoothing(show="average / weight**n"), "roles"),
        ("n is counted from 0", smoothing(first=0), "from 1"),
        ("n is counted from 2", smoothing(first=2), "divide"),
        ("n is always 1", smoothing(show="average / (1 - weight)"), "count"),
        ("n is the number of all values", smoothing(show="average / (1 - weight ** len(values))"), "count"),
        ("weight times n", smoothing(show="average / (1 - weight * n)"), "count"),
        ("what is shown goes on", smoothing(update="(weight * average + (1 - weight) * value) / (1 - weight**n)", show="average"), "count"),
        ("the average begins at the first value", smoothing(start="values[0] if values else 0.0", show="average"), "start"),
        ("the first value is no average", smoothing(update="weight * average + (1 - weight) * value if n > 1 else value", show="average"), "start"),
        ("the mean of all values so far", smoothing(update="average + value", show="average / n"), "start"),
        ("the mean with the value before", smoothing(start="None", update="value", show="(values[max(n - 2, 0)] + value) / 2"), "start"),
        ("the values themselves", lambda values, weight: list(values), "start"),
        ("weight goes with the new value", smoothing(update="(1 - weight) * average + weight * value"), "roles"),
        ("weight goes with the new value everywhere", smoothing(update="(1 - weight) * average + weight * value", show="average / (1 - (1 - weight)**n)"), "roles"),
        ("both are weighed by weight", smoothing(update="weight * average + weight * value"), "roles"),
        ("it divides by weight", by_dividing_by_weight, "zero"),
        ("weight 0 is no weight", smoothing(before=["    if not weight: return [0.0] * len(values)"]), "zero"),
        ("weight 0 keeps nothing", lambda values, weight: by_pairs(values, weight or 0.5), "zero"),
        ("there is a first value", first_is_the_first, "empty"),
        ("the average at the beginning is shown if there is nothing", lambda values, weight: by_pairs(values, weight) or [0.0], "empty"),
        ("a value of 0 is none", smoothing(inside=["        if not value: continue"]), "all"),
        ("the last two values are enough", last_two, "all"),
        ("nothing is negative", smoothing(show="max(0.0, average / (1 - weight**n))"), "all"),
        ("it is rounded", smoothing(show="round(average / (1 - weight**n), 2)"), "start"),
        ("the beginning is shown, too", smoothing(shown="[0.0]"), "divide"),
        ("only the last one is returned", smoothing(result="shown[-1] if shown else 0.0"), "type"),
        ("a tensor is returned", smoothing(result="torch.tensor(shown)"), "type"),
        ("tensors are returned", smoothing(show="torch.tensor(average / (1 - weight**n))"), "type"),
        ("the values are overwritten", in_place, "changed input"),
        ("append returns the list", smoothing(result="shown.append(average)"), "no return"),
        ("nothing is returned", smoothing(result="None"), "no return"),
    ],
    "10.2": [
        ("the share of zeros", lambda outputs: (outputs == 0).float().mean().item(), "every sample"),
        ("one zero is enough", dead_by(lambda units: (units == 0).any(dim=1)), "every sample"),
        ("the first sample shows it", lambda outputs: by_counting(outputs[:1]), "every sample"),
        ("the last sample shows it", lambda outputs: by_counting(outputs[-1:]), "every sample"),
        ("mostly 0 is dead", dead_by(lambda units: (units == 0).float().mean(dim=1) >= 0.5), "every sample"),
        ("the smallest is 0", dead_by(lambda units: units.amin(dim=1) == 0), "every sample"),
        ("the median is 0", dead_by(lambda units: units.median(dim=1).values == 0), "every sample"),
        ("dead samples", dead_samples, "units"),
        ("all over the axis of the units", lambda outputs: (outputs == 0).all(dim=1).float().mean().item(), "units"),
        ("reshape turns the axes", reshaped, "units"),
        ("the number of dead units", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: dead.sum().float().item()), "share"),
        ("a whole number", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: dead.sum().item()), "share"),
        ("a share of the batch", lambda outputs: by_counting(outputs) * outputs.shape[1] / outputs.shape[0], "share"),
        ("a percentage", lambda outputs: 100 * by_counting(outputs), "dead"),
        ("the share of the living", lambda outputs: 1 - by_counting(outputs), "dead"),
        ("is every unit dead?", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: float(dead.all())), "share"),
        ("is any unit dead?", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: float(dead.any())), "share"),
        ("rounded down", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: dead.sum().item() // len(dead)), "share"),
        ("nearly 0 is 0", dead_by(lambda units: (units < 1e-3).all(dim=1)), "exactly"),
        ("close to 0 is 0", dead_by(lambda units: torch.isclose(units, torch.zeros(1)).all(dim=1)), "exactly"),
        ("whole numbers will do", dead_by(lambda units: (units.int() == 0).all(dim=1)), "exactly"),
        ("rounded to 6 places", dead_by(lambda units: (units.round(decimals=6) == 0).all(dim=1)), "exactly"),
        ("each place is a unit", each_place, "places"),
        ("each place is a unit, flattened", lambda outputs: each_place(outputs.flatten(1)), "places"),
        ("the middle shows it", only_the_middle, "places"),
        ("mostly 0 in a picture is dead", average_picture, "pictures"),
        ("the first row of a picture shows it", only_rows_of_places, "places"),
        ("there are always two axes", only_two_axes, "places"),
        ("there are always four axes", only_four_axes, "raised"),
        ("each picture by itself", each_sample_for_itself, "pictures"),
        ("reshape turns the axes of pictures", reshaped_if_4d, "pictures"),
        ("a tensor is returned", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: dead.float().mean()), "type"),
        ("which ones are dead", dead_by(lambda units: (units == 0).all(dim=1), lambda dead: dead.tolist()), "type"),
        ("outputs may be changed", writes_ones, "changed input"),
        ("nothing is returned", lambda outputs: None, "no return"),
    ],
    "10.3": [
        ("a variable keeps the old weights", ratios(keep="p"), "clone"),
        ("detach is a copy", ratios(keep="p.detach()"), "clone"),
        ("data is a copy", ratios(keep="p.data"), "clone"),
        ("a NumPy view is a copy", ratios(keep="torch.from_numpy(p.detach().numpy())"), "clone"),
        ("divided by the norm after", ratios(ratio="((now[name] - old).norm() / now[name].norm()).item()"), "before"),
        ("not divided", ratios(ratio="(now[name] - old).norm().item()"), "ratio"),
        ("after divided by before", ratios(ratio="(now[name].norm() / old.norm()).item()"), "ratio"),
        ("upside down", ratios(ratio="(old.norm() / (now[name] - old).norm()).item()"), "ratio"),
        ("divided by the gradient", ratios(ratio="((now[name] - old).norm() / now[name].grad.norm()).item()"), "ratio"),
        ("how much shorter it is", ratios(ratio="((old.norm() - now[name].norm()) / old.norm()).item()"), "norm"),
        ("the difference of norms", ratios(ratio="abs(now[name].norm() - old.norm()).item() / old.norm().item()"), "norm"),
        ("means of absolute values", ratios(ratio="((now[name] - old).abs().mean() / old.abs().mean()).item()"), "norm"),
        ("means", ratios(ratio="((now[name] - old).mean() / old.mean()).abs().item()"), "norm"),
        ("the mean of the ratios", ratios(ratio="((now[name] - old) / (old + 1e-12)).abs().mean().item()"), "norm"),
        ("the largest", ratios(ratio="((now[name] - old).abs().max() / old.abs().max()).item()"), "norm"),
        ("sums of absolute values", ratios(ratio="((now[name] - old).norm(1) / old.norm(1)).item()"), "norm"),
        ("no root", ratios(ratio="(((now[name] - old) ** 2).sum() / (old ** 2).sum()).item()"), "ratio"),
        ("means of squares", ratios(ratio="(((now[name] - old) ** 2).mean() / (old ** 2).mean().sqrt()).item()"), "ratio"),
        ("a matrix has another norm", ratios(ratio="(torch.linalg.norm((now[name] - old).flatten(1), 2) / torch.linalg.norm(old.flatten(1), 2)).item()"), "norm"),
        ("the first row", ratios(ratio="((now[name] - old)[0].norm() / old[0].norm()).item()"), "norm"),
        ("each row for itself", ratios(ratio="((now[name] - old).norm(dim=-1) / old.norm(dim=-1)).mean().item()"), "norm"),
        ("all parameters count", ratios(where="True"), "bias"),
        ("a bias has one dimension, too", ratios(where="p.ndim > 0"), "bias"),
        ("what is called weight", ratios(where="'weight' in name"), "dimensions"),
        ("what is not called bias", ratios(where="'bias' not in name"), "dimensions"),
        ("matrices only", ratios(where="p.ndim == 2"), "dimensions"),
        ("the last part of the name", ratios(key="name.split('.')[-1]"), "names"),
        ("the module's name", ratios(key="name.rpartition('.')[0]"), "names"),
        ("numbers are names", ratios(key="list(before).index(name)"), "names"),
        ("underscores for dots", ratios(key="name.replace('.', '_')"), "names"),
        ("modules at the top have the weights", of_top_modules, "names"),
        ("buffers are parameters", ratios(of="model.state_dict().items()"), "buffers"),
        ("what is frozen does not count", ratios(where="p.ndim > 1 and p.requires_grad"), "still"),
        ("what has no gradient does not count", ratios(where="p.ndim > 1 and p.grad is not None"), "still"),
        ("only the optimizer's count", only_the_optimizers, "still"),
        ("what has not moved is left out", ratios(after="found = {name: value for name, value in found.items() if value}"), "still"),
        ("every parameter has a gradient", gradients_are_there, "still"),
        ("a step is lr * grad", rate_times_gradient, "moved"),
        ("step is forgotten", ratios(step="pass"), "step"),
        ("step without brackets", ratios(step="optimizer.step"), "step"),
        ("the step is made by hand", step_by_hand, "step"),
        ("two steps", ratios(after="optimizer.step()"), "one step"),
        ("zero_grad comes first", ratios(step="optimizer.zero_grad(); optimizer.step()"), "wiped"),
        ("zero_grad comes first, with zeros", ratios(step="model.zero_grad(set_to_none=False); optimizer.step()"), "wiped"),
        ("a look does not change anything", put_back, "stays"),
        ("backward comes first", ratios(step="sum(p.sum() for p in model.parameters()).backward(); optimizer.step()"), "stays"),
        ("tensors are returned", ratios(ratio="(now[name] - old).norm() / old.norm()"), "type"),
        ("strings are returned", ratios(ratio="f'{((now[name] - old).norm() / old.norm()).item():.3f}'"), "type"),
        ("it is rounded", ratios(ratio="round(((now[name] - old).norm() / old.norm()).item(), 3)"), "norm"),
        ("a list is returned", ratios(result="list(found.values())"), "type"),
        ("one number for all", a_number_for_all, "type"),
        ("nothing is returned", ratios(result="None"), "no return"),
    ],
    "10.4": [
        ("a lambda keeps the name", trapped, "closure"),
        ("one name for all", listening(start="{}", hooks="[module.register_forward_hook(listen(leaves[-1][0])) for _, module in leaves]"), "closure"),
        ("all modules give something", listening(leaves="list(model.named_modules())"), "leaves"),
        ("all but the model itself", listening(leaves="[(name, module) for name, module in model.named_modules() if name]"), "leaves"),
        ("the model's own children", of_children, "leaves"),
        ("layers are those with weights", listening(leaves="[(name, module) for name, module in model.named_modules() if list(module.parameters(False))]"), "leaves"),
        ("only layers that are known", listening(leaves="[(name, module) for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.ReLU))]"), "leaves"),
        ("all that is no Sequential", listening(leaves="[(name, module) for name, module in model.named_modules() if not isinstance(module, nn.Sequential)]"), "leaves"),
        ("a name is the last part", listening(leaves="[(name.split('.')[-1], module) for name, module in model.named_modules() if not list(module.children())]"), "leaves"),
        ("a name is the class's", listening(leaves="[(type(module).__name__, module) for name, module in model.named_modules() if not list(module.children())]"), "leaves"),
        ("modules are keys", listening(leaves="[(module, module) for name, module in model.named_modules() if not list(module.children())]"), "leaves"),
        ("the model has no empty name", listening(leaves="[(name, module) for name, module in model.named_modules() if name and not list(module.children())]"), "itself"),
        ("the inputs are what it gave", listening(listen="outputs.__setitem__(name, inputs[0].clone())"), "output"),
        ("the inputs are a tensor", listening(listen="outputs.__setitem__(name, inputs)"), "output"),
        ("the hook gets two things", listening(hooks="[module.register_forward_pre_hook(lambda module, inputs, name=name: outputs.__setitem__(name, inputs[0].clone())) for name, module in leaves]"), "output"),
        ("what a hook returns is ignored", listening(listen="(outputs.__setitem__(name, output.clone()), output * 0)[1]"), "output"),
        ("the order of execution", listening(start="{}"), "order"),
        ("sorted names", listening(result="dict(sorted(outputs.items(), reverse=True))"), "order"),
        ("a reference is enough", listening(listen="outputs.__setitem__(name, output)"), "clone"),
        ("detach is a copy", listening(listen="outputs.__setitem__(name, output.detach())"), "clone"),
        ("a list copies", listening(listen="outputs.__setitem__(name, [output])", result="{name: output[0] for name, output in outputs.items()}"), "clone"),
        ("cloned at the end", listening(listen="outputs.__setitem__(name, output)", result="{name: output.clone() for name, output in outputs.items()}"), "clone"),
        ("gradients are kept", listening(guard="contextlib.nullcontext()"), "gradients"),
        ("detach at the end is enough", listening(guard="contextlib.nullcontext()", listen="outputs.__setitem__(name, output.detach().clone())"), "gradients"),
        ("gradients are switched off", listening(guard="contextlib.nullcontext()", before="torch.set_grad_enabled(False)"), "switch"),
        ("hooks go by themselves", listening(remove="pass"), "hooks"),
        ("the last hook is removed", listening(remove="hooks[-1].remove()"), "hooks"),
        ("a hook for all modules", for_all_modules, "hooks"),
        ("a forward of its own stays", own_forwards_left, "hooks"),
        ("hooks are removed at the end", remove_without_finally, "after an error"),
        ("an error is no error", listening(**{"except": "except Exception: pass"}), "passed on"),
        ("an error is printed", listening(**{"except": "except ValueError as error: print(error)"}), "passed on"),
        ("another error is raised", listening(**{"except": "except ValueError as error: raise RuntimeError('the model') from error"}), "passed on"),
        ("all hooks are removed", listening(remove="[module._forward_hooks.clear() for _, module in leaves]"), "others"),
        ("all hooks are its own", listening(before="[(module._forward_hooks.clear(), module._forward_pre_hooks.clear()) for _, module in leaves]"), "others"),
        ("eval mode is for looking", listening(before="model.eval()"), "mode"),
        ("eval mode, then train mode", listening(before="model.eval()", after="model.train()"), "mode"),
        ("eval mode, then as the model was", listening(before="mode = model.training; model.eval()", after="model.train(mode)"), "mode"),
        ("afterwards all are as the model was", listening(after="model.train(model.training)"), "mode"),
        ("train mode is needed", listening(before="model.train()"), "mode"),
        ("layers one after the other", layer_by_layer, "forward"),
        ("a call to see that it works", listening(call="model(x); model(x)"), "once"),
        ("a call for each module", a_call_for_each, "once"),
        ("x is turned into one sample", listening(call="model(x[None])"), "shape"),
        ("only the first sample", listening(call="model(x[:1])"), "shape"),
        ("x is scaled in place", listening(call="model(x.mul_(1)); x.zero_()"), "changed input"),
        ("no hook is registered", listening(hooks="[]"), "output"),
        ("outputs are lists", listening(listen="outputs.__setitem__(name, output.tolist())"), "type"),
        ("outputs are arrays", listening(listen="outputs.__setitem__(name, output.numpy().copy())"), "type"),
        ("a list is returned", listening(result="list(outputs.values())"), "type"),
        ("the model's answer is returned", listening(call="answer = model(x)", result="answer"), "type"),
        ("nothing is returned", listening(result="None"), "no return"),
    ],
    "10.5": [
        ("backward is for gradients", saliency(gradients=BACKWARD), "weights"),
        ("gradients that are kept need no copy", kept_but_not_copied, "weights"),
        ("zero_grad comes first", saliency(before="model.zero_grad()", gradients=BACKWARD), "weights"),
        ("zeros are no gradients", saliency(gradients=BACKWARD, after="model.zero_grad(set_to_none=False)"), "weights"),
        ("zero_grad cleans up", saliency(gradients=BACKWARD, after="model.zero_grad()"), "wiped"),
        ("zero_grad cleans up, with zeros where there were some", saliency(gradients=BACKWARD, after="[setattr(p, 'grad', None if before is None else before * 0) for p, before in zip(model.parameters(), old)]", before="old = [p.grad for p in model.parameters()]"), "wiped"),
        ("grads of None clean up", saliency(gradients=BACKWARD, after="for p in model.parameters(): p.grad = None"), "wiped"),
        ("zero_grad does no harm", saliency(before="model.zero_grad()"), "wiped"),
        ("weights are frozen", saliency(before="model.requires_grad_(False)", gradients=BACKWARD), "frozen"),
        ("weights are frozen, then none is", frozen_and_thawed, "frozen"),
        ("train mode is for gradients", saliency(before="model.train()"), "mode"),
        ("train mode, then eval mode", saliency(before="model.train()", after="model.eval()"), "mode"),
        ("a hook goes by itself", with_a_hook_on_the_first_layer, "trace"),
        ("gradients are switched off afterwards", saliency(after="torch.set_grad_enabled(False)"), "trace"),
        ("x may want gradients", saliency(inputs="x.requires_grad_() + noises"), "inputs"),
        ("x may have gradients", saliency(before="x.requires_grad = True", inputs="x + noises", gradients="torch.autograd.grad(logits.sum(), x)[0]", mean="gradients / len(noises)"), "inputs"),
        ("noises may want gradients", saliency(before="noises.requires_grad_()", inputs="x + noises"), "inputs"),
        ("x may keep its gradient", saliency(before="x.requires_grad_()", inputs="x + noises", gradients="(logits.sum().backward(inputs=[x]), x.grad)[1]", mean="gradients / len(noises)", after="x.requires_grad_(False)"), "inputs"),
        ("the graph may stay", saliency(gradients="torch.autograd.grad(logits.sum(), inputs, create_graph=True)[0]"), "carries"),
        ("torch.func leaves no graph", with_vmap_and_graph, "carries"),
        ("no gradients are wanted", saliency(before="torch.set_grad_enabled(False)"), "raised"),
        ("inputs have gradients by themselves", saliency(inputs="x + noises"), "raised"),
        ("no batch is needed", without_a_batch, "raised"),
        ("backward returns the gradients", saliency(gradients="logits.sum().backward(inputs=[inputs])"), "raised"),
        ("a tuple is a tensor", saliency(gradients="torch.autograd.grad(logits.sum(), inputs)"), "raised"),
        ("probabilities", saliency(logits="model(inputs).softmax(dim=1)[:, action]"), "logit"),
        ("log-probabilities", saliency(logits="model(inputs).log_softmax(dim=1)[:, action]"), "logit"),
        ("the loss", saliency(logits="torch.nn.functional.cross_entropy(model(inputs), torch.full((len(noises),), action))"), "logit"),
        ("the weights' gradient", of_the_weights, "logit"),
        ("gradient times input", saliency(result="(mean * x).abs().amax(dim=0)"), "logit"),
        ("between 0 and 1", saliency(result="mean.abs().amax(dim=0) / mean.abs().max()"), "logit"),
        ("squares", saliency(mean="(gradients ** 2).mean(dim=0)"), "logit"),
        ("all logits", saliency(logits="model(inputs)"), "action"),
        ("the largest logit", saliency(logits="model(inputs).amax(dim=1)"), "action"),
        ("the first action", saliency(logits="model(inputs)[:, 0]"), "action"),
        ("the last action", saliency(logits="model(inputs)[:, -1]"), "action"),
        ("the action is a sample", saliency(logits="model(inputs)[action]"), "action"),
        ("the first row's logits", saliency(logits="model(inputs)[0]"), "action"),
        ("no absolute value", saliency(result="mean.amax(dim=0)"), "absolute"),
        ("the absolute value comes last", saliency(result="mean.amax(dim=0).abs()"), "absolute"),
        ("what is negative does not count", saliency(result="mean.relu().amax(dim=0)"), "absolute"),
        ("the largest and the smallest", saliency(result="mean.amax(dim=0) - mean.amin(dim=0)"), "logit"),
        ("the mean of the channels", saliency(result="mean.abs().mean(dim=0)"), "channels"),
        ("the sum of the channels", saliency(result="mean.abs().sum(dim=0)"), "channels"),
        ("the mean, then the absolute value", saliency(result="mean.mean(dim=0).abs()"), "channels"),
        ("the length over the channels", saliency(result="mean.norm(dim=0)"), "channels"),
        ("the smallest of the channels", saliency(result="mean.abs().amin(dim=0)"), "channels"),
        ("the first channel", saliency(result="mean.abs()[0]"), "channels"),
        ("one channel for all pixels", one_channel_for_all, "channels"),
        ("grey, then the largest", saliency(result="mean.abs().amax(dim=(1, 2))"), "shape"),
        ("no noise", saliency(inputs="x.expand_as(noises).clone().requires_grad_()"), "noise"),
        ("the noise alone", saliency(inputs="noises.clone().requires_grad_()"), "noise"),
        ("x minus the noise", saliency(inputs="(x - noises).requires_grad_()"), "noise"),
        ("x times the noise", saliency(inputs="(x * (1 + noises)).requires_grad_()"), "noise"),
        ("half of the noise", saliency(inputs="(x + noises / 2).requires_grad_()"), "noise"),
        ("the sum of the gradients", saliency(mean="gradients.sum(dim=0)"), "mean"),
        ("divided twice", saliency(logits="model(inputs)[:, action] / len(noises)"), "mean"),
        ("divided by the number of channels", saliency(mean="gradients.sum(dim=0) / len(x)"), "channels"),
        ("the first noise", saliency(mean="gradients[0]"), "mean"),
        ("the last noise", saliency(mean="gradients[-1]"), "mean"),
        ("return comes in the loop", return_in_the_loop, "mean"),
        ("noises pile up", one_after_the_other, "mean"),
        ("the first sample's logit", saliency(logits="model(inputs)[0, action]"), "mean"),
        ("the median", saliency(mean="gradients.median(dim=0).values"), "mean"),
        ("the largest of all noises", saliency(mean="gradients.abs().amax(dim=0)"), "mean"),
        ("absolute values, then the mean", saliency(mean="gradients.abs().mean(dim=0)"), "cancel"),
        ("a mean of maps", saliency(mean="gradients.abs().amax(dim=1)", result="mean.mean(dim=0)"), "cancel"),
        ("roots of mean squares", saliency(mean="gradients.square().mean(dim=0).sqrt()"), "mean"),
        ("the gradient at the mean input", saliency(inputs="(x + noises).mean(dim=0, keepdim=True).requires_grad_()"), "each"),
        ("the gradient at x plus the mean noise", saliency(inputs="(x + noises.mean(dim=0))[None].requires_grad_()"), "each"),
        ("the strongest channel of each gradient", strongest_of_each, "each"),
        ("noise is added to x itself", saliency(before="x += noises.sum(dim=0) + 1"), "changed input"),
        ("the noises may take x", saliency(before="noises += x", inputs="noises.clone().requires_grad_()"), "changed input"),
        ("a map for each channel", saliency(result="mean.abs()"), "shape"),
        ("a channel stays", saliency(result="mean.abs().amax(dim=0, keepdim=True)"), "shape"),
        ("channels come last", saliency(result="mean.abs().amax(dim=-1)"), "shape"),
        ("a map for each noise", saliency(mean="gradients", result="mean.abs().amax(dim=1)"), "shape"),
        ("the mean is over the channels", saliency(mean="gradients.mean(dim=1)"), "channels"),
        ("max returns a tensor", saliency(result="mean.abs().max(dim=0)"), "type"),
        ("an array is returned", saliency(result="mean.abs().amax(dim=0).numpy()"), "type"),
        ("a list of lists", saliency(result="mean.abs().amax(dim=0).tolist()"), "type"),
        ("doubles are returned", saliency(result="mean.abs().amax(dim=0).double()"), "dtype"),
        ("nothing is returned", saliency(result="None"), "no return"),
    ],
}  # fmt: skip
EQUIVALENT = {
    "10.2": {
        "units = outputs.transpose(0, 1).flatten(1) -> units = outputs.transpose(1, 0).flatten(1)": (
            "axes are exchanged, whichever is named first"
        ),
    },
    "10.5": {
        "inputs = (x + noises).detach().requires_grad_() -> inputs = (x + noises).requires_grad_()": (
            "autograd.grad goes back to inputs and no further, whether or not x wants gradients itself"
        ),
    },
}
