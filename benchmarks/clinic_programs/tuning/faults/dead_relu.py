"""Units that give 0 for every sample."""

from clinic_programs.planting import after_making, has, weights
from torch import nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def biases_far_below_zero(program):
    if not has(program, nn.ReLU) or len(weights(program.make_model())) < 2:
        return None

    def lower(model):
        for layer in weights(model)[:-1]:
            if layer.bias is not None:
                nn.init.constant_(layer.bias, -3.0)

    return None if has(program, *NORMS) else after_making(program, lower)


def inputs_all_negative(program):
    """The last hidden layer's weights are negative, and what comes in is not."""
    layers = weights(program.make_model())
    if not has(program, nn.ReLU) or len(layers) < 3 or has(program, *NORMS):
        return None

    def turn(model):
        layer = weights(model)[-2]
        layer.weight.data.abs_().neg_()
        if layer.bias is not None:
            layer.bias.data.zero_()

    return after_making(program, turn)


FAULTS = [biases_far_below_zero, inputs_all_negative]
