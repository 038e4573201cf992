"""Training goes on in eval mode."""

import torch
from clinic_programs import loops
from clinic_programs.unseen.planting import by_closure, mode_matters


def never_back_from_evaluation(program):
    """Nothing calls model.train(): the first epoch is right, all others come after evaluate()."""
    if not mode_matters(program):
        return None

    def train(model, loader, loss_fn, optimizer):
        total = count = 0
        for *x, y in loader:

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = loss_fn(model(*x), y)
                loss.backward()
                return loss

            total, count = total + optimizer.step(closure).item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train, evaluate=loops.evaluate)


def after_a_look_midway(program):
    """Every fifth batch is looked at without dropout, and the mode is not put back."""
    if not mode_matters(program) or by_closure(program):
        return None

    def train(model, loader, loss_fn, optimizer):
        model.train()
        total, seen = 0.0, []
        for step, (*x, y) in enumerate(loader):
            optimizer.zero_grad()
            loss = loss_fn(model(*x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            if step % 5 == 0:
                model.eval()
                with torch.no_grad():
                    seen.append(loss_fn(model(*x), y).item())
        return total / len(loader.dataset)

    return program.but(train_one_epoch=train)


FAULTS = [never_back_from_evaluation, after_a_look_midway]
