"""One class has nearly all samples."""

import torch
from clinic_programs.planting import tensors
from torch.utils.data import Subset, TensorDataset


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


def nearly_all_alike(program):
    """Nine in ten of the training samples, and of those to validate, are of one class."""
    y = tensors(program.train_data)[-1]
    if program.task != "classes" or y.dim() > 1:
        return None
    common = int(y.bincount().argmax())
    parts = [skewed(data, common) for data in (program.train_data, program.valid_data)]
    return program.but(train_data=parts[0], valid_data=parts[1]) if all(parts) else None


def skewed(data, common):
    """So few of the other classes that the common one has 92 percent."""
    y = tensors(data)[-1]
    rows, others = (y == common).nonzero().flatten(), (y != common).nonzero().flatten()
    few = others[torch.linspace(0, len(others) - 1, max(1, int(0.08 * len(rows) / 0.92))).long()]
    return Subset(data, torch.cat([rows, few]).tolist()) if len(rows) >= 40 else None


def a_tag_that_nobody_has(program):
    """One of the yes-or-no answers is yes in one sample of forty."""
    if program.task != "tags":
        return None
    parts = []
    for data in (program.train_data, program.valid_data):
        *x, y = tensors(data)
        yes = (y.flatten(1)[:, 0] > 0.5).nonzero().flatten()
        y = y.clone()
        y.view(len(y), -1)[yes[max(2, len(y) // 40) :], 0] = 0.0
        parts.append(TensorDataset(*x, y))
    return program.but(train_data=parts[0], valid_data=parts[1])


def one_class_rare(program):
    """Of one class, one in fifty is left; the others are as before."""
    y = tensors(program.train_data)[-1]
    if program.task != "classes" or y.dim() > 1 or len(y.unique()) < 4:
        return None
    rows = torch.cat([(y != 0).nonzero().flatten(), (y == 0).nonzero().flatten()[::50]])
    return program.but(train_data=Subset(program.train_data, rows.tolist()))


def five_to_one(program):
    """The commonest class has five sixths."""
    y = tensors(program.train_data)[-1]
    if program.task != "classes" or y.dim() > 1:
        return None
    common = int(y.bincount().argmax())
    rows, others = (y == common).nonzero().flatten(), (y != common).nonzero().flatten()
    if len(rows) < 60:
        return None
    few = others[torch.linspace(0, len(others) - 1, min(len(others), len(rows) // 5)).long()]
    return program.but(train_data=Subset(program.train_data, torch.cat([rows, few]).tolist()))


FAULTS = [one_in_thirty, one_in_sixty, nearly_all_alike, a_tag_that_nobody_has, one_class_rare, five_to_one]
