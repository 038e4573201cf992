"""Train mode and eval mode in the loop, and whether evaluating leaves a trace. From recorded runs."""

import torch

from dlsteps.clinic.loop_checks.pieces import frozen, tensors
from dlsteps.clinic.report import Finding, listed
from dlsteps.clinic.sandbox import untouched

RTOL, ATOL = 1e-4, 1e-6  # outputs computed twice; dropout and BatchNorm differ by far more


def outputs_in(model, call, modes):
    """What the recorded call gives with these modes of the model's parts, under a fixed seed."""
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    torch.manual_seed(0)
    args, kwargs = frozen(call.inputs)  # a module may change its input in place
    return tensors(frozen(call.module(*args, **kwargs)))


def alike(first, second):
    close = (
        torch.allclose(a.float(), b.float(), RTOL, ATOL, equal_nan=True) for a, b in zip(first, second, strict=True)
    )
    return all(close)


def mode_matters(model, call, wanted):
    """Whether the call gives something else in the mode that was wanted than in the one that was seen."""
    with untouched(model), torch.no_grad():
        return not alike(outputs_in(model, call, call.modes), outputs_in(model, call, [wanted] * len(call.modes)))


def wrong_mode_in_training(first, second, model):
    """Batches whose forward passes with gradients were all made in eval mode."""
    for run, where in ((first, ""), (second, ", from the second epoch on")):
        wrong = wrong_batches(run) if run else []
        if not wrong:
            continue
        call = run.calls_of(wrong[0])[0]
        matters = mode_matters(model, call, True)
        frozen_part = not all(parameter.requires_grad for parameter in model.parameters())
        what = f"In {len(wrong)} of {len(run.batches)} batches train_one_epoch had the model in eval mode{where}"
        why = "" if matters else "; harmless with these layers, which do the same in both"
        evidence = {"batches": len(run.batches), "in_eval_mode": len(wrong), "matters": matters}
        severity = "error" if matters and not frozen_part else "advice"
        yield Finding("wrong-mode-in-training", severity, f"{what}{why}.", evidence)
        return


def wrong_batches(run):
    calls = {number: [call for call in run.calls_of(number) if call.attached] for number in run.read}
    return [number for number, made in calls.items() if made and not any(any(call.modes) for call in made)]


def wrong_mode_in_evaluation(run, model):
    """The model as a whole in train mode. Parts that were put into it on purpose (Monte Carlo dropout) are no error."""
    wrong = [call for call in run.calls if call.modes[0]]
    if not wrong:
        return
    matters = mode_matters(model, wrong[0], False)
    what = f"evaluate called the model {len(wrong)} of {len(run.calls)} times in train mode"
    why = "" if matters else "; harmless with these layers, which do the same in both"
    evidence = {"calls": len(run.calls), "in_train_mode": len(wrong), "matters": matters}
    yield Finding("wrong-mode-in-evaluation", "error" if matters else "advice", f"{what}{why}.", evidence)


def evaluation_changes_model(run, model):
    """Weights, or averages that decide the output, differ after evaluating."""
    weights = [name for name, _ in model.named_parameters() if name in run.changed]
    buffers = [name for name in run.before if name in run.changed and name not in weights]
    evidence = {"weights": weights, "buffers": buffers}
    if weights:
        message = f"evaluate changed weights of the model: {listed(weights)}."
        yield Finding("evaluation-changes-model", "error", message, evidence)
    elif buffers and run.calls and output_differs(model, run):
        message = f"evaluate changed buffers of the model, and with them its output: {listed(buffers)}."
        yield Finding("evaluation-changes-model", "error", message, evidence)
    elif run.gradients:
        message = (
            f"evaluate calls backward(): {len(run.gradients)} parameters have gradients from validation data after it."
        )
        yield Finding("evaluation-changes-model", "advice", message, {"parameters": sorted(run.gradients)})


def output_differs(model, run):
    """Whether the model, in eval mode, says something else than before the evaluation: not if a mere counter moved."""
    call = run.calls[0]
    with untouched(model), torch.no_grad():
        modes = [False] * len(call.modes)
        after = outputs_in(model, call, modes)
        for name, value in model.state_dict().items():
            if isinstance(value, torch.Tensor):
                value.copy_(run.before[name])
        return not alike(after, outputs_in(model, call, modes))


def graph_kept_in_evaluation(run):
    """Outputs with a graph. Where the gradient is used (adversarial examples), it may be meant."""
    kept = [call for call in run.calls if call.attached]
    if kept:
        message = (
            f"evaluate kept the graph in {len(kept)} of {len(run.calls)} calls of the model: gradients were enabled."
        )
        used = bool(run.backwards) and not run.changed
        evidence = {"calls": len(run.calls), "with_graph": len(kept)}
        yield Finding("graph-kept-in-evaluation", "advice" if used else "error", message, evidence)
