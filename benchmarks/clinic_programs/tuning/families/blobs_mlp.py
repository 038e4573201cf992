"""Multi-layer perceptrons on overlapping clouds of points."""

import functools

import torch
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import TensorDataset


def clouds(count, features, classes, generator):
    centres = 1.5 * torch.randn(classes, features, generator=generator)
    y = torch.randint(classes, (count,), generator=generator)
    return centres[y] + torch.randn(count, features, generator=generator), y  # (N, F), (N,)


def mlp(features, classes, width, depth, act, norm, dropout):
    layers = []
    for number in range(depth):
        layers += [nn.Linear(features if number == 0 else width, width), *([norm(width)] if norm else []), act()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(width, classes))


OPTIMIZERS = [
    lambda model: torch.optim.Adam(model.parameters(), lr=3e-3),
    lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    lambda model: torch.optim.RMSprop(model.parameters(), lr=1e-3),
]


def make(choose):
    features, classes = choose.choice([6, 12, 20]), choose.choice([3, 5, 8])
    generator = torch.Generator().manual_seed(choose.randrange(10**6))
    x, y = clouds(600, features, classes, generator)
    return Program(
        task="classes",
        make_model=functools.partial(
            mlp, features, classes, choose.choice([16, 48]), choose.choice([1, 2, 3]),
            choose.choice([nn.ReLU, nn.GELU, nn.Tanh]), choose.choice([None, nn.BatchNorm1d, nn.LayerNorm]),
            choose.choice([0.0, 0.2]),
        ),
        make_optimizer=choose.choice(OPTIMIZERS),
        loss_fn=nn.CrossEntropyLoss(),
        train_data=TensorDataset(x[:450], y[:450]),
        valid_data=TensorDataset(x[450:], y[450:]),
        batch_size=choose.choice([16, 32]),
        train_one_epoch=choose.choice([loops.train, loops.train_clipped, loops.train_cleared_afterwards]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_with_accuracy, loops.evaluate_all_at_once]),
    )  # fmt: skip
