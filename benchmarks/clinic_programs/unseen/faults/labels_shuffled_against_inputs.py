"""The labels belong to other samples."""

import torch
from clinic_programs.unseen.planting import Mapped, labels


def relabelled(program, order):
    """Training and validation data where sample i has the label of sample order(i)."""

    def mixed(data):
        y = labels(data)[order(len(data))]
        return Mapped(data, lambda sample, index: (*sample[:-1], y[index]))

    return program.but(train_data=mixed(program.train_data), valid_data=mixed(program.valid_data))


def shuffled_alone(program):
    seed = torch.randint(10**6, ()).item()
    return relabelled(program, lambda n: torch.randperm(n, generator=torch.Generator().manual_seed(seed)))


def moved_by_one(program):
    """A heading was read as the first label. Where neighbours are alike this does little: None."""
    y = labels(program.train_data).float()
    apart = (y - y.roll(1, dims=0)).abs().mean() / (y - y[torch.randperm(len(y))]).abs().mean()
    return relabelled(program, lambda n: torch.arange(n).roll(1)) if apart > 0.85 else None


FAULTS = [shuffled_alone, moved_by_one]
