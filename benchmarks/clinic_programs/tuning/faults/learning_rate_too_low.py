"""Steps so small that nothing happens."""

from clinic_programs.planting import with_rate


def a_thousandth(program):
    return with_rate(program, 1e-3)


def ten_thousandth_longer(program):
    return with_rate(program, 1e-4).but(epochs=2 * program.epochs)


FAULTS = [a_thousandth, ten_thousandth_longer]
