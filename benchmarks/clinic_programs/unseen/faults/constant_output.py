"""The same answer for every sample."""

import torch
from clinic_programs.unseen.planting import LAYERS, Around, output_of, with_model, works
from torch import nn


def constant(program):
    output = output_of(program)
    return program if works(program) and output.std(dim=0).max() < 1e-5 else None


def weights_of_zero(program):
    """zeros_ for weights, as for biases."""
    kinds = (*LAYERS, nn.RNNBase, nn.MultiheadAttention)

    def change(model):
        for module in model.modules():
            if isinstance(module, kinds):
                for parameter in module.parameters():
                    nn.init.zeros_(parameter)
        return model

    return constant(with_model(program, change))


def softmax_of_one_output(program):
    """With one output there is nothing to share: always 1."""
    if output_of(program).shape[1] != 1:
        return None
    return with_model(program, lambda model: Around(model, after=lambda output: torch.softmax(output, dim=1)))


FAULTS = [weights_of_zero, softmax_of_one_output]
