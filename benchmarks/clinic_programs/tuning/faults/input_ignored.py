"""The output does not depend on the input."""

import torch
from clinic_programs.planting import around, first_inputs, with_tensors


def overwritten_by_zeros(program):
    return around(program, before=torch.zeros_like)


def overwritten_by_noise(program):
    if not first_inputs(program).is_floating_point():
        return None
    return around(program, before=torch.randn_like)


def data_never_filled(program):
    """The array was made and never filled."""
    return with_tensors(program, lambda *parts: (*[torch.zeros_like(x) for x in parts[:-1]], parts[-1]))


FAULTS = [overwritten_by_zeros, overwritten_by_noise, data_never_filled]
