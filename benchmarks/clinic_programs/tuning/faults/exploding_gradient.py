"""Gradients of a size that undoes everything."""

from clinic_programs.planting import after_making
from torch import nn


def recurrent_weights_too_large(program):
    def enlarge(model):
        for name, p in model.named_parameters():
            if "weight_hh" in name:
                nn.init.normal_(p, std=1.0)

    recurrent = any(isinstance(m, nn.RNNBase) for m in program.make_model().modules())
    return after_making(program, enlarge) if recurrent else None


FAULTS = [recurrent_weights_too_large]
