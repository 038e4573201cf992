"""Evaluation in train mode."""

import torch
from clinic_programs.modes import matters


@torch.no_grad()
def scores(model, loader, loss_fn):
    total = count = 0
    for *x, y in loader:
        total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
    return total / count


def no_eval(program):
    return program.but(evaluate=scores) if matters(program) else None


def train_by_mistake(program):
    def evaluate(model, loader, loss_fn):
        model.train()
        return scores(model, loader, loss_fn)

    return program.but(evaluate=evaluate) if matters(program) else None


FAULTS = [no_eval, train_by_mistake]
