"""The network says the same for every sample."""

from clinic_programs.planting import after_making, around, weights
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


def first_sample_for_all(program):
    """An index of 0 too many."""
    return around(program, before=lambda x: x[:1].expand_as(x))


def shut_gate(program):
    """A gate that is shut: what comes from the input is multiplied by 0 before the last layer."""
    layers = weights(program.make_model())
    if len(layers) < 2:
        return None
    return after_making(program, lambda model: weights(model)[-1].register_forward_pre_hook(shut))


def shut(module, args):
    return (args[0] * 0,)


FAULTS = [all_zero, first_sample_for_all, shut_gate]
