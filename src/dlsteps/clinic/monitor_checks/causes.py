"""Which finding explains which, and why a loss is nan."""

import math

import torch

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.report import Finding

# A healthy step moves weights by about 1/1000 of their size; from 1/10 on, hardly anything of them is left after ten.
STEP_TOO_LARGE = 0.1
# With a usual initialisation, gradients of all layers have about one size; unnormalised inputs (0 to 255) make those
# of the first layer 255 times as large.
GRADIENT_GROWTH = 1e3
# What goes from layer to layer keeps its size, give or take a factor of ten.
OUTPUT_GROWTH = 100
LARGE_OUTPUT = 1e6  # the square of a sum like that may still be a number: then the loss itself gave nan

FOLLOWERS = {  # {cause: what it leads to}
    "optimizer-of-another-model": ("parameter-not-in-optimizer", "learning-rate-too-low", "frozen-by-accident"),
    "non-finite-input": ("exploding-gradient", "learning-rate-too-high", "constant-output", "dead-relu"),
    "missing-zero-grad": (
        "exploding-gradient", "learning-rate-too-high", "constant-output", "dead-relu", "vanishing-gradient",
        "overfitting", "no-gradient",
    ),
    "learning-rate-too-high": (
        "exploding-gradient", "constant-output", "dead-relu", "vanishing-gradient", "learning-rate-too-low",
        "frozen-by-accident",
    ),
    "exploding-gradient": ("constant-output", "dead-relu", "vanishing-gradient", "learning-rate-too-low"),
    "constant-output": ("dead-relu", "vanishing-gradient", "no-gradient", "learning-rate-too-low"),
    "no-gradient": ("vanishing-gradient", "learning-rate-too-low"),
    "frozen-by-accident": ("learning-rate-too-low",),
    "scheduler-stale": ("learning-rate-too-low",),
    "wrong-mode-in-training": ("overfitting",),
    "dead-relu": ("vanishing-gradient", "no-gradient", "learning-rate-too-low"),
}  # fmt: skip


def without_followers(findings):
    """Leave out what follows from something else that is at least as certain."""
    causes = {"error": set(), "advice": set()}
    for finding in findings:
        followers = FOLLOWERS.get(finding.code, ())
        causes["advice"].update(followers)
        causes["error"].update(followers if finding.severity == "error" else ())
    return [finding for finding in findings if finding.code not in causes[finding.severity]]


def why_not_finite(seen, value, facts, target=None):
    """What made the loss of this step nan. facts: {"inputs", "outputs", "gradient" of the step before: their sums}."""
    at = f"At step {seen.steps} the loss is {value}"
    evidence = {"step": seen.steps, "loss": str(value), "last losses": list(seen.losses[-5:])}
    if not math.isfinite(facts["inputs"]):
        return Finding(
            "non-finite-input", "error", f"{at}, and there is nan or infinity in the input already", evidence
        )
    if bad := [x for x in tensors(target) if x.is_floating_point() and not torch.isfinite(x).all()]:
        where = int((~torch.isfinite(bad[0])).nonzero()[0, 0]) if bad[0].ndim else 0
        message = f"{at}, and so is the target: sample {where} of the batch is the first"
        return Finding("non-finite-input", "error", message, evidence | {"sample": where})
    if 0 < abs(facts["outputs"]) < LARGE_OUTPUT:
        message = (
            f"{at}, though inputs and outputs are finite: there is nan in the targets, or the loss itself gives it"
        )
        fix = "Look at the targets of that batch, and in the loss for log(0), sqrt(0) or a division by 0."
        return Finding("non-finite-input", "error", message, evidence, fix)
    return why_too_large(seen, at, not math.isfinite(facts["gradient"]), evidence)


def why_too_large(seen, at, gradient_first, evidence):
    """Data are finite: it is the steps, or the gradients."""
    step, last = largest_step(seen), seen.losses[-1] if seen.losses else None
    evidence |= {"largest step": step}
    if how := explodes(seen):
        return Finding("exploding-gradient", "error", f"{at}; {how}", evidence)
    if step >= STEP_TOO_LARGE:
        message = f"{at}; before, a step changed the weights by {step:.2g} times their size"
        return Finding("learning-rate-too-high", "error", message, evidence)
    if last is not None and last > 10 * abs(seen.first_loss):
        message = f"{at}; it had grown from {seen.first_loss:.3g} to {last:.3g} before"
        return Finding("learning-rate-too-high", "error", message, evidence)
    if gradient_first and last is not None:
        message = f"{at}; in the step before, the loss was {last:.3g} and the gradient was not finite"
        fix = "Look for sqrt, norm, log or a division at 0, or exp of large numbers; clip_grad_norm_ against outliers."
        return Finding("exploding-gradient", "error", message, evidence, fix)
    return Finding("exploding-gradient", "error", f"{at}, though the inputs are finite", evidence)


def explodes(seen):
    """In words, what grew from layer to layer in the first look, before anything had moved; else None."""
    backward = layer_values(seen.looks[0], "gradients") if seen.looks else []
    forward = list(seen.looks[0]["inputs"].values()) if seen.looks else []
    if backward and backward[-1] > 0 and max(backward) >= GRADIENT_GROWTH * backward[-1]:
        return f"the first gradient of one layer was {max(backward) / backward[-1]:.2g} times that of the last"
    if forward and forward[0] > 0 and max(forward) >= OUTPUT_GROWTH * forward[0]:
        return f"what the first layer gets grows by {max(forward) / forward[0]:.2g} times until the last"
    return None


def largest_step(seen):
    """By how much of their size a step changed the weights: of all matrices the middle one, of all looks the largest.

    Weights that were zero at first, and with them the looks while they are small, do not count.
    """
    return max((step_size(seen, look) for look in seen.looks), default=0.0)


def step_size(seen, look):
    return middle([ratio for name, ratio in look["ratios"].items() if name not in seen.looks[0]["nil"]])


def layer_values(look, what):
    """Numbers of the weights, in the order in which their layers were called; without that, as the model names them."""
    values = look[what]
    rank = {layer: i for i, layer in enumerate(look["order"])}
    called = [name for name in values if name.rpartition(".")[0] in rank]
    called.sort(key=lambda name: rank[name.rpartition(".")[0]])
    return [values[name] for name in (called if len(called) > 1 else values)]


def middle(values):
    """The median; 0 if there are none."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
