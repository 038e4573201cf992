"""What a loader may give, moved to a device and taken apart."""

from collections.abc import Mapping

import torch

TARGETS = ("y", "label", "labels", "target")


def to_device(batch, device):
    """The batch on `device`: tensors, anything with `.to`, and lists, tuples and dicts of these; the rest as it is."""
    if isinstance(batch, torch.Tensor):
        return batch if batch.device == device else batch.to(device, non_blocking=True)
    if isinstance(batch, list | tuple):
        moved = [to_device(part, device) for part in batch]
        return type(batch)(*moved) if hasattr(batch, "_fields") else moved
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: to_device(value, device) for name, value in batch.items()}
    return batch


def split_batch(batch):
    """(inputs, inputs by name, target) of a batch: a list or tuple (*inputs, target), a dict, or an object with `.y`.

    Raises TypeError for anything else, and ValueError for a sequence or dict without a target.
    """
    if isinstance(batch, list | tuple):
        if len(batch) < 2:
            raise ValueError(f"a batch of {len(batch)} part: at least two wanted, (x, y)")
        return batch[:-1], {}, batch[-1]
    if isinstance(batch, Mapping):
        name = next((name for name in TARGETS if name in batch), None)
        if name is None:
            raise ValueError(f"a batch with {list(batch)}: the target is looked for under {', '.join(TARGETS)}")
        return (), {key: value for key, value in batch.items() if key != name}, batch[name]
    if hasattr(batch, "y"):
        return (batch,), {}, batch.y
    raise TypeError(f"a batch of type {type(batch).__name__}: a tuple (x, y), a dict, or an object with .y wanted")


def batch_size(target):
    """How many samples there are in a target: a tensor, or a list, tuple or dict of tensors."""
    if isinstance(target, torch.Tensor):
        return target.shape[0]
    if isinstance(target, Mapping):
        return batch_size(next(iter(target.values())))
    first = target[0] if isinstance(target, list | tuple) and target else None
    return batch_size(first) if isinstance(first, torch.Tensor) else len(target)
