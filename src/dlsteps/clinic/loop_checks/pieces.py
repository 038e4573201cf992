"""Batches of any kind, taken apart and put together: nested lists, tuples and dicts of tensors."""

from collections.abc import Mapping

import torch

from dlsteps.training.batches import batch_size, split_batch


def mapped(function, first, *others):
    """`function` of each tensor in nested lists, tuples and dicts (of several alike, together); the rest as it is."""
    if isinstance(first, torch.Tensor):
        return function(first, *others)
    if isinstance(first, Mapping):
        return {key: mapped(function, value, *(o[key] for o in others)) for key, value in first.items()}
    if isinstance(first, list | tuple):
        parts = [mapped(function, *parts) for parts in zip(first, *others, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    return first


def tensors(thing):
    """All tensors in nested lists, tuples and dicts."""
    found = []
    mapped(found.append, thing)
    return found


def frozen(thing):
    """A copy without graph, also in and of inference mode."""
    with torch.inference_mode(False), torch.no_grad():
        return mapped(lambda tensor: tensor.clone(), thing)


def rows(batch):
    """How many samples there are in a batch; None if that cannot be seen."""
    try:
        return batch_size(split_batch(batch)[2])
    except (TypeError, ValueError, IndexError, StopIteration):
        sizes = [tensor.shape[0] for tensor in tensors(batch) if tensor.ndim]
        return max(set(sizes), key=sizes.count) if sizes else None


def sample_axis(tensor, size):
    """The dimension that holds the samples: the first, or the second (T, B, …); None if neither has their number."""
    return next((axis for axis in range(min(2, tensor.ndim)) if tensor.shape[axis] == size), None)


def take(batch, index):
    """The samples at these places, as a batch of the same kind."""
    size = rows(batch)

    def chosen(tensor):
        axis = sample_axis(tensor, size)
        return tensor if axis is None else tensor.index_select(axis, torch.as_tensor(index, device=tensor.device))

    return mapped(chosen, batch)


def join(batches):
    """One batch of all their samples. Raises RuntimeError if these differ in shape."""
    sizes = [rows(batch) for batch in batches]

    def joined(first, *others):
        axis = sample_axis(first, sizes[0])
        return first if axis is None else torch.cat([first, *others], axis)

    return mapped(joined, *batches)


def columns(batch):
    """The tensors of a batch that hold something for each sample, as (B, …)."""
    size = rows(batch)
    found = ((tensor, sample_axis(tensor, size)) for tensor in tensors(batch))
    return [tensor.movedim(axis, 0) for tensor, axis in found if axis is not None]


def varied(batch):
    """Which columns of a batch are not the same for all samples."""
    return [bool((column != column[:1]).any()) for column in columns(batch)]


def exchange(batch, pool, seed):
    """The batch with half of its samples exchanged for others of `pool`, unlike them in all that varies; their rows."""
    here, there, differ = columns(batch), columns(pool), varied(pool)
    generator = torch.Generator().manual_seed(seed)
    size, order = len(here[0]), torch.randperm(len(there[0]), generator=generator).tolist()

    def unlike(row, other):
        pairs = zip(here, there, differ, strict=True)
        return all(not torch.equal(a[row], b[other]) for a, b, counts in pairs if counts)

    donors = {}
    for row in torch.randperm(size, generator=generator)[: max(1, size // 2)].tolist():
        other = next((other for other in order if unlike(row, other)), None)
        if other is not None and any(differ):
            donors[row] = other
    new = frozen(batch)
    for column, source in zip(columns(new), there, strict=True):
        for row, other in donors.items():
            column[row] = source[other]
    return new, set(donors)
