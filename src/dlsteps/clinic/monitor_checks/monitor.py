"""Watches a training, and says in one line what goes wrong when it does."""

import dataclasses
import math

import torch

from dlsteps.clinic.monitor_checks import step_checks
from dlsteps.clinic.monitor_checks.causes import why_not_finite, without_followers
from dlsteps.clinic.monitor_checks.epoch_checks import AFTER_EPOCH
from dlsteps.clinic.monitor_checks.looks import FACTS, Watch
from dlsteps.clinic.monitor_checks.measures import numbers
from dlsteps.clinic.report import Finding, Report
from dlsteps.training import Callback, distributed
from dlsteps.training.batches import split_batch

LOSSES = 200  # so many of the last losses are remembered


@dataclasses.dataclass
class Seen:
    """All that was seen so far, in plain numbers, lists and dicts: the checks know nothing else."""

    steps: int = 0  # losses that were told
    updates: int = 0  # steps that the optimizer made
    next_look: int = 0
    first_loss: float | None = None
    losses: list = dataclasses.field(default_factory=list)  # the last ones
    looks: list = dataclasses.field(default_factory=list)  # the first two and the last 20
    dead: dict = dataclasses.field(default_factory=dict)  # {layer: {"mask", "looks", "count", "share", "all"}}
    epochs: list = dataclasses.field(default_factory=list)
    broken: bool = False  # after a loss that is nan there is nothing left to see


class Monitor(Callback):
    """A callback of `Trainer`, or by hand:

        with Monitor().watch(model, optimizer, scheduler) as monitor:
            for epoch in range(epochs):
                for x, y in train_loader:
                    ...
                    optimizer.step()
                    monitor.step(loss)
                monitor.epoch(train_loss, valid_loss)
        monitor.report

    `monitor.step(loss)` comes after `optimizer.step()`, at the end of the loop's body: gradients, weights and modes are
    seen through the optimizer's own hooks, at the moment of the step, so that nothing depends on where it stands.

    every: looks that cost something come often at first, later once in so many steps. say: takes each finding once, as
    one line; `say=None` for silence.
    """

    def __init__(self, every=50, say=print):
        if every < 1:
            raise ValueError(f"every is {every}: at least 1 wanted")
        self.every, self.say = every, say
        self.seen, self.findings, self.skipped = Seen(), [], {}
        self.eyes = self.scheduler = self.waiting = None

    # By hand

    def watch(self, model, optimizer, scheduler=None):
        """Begin. `optimizer`: one, or a list of those that train this model; returns the monitor."""
        self.close()
        optimizers = list(optimizer) if isinstance(optimizer, list | tuple) else [optimizer]
        self.scheduler, self.waiting, self.looked = scheduler, [], False
        self.before = self.target = None  # the gradient of the step before, as a sum; what a nan loss compared with
        self.scheduled = getattr(scheduler, "last_epoch", None)
        self.note(step_checks.at_start(model, optimizers, scheduler))
        self.eyes = Watch(model, optimizers, self.seen.updates, self.due, self.found)
        return self

    def step(self, loss):
        """Tell the loss of a step, after `optimizer.step()`: a tensor or a number."""
        if self.eyes is None:
            raise RuntimeError("monitor.step(loss) before monitor.watch(model, optimizer)")
        if self.seen.broken:
            return
        loss = loss.detach() if isinstance(loss, torch.Tensor) else torch.tensor(float(loss))
        slow = lazy(loss)
        self.waiting.append((loss, self.eyes.gradient, self.eyes.facts() if slow else None))
        if not slow or self.looked or len(self.waiting) >= self.every:
            self.listen()
        if self.looked and not self.seen.broken:
            self.looked = False
            self.check(step_checks.AFTER_LOOK)

    def epoch(self, train_loss=None, valid_loss=None):
        """Tell the losses of an epoch that is over, as far as they are known."""
        if self.eyes is None:
            raise RuntimeError("monitor.epoch(…) before monitor.watch(model, optimizer)")
        self.listen()
        rates = [float(group.get("lr", 0.0)) for o in self.eyes.optimizers for group in o.param_groups]
        steps = getattr(self.scheduler, "last_epoch", None)
        self.seen.epochs.append(
            {
                "train_loss": None if train_loss is None else float(train_loss),
                "valid_loss": None if valid_loss is None else float(valid_loss),
                "steps": self.seen.steps,
                "updates": self.seen.updates,
                "rate": max(rates, default=0.0),
                "scheduled": None if steps is None else steps - self.scheduled,
                "total": getattr(self.scheduler, "total_steps", None),
            }
        )
        if not self.seen.broken:
            self.check(AFTER_EPOCH)

    @property
    def report(self):
        """What was found so far, without what follows from something else that was found."""
        return Report(without_followers(self.findings), self.skipped | (self.eyes.skipped if self.eyes else {}))

    def close(self):
        """Take all hooks off."""
        if self.eyes is not None:
            self.skipped |= self.eyes.skipped
            self.eyes.close()
            self.eyes = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    # What was seen

    def due(self, updates):
        """Whether to look at the next step: the first few, then ever more rarely until it is once in `every`."""
        if updates < self.seen.next_look or self.seen.broken:
            return False
        self.seen.next_look = updates + min(max(1, 2 * updates // 3), self.every)
        return True

    def found(self, look):
        """The optimizer made a step that was looked at."""
        step_checks.count_dead(self.seen.dead, look)
        self.seen.looks.append(look)
        del self.seen.looks[2:-20]
        self.looked = True

    def listen(self):
        """Take in the losses that were told since the last time."""
        self.seen.updates = self.eyes.updates
        losses = [loss for loss, _, _ in self.waiting]
        losses = [losses[0].item()] if len(losses) == 1 else numbers(losses)
        for value, (_, gradient, facts) in zip(losses, self.waiting, strict=True):
            if not math.isfinite(value):
                self.seen.broken = True
                facts = dict(zip(FACTS, numbers(self.eyes.facts() if facts is None else facts), strict=True))
                facts["gradient"] = 0.0 if self.before is None else self.before.item()
                self.note([why_not_finite(self.seen, value, facts, self.target)])
                break
            self.seen.steps += 1
            self.seen.first_loss = value if self.seen.first_loss is None else self.seen.first_loss
            self.seen.losses.append(value)
            self.before = gradient
        self.waiting = []
        del self.seen.losses[:-LOSSES]

    def check(self, checks):
        for check in checks:
            try:
                self.note(list(check(self.seen)))
            except Exception as error:
                self.skipped[check.__name__] = f"{type(error).__name__}: {error}".splitlines()[0]

    def note(self, findings):
        """Say what is new, unless it follows from what has been said; an error takes the place of an advice."""
        for finding in findings:
            known = {(old.code, old.severity) for old in self.findings}
            followers = finding not in without_followers([*self.findings, finding])
            if followers or known & {(finding.code, "error"), (finding.code, finding.severity)}:
                continue
            self.findings = [old for old in self.findings if old.code != finding.code] + [finding]
            if self.say is not None and distributed.is_main():
                where = f"step {self.seen.steps}"
                self.say(f"{finding.severity} ({where}) {finding.code}: {finding.message} {finding.fix}")

    # As a callback

    def on_fit_start(self, trainer):
        self.watch(trainer.model, trainer.optimizer, trainer.scheduler)

    def on_backward_end(self, trainer):
        if trainer.device.type == "cpu":
            self.catch(trainer)

    def on_batch_end(self, trainer):
        self.step(trainer.loss)

    def on_epoch_end(self, trainer):
        record = trainer.history[-1]
        self.epoch(record.get("train_loss"), record.get("valid_loss"))

    def on_fit_end(self, trainer):
        if self.eyes is not None and hasattr(trainer, "loss"):
            self.catch(trainer)  # if another callback stopped a step whose loss is nan
        self.close()

    def catch(self, trainer):
        """A loss that is nan, with the batch still at hand."""
        if not self.seen.broken and not math.isfinite(trainer.loss.item()):
            self.target = split_batch(trainer.batch)[2]
            self.step(trainer.loss)

    # A resumed run

    def state_dict(self):
        findings = [dataclasses.asdict(finding) for finding in self.findings]
        return {"seen": dataclasses.asdict(self.seen), "findings": findings, "skipped": dict(self.skipped)}

    def load_state_dict(self, state):
        self.seen = Seen(**state["seen"])
        self.findings = [Finding(**finding) for finding in state["findings"]]
        self.skipped = dict(state["skipped"])


def lazy(loss):
    """Whether it is on a GPU, which is not waited for at each step."""
    return loss.device.type != "cpu"
