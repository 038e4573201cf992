"""Inputs as they come."""

from clinic_programs.unseen.planting import has_float_input, on_inputs, with_both


def pixels_from_0_to_255(program):
    return with_both(program, on_inputs(lambda x: 50 * x + 120)) if has_float_input(program) else None


def one_column_in_thousands(program):
    """Most features are small; the last is an income."""

    def income(x):
        x = x.clone()
        x[..., -1] = 9000 * x[..., -1] + 30000
        return x

    first = program.train_data[0][0]
    if not first.is_floating_point() or first.ndim > 2:
        return None
    return with_both(program, on_inputs(income))


FAULTS = [pixels_from_0_to_255, one_column_in_thousands]
