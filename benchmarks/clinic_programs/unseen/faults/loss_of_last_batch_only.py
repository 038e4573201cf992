"""What is reported for an epoch is its last batch."""

import torch


def of_training(program):
    if len(program.train_loader()) < 2:
        return None

    def train(model, loader, loss_fn, optimizer):
        model.train()
        for *x, y in loader:

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = loss_fn(model(*x), y)
                loss.backward()
                return loss

            loss = optimizer.step(closure)
        return loss.item()

    return program.but(train_one_epoch=train)


def of_validation(program):
    """`=` for `+=`, and divided by the samples of the last batch."""
    if len(program.valid_loader()) < 2:
        return None

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        for *x, y in loader:
            total = 0.0
            total += loss_fn(model(*x), y).item() * len(y)
        return {"loss": total / len(y)}

    return program.but(evaluate=evaluate)


FAULTS = [of_training, of_validation]
