"""Randomness as a function of a seed and a key, so that a run can be repeated from anywhere in its middle."""

import contextlib
import random

import numpy as np


def seed_everything(seed, *key):
    """Seed Python, NumPy and PyTorch from `seed` and any further integers (epoch, rank); returns the mixed seed.

    NumPy's SeedSequence mixes the numbers: seed 0, epoch 1 and seed 1, epoch 0 have nothing in common.
    """
    import torch

    mixed = int(np.random.SeedSequence([seed, *key]).generate_state(1)[0])
    random.seed(mixed)
    np.random.seed(mixed)  # noqa: NPY002 (libraries still draw from it)
    torch.manual_seed(mixed)
    return mixed


@contextlib.contextmanager
def own_generator(*numbers):
    """Inside, torch draws on the CPU from a generator seeded by these integers; afterwards it goes on as before."""
    import torch

    state = torch.get_rng_state()
    torch.default_generator.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
    try:
        yield
    finally:
        torch.set_rng_state(state)
