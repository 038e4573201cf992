"""Training samples among the validation samples."""

from torch.utils.data import ConcatDataset, Subset


def all_of_them(program):
    return program.but(valid_data=Subset(program.train_data, range(0, len(program.train_data), 3)))


def some(program):
    return program.but(valid_data=ConcatDataset([program.valid_data, Subset(program.train_data, range(40))]))


FAULTS = [all_of_them, some]
