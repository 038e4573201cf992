"""The network says the same for every sample."""

from clinic_programs.planting import after_making, weights
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


FAULTS = [all_zero]
