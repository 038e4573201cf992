"""A nan among the inputs."""

from clinic_programs.planting import first_inputs, with_tensors


def spoilt(program, value):
    if not first_inputs(program).is_floating_point():
        return None

    def change(x, *rest):
        x = x.clone()
        x.flatten(1)[::17, 0] = value
        return x, *rest

    return with_tensors(program, change)


def nan(program):
    return spoilt(program, float("nan"))


def infinity(program):
    return spoilt(program, float("inf"))


FAULTS = [nan, infinity]
