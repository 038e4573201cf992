"""Gradients that grow beyond all bounds."""

import math

import torch
from clinic_programs.unseen.planting import before_head, losses, works
from torch import nn


class Refined(nn.Module):
    """The same layer again and again, each time added to what was there, without normalisation."""

    def __init__(self, layer, rounds):
        super().__init__()
        self.layer, self.rounds = layer, rounds

    def forward(self, x):
        for _ in range(self.rounds):
            x = x + self.layer(x)
        return x


def same_layer_thirty_times(program):
    broken = before_head(program, lambda kind: [Refined(kind[0](), 30)])
    return broken if broken and works(broken) else None


def scaled_and_never_unscaled(program):
    """Mixed precision by hand: the loss is scaled up for the gradients' sake, and nothing is divided again."""

    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for *x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(*x), y)
            (loss * 2**16).backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    def sgd(model):
        return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    broken = program.but(train_one_epoch=train, make_optimizer=sgd, make_scheduler=None)
    found = losses(broken)
    return broken if not math.isfinite(found[-1]) or found[-1] > found[0] else None


FAULTS = [same_layer_thirty_times, scaled_and_never_unscaled]
