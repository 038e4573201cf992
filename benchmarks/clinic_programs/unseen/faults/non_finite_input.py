"""Some inputs are nan."""

from clinic_programs.unseen.planting import Mapped, has_float_input, on_inputs


def missing_values(program):
    """A sensor that failed now and then; nobody filled the gaps."""

    def gap(sample, index):
        x = sample[0].clone()
        if index % 25 == 7:
            x.view(-1)[index % x.numel()] = float("nan")
        return (x, *sample[1:])

    if not program.train_data[0][0].is_floating_point():
        return None
    return program.but(train_data=Mapped(program.train_data, gap))


def blank_sample_normalised(program):
    """Each sample is normalised by itself, and a few are blank: 0 / 0."""
    if not has_float_input(program) or program.train_data[0][0].numel() < 4:
        return None
    each = on_inputs(lambda x: (x - x.mean()) / x.std())

    def blank(sample, index):
        return each((sample[0] * 0, *sample[1:]) if index % 30 == 3 else sample, index)

    return program.but(train_data=Mapped(program.train_data, blank), valid_data=Mapped(program.valid_data, each))


FAULTS = [missing_values, blank_sample_normalised]
