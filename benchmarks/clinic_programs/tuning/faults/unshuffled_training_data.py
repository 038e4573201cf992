"""All samples of a class, then all of the next, in each epoch."""

from clinic_programs.planting import tensors
from torch.utils.data import Subset


def sorted_by_class(program):
    y = tensors(program.train_data)[-1]
    if program.task != "classes" or y.dim() > 1:
        return None
    return program.but(train_data=Subset(program.train_data, y.argsort().tolist()), shuffle=False)


FAULTS = [sorted_by_class]
