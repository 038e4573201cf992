"""Checks of what goes through the layers: units that are off for every sample, signals that grow or shrink."""

import math
import statistics

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dlsteps.clinic.preflight_checks.case import first, forward
from dlsteps.clinic.preflight_checks.data import first_weights
from dlsteps.clinic.report import Finding, Skip, listed

NEARLY_ALL = 0.9  # then hardly anything gets through
DEAD = 0.5  # share of a layer's units; right after initialisation up to a third are off by chance
LEAST_UNITS = 8  # a layer of few units may be off as a whole by chance
LEAST_SAMPLES = 8
GAINS = (0.05, 2.5)  # of one layer; torch's default gives 0.6, Xavier 1, Kaiming 1.4, GPT's 0.02 down to 0.1
GROWN = (1e-3, 10.0)  # of the signal, over all layers
UNUSUAL_GAINS, UNUSUAL = (0.15, 2.2), (0.02, 4.0)  # the same, for advice; sound networks have gains of 0.3 to 1.4
GONE = 1e-5  # of the signal: then the samples can hardly be told apart


class Rectified(TorchDispatchMode):
    """Notes for each ReLU, module or function, which units were ever on; `where` names the module that is at work."""

    def __init__(self, model):
        super().__init__()
        self.on, self.calls, self.stack, self.hooks = {}, 0, [], []
        for name, module in model.named_modules():
            before = module.register_forward_pre_hook(lambda m, a, name=name: self.stack.append(name))
            after = module.register_forward_hook(lambda m, a, out: self.stack.pop() and None, always_call=True)
            self.hooks += [before, after]

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__.rstrip("_")
        relu = name in ("relu", "hardtanh", "threshold") or name in ("clamp", "clamp_min") and args[1:2] == (0,)
        nothing = args[0] == 0 if relu else None  # a unit that gets exactly 0 is not the ReLU's fault
        out = function(*args, **(kwargs or {}))
        if relu and out.ndim > 1 and out.min() == 0:
            self.note((out != 0) | nothing)
        return out

    def note(self, on):
        key = (self.calls, self.stack[-1] if self.stack else "")
        self.calls += 1
        kinds = [on.transpose(0, dim).flatten(1).any(dim=1) for dim in {1, on.ndim - 1 if on.ndim == 3 else 1}]
        before = self.on.get(key, [torch.zeros_like(kind) for kind in kinds])
        if [k.shape for k in before] == [k.shape for k in kinds]:
            self.on[key] = [a | b for a, b in zip(before, kinds, strict=True)]

    def close(self):
        for hook in self.hooks:
            hook.remove()


def rectified(model, batches):
    """{(call, module): share of units that are off for all samples}, {…: number of units}."""
    look = Rectified(model)
    try:
        for batch in batches:
            for train in (True, False):  # with dropout and the batch's own averages, and without
                look.calls = 0
                look.stack.clear()
                with look:
                    forward(model, first(batch, 64), train)
    finally:
        look.close()
    shares = {key: min(1 - on.double().mean().item() for on in kinds) for key, kinds in look.on.items()}
    return shares, {key: len(kinds[0]) for key, kinds in look.on.items()}


def dead_relu(model, batches):
    """Most units of a layer are 0 for every sample looked at."""
    samples = sum(batch.size for batch in batches)
    if samples < LEAST_SAMPLES:
        raise Skip(f"{samples} samples are too few to call a unit dead")
    shares, units = rectified(model, batches)
    if not shares:
        return
    key = max(shares, key=shares.get)
    if shares[key] < DEAD or units[key] < LEAST_UNITS:
        return
    dead = round(shares[key] * units[key])
    where = f"`{key[1]}`" if key[1] else "the network"
    message = f"{dead} of {units[key]} ReLU units in {where} are 0 for all {samples} samples."
    severity = "error" if shares[key] >= NEARLY_ALL else "advice"
    yield Finding("dead-relu", severity, message, {"dead": dead, "units": units[key], "layer": key[1]})


# Growing and shrinking


def spread(t):
    """How much samples differ from each other: the standard deviation over the batch, over all units."""
    t = t.detach().double()
    return (t - t.mean(dim=0)).pow(2).mean().sqrt().item()


def gains(model, few):
    """[(name, spread of the input, spread of the output)] of layers with a matrix of weights, as they are called."""
    seen, hooks = [], []
    for name, module in first_weights(model):

        def note(module, args, out, name=name):
            if args and all(isinstance(t, torch.Tensor) and t.is_floating_point() for t in (args[0], out)):
                seen.append((name, spread(args[0]), spread(out)))

        hooks.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            forward(model, few)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def bad_initialisation(model, few):
    """Layers that blow up or swallow what goes through; or units of a layer that all do the same."""
    equal = equal_units(model, last_layer(model, few))
    if equal:
        message = f"All units of {listed(equal)} have the same weights: they get the same gradients, and stay the same."
        yield Finding(
            "bad-initialisation", "error", message, {"layers": equal}, fix="Random weights: the default initialisation."
        )
        return
    seen = [(name, a, b) for name, a, b in gains(model, few) if a > 0 and b > 0 and math.isfinite(b)]
    if len(seen) < 2:
        raise Skip("fewer than two layers to compare")
    grown = [b / seen[0][1] for _, _, b in seen]
    typical = statistics.geometric_mean(b / a for _, a, b in seen)
    middle = statistics.median_low(b / a for _, a, b in seen)  # so that it is not the last layer alone
    for severity, (low, high), (shrunk, large) in (("error", GAINS, GROWN), ("advice", UNUSUAL_GAINS, UNUSUAL)):
        grows, shrinks = min(typical, middle) > high and max(grown) > large, typical < low and min(grown) < shrunk
        if grows or shrinks:
            steps = ", ".join(f"{value:.2g}" for value in [seen[0][1], *[b for _, _, b in seen]][:6])
            much = f"{'larger' if grows else 'smaller'}, {typical:.2g} times each"
            message = f"Layers make what goes through {much}: {steps}."
            yield Finding("bad-initialisation", severity, message, {"gain": typical, "spread": [b for _, _, b in seen]})
            return


def vanishing_signal(model, few):
    """On its way through the layers, what tells one sample from another gets lost."""
    seen = [(name, a, b) for name, a, b in gains(model, few) if a > 0 and math.isfinite(b)]
    if len(seen) < 3:
        return
    name, left = min(((name, b / seen[0][1]) for name, _, b in seen), key=lambda pair: pair[1])
    if 0 < left < GONE:
        message = f"Behind `{name}`, samples differ {left:.1g} times as much as they do in the input."
        yield Finding("vanishing-gradient", "advice", message, {"layer": name, "left": left})


def last_layer(model, few):
    seen = gains(model, few)
    return seen[-1][0] if seen else None


def equal_units(model, last):
    """Names of hidden linear layers whose rows of weights are all the same, and not 0 (as ends of branches may be)."""
    found = []
    for name, module in model.named_modules():
        if (
            name == last
            or not isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
            or getattr(module, "groups", 1) != 1
        ):
            continue
        w = module.weight.detach()
        if len(w) > 1 and module.weight.requires_grad and (w == w[:1]).all() and w.any():
            found.append(name)
    return found
