"""One class has nearly all samples."""

import torch
from clinic_programs.planting import tensors
from torch.utils.data import Subset


def thinned(program, keep):
    """Of every class but the commonest, one sample in `keep`."""
    y = tensors(program.train_data)[-1]
    if program.task != "classes" or y.dim() > 1:
        return None
    common = y.bincount().argmax()
    rare = (y != common).nonzero().flatten()[::keep]
    rows = torch.cat([(y == common).nonzero().flatten(), rare])
    share = (y[rows] == common).float().mean()
    return program.but(train_data=Subset(program.train_data, rows.tolist())) if share > 0.9 else None


def one_in_thirty(program):
    return thinned(program, 30)


def one_in_sixty(program):
    return thinned(program, 60)


FAULTS = [one_in_thirty, one_in_sixty]
