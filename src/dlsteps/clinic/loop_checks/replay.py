"""A handful of small batches from a learner's loader, to be given again and again; the loader is left as it was."""

import torch
from torch.utils.data import DataLoader, Dataset

from dlsteps.clinic.loaders import in_this_process, state_of
from dlsteps.clinic.loop_checks.pieces import columns, exchange, frozen, join, mapped, rows, take, varied

LOOKS = 8  # batches looked at until there are enough samples, and different ones
WANTED = 40  # samples: four small batches, and some to exchange them for
SMALL, SHORT, MOST = 8, 3, 3  # samples in a batch, in the last batch, and how many batches come before that one


class Unreadable(Exception):
    """Why a loader cannot be looked at."""


class Samples:
    """Small batches of a loader's first samples; `pool`, all of these as one batch, or None if they differ in shape."""

    def __init__(self, loader):
        if loader is None:
            raise Unreadable("there is none")
        if hasattr(loader, "__next__") and iter(loader) is loader:
            raise Unreadable("it can be read only once, and is left alone: give a DataLoader or a list of batches")
        self.loader, self.own = loader, []
        restore = state_of(loader)
        try:
            for batch in in_this_process(loader):
                self.own.append(frozen(batch))
                if self._enough() or len(self.own) == LOOKS:
                    break
        finally:
            restore()
        if not self.own:
            raise Unreadable("it gives no batch")
        self.size = rows(self.own[0])
        try:
            self.pool = join(self.own) if self.size and columns(self.own[0]) else None
        except (RuntimeError, ValueError, KeyError):
            self.pool = None
        self.hard = []

    def _enough(self):
        sizes = [rows(batch) or WANTED for batch in self.own]
        different = [varied(batch) for batch in self.own if rows(batch)]
        return sum(sizes) >= WANTED and (not different or any(all(flags) for flags in different))

    def plans(self):
        """Lists of batches to try: small ones with a short last one; small ones of one size; the loader's own."""
        if self.pool is None:
            yield from self._ragged()
            return
        total = rows(self.pool)
        size = max(1, min(SMALL, self.size, (total + 1) // 2))
        short = min(SHORT, max(1, size - 1))
        hard = self.hard[:short] if total >= size + short else []
        order = [row for row in self._mixed(total) if row not in hard]
        full = [order[start : start + size] for start in range(0, min(len(order), MOST * size), size)]
        full = [index for index in full if len(index) == size] or [order]
        left = hard or order[len(full) * size :][:short]
        if left:
            yield [take(self.pool, index) for index in [*full, left]]
        yield [take(self.pool, index) for index in full]
        yield self.own[: MOST + 1]

    def _ragged(self):
        batches = self.own[: MOST + 1]
        if self.size and self.size > SHORT and columns(batches[-1]) and len(batches) > 1:
            yield [*batches[:-1], take(batches[-1], range(min(SHORT, rows(batches[-1]))))]
        yield batches

    def _mixed(self, total):
        return torch.randperm(total, generator=torch.Generator().manual_seed(0)).tolist()

    def exchanged(self, batches):
        """The batches, each with some samples exchanged, and which rows these are."""
        if not all(rows(batch) and columns(batch) for batch in batches):
            return None
        return [exchange(batch, batch if self.pool is None else self.pool, seed) for seed, batch in enumerate(batches)]

    def equal_batches(self):
        """Whether all batches of the loader have one size, so far as that can be seen; None if it cannot."""
        if isinstance(self.loader, list | tuple):
            return len({rows(batch) for batch in self.loader}) == 1
        try:
            size, total = self.loader.batch_size, len(self.loader.sampler)
        except (AttributeError, TypeError):
            return None
        if not isinstance(size, int):
            return None
        return bool(self.loader.drop_last) or total % size == 0 or total < size

    def single_batch(self):
        """Whether the loader has only one batch, so far as that can be seen."""
        try:
            return len(self.loader) == 1
        except TypeError:
            return False


class _Rows(Dataset):
    """The samples of some batches, one by one; what else is asked of it, the learner's dataset answers."""

    def __init__(self, batches, original):
        self.batches, self.original = batches, original
        self.places = [(batch, row) for batch in batches for row in range(rows(batch) or 1)]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        batch, row = self.places[index]
        return mapped(lambda tensor: tensor[0] if tensor.ndim else tensor, take(batch, [row]))

    def __getattr__(self, name):
        if name.startswith("__") or "original" not in vars(self):
            raise AttributeError(name)
        return getattr(self.original, name)


class ReplayLoader(DataLoader):
    """A DataLoader that gives these batches each time, and calls `started(number)` before each."""

    def __init__(self, batches, original, started=lambda number: None):
        super().__init__(_Rows(batches, getattr(original, "dataset", None)), batch_size=rows(batches[0]) or 1)
        self.batches, self.original, self.started = batches, original, started
        if hasattr(getattr(original, "sampler", None), "set_epoch"):
            self.sampler.set_epoch = lambda epoch: None  # the learner's goes on counting for itself

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for number, batch in enumerate(self.batches):
            self.started(number)
            yield frozen(batch)  # the learner's code may change it in place

    def __getitem__(self, number):
        return frozen(self.batches[number])

    def __getattr__(self, name):
        if name.startswith("__") or "original" not in vars(self):
            raise AttributeError(name)
        return getattr(self.original, name)
