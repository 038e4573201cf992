"""Weights that make signals grow or shrink from layer to layer."""

from clinic_programs.planting import after_making, weights
from torch import nn


def initialised(program, init):
    if len(weights(program.make_model())) < 3:
        return None
    return after_making(program, lambda model: [init(layer.weight) for layer in weights(model)])


def standard_normal(program):
    return initialised(program, nn.init.normal_)


def uniform_from_0_to_1(program):
    return initialised(program, nn.init.uniform_)


FAULTS = [standard_normal, uniform_from_0_to_1]
