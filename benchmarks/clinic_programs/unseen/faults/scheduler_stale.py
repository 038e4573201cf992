"""A learning rate that does not follow its schedule."""

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR


def scheduler_of(program):
    return program.make_scheduler or (lambda optimizer: CosineAnnealingLR(optimizer, program.epochs))


def never_stepped(program):
    return program.but(make_scheduler=scheduler_of(program), step_scheduler=lambda scheduler: None)


def of_an_older_optimizer(program):
    """The optimizer was made anew, the scheduler was not."""

    def make_scheduler(optimizer):
        older = [{"params": [torch.zeros(1, requires_grad=True)], "lr": g["lr"]} for g in optimizer.param_groups]
        return scheduler_of(program)(torch.optim.SGD(older))

    return program.but(make_scheduler=make_scheduler)


FAULTS = [never_stepped, of_an_older_optimizer]
