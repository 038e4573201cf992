"""Outputs that depend on the other samples of the batch."""

from clinic_programs.planting import around, first_inputs


def mean_of_the_batch(program):
    if not first_inputs(program).is_floating_point():
        return None
    return around(program, before=lambda x: x - x.mean(dim=0))


def output_less_its_mean(program):
    return around(program, after=lambda output: output - output.mean(dim=0))


def neighbour_mixed_in(program):
    return around(program, after=lambda output: 0.7 * output + 0.3 * output.roll(1, dims=0))


FAULTS = [mean_of_the_batch, output_less_its_mean, neighbour_mixed_in]
