"""What can be seen of a training from outside: a look lasts from one optimizer step to the next."""

import contextlib
import functools
from collections import deque

import torch
from torch.nn.modules.module import register_module_forward_hook

from dlsteps.clinic.monitor_checks.measures import (
    SAMPLES,
    always_zero,
    asleep,
    kind_of,
    numbers,
    rms,
    sample,
    spread,
    total,
)  # fmt: skip
from dlsteps.clinic.nested import tensors

PROBES = 2  # so many parameters, and the last one, say whether old gradients were still there
LOST = 1e-5  # a change by this part of a float32 is far from lost in rounding (6e-8)
FACTS = ("inputs", "outputs")
DEAF = contextlib.nullcontext().__exit__  # takes whatever it is called with, and does nothing


class Ear:
    """A forward hook that keeps what went into a model since the last step of the optimizer, and what came out.

    A copy of the model gets a deaf one, and so does a pickle: it needs nothing of this package to be read.
    """

    def __init__(self):
        self.heard, self.stale = deque(maxlen=4), False  # 4: a GAN's critic sees two batches a step

    def __call__(self, module, args, kwargs, output):
        if self.stale:  # keep the last batch until the next one is there, for those who ask after the step
            self.heard.clear()
            self.stale = False
        if torch.is_grad_enabled():
            self.heard.append(([x.detach() for x in tensors((args, kwargs))], [x.detach() for x in tensors(output)]))

    def __deepcopy__(self, memo):
        return DEAF

    def __reduce__(self):
        return getattr, (contextlib.nullcontext(), "__exit__")


def careful(method):
    """Hooks run in the middle of somebody's training: what goes wrong in ours is noted, and is not their concern."""

    @functools.wraps(method)
    def wrapper(self, *args):
        try:
            method(self, *args)
        except Exception as error:
            self.skipped[method.__name__] = f"{type(error).__name__}: {error}".splitlines()[0]

    return wrapper


class Watch:
    """Counts the optimizers' steps, and looks when `due(updates)` says so. A finished look goes to `found(look)`.

    On the model itself there is one hook, the `Ear`. During a look there are also one on the calls of all modules,
    kept by torch and not by the model, and some on parameters; torch copies and saves parameters without their hooks.
    """

    def __init__(self, model, optimizers, updates, due, found):
        self.model, self.optimizers, self.updates = model, optimizers, updates
        self.first = True
        self.due, self.found, self.skipped = due, found, {}
        self.ear, self.look, self.anchors = Ear(), None, {}
        self.probed = self.gradient = None
        self.handles = [model.register_forward_hook(self.ear, with_kwargs=True)]
        self.handles += [optimizer.register_step_post_hook(self.after_step) for optimizer in optimizers]
        self.begin()

    @careful
    def after_step(self, optimizer, args, kwargs):
        self.ear.stale = True
        if optimizer is not self.optimizers[-1]:
            return
        self.updates += 1
        look, self.look = self.look, None
        if look is not None:
            look.remove()
            self.found(look.numbers())
            self.first = False
        self.probe()
        self.begin()

    def begin(self):
        if self.due(self.updates):
            self.look = Look(self)

    def probe(self):
        """The sum of one small gradient, to tell later whether gradient or loss was the first to be nan."""
        if self.probed is None or self.probed.grad is None:
            small = [p for p in self.trained() if p.grad is not None and not p.grad.is_sparse]
            self.probed = min(small, key=torch.Tensor.numel, default=None)
        self.gradient = None if self.probed is None else self.probed.grad.detach().sum()

    def facts(self):
        """`FACTS` as tensors: sums, which are finite only if all in them is; of what the model was last called with."""
        inputs, outputs = zip(*self.ear.heard, strict=True) if self.ear.heard else ((), ())
        return [total(tensors(inputs)), total(tensors(outputs))]

    def trained(self):
        """The parameters that an optimizer holds and that can have a gradient."""
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        return [p for group in groups for p in group["params"] if p.requires_grad]

    def moved(self, name, parameter):
        """Whether a parameter has changed since it was first asked for."""
        now = sample(parameter)
        return not torch.equal(self.anchors.setdefault(name, now.clone()), now)

    def close(self):
        for handle in self.handles:
            handle.remove()
        if self.look is not None:
            self.look.remove()
        self.look, self.handles = None, []
        self.ear.heard.clear()


class Look:
    """Measures during one step. `numbers()`: what was seen, in plain numbers, lists and dicts (`dead`: masks)."""

    def __init__(self, watch):
        self.watch, self.skipped = watch, watch.skipped
        self.names = {p: name for name, p in watch.model.named_parameters()}
        self.layers = {module: name for name, module in watch.model.named_modules()}
        self.order, self.inputs = {}, {}  # {layer: whether it is part of the graph}, {layer: size of its input}
        self.zeros, self.channels = {}, None  # {layer: which of its inputs are always 0}; of a convolution before it
        self.modes, self.arrivals = [], {}
        self.before, self.gradients, self.none, self.rates = {}, {}, {}, {}
        probes = self.probes()
        self.old = {p: p.grad.clone() for p in probes if p.grad is not None and not p.grad.is_sparse}
        self.handles = [register_module_forward_hook(self.called)]
        self.handles += [p.register_hook(functools.partial(self.arrived, p)) for p in probes]
        self.handles += [optimizer.register_step_pre_hook(self.before_step) for optimizer in watch.optimizers]

    def probes(self):
        """A few small parameters, and the last one."""
        mine = [p for p in self.watch.trained() if p in self.names]
        return list(dict.fromkeys(sorted(mine, key=torch.Tensor.numel)[:PROBES] + mine[-1:]))

    def remove(self):
        for handle in self.handles:
            handle.remove()

    # The forward pass

    @careful
    def called(self, module, args, output):
        name = self.layers.get(module)
        if name is None or not module._parameters or not args or not torch.is_grad_enabled():
            return
        x, weight = args[0], getattr(module, "weight", None)
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            return
        if name not in self.order:
            self.order[name] = any(y.requires_grad for y in tensors(output))
        kind = kind_of(weight, x)
        if kind is None:
            return
        if self.watch.first:
            self.inputs.setdefault(name, rms(x[:SAMPLES]))
        if x.requires_grad and self.order[name]:
            zero = always_zero(x.detach()[:SAMPLES], kind, self.channels)
            self.zeros[name] = self.zeros[name] & zero if name in self.zeros else zero
        self.channels = output.shape[1] if kind == "conv" else None

    # The backward pass

    def arrived(self, parameter, gradient):
        self.arrive(parameter)  # and return nothing: that would be the new gradient

    @careful
    def arrive(self, parameter):
        """A gradient is about to be added to what is there: is that left over from before the last step?"""
        there = parameter.grad
        if parameter not in self.arrivals:
            old = self.old.get(parameter)
            self.arrivals[parameter] = None not in (there, old) and bool(old.any()) and torch.equal(there, old)
        elif there is None or not there.any():  # zeroed after all, before another backward pass, as in a GAN
            self.arrivals[parameter] = False
        self.modes = [module.training for module in self.layers]

    # The step

    @careful
    def before_step(self, optimizer, args, kwargs):
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.requires_grad and p in self.names:
                    self.rates[p] = float(group.get("lr", 1.0))
                    self.none[p] = p.grad is None
                    if p.ndim > 1:  # biases begin at 0, and what normalisation multiplies with says little
                        self.before[p] = sample(p).clone()
                        self.gradients[p] = None if p.grad is None else rms(p.grad)

    def numbers(self):
        """Call it right after the step."""
        rows = self.rows()
        held = {p for optimizer in self.watch.optimizers for group in optimizer.param_groups for p in group["params"]}
        awake = dict(zip(self.layers, self.modes, strict=True)) if self.modes else {}
        none = [p for p, was_none in self.none.items() if was_none and p.grad is None]  # a closure makes it in the step
        return {
            "step": self.watch.updates,
            "rates": [float(group.get("lr", 0.0)) for o in self.watch.optimizers for group in o.param_groups],
            "gradients": {name: gradient for name, gradient, _, _ in rows},
            "ratios": {name: step / size for name, _, step, size in rows if size > 0},
            "sizes": {name: size for name, _, _, size in rows},
            "relative": max((gradient / size for _, gradient, _, size in rows if size > 0), default=0.0),
            "nil": [name for name, _, _, size in rows if size == 0],
            "zero": [name for name, gradient, _, _ in rows if gradient == 0],
            "still": self.still(rows),
            "trained": len(self.none),
            "none": [self.names[p] for p in none],
            "wiped": bool(self.arrivals) and len(none) == len(self.none) > 0,
            "frozen": [self.names[p] for p in held if p in self.names and not p.requires_grad],
            "outside": self.outside(held),
            "kept": [self.names[p] for p, kept in self.arrivals.items() if kept],
            "order": dict(self.order),
            "inputs": dict(zip(self.inputs, numbers(list(self.inputs.values())), strict=True)),
            "root_awake": awake.get(self.watch.model, True),
            "asleep": asleep(self.watch.model, self.layers, awake),
            "spread": spread(self.watch.ear.heard),
            "dead": {name: (zero.mask.cpu(), zero.count) for name, zero in self.zeros.items()},
        }

    def rows(self):
        """(name, gradient, step, size) of the weights: root mean squares of all their values, and of a sample."""
        weights = [p for p in self.before if p.grad is not None]
        gradients = [self.gradients[p] if self.gradients[p] is not None else rms(p.grad) for p in weights]
        steps = [rms(sample(p) - self.before[p]) for p in weights]
        values = numbers([*gradients, *steps, *(rms(self.before[p]) for p in weights)])
        n = len(weights)
        return list(zip((self.names[p] for p in weights), values[:n], values[n : 2 * n], values[2 * n :], strict=True))

    def still(self, rows):
        """What did not move, now and before, though it should have by far more than can be lost in rounding."""
        parameters = {self.names[p]: p for p in self.before}
        return [
            name
            for name, gradient, step, size in rows
            if step == 0
            and self.rates[parameters[name]] * gradient > LOST * size
            and not self.watch.moved(name, parameters[name])
        ]

    def outside(self, held):
        """{name: gradient} of parameters that no optimizer here holds, and that nothing else has moved so far."""
        others = [(name, p) for p, name in self.names.items() if p.requires_grad and p not in held]
        others = [(name, p) for name, p in others if p.grad is not None and not self.watch.moved(name, p)]
        gradients = numbers([rms(p.grad) for _, p in others])
        return {name: value for (name, _), value in zip(others, gradients, strict=True) if value > 0}
