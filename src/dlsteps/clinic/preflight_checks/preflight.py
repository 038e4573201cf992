"""Before training: looks at data, network and optimizer, tries a few things out on copies, and says what is wrong."""

import torch

from dlsteps.clinic.codes import CODES
from dlsteps.clinic.loaders import state_of
from dlsteps.clinic.preflight_checks.examination import Examination
from dlsteps.clinic.report import Report, describe
from dlsteps.clinic.sandbox import untouched
from dlsteps.clinic.surroundings import quiet

# What follows from what: a finding is left out if one that explains it is an error.
TRAINS_BADLY = {"cannot-overfit-one-batch", "learning-rate-too-high", "learning-rate-too-low", "constant-output"}
NO_GRADIENTS = {"no-gradient", "vanishing-gradient", "exploding-gradient", "parameter-not-in-optimizer"}
EXPLAINS = {
    "non-finite-input": {"exploding-gradient", "initial-loss-off", *TRAINS_BADLY},
    "label-wrong-type": {"shape-broadcast-in-loss", "initial-loss-off", *NO_GRADIENTS, *TRAINS_BADLY},
    "label-out-of-range": {"initial-loss-off", *NO_GRADIENTS, *TRAINS_BADLY},
    "unshuffled-training-data": {"class-imbalance"},
    "unregistered-submodule": {"save-load-differs", "optimizer-of-another-model", *NO_GRADIENTS, *TRAINS_BADLY},
    "optimizer-of-another-model": {"parameter-not-in-optimizer", "scheduler-stale", "save-load-differs", *TRAINS_BADLY},
    "detached-graph": {"dead-relu", *NO_GRADIENTS, *TRAINS_BADLY},
    "input-ignored": {"dead-relu", "leak-between-samples", *NO_GRADIENTS, *TRAINS_BADLY},
    "leak-between-samples": TRAINS_BADLY,
    "shape-broadcast-in-loss": {"initial-loss-off", *TRAINS_BADLY},
    "softmax-before-cross-entropy": {"initial-loss-off", "vanishing-gradient", *TRAINS_BADLY},
    "parameter-not-in-optimizer": TRAINS_BADLY,
    "frozen-by-accident": {"detached-graph", *NO_GRADIENTS, *TRAINS_BADLY},
    "no-gradient": {"cannot-overfit-one-batch"},
    "exploding-gradient": {"initial-loss-off", *TRAINS_BADLY},
    "bad-initialisation": {"exploding-gradient", "initial-loss-off", "dead-relu", *NO_GRADIENTS, *TRAINS_BADLY},
    "dead-relu": {"constant-output", *NO_GRADIENTS, *TRAINS_BADLY},
    "vanishing-gradient": TRAINS_BADLY,
    "constant-output": {"no-gradient", *TRAINS_BADLY},
    "not-normalised": {"exploding-gradient", "initial-loss-off", *TRAINS_BADLY},
    "initial-loss-off": TRAINS_BADLY,
    "channel-order-suspect": {"not-normalised", *TRAINS_BADLY},
    "cannot-overfit-one-batch": {"learning-rate-too-high", "learning-rate-too-low"},
}
# The same among advice.
EXPLAINS_ADVICE = {
    "not-normalised": {"initial-loss-off", "dead-relu", "vanishing-gradient"},
    "bad-initialisation": {"initial-loss-off", "vanishing-gradient", "dead-relu"},
    "unshuffled-training-data": {"initial-loss-off", "class-imbalance"},
}
# Advice that becomes an error if the network cannot learn a few samples: then it is no matter of taste.
CLEARER = ("vanishing-gradient", "not-normalised")


def preflight(model, loss_fn, train_loader, valid_loader=None, optimizer=None, scheduler=None):
    """Checks everything that can be seen before training; takes seconds, and leaves all as it was.

    Args:
        model: called with the inputs of a batch. It is left in its mode, with its weights, buffers and gradients.
        loss_fn: (output, target) to a scalar tensor.
        train_loader, valid_loader: anything that gives batches, as `Trainer` takes them. The first few are looked at.
        optimizer, scheduler: those of the run; without them what belongs to them is not checked.

    Returns a `Report`. What could not be checked, and why, is in `report.skipped`.
    """
    model = getattr(model, "_orig_mod", model)  # compiled
    with quiet(), torch.inference_mode(False), torch.enable_grad():
        try:
            restore = state_of([loss_fn])
            with untouched(model):
                examination = Examination(model, loss_fn, train_loader, valid_loader, optimizer, scheduler)
                examination.run()
            restore()
        except (RuntimeError, ValueError, AttributeError, TypeError) as error:  # e.g. layers that have no shape yet
            return Report([], {"preflight": f"the model's state cannot be put back: {describe(error)}"})
    return Report(explained(examination.findings), examination.skipped)


def explained(findings):
    """Without what follows from other errors."""
    if any(finding.code in ("cannot-overfit-one-batch", "constant-output") for finding in findings):
        for finding in findings:
            finding.severity = "error" if finding.code in CLEARER else finding.severity
    left = {finding.code: finding for finding in sorted(findings, key=lambda finding: finding.severity)}  # errors last
    for code in CODES:
        if code in left and left[code].severity == "error":
            left = {other: f for other, f in left.items() if other == code or other not in EXPLAINS.get(code, ())}
    findings = [finding for finding in findings if finding.code in left]
    weak = set().union(*(EXPLAINS_ADVICE.get(finding.code, ()) for finding in findings))
    return [finding for finding in findings if finding.severity == "error" or finding.code not in weak]
