"""The loss of an epoch is that of its last batch."""

import torch


def after_the_loop(program):
    def train(model, loader, loss_fn, optimizer):
        model.train()
        for *x, y in loader:
            loss = loss_fn(model(*x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    return program.but(train_one_epoch=train)


def return_in_the_loop(program):
    """The total is set anew for each batch."""

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        for *x, y in loader:
            total = count = 0
            total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
        return total / count

    return program.but(evaluate=evaluate)


FAULTS = [after_the_loop, return_in_the_loop]
