"""Perceptrons that give numbers: the progress of diabetes, the price of a made-up flat."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE, TRAIN, generator_of, optimizer, scheduler, split, standardised
from sklearn.datasets import load_diabetes
from torch import nn


def diabetes(generator):
    """442 patients (Efron et al., 2004) in a random order: (N, 10), (N, 1)."""
    data = load_diabetes()
    x, y = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target, dtype=torch.float32)[:, None]
    order = torch.randperm(len(y), generator=generator)
    return standardised(x, 0)[order], standardised(y, 0)[order]


def surface(outputs, generator):
    """A smooth function with noise: (N, 6), (N, outputs)."""
    x = torch.randn(600, 6, generator=generator)
    inner, outer = torch.randn(6, 8, generator=generator), torch.randn(8, outputs, generator=generator)
    y = torch.sin(0.5 * x @ inner) @ outer + x[:, :1]
    return x, standardised(y + 0.2 * torch.randn(y.shape, generator=generator), 0)


def mlp(features, outputs, width, depth, act, norm, dropout):
    layers = []
    for number in range(depth):
        layers += [nn.Linear(features if number == 0 else width, width), *([norm(width)] if norm else []), act()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def make(choose):
    generator, epochs = generator_of(choose), choose.choice([5, 6, 8])
    x, y = choose.choice([diabetes, functools.partial(surface, 1), functools.partial(surface, 3)])(generator)
    train_data, valid_data = split((x, y), int(0.75 * len(y)))
    return Program(
        task="numbers",
        make_model=functools.partial(
            mlp, x.shape[1], y.shape[1], choose.choice([24, 48]), choose.choice([1, 2, 3]),
            choose.choice([nn.ReLU, nn.Tanh, nn.SiLU]), choose.choice([None, nn.BatchNorm1d, nn.LayerNorm]),
            choose.choice([0.0, 0.1]),
        ),
        make_optimizer=optimizer(choose, 2e-3),
        loss_fn=choose.choice([nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss()]),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
