"""Steps so small that nothing happens."""

from clinic_programs.planting import with_rate


def a_thousandth(program):
    return with_rate(program, 1e-3)


def ten_thousandth_longer(program):
    return with_rate(program, 1e-4).but(epochs=2 * program.epochs)


def one_in_a_million(program):
    return with_rate(program, 1e-6)


def a_hundredth(program):
    return with_rate(program, 1e-2)


FAULTS = [a_hundredth, a_thousandth, ten_thousandth_longer, one_in_a_million]
