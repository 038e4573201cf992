"""Probabilities where the loss wants logits."""

import torch
import torch.nn.functional as F
from clinic_programs.planting import around
from torch import nn


def cross_entropy(program):
    return program.task == "classes" and isinstance(program.loss_fn, nn.CrossEntropyLoss)


def as_last_layer(program):
    if not cross_entropy(program):
        return None
    return around(program, after=nn.Softmax(dim=1))


def in_forward(program):
    if not cross_entropy(program):
        return None

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = program.make_model()

        def forward(self, *x):
            return F.softmax(self.body(*x), dim=1)

    return program.but(make_model=Model)


def sigmoid_before_its_loss(program):
    if program.task != "tags":
        return None
    return around(program, after=torch.sigmoid)


def in_the_loss(program):
    """A loss of one's own that takes the softmax first."""
    if not cross_entropy(program):
        return None
    return program.but(loss_fn=lambda output, target: F.cross_entropy(F.softmax(output, dim=1), target))


def in_the_loop(program):
    """The model gives logits, the loop takes the softmax of them."""
    if not cross_entropy(program):
        return None

    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for *x, y in loader:
            probabilities = torch.softmax(model(*x), dim=1)
            loss = loss_fn(probabilities, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


FAULTS = [as_last_layer, in_forward, sigmoid_before_its_loss, in_the_loss, in_the_loop]
