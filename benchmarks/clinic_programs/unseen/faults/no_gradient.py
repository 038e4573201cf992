"""Layers that nothing flows through."""

import copy

from clinic_programs.unseen.planting import exchange, layers, like, with_model
from torch import nn


class Overwritten(nn.Module):
    """The second layer was meant to take what the first one gives."""

    def __init__(self, layer):
        super().__init__()
        self.first, self.second = copy.deepcopy(layer), layer

    def forward(self, x):
        h = self.first(x)
        h = self.second(x)
        return h  # noqa: RET504 - as a learner writes it


def result_overwritten(program):
    def training(model):
        return [place for place in layers(program, model) if place[2].weight.requires_grad]

    def change(model):
        found = training(model)
        place = found[len(found) // 2]
        exchange(place, Overwritten(place[2]))
        return model

    return with_model(program, change) if training(program.make_model()) else None


def never_called(program):
    """A layer was added in __init__, and not in forward."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = program.make_model()
            make, width = like(layers(program, self.body)[-1][2])
            self.hidden, self.norm = make(), nn.LayerNorm(width)

        def forward(self, *x):
            return self.body(*x)

    return program.but(make_model=Model) if like(layers(program, program.make_model())[-1][2]) else None


FAULTS = [result_overwritten, never_called]
