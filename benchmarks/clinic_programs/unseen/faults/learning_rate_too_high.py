"""Steps that overshoot."""

import torch
from clinic_programs.unseen.planting import by_closure, progress, with_rate


def if_it_harms(program, broken):
    """The broken program, if it gets a third of the sound one's way at most, or to nan."""
    return None if progress(program, broken) > 0.33 else broken


def adam_with_the_rate_of_sgd(program):
    """1.0 goes with SGD at times."""
    if by_closure(program):
        return None
    adam = program.but(make_optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=1.0), make_scheduler=None)
    return if_it_harms(program, adam)


def decimal_point_lost(program):
    """3e-3 became 3."""
    return if_it_harms(program, with_rate(program, lambda rate: 1000 * rate))


FAULTS = [adam_with_the_rate_of_sgd, decimal_point_lost]
