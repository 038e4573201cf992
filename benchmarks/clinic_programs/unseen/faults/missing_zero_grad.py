"""Gradients of several steps add up."""

from clinic_programs.unseen.planting import by_closure


def once_an_epoch(program):
    """zero_grad() stands before the loop over the batches."""
    if by_closure(program):
        return None

    def train(model, loader, loss_fn, optimizer):
        model.train()
        optimizer.zero_grad()
        total = count = 0
        for *x, y in loader:
            loss = loss_fn(model(*x), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


def forgotten_in_the_closure(program):
    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for *x, y in loader:

            def closure(x=x, y=y):
                loss = loss_fn(model(*x), y)
                loss.backward()
                return loss

            total, count = total + optimizer.step(closure).item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


FAULTS = [once_an_epoch, forgotten_in_the_closure]
