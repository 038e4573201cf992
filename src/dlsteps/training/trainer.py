"""The training loop, on one screen. Everything that some runs need and others do not is a callback."""

import contextlib

import torch

from dlsteps.models.modes import eval_mode
from dlsteps.seed import seed_everything
from dlsteps.training import distributed
from dlsteps.training.batches import split_batch, to_device
from dlsteps.training.callbacks import hooks_of
from dlsteps.training.checks import check_model, check_record, choose_device, reseed_loader
from dlsteps.training.history import History
from dlsteps.training.metrics import Averages


class Trainer:
    """Trains `model` for some epochs, evaluates it after each, and remembers what came out.

    Args:
        model: its parameters that train are in `optimizer`.
        loss_fn: (output, target) to a scalar tensor, the mean over the batch.
        metrics: {name: function of (output, target)}, each the mean over the batch too, as a number or scalar tensor.
        scheduler: steps once for each step of the optimizer; `ReduceLROnPlateau` once an epoch, on `valid_loss`.
        callbacks: see `dlsteps.training.callbacks`.
        device: where to train; by default a GPU if there is one, under `torchrun` this process's own.
        amp_dtype: `torch.bfloat16` or `torch.float16` for mixed precision.
        seed: with the number of the epoch (and of the process) it decides all that is random in an epoch.

    For callbacks: `epoch` and `step` (both done so far), `batch`, `output`, `loss` of the step, `history`, `stop`
    (set it, and training ends). A batch is a tuple (*inputs, target), a dict with the target under "y", "label",
    "labels" or "target" and the rest for the model by name, or an object with `.to` and `.y`.
    """

    def __init__(
        self, model, optimizer, loss_fn, *, metrics=None, scheduler=None, callbacks=(), device=None,
        amp_dtype=None, seed=0,
    ):  # fmt: skip
        check_model(model, optimizer)
        self.device = choose_device(device)
        self.model = model.to(self.device)
        self.net = distributed.wrap(self.model)  # what is called; by itself, the model
        self.optimizer, self.scheduler, self.loss_fn = optimizer, scheduler, loss_fn
        self.once_an_epoch = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
        self.metrics, self.callbacks, self.seed = dict(metrics or {}), list(callbacks), seed
        self.hooks = hooks_of(self.callbacks)  # {event: [methods]}
        self.precision = torch.autocast(self.device.type, amp_dtype) if amp_dtype else contextlib.nullcontext()
        self.scaler = torch.amp.GradScaler(self.device.type) if amp_dtype is torch.float16 else None
        self.epoch = self.step = 0
        self.stop = False
        self.history = History()

    def fit(self, train_loader, valid_loader=None, epochs=1, max_steps=None):
        """Train until there have been `epochs` epochs in all, those before a `resume` included; returns the `History`.

        max_steps: end after so many steps of this call. The epoch is cut short, but evaluated, recorded and saved as
        any other: a trial run, for finding out in a minute whether all of that works.
        """
        self.epochs, self.last_step = epochs, None if max_steps is None else self.step + max_steps
        self.train_loader = train_loader
        self.notify("fit_start")
        try:
            while self.epoch < epochs and self.step != self.last_step and not self.stop:
                self.start_epoch(train_loader)
                record = self.train_epoch(train_loader)
                if valid_loader is not None:
                    record |= self.evaluate(valid_loader)
                self.end_epoch(record)
        finally:
            self.notify("fit_end")
        return self.history

    def train_epoch(self, loader):
        """One pass over the loader; returns {"train_loss": mean over all samples, and so on for each metric}."""
        self.net.train()
        averages = Averages("train", self.metrics, self.device)
        for self.batch in loader:
            self.notify("batch_start")
            target = self.forward()
            self.optimizer.zero_grad()
            self.backward()
            self.notify("backward_end")
            self.update()
            averages.add(self.loss, self.output, target)
            self.step += 1
            self.notify("batch_end")
            if self.step == self.last_step or self.stop:
                break
        distributed.share_buffers(self.model)
        return averages.compute()

    @torch.no_grad()
    def evaluate(self, loader, name="valid"):
        """Loss and metrics over a loader, in eval mode; returns {"valid_loss": mean over all samples, …}."""
        averages = Averages(name, self.metrics, self.device)
        with eval_mode(self.model):
            for self.batch in loader:
                target = self.forward()
                averages.add(self.loss, self.output, target)
        return averages.compute()

    def forward(self):
        """From `batch` to `output` and `loss`; returns the target."""
        self.batch = to_device(self.batch, self.device)
        inputs, named_inputs, target = split_batch(self.batch)
        network = self.net if torch.is_grad_enabled() else self.model
        with self.precision:
            self.output = network(*inputs, **named_inputs)
            self.loss = self.loss_fn(self.output, target)
        return target

    def backward(self):
        """Gradients; with float16 the loss is scaled up before, and the gradients down after."""
        if self.scaler is None:
            self.loss.backward()
        else:
            self.scaler.scale(self.loss).backward()
            self.scaler.unscale_(self.optimizer)  # callbacks see true gradients

    def update(self):
        """One step of the optimizer, and of a scheduler that goes with it."""
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        if self.scheduler is not None and not self.once_an_epoch:
            self.scheduler.step()

    def start_epoch(self, loader):
        """Seed with (seed, epoch, process): an epoch is the same whether or not the run was resumed before it."""
        reseed_loader(loader, self.epoch, seed_everything(self.seed, self.epoch, distributed.rank()))
        self.notify("epoch_start")

    def end_epoch(self, record):
        """Record, then callbacks, then what saves: so that their order in the list does not matter."""
        check_record(record, self.epoch)
        if self.once_an_epoch:
            self.scheduler.step(record["valid_loss"] if "valid_loss" in record else record["train_loss"])
        self.history.append({"epoch": self.epoch, **record})
        self.epoch += 1
        self.notify("epoch_end")
        self.notify("checkpoint")

    # lesson 08
    def notify(self, event):
        """Call `on_<event>(trainer)` of each callback that has it."""
        for hook in self.hooks[event]:
            hook(self)
