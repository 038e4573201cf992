"""Before training: looks at data, network and optimizer, tries a few things out on copies, and says what is wrong."""

import torch

from dlsteps.clinic.followers import without_followers
from dlsteps.clinic.loaders import state_of
from dlsteps.clinic.preflight_checks.examination import Examination
from dlsteps.clinic.report import Report, describe
from dlsteps.clinic.sandbox import untouched
from dlsteps.clinic.surroundings import quiet

# Advice that becomes an error if the network cannot learn a few samples, say: then it is no matter of taste.
CLEARER = {
    "cannot-overfit-one-batch": {"vanishing-gradient", "not-normalised", "frozen-by-accident", "initial-loss-off"},
    "constant-output": {"vanishing-gradient", "not-normalised"},
    "learning-rate-too-high": {"initial-loss-off"},
    "initial-loss-off": {"not-normalised", "bad-initialisation"},
}


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
    return Report(without_followers(made_clear(examination.findings)), examination.skipped)


def made_clear(findings):
    """Some advice as errors, if what follows from it is there."""
    for code, causes in CLEARER.items():
        if any(finding.code == code and finding.severity == "error" for finding in findings):
            for finding in findings:
                finding.severity = "error" if finding.code in causes else finding.severity
    return findings
