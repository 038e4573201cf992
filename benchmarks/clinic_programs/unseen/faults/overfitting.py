"""Learned by heart."""

from clinic_programs.unseen.planting import Mapped, labels, losses
from torch.utils.data import Subset


def if_it_harms(broken):
    """The broken program, if its validation loss rises clearly from where it was lowest."""
    found = losses(broken)
    lowest = min(found)
    return broken if found[-1] - lowest > max(0.2 * (found[0] - lowest), 0.1 * abs(lowest)) else None


def few_samples_long(program):
    """Forty samples, many epochs."""
    few = Subset(program.train_data, range(40))
    return if_it_harms(
        program.but(train_data=few, batch_size=min(10, program.batch_size), epochs=90, make_scheduler=None)
    )


def many_mislabelled(program):
    """Sixty samples, and two in five labels are somebody else's."""
    y = labels(program.train_data)
    wrong = Mapped(program.train_data, lambda sample, i: (*sample[:-1], y[i + 1 if i % 5 < 2 else i]))
    few = Subset(wrong, range(60))
    return if_it_harms(
        program.but(train_data=few, batch_size=min(16, program.batch_size), epochs=90, make_scheduler=None)
    )


FAULTS = [few_samples_long, many_mislabelled]
