"""What an observer sees of a training without touching its text: steps of optimizers, outputs of layers."""

import contextlib
import math

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from dlsteps.clinic.preflight_checks.wiring import leaves
from dlsteps.clinic.sandbox import untouched

BINS = [-6 + 0.5 * i for i in range(21)]  # edges for log10 of the size of an activation: 1e-6 to 1e4
UNSEEN = (nn.Flatten, nn.Dropout, nn.Identity)  # layers whose output says nothing new


def rms(t):
    return t.double().pow(2).mean().sqrt().item()


class Steps:
    """`looks`: {number of the step: {id of a parameter: (rms of its gradient, rms of its change / rms of it)}}.

    A parameter that was 0 changes by 1.
    """

    def __init__(self):
        self.count, self.looks, self.kept, self.before = 0, {}, {}, {}

    def __enter__(self):
        hooks = (
            (self.note_before, register_optimizer_step_pre_hook),
            (self.note_after, register_optimizer_step_post_hook),
        )
        self.handles = [register(hook) for hook, register in hooks]
        return self

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()

    def note_before(self, optimizer, *_):
        self.count += 1
        if math.log(self.count, 4) % 1 < 1e-9:  # steps 1, 4, 16, 64, …
            held = [p for group in optimizer.param_groups for p in group["params"]]
            self.before = {p: p.detach().clone() for p in held}
            self.kept |= {id(p): p for p in held}  # so that the id stays its own

    def note_after(self, optimizer, *_):
        if self.before:
            self.looks[self.count] = {
                id(p): (
                    0.0 if p.grad is None else rms(p.grad),
                    rms(p.detach() - old) / max(rms(old), rms(p.detach()), 1e-12),
                )
                for p, old in self.before.items()
            }
        self.before = {}


def weights_of(model, output):
    """{name: matrix of weights}: the model's, and those that its output hangs on although the model does not know."""
    named = {short(name): p for name, p in model.named_parameters() if p.ndim > 1}
    known = {id(p) for p in model.parameters()}
    unknown = [t for t in leaves(output) if id(t) not in known and t.ndim > 1]
    return named | {f"(no name) {i}": t for i, t in enumerate(reversed(unknown), 1)}


def short(name):
    return name.replace(".weight_", ".").replace("_l0", "").removesuffix(".weight")


def layer_rows(steps, weights):
    """[{"name", "gradient", "update"}]: a number for each look; 0 where the optimizer did not have it."""
    rows = []
    for name, weight in weights.items():
        seen = [look.get(id(weight), (0.0, 0.0)) for look in steps.looks.values()]
        rows.append({"name": name, "gradient": [g for g, _ in seen], "update": [u for _, u in seen]})
    return rows


def activation_rows(model, loader):
    """[{"name", "sizes", "zero", "dead"}] of what goes in, and of what each layer gives for all validation samples.

    sizes: the shares of values by log10 of their size, in `BINS`. zero: the share of values that are 0. dead: the share
    of units that are 0 for every sample.
    """
    outputs = {}
    with untouched(model), torch.no_grad(), contextlib.ExitStack() as stack:
        model.eval()
        for batch in loader:
            calls = Calls(model)
            for handle in calls.handles:
                stack.callback(handle.remove)
            model(batch[0])
            calls.close()
            for name, value in [("input", batch[0]), *calls.seen]:
                outputs.setdefault(name, []).append(value)
    return [activation_row(name, torch.cat(values)) for name, values in outputs.items()]


class Calls:
    """Hooks on the layers at the end of each branch; `seen`: [(name, output)] as they are called."""

    def __init__(self, model):
        self.seen, self.times = [], {}
        modules = [(n, m) for n, m in model.named_modules() if not list(m.children()) and not isinstance(m, UNSEEN)]
        self.handles = [m.register_forward_hook(lambda m, a, out, n=n: self.note(n, m, out)) for n, m in modules]

    def note(self, name, module, out):
        out = out[0] if isinstance(out, tuple) else out
        self.times[name] = self.times.get(name, 0) + 1
        again = f" {self.times[name]}" if self.times[name] > 1 else ""
        self.seen.append((f"{name} {type(module).__name__}{again}".strip(), out.detach()))

    def close(self):
        for handle in self.handles:
            handle.remove()


def activation_row(name, values):
    size = values.abs().double().flatten()
    some = size[size > 0].log10().clamp(BINS[0], BINS[-1] - 1e-9)
    counts = torch.histc(some, len(BINS) - 1, BINS[0], BINS[-1]) if len(some) else torch.zeros(len(BINS) - 1)
    units = values.reshape(len(values), -1)
    return {
        "name": name,
        "sizes": [round(share, 3) for share in (counts / len(size)).tolist()],
        "zero": (size == 0).double().mean().item(),
        "dead": (units == 0).all(dim=0).double().mean().item(),
    }
