"""Steps that lead nowhere."""

import torch
from clinic_programs.unseen.planting import by_closure, progress, with_rate


def if_it_harms(program, broken):
    """The broken program, if it gets a tenth of the sound one's way at most."""
    return broken if progress(program, broken) < 0.1 else None


def milli_for_whole(program):
    return if_it_harms(program, with_rate(program, lambda rate: rate / 2000))


def sgd_with_the_rate_of_finetuning(program):
    """2e-5 is for AdamW, on a network that has learned already."""
    if by_closure(program):
        return None
    return if_it_harms(
        program,
        program.but(make_optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=2e-5), make_scheduler=None),
    )


FAULTS = [milli_for_whole, sgd_with_the_rate_of_finetuning]
