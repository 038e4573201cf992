"""A schedule that does not reach the optimizer."""

import torch


def never_stepped(program):
    return program.but(
        make_scheduler=lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8),
        step_scheduler=lambda scheduler: None,
    )


def of_another_optimizer(program):
    def make_scheduler(optimizer):
        other = program.make_optimizer(program.make_model())
        return torch.optim.lr_scheduler.ExponentialLR(other, 0.8)

    return program.but(make_scheduler=make_scheduler, step_scheduler=lambda scheduler: scheduler.step())


FAULTS = [never_stepped, of_another_optimizer]
