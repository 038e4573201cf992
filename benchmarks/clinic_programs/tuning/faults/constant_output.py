"""The network says the same for every sample."""

from clinic_programs.planting import after_making, around, weights
from torch import nn


def all_zero(program):
    """All weights begin at 0, biases too."""
    if len(weights(program.make_model())) < 2:
        return None

    def zero(model):
        for layer in weights(model):
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    return after_making(program, zero)


def first_sample_for_all(program):
    """An index of 0 too many."""
    return around(program, before=lambda x: x[:1].expand_as(x))


FAULTS = [all_zero, first_sample_for_all]
