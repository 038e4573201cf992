"""Pictures as (H, W, C) that were reshaped, not permuted."""

from clinic_programs.planting import first_inputs, with_tensors


def reshaped(program):
    x = first_inputs(program)
    if x.dim() != 4 or x.shape[1] != 3:
        return None

    def change(x, *rest):
        return x.permute(0, 2, 3, 1).reshape(x.shape), *rest

    return with_tensors(program, change)


FAULTS = [reshaped]
