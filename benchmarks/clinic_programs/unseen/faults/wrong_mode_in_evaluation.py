"""Measured in train mode."""

import torch
from clinic_programs.unseen.planting import mode_matters


def never_eval(program):
    if not mode_matters(program):
        return None

    def evaluate(model, loader, loss_fn):
        total = count = 0
        with torch.no_grad():
            for *x, y in loader:
                total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
        return total / count

    return program.but(evaluate=evaluate)


def put_back_too_early(program):
    """model.train() is indented too far: all but the first batch are measured in train mode."""
    if not mode_matters(program) or len(program.valid_loader()) < 2:
        return None

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        total = count = 0
        for *x, y in loader:
            total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
            model.train()
        return {"loss": total / count}

    return program.but(evaluate=evaluate)


FAULTS = [never_eval, put_back_too_early]
