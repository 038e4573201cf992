"""Validation samples are augmented, too."""

import torch
from clinic_programs.planting import Changed, first_inputs


def noisy(program):
    if not first_inputs(program).is_floating_point():
        return None

    def change(*parts):
        *x, y = parts
        return *[part + 0.3 * torch.randn_like(part) for part in x], y

    return program.but(train_data=Changed(program.train_data, change), valid_data=Changed(program.valid_data, change))


FAULTS = [noisy]
