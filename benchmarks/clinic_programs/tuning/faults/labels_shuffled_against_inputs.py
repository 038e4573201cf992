"""Labels in another order than their inputs."""

import torch
from clinic_programs.planting import tensors, with_tensors
from torch.utils.data import TensorDataset


def permuted(*parts):
    *x, y = parts
    return *x, y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]


def before_the_split(program):
    return with_tensors(program, permuted)


def training_only(program):
    return program.but(train_data=TensorDataset(*permuted(*tensors(program.train_data))))


def sorted_by_label(program):
    """The labels were sorted, the inputs were not."""
    if program.task != "classes":
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1].sort(dim=0).values))


FAULTS = [before_the_split, training_only, sorted_by_label]
