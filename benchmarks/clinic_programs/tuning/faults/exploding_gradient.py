"""Gradients of a size that undoes everything."""

import torch
from clinic_programs.planting import after_making
from torch import nn


def loss_times_a_million(program):
    """A loss in other units: each gradient is a million times too large, and SGD takes it as it is."""
    if not isinstance(program.make_optimizer(program.make_model()), torch.optim.SGD):
        return None
    return program.but(loss_fn=lambda output, y: 1e6 * program.loss_fn(output, y))


def targets_in_thousands(program):
    if program.task != "numbers" or not isinstance(program.loss_fn, nn.MSELoss):
        return None
    return program.but(loss_fn=lambda output, y: program.loss_fn(output, 1e4 * y))


def recurrent_weights_too_large(program):
    def enlarge(model):
        for name, p in model.named_parameters():
            if "weight_hh" in name:
                nn.init.normal_(p, std=1.0)

    recurrent = any(isinstance(m, nn.RNN) for m in program.make_model().modules())
    return after_making(program, enlarge) if recurrent else None


FAULTS = [loss_times_a_million, targets_in_thousands, recurrent_weights_too_large]
