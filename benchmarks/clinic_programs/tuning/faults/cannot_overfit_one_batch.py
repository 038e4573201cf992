"""A bottleneck through which nothing fits."""

import torch
from clinic_programs.planting import around, first_inputs, tensors
from torch import nn


def outputs_cut_off(program):
    """The logits are clipped to a range in which no answer can be sure."""
    if program.task == "numbers":
        return None
    return around(program, after=lambda logits: torch.tanh(logits) * 0.1)


def one_unit_in_the_middle(program):
    """All goes through one sigmoid, for several classes."""
    if program.task != "classes" or first_inputs(program).dim() != 2 or len(next(iter(program.train_loader()))) > 2:
        return None
    if not first_inputs(program).is_floating_point():
        return None
    features, classes = first_inputs(program).shape[1], len(tensors(program.train_data)[-1].unique())
    if classes < 4:
        return None
    return program.but(make_model=lambda: nn.Sequential(nn.Linear(features, 1), nn.Sigmoid(), nn.Linear(1, classes)))


def final_relu(program):
    """No answer below 0, for targets around 0."""
    negative = program.task == "numbers" and bool((tensors(program.train_data)[-1] < -0.5).any())
    return around(program, after=torch.relu) if negative else None


def tanh_of_numbers(program):
    """Targets of standard deviation 1, and no answer beyond 1."""
    large = program.task == "numbers" and bool((tensors(program.train_data)[-1] > 1.5).any())
    return around(program, after=torch.tanh) if large else None


FAULTS = [outputs_cut_off, one_unit_in_the_middle, final_relu, tanh_of_numbers]
