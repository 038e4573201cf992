"""Batches of different sizes count the same."""

import torch
from torch.utils.data import Subset


def with_short_last_batch(data, batch_size):
    """The data, with so few samples left out that the last batch is a small one."""
    short = max(1, batch_size // 5)
    return Subset(data, range((len(data) - short) // batch_size * batch_size + short))


def divided_by_samples(program):
    """Means of batches are added up, and divided by the number of samples."""

    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = 0
        for *x, y in loader:

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = loss_fn(model(*x), y)
                loss.backward()
                return loss

            total += optimizer.step(closure).item()
        return total / len(loader.dataset)

    return program.but(train_one_epoch=train)


def mean_of_means_in_validation(program):
    if len(program.valid_data) < 1.2 * program.batch_size:
        return None

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        losses = [loss_fn(model(*x), y) for *x, y in loader]
        return {"loss": torch.stack(losses).mean().item()}

    return program.but(evaluate=evaluate, valid_data=with_short_last_batch(program.valid_data, program.batch_size))


FAULTS = [divided_by_samples, mean_of_means_in_validation]
