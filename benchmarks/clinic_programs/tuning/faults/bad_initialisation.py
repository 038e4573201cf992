"""Weights that make signals grow or shrink from layer to layer."""

from clinic_programs.planting import after_making, has, weights
from torch import nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def initialised(program, init):
    if len(weights(program.make_model())) < 3 or has(program, *NORMS):
        return None
    return after_making(program, lambda model: [init(layer.weight) for layer in weights(model)])


def standard_normal(program):
    return initialised(program, nn.init.normal_)


def uniform_from_0_to_1(program):
    return initialised(program, nn.init.uniform_)


def a_hundredth(program):
    """Weights of 0.01, whatever the width."""
    return initialised(program, lambda weight: nn.init.normal_(weight, std=0.01))


def all_the_same(program):
    """Ones: all units of a layer are then the same unit."""
    return initialised(program, nn.init.ones_)


def a_constant(program):
    """Small, but the same everywhere."""
    return initialised(program, lambda weight: nn.init.constant_(weight, 0.05))


def half(program):
    """Standard deviation 0.5, whatever the width."""
    return initialised(program, lambda weight: nn.init.normal_(weight, std=0.5))


def eight_times_too_large(program):
    return initialised(program, lambda weight: weight.data.mul_(8))


FAULTS = [standard_normal, uniform_from_0_to_1, a_hundredth, all_the_same, a_constant, half, eight_times_too_large]
