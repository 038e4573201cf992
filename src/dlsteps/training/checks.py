"""What a `Trainer` is given, looked at before it is used: one line that says what is wrong."""

import math

import torch

from dlsteps.doctor.machine import pick_device
from dlsteps.training import distributed


def check_model(model, optimizer):
    """Raise ValueError if nothing in the model trains, or if the optimizer holds another model's parameters."""
    trained = {id(value) for value in model.parameters() if value.requires_grad}
    if not trained:
        raise ValueError(f"nothing to train: no parameter of {type(model).__name__} has requires_grad")
    held = [value for group in optimizer.param_groups for value in group["params"]]
    if not any(id(value) in trained for value in held):
        raise ValueError(
            f"the optimizer holds {len(held)} parameters, and none of them is one of {type(model).__name__}'s that "
            "train: make it from the model that you give here"
        )


def choose_device(device):
    """A `torch.device` that is there. Raises ValueError, naming those that are."""
    own = distributed.setup()
    device = torch.device(device) if device is not None else own or pick_device()
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    there += ["mps"] if torch.backends.mps.is_available() else []
    if device.type in ("cuda", "mps") and str(device) not in there and f"{device}:0" not in there:
        raise ValueError(f"there is no device '{device}' here: choose from {', '.join(map(repr, there))}")
    return device


def reseed_loader(loader, epoch, seed):
    """Make what a loader draws in this epoch depend on `seed` alone.

    Raises ValueError for persistent workers: they keep random states of their own, from epoch to epoch.
    """
    if getattr(loader, "num_workers", 0) > 0 and loader.persistent_workers:
        raise ValueError("persistent_workers=True: a resumed run could not go on exactly; leave it out")
    batch_sampler = getattr(loader, "batch_sampler", None)
    for part in (loader, getattr(loader, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None)):
        if getattr(part, "generator", None) is not None:
            part.generator.manual_seed(seed)
        if hasattr(part, "set_epoch"):
            part.set_epoch(epoch)


def check_record(record, epoch):
    """Raise FloatingPointError if the loss of an epoch is nan or infinite: nothing has been saved of it yet."""
    for name, value in record.items():
        if name.endswith("_loss") and not math.isfinite(value):
            raise FloatingPointError(
                f"{name} is {value} after epoch {epoch}: the callback StopOnNaN() names the step; "
                "a smaller learning rate, or ClipGradients(), often helps"
            )
