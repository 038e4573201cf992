"""Additions to the training loop, each for itself: stopping, saving, clipping, watching."""

import copy
import math

import torch

from dlsteps.training import distributed

EVENTS = ("fit_start", "epoch_start", "batch_start", "backward_end", "batch_end", "epoch_end", "checkpoint", "fit_end")


class Callback:
    """Define `on_<event>(trainer)` for any of `EVENTS`; what a resumed run needs to know goes through `state_dict`.

    A state is made of numbers, strings, None, tensors, and lists and dicts of these: it is read with
    `weights_only=True`. What saves belongs into `on_checkpoint`, which comes after all other callbacks.
    """

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


# lesson 08
def hooks_of(callbacks):
    """{event: [methods of the callbacks]}. Raises TypeError for a method `on_…` that is no event."""
    for callback in callbacks:
        for name in dir(callback):
            if name.startswith("on_") and name[3:] not in EVENTS:
                choices = ", ".join(f"on_{event}" for event in EVENTS)
                raise TypeError(f"{type(callback).__name__}.{name} would never be called: choose from {choices}")
    return {event: [getattr(c, f"on_{event}") for c in callbacks if hasattr(c, f"on_{event}")] for event in EVENTS}


class Best:
    """The best value so far of something in the history; `better` says whether the last epoch's is."""

    def __init__(self, monitor, mode, min_delta=0.0):
        if mode not in ("min", "max"):
            raise ValueError(f"unknown mode {mode!r}: choose from 'min', 'max'")
        self.monitor, self.sign, self.min_delta = monitor, 1 if mode == "min" else -1, min_delta
        self.value = math.inf  # the larger the worse, also with mode="max"

    def better(self, history):
        value = history[self.monitor][-1]
        if value is None or math.isnan(value):
            return False
        value *= self.sign
        if value < self.value - self.min_delta:
            self.value = value
            return True
        return False


class EarlyStopping(Callback):
    """Stop when `monitor` has not become better by more than `min_delta` for `patience` epochs.

    restore_best: at the end, put back the weights of the best epoch (they are kept in memory, and in checkpoints).
    """

    def __init__(self, monitor="valid_loss", mode="min", patience=3, min_delta=0.0, restore_best=False):
        self.best, self.patience, self.restore_best = Best(monitor, mode, min_delta), patience, restore_best
        self.waited, self.weights = 0, None

    def on_epoch_end(self, trainer):
        if self.best.better(trainer.history):
            self.waited = 0
            if self.restore_best:
                self.weights = copy.deepcopy(trainer.model.state_dict())
        else:
            self.waited += 1
            trainer.stop = trainer.stop or self.waited >= self.patience

    def on_fit_end(self, trainer):
        if self.weights is not None:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self):
        return {"best": self.best.value, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state):
        self.best.value, self.waited, self.weights = state["best"], state["waited"], state["weights"]


class ClipGradients(Callback):
    """Before each step, shorten the gradient of all parameters together to `max_norm` if it is longer."""

    def __init__(self, max_norm=1.0):
        self.max_norm = max_norm

    def on_backward_end(self, trainer):
        torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), self.max_norm)


class StopOnNaN(Callback):
    """Raise FloatingPointError at the first step whose loss is nan or infinite. It looks at each loss: a GPU waits."""

    def on_backward_end(self, trainer):  # before the step that would spoil the weights
        if not torch.isfinite(trainer.loss):
            loss, step = trainer.loss.item(), trainer.step
            raise FloatingPointError(
                f"the loss is {loss} at step {step}, in epoch {trainer.epoch}; the step was not made"
            )


class Progress(Callback):
    """A bar over all steps, with the last epoch's numbers; with `curve`, in a notebook, the losses as a plot."""

    def __init__(self, curve=False):
        self.curve = curve

    def on_fit_start(self, trainer):
        from tqdm.auto import tqdm

        try:
            steps = trainer.epochs * len(trainer.train_loader)
        except TypeError:  # a loader of unknown length
            steps = None
        steps = trainer.last_step if trainer.last_step is not None else steps
        self.bar = tqdm(total=steps, initial=trainer.step, unit="step", disable=not distributed.is_main())

    def on_batch_end(self, trainer):
        self.bar.update()

    def on_epoch_end(self, trainer):
        numbers = {name: f"{value:.4f}" for name, value in trainer.history[-1].items() if name != "epoch"}
        self.bar.set_postfix(numbers)
        if self.curve and distributed.is_main():
            self._draw(trainer.history)

    def on_fit_end(self, trainer):
        self.bar.close()

    def _draw(self, history):
        import matplotlib.pyplot as plt
        from IPython.display import clear_output

        clear_output(wait=True)
        for name in (name for name in history.names if name.endswith("loss")):
            plt.plot(history["epoch"], history[name], label=name)
        plt.xlabel("epoch")
        plt.legend()
        plt.show()
