"""A layer that is made, trained in name, and never used."""

from torch import nn


def made_and_forgotten(program):
    def make_model():
        model = program.make_model()
        model.add_module("extra", nn.Linear(8, 8)) if not isinstance(model, nn.Sequential) else None
        return model

    return None if isinstance(program.make_model(), nn.Sequential) else program.but(make_model=make_model)


FAULTS = [made_and_forgotten]
