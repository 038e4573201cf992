"""The first batches of a loader, taken once, and the loader left as it was found."""

import copy
import random
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader

from dlsteps.clinic.report import describe

MOST_BATCHES = 16  # "the first few": enough labels to judge their order and balance
ENOUGH_SAMPLES = 512  # and no more than this, if they come in large batches
LEAST_BATCHES = 4  # but from several batches, to see whether each is of one class
SECONDS = 1.0  # for a slow loader; one batch is always taken
NUMBERS = (bool, int, float, str)


def first_batches(loader, size_of):
    """(batches, note): the first few of a loader, and what went wrong, or None. `size_of(batch)`: its samples.

    The loader's own generators and counters are put back, so that the next who asks gets what they would have got.
    """
    restore, batches, note = state_of(loader), [], None
    try:
        take(in_this_process(loader), batches, size_of)
    except (Exception, SystemExit) as error:  # the learner's dataset, whatever it does
        note = f"it raised {describe(error)} after {len(batches)} batches"
    restore()
    if note and not batches and getattr(loader, "num_workers", 0):  # a dataset that only works in worker processes
        return first_batches(WithWorkers(loader), size_of)
    if batches and is_one_pass(loader):
        note = note or f"it can be gone through only once: the {len(batches)} batches looked at may be gone from it"
    return batches, note if batches or note else "it gave no batch: exhausted, or empty"


def take(loader, batches, size_of):
    start, samples = time.perf_counter(), 0
    for batch in loader:
        batches.append(batch)
        samples += size_of(batch)
        enough = samples >= ENOUGH_SAMPLES and len(batches) >= LEAST_BATCHES
        if enough or len(batches) >= MOST_BATCHES or time.perf_counter() - start > SECONDS:
            return


def is_one_pass(loader):
    return isinstance(loader, Iterator) or isinstance(getattr(loader, "dataset", None), Iterator)


class WithWorkers:
    """The loader as it is, worker processes and all."""

    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        return iter(self.loader)


def in_this_process(loader):
    """The same loader without worker processes, which would read ahead; for a few batches they do not pay."""
    if not isinstance(loader, DataLoader):
        return loader
    single = copy.copy(loader)
    vars(single).update(num_workers=0, timeout=0, pin_memory=False, prefetch_factor=None, _iterator=None)
    vars(single)["persistent_workers"] = False
    return single


# What a loader remembers


def state_of(loader):
    """A function that puts back what loader, samplers and dataset remember: generators, counters, orders."""
    undo = []
    for thing in reachable(loader):
        undo += [u for u in (generator_state(thing), order_state(thing), numbers_state(thing)) if u]

    def restore():
        for step in undo:
            step()

    return restore


def reachable(root, depth=7, most=2000):
    """The objects that `root` is made of, not going into long lists and tensors."""
    seen, layer = {}, [root]
    for _ in range(depth):
        following = []
        for thing in layer:
            if id(thing) in seen or len(seen) > most or isinstance(thing, (type, *NUMBERS)):
                continue
            seen[id(thing)] = thing
            following += parts_of(thing)
        layer = following
    return list(seen.values())


def parts_of(thing):
    if isinstance(thing, torch.Tensor | np.ndarray):
        return []
    if isinstance(thing, list | tuple | dict):
        return list(thing.values() if isinstance(thing, dict) else thing) if len(thing) <= 64 else []
    parts = list(vars(thing).values()) if hasattr(thing, "__dict__") else []
    owner = getattr(thing, "__self__", None)  # of a method that serves as collate_fn or transform
    return parts + ([owner] if owner is not None and hasattr(owner, "__dict__") else [])


def generator_state(thing):
    if isinstance(thing, torch.Generator):
        state = thing.get_state()
        return lambda: thing.set_state(state)
    if isinstance(thing, np.random.Generator):
        bits, state = thing.bit_generator, thing.bit_generator.state
        return lambda: setattr(bits, "state", state)
    if isinstance(thing, np.random.RandomState):
        state = thing.get_state()
        return lambda: thing.set_state(state)
    if isinstance(thing, random.Random):
        state = thing.getstate()
        return lambda: thing.setstate(state)
    return None


def order_state(thing, most=1_000_000):
    """A list or array of numbers may be an order that is shuffled in place."""
    if isinstance(thing, list) and 0 < len(thing) <= most and isinstance(thing[0], NUMBERS):
        saved = list(thing)
        return lambda: thing.__setitem__(slice(None), saved)
    if isinstance(thing, np.ndarray) and thing.ndim == 1 and thing.dtype.kind in "iu" and thing.size <= most:
        kept = thing.copy()
        return lambda: thing.flags.writeable and np.copyto(thing, kept)
    return None


def numbers_state(thing):
    """Counters and the like among the attributes."""
    if isinstance(thing, list | tuple | dict) or not hasattr(thing, "__dict__"):
        return None
    saved = {name: value for name, value in vars(thing).items() if isinstance(value, NUMBERS)}
    return (lambda: vars(thing).update(saved)) if saved else None
