"""Samples of the validation are trained on."""

from torch.utils.data import ConcatDataset, Subset


def trained_on_everything(program):
    """The loader got the whole data set in place of the training part."""
    return program.but(train_data=ConcatDataset([program.train_data, program.valid_data]))


def repeated_before_the_split(program):
    """A third of the validation samples have two copies in the training set."""
    copies = Subset(program.valid_data, range(0, len(program.valid_data), 3))
    return program.but(train_data=ConcatDataset([program.train_data, copies, copies]))


FAULTS = [trained_on_everything, repeated_before_the_split]
