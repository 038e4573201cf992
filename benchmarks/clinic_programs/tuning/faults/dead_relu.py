"""Units that give 0 for every sample."""

from clinic_programs.planting import after_making, has, weights
from torch import nn


def biases_far_below_zero(program):
    if not has(program, nn.ReLU) or len(weights(program.make_model())) < 2:
        return None

    def lower(model):
        for layer in weights(model)[:-1]:
            if layer.bias is not None:
                nn.init.constant_(layer.bias, -3.0)

    norms = has(program, nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
    return None if norms else after_making(program, lower)


FAULTS = [biases_far_below_zero]
