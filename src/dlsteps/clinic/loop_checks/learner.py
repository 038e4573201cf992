"""What the learner gave to `check_loop`, and what is noted about it."""

from dataclasses import dataclass

from torch import nn

from dlsteps.clinic.loop_checks.recording import record
from dlsteps.clinic.loop_checks.replay import Unreadable
from dlsteps.clinic.report import Skip, describe
from dlsteps.seed import seed_everything


class Notes:
    """Findings, and the checks that could not run."""

    def __init__(self):
        self.findings, self.skipped = [], {}

    def check(self, name, function, *args):
        """Add what the check yields; if it cannot run, why."""
        try:
            self.findings.extend(function(*args))
        except Skip as skip:
            self.skipped[name] = str(skip)
        except Exception as error:  # a check must not end the others
            self.skipped[name] = describe(error)

    def attempt(self, name, function, *args):
        """What the learner's function returns; None if it fails."""
        try:
            return function(*args)
        except Unreadable as error:
            self.skipped[name] = str(error)
        except (Exception, SystemExit) as error:
            self.skipped[name] = describe(error)
        return None


@dataclass
class Learner:
    """What the learner gave."""

    train: object
    evaluate: object
    make_model: object
    make_optimizer: object
    loss_fn: object

    def model(self):
        """A fresh model, the same each time."""
        seed_everything(0)
        model = self.make_model()
        if not isinstance(model, nn.Module):
            raise TypeError(f"make_model returns {type(model).__name__}, no nn.Module")
        return model

    def model_and_optimizer(self):
        model = self.model()
        return model, self.make_optimizer(model)

    def training(self, model, optimizer, batches, samples, times=1):
        return record(self.train, model, batches, samples.loader, self.loss_fn, optimizer, times=times)

    def evaluation(self, model, batches, samples):
        return record(self.evaluate, model, batches, samples.loader, self.loss_fn)
