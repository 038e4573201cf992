"""Probabilities where the loss wants scores."""

import torch
from clinic_programs.unseen.planting import Around, output_of, with_model
from torch import nn


def wants_scores(program):
    """Not where the model gives probabilities already, or their logarithms."""
    output = output_of(program)
    normalised = output.logsumexp(dim=1).abs().max() < 1e-3 or isinstance(program.loss_fn, (nn.BCELoss, nn.NLLLoss))
    return program.task in ("classes", "tags") and output.shape[1] > 1 and not normalised


def sigmoid_at_the_end(program):
    """The model gives what the app will show."""
    return with_model(program, lambda model: Around(model, after=torch.sigmoid)) if wants_scores(program) else None


def softmax_in_the_loop(program):
    if program.task != "classes" or not wants_scores(program):
        return None

    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for *x, y in loader:

            def closure(x=x, y=y):
                optimizer.zero_grad()
                probabilities = model(*x).softmax(dim=1)
                loss = loss_fn(probabilities, y)
                loss.backward()
                return loss

            total, count = total + optimizer.step(closure).item() * len(y), count + len(y)
        return total / count

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        total = right = 0
        for *x, y in loader:
            probabilities = model(*x).softmax(dim=1)
            total += loss_fn(probabilities, y).item() * len(y)
            right += (probabilities.argmax(dim=1) == y).float().mean().item() * len(y)
        return {"loss": total / len(loader.dataset), "accuracy": right / len(loader.dataset)}

    return program.but(train_one_epoch=train, evaluate=evaluate)


FAULTS = [sigmoid_at_the_end, softmax_in_the_loop]
