"""Layers that were frozen, and forgotten."""

from clinic_programs.planting import after_making, weights


def first_half(program):
    layers = len(weights(program.make_model()))
    if layers < 3:
        return None
    return after_making(program, lambda model: [m.requires_grad_(False) for m in weights(model)[: layers // 2]])


def all_but_the_head(program):
    layers = len(weights(program.make_model()))
    if layers < 2:
        return None
    return after_making(program, lambda model: [m.requires_grad_(False) for m in weights(model)[:-1]])


FAULTS = [first_half, all_but_the_head]
