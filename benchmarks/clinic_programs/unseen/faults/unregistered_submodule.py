"""Layers and weights that the network does not know as its own."""

import torch
from clinic_programs.unseen.planting import exchange, layers, output_of, with_model
from torch import nn


class InList(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.steps = [layer]

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class InDict(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.heads = {"main": layer}

    def forward(self, x):
        return self.heads["main"](x)


def hidden(program, kind, number):
    """The layer `number` of those that train goes into a `kind`; None if nothing else would be left to train."""

    def training(model):
        return [place for place in layers(program, model) if place[2].weight.requires_grad]

    def change(model):
        place = training(model)[number]
        exchange(place, kind(place[2]))
        return model

    return with_model(program, change) if len(training(program.make_model())) > 1 else None


def first_layer_in_a_list(program):
    return hidden(program, InList, 0)


def head_in_a_dict(program):
    return hidden(program, InDict, -1)


def scale_without_parameter(program):
    """Weights that should be learned, as plain tensors."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = program.make_model()
            self.scale = torch.ones(shape, requires_grad=True)
            self.shift = torch.zeros(shape, requires_grad=True)

        def forward(self, *x):
            return self.scale * self.body(*x) + self.shift

    output = output_of(program)
    shape = (output.shape[1], *[1] * (output.ndim - 2))
    return program.but(make_model=Scaled)


FAULTS = [first_layer_in_a_list, head_in_a_dict, scale_without_parameter]
