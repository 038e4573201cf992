"""By heart, and nothing else."""

from torch.utils.data import Subset


def few_samples_long(program):
    if program.make_scheduler:
        return None
    return program.but(train_data=Subset(program.train_data, range(32)), batch_size=16, epochs=60)


FAULTS = [few_samples_long]
