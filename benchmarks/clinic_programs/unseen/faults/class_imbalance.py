"""Nearly all samples are of one class."""

import torch
from clinic_programs.unseen.planting import labels
from torch.utils.data import Subset


def mostly_one(program, share):
    """All samples of class 0, and of all others so few that class 0 has that share."""
    if program.task != "classes" or labels(program.train_data).ndim > 1:
        return None

    def thinned(data):
        y = labels(data)
        common, rare = (y == 0).nonzero().flatten(), (y != 0).nonzero().flatten()
        kept = max(3, round(len(common) * (1 - share) / share))
        return Subset(data, torch.cat([common, rare[:kept]]).sort().values.tolist())

    return program.but(train_data=thinned(program.train_data), valid_data=thinned(program.valid_data))


def almost_only_one(program):
    return mostly_one(program, 0.97)


def nine_of_ten(program):
    """As in a recording where the player mostly waits."""
    return mostly_one(program, 0.92)


FAULTS = [almost_only_one, nine_of_ten]
