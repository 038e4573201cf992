"""Datasets small enough to see through: who fetches what, who draws which numbers, games as a stream (lesson 03).

They are in a file, not in the lesson, because worker processes have to import them (see there).
"""

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info


class WhoFetches(Dataset):
    """Sample i is (i, the number of the worker that fetched it); -1 where there are no workers."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        worker = get_worker_info()
        return i, -1 if worker is None else worker.id


class Dice(Dataset):
    """Every sample is a throw of a die: with a generator that the dataset brought along, or with torch's."""

    def __init__(self, count, own):
        self.count = count
        self.own = np.random.default_rng(0) if own else None

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        return int(self.own.integers(1, 7)) if self.own else int(torch.randint(1, 7, ()))


class GameStream(IterableDataset):
    """Games that are played while they are watched: (frame (256, 256, 3) uint8, action, the game's seed), one a tick.

    `share` deals the games out among the workers; without it, each worker plays all of them.
    """

    def __init__(self, seeds, ticks, share):
        self.seeds, self.ticks, self.share = seeds, ticks, share

    def __iter__(self):
        from dlsteps.capture import EnvSource
        from dlsteps.game import CatchEnv, ScriptedPlayer

        worker = get_worker_info()
        seeds = self.seeds[worker.id :: worker.num_workers] if self.share and worker else self.seeds
        for seed in seeds:
            for frame in EnvSource(CatchEnv(max_ticks=self.ticks), ScriptedPlayer(), seed):
                yield frame.pixels, frame.action, seed
