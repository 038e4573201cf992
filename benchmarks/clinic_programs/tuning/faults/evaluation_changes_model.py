"""Evaluation that trains a little."""


def one_step_too_many(program):
    """A copy of the training loop, with the optimizer's step left in; the optimizer is made on the spot."""

    def evaluate(model, loader, loss_fn):
        model.eval()
        optimizer = program.make_optimizer(model)
        total = count = 0
        for *x, y in loader:
            loss = loss_fn(model(*x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(evaluate=evaluate)


FAULTS = [one_step_too_many]
