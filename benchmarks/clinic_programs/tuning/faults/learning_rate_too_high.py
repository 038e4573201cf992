"""Steps so large that the loss grows."""

from clinic_programs.planting import with_rate


def a_thousand_times(program):
    return with_rate(program, 1e3)


def three_hundred_times(program):
    return with_rate(program, 300)


FAULTS = [a_thousand_times, three_hundred_times]
