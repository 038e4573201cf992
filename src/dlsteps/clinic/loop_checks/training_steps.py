"""Does each step go the way of its batch, and does it move this model? From a recorded `train_one_epoch`."""

import math

import torch

from dlsteps.clinic.loop_checks.modes import outputs_in
from dlsteps.clinic.loop_checks.recorded import same
from dlsteps.clinic.report import Finding, listed
from dlsteps.clinic.sandbox import untouched

STALE = 1e-3  # old gradient by new: far above rounding, far below the 1 of two batches added
GROWN = 100.0  # the loss of the same batch an epoch later, "by orders"; healthy first epochs stay below 3
EXPLODED = 1e3  # first gradient by size of the weights; about 0.01 to 10 after the usual initialisations
MOVED = 1e-4  # relative change of a loss when a weight is moved by its own size; rounding is 1e-6


def held_by(optimizer):
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def optimizer_of_another_model(model, optimizer):
    """make_optimizer: nothing that it holds is one of the model's parameters."""
    held = held_by(optimizer)
    own = [name for name, parameter in model.named_parameters() if id(parameter) in held]
    if held and not own:
        message = (
            f"None of the {len(held)} parameters in the optimizer that make_optimizer(model) returns is the model's."
        )
        yield Finding("optimizer-of-another-model", "error", message, {"in_optimizer": len(held), "of_the_model": 0})


def missing_zero_grad(run):
    """The first gradient after a step is added to the one of that step."""
    shares = {step: (old / new) ** 0.5 if new else math.inf for step, (old, new) in run.stale.items()}
    wrong = [step for step, share in shares.items() if share > STALE]
    if wrong:
        most = max(shares[step] for step in wrong)
        message = (
            f"After {len(wrong)} of {len(run.steps)} steps the next gradient was added to the old one, "
            f"which was up to {most:.2g} times as large."
        )
        evidence = {"steps": len(run.steps), "with_old_gradient": len(wrong), "old_by_new": most}
        yield Finding("missing-zero-grad", "error", message, evidence)


def weights_that_move(run, model, optimizer, loss_fn):
    """All reasons for which weights of this model stay as they are."""
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        return
    moved = run.changed & set(parameters)
    if not moved:
        yield from nothing_moves(run)
        return
    yield from other_optimizer(run, optimizer)
    yield from cut_off(run, model, parameters, held_by(optimizer), loss_fn)
    held = held_by(optimizer) | {id(p) for step in run.steps for g in step.optimizer.param_groups for p in g["params"]}
    left = [n for n, p in parameters.items() if run.gradients.get(n) and id(p) not in held and n not in moved]
    if left:
        message = f"{listed(left)}: a gradient came with each batch, but the optimizer does not hold them."
        yield Finding("parameter-not-in-optimizer", "error", message, {"parameters": left, "in_optimizer": len(held)})


def nothing_moves(run):
    """No weight has changed in an epoch: the first reason that fits."""
    reasons = (another_model, no_graph, no_backward, no_step)
    yield next((found for reason in reasons if (found := reason(run)) is not None), None) or nothing_to_say(run)


def another_model(run):
    if run.calls or run.gradients or run.error:
        return None
    message = f"train_one_epoch read {len(run.read)} batches and never called the model that it was given."
    fix = "Use the arguments model and optimizer in the loop, not others of the same kind."
    return Finding("optimizer-of-another-model", "error", message, {"batches": len(run.read), "calls": 0}, fix)


def no_graph(run):
    """The gradient is cut off on the way from the weights to the loss: where?"""
    if run.gradients or not run.calls:
        return None
    evidence = {"calls": len(run.calls), "losses": len(run.losses), "backwards": len(run.backwards)}
    attached = [call for call in run.calls if call.attached]
    if not any(call.grad for call in run.calls):
        message = "train_one_epoch calls the model with gradients switched off (torch.no_grad)."
    elif not attached:
        message = "What the model returns in train_one_epoch does not hang on its weights: no gradient gets back."
    elif run.losses and not any(any(loss.attached) for loss in run.losses):
        message = "The model's output has a gradient, what the loss is given of it has none: it was cut off in between."
    elif run.backwards and not any(run.backwards):
        message = "backward() is called on something that was cut off from the loss: no weight got a gradient."
    elif run.backwards and not run.error:
        message = f"backward() was called {len(run.backwards)} times, and not one weight got a gradient."
    else:
        return None
    return Finding("detached-graph", "error", message, evidence)


def no_backward(run):
    if run.gradients or run.error:
        return None
    message = f"In {len(run.read)} batches loss.backward() was not called: no weight got a gradient."
    fix = "Call loss.backward() for each batch, between optimizer.zero_grad() and optimizer.step()."
    return Finding("no-gradient", "error", message, {"batches": len(run.read), "backwards": 0}, fix)


def no_step(run):
    finite = all(math.isfinite(size) for size in run.gradients.values())  # else a GradScaler leaves out the step
    if run.error or not finite or not any(run.gradients.values()):
        return None
    evidence = {"batches": len(run.read), "steps": len(run.steps)}
    if not run.steps:
        message = f"In {len(run.read)} batches the weights got gradients, and optimizer.step() was not called."
        fix = "Call optimizer.step() after loss.backward()."
        return Finding("parameter-not-in-optimizer", "error", message, evidence, fix)
    if not any(step.norm for step in run.steps):
        message = f"All of the {len(run.steps)} steps found no gradient: it was erased between backward() and step()."
        fix = "The order is optimizer.zero_grad(), loss.backward(), optimizer.step()."
        return Finding("no-gradient", "error", message, evidence, fix)
    return None


def nothing_to_say(run):
    """Steps with gradients, and yet: the learning rate is 0, or too small for float32."""
    message = f"{len(run.steps)} steps changed no weight at all: is the learning rate 0?"
    return Finding("learning-rate-too-low", "advice", message, {"steps": len(run.steps)})


def other_optimizer(run, optimizer):
    """The weights are moved by an optimizer that was made in the loop; the one given is not used."""
    inner = [id(value) for value in getattr(optimizer, "__dict__", {}).values()]  # a wrapper has one inside
    if run.steps and not any(step.given or id(step.optimizer) in inner for step in run.steps):
        message = (
            f"All of the {len(run.steps)} steps were those of an optimizer other than the one train_one_epoch got."
        )
        fix = (
            "Call step() and zero_grad() of the optimizer that is given; a new one in each epoch forgets its averages."
        )
        yield Finding("optimizer-of-another-model", "error", message, {"steps": len(run.steps), "own": 0}, fix)


def cut_off(run, model, parameters, held, loss_fn):
    """Some weights train; those before a place where the graph is cut do not."""
    without = [n for n, p in parameters.items() if n not in run.gradients and id(p) in held and n not in run.changed]
    if not without:
        return
    hidden = [name for name in without if name.rpartition(".")[0] in run.with_graph]
    if run.cuts:
        source, goal = run.cuts[0]
        message = f"What `{source}` gives reaches `{goal}` cut off from the graph: no gradient for {listed(without)}."
        yield Finding("detached-graph", "error", message, {"from": source, "to": goal, "parameters": without})
    elif hidden and loss_depends_on(parameters[hidden[0]], run, model, loss_fn):
        message = f"The loss depends on {listed(hidden)}, and no gradient gets there: the graph is cut in forward()."
        yield Finding("detached-graph", "error", message, {"parameters": hidden})


def loss_depends_on(parameter, run, model, loss_fn):
    """Whether the loss of the first batch changes with this parameter."""
    call, loss = run.calls[0], next(iter(run.losses), None)
    whole = loss is not None and len(loss.inputs) == 2 and call.module is model
    if not whole or not isinstance(call.output, torch.Tensor) or not same(call.output, loss.inputs[0]):
        return False
    with untouched(model), torch.no_grad():
        modes = [False] * len(call.modes)
        before = loss_fn(outputs_in(model, call, modes)[0], loss.inputs[1])
        parameter.add_(torch.randn_like(parameter) * (parameter.std(correction=0) + 0.1))
        after = loss_fn(outputs_in(model, call, modes)[0], loss.inputs[1])
    return bool((after - before).abs().max() > MOVED * before.abs().max())


def growing_loss(first, second, weights):
    """The loss becomes nan, or grows by orders from one epoch to the next."""
    values = [loss.value for run in (first, second) if run for loss in run.losses]
    if not values or not math.isfinite(values[0]):
        return  # from the start: that is not the fault of the steps
    wild = next((number for number, value in enumerate(values) if not math.isfinite(value)), None)
    grown = [
        later.value / max(abs(earlier.value), 1e-3)
        for earlier, later in zip(first.losses, second.losses if second else [], strict=False)
    ]
    within = first.losses[-1].value / max(abs(values[0]), 1e-3)
    if wild is None and not (grown and min(grown) > GROWN) and within < GROWN**2:  # other samples: they may be harder
        return
    norm = next((step.norm for step in first.steps), 0.0)
    code = "exploding-gradient" if norm > EXPLODED * max(weights, 1e-3) else "learning-rate-too-high"
    seen = (
        f"is {values[wild]} at loss {wild + 1}"
        if wild is not None
        else f"grows {max(within, min(grown, default=0)):.3g} times"
    )
    message = f"The loss starts at {values[0]:.3g} and {seen}; the first gradient has length {norm:.3g}."
    yield Finding(
        code, "error", message, {"first": values[0], "last": values[-1], "gradient": norm, "weights": weights}
    )
