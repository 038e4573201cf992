"""Training in eval mode."""

from clinic_programs.loops import evaluate
from clinic_programs.modes import matters


def steps(model, loader, loss_fn, optimizer):
    total = count = 0
    for *x, y in loader:
        loss = loss_fn(model(*x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


def never_back(program):
    """evaluate() calls eval(), and nobody calls train() again."""
    return program.but(train_one_epoch=steps, evaluate=evaluate) if matters(program) else None


def eval_at_the_start(program):
    def train(model, loader, loss_fn, optimizer):
        model.eval()
        return steps(model, loader, loss_fn, optimizer)

    return program.but(train_one_epoch=train) if matters(program) else None


FAULTS = [never_back, eval_at_the_start]
