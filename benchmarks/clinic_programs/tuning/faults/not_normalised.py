"""Inputs of the size of pixels, or far from 0."""

from clinic_programs.planting import first_inputs, has, with_tensors
from torch import nn


def scaled(program, change):
    if not first_inputs(program).is_floating_point() or has(program, nn.BatchNorm1d, nn.BatchNorm2d):
        return None
    return with_tensors(program, lambda *parts: (*[change(x) for x in parts[:-1]], parts[-1]))


def times_255(program):
    return scaled(program, lambda x: 255 * x)


def a_thousand_more(program):
    return scaled(program, lambda x: x + 1000)


FAULTS = [times_255, a_thousand_more]
