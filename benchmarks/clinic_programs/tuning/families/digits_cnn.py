"""Handwritten digits (MNIST), small convolutional networks and perceptrons."""

import functools

from clinic_programs.program import Program
from clinic_programs.tuning.variety import (
    EVALUATE_CLASSES,
    TRAIN,
    digits,
    generator_of,
    norm2d,
    optimizer,
    scheduler,
    split,
)  # fmt: skip
from torch import nn, randperm


def cnn(width, norm, act, dropout, flat, size):
    """Two convolutions, then all positions or their average."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), norm2d(norm, width), act(), nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1), norm2d(norm, 2 * width), act(),
        nn.AdaptiveAvgPool2d(size // 4 if flat else 2), nn.Flatten(),
        *([nn.Dropout(dropout)] if dropout else []),
        nn.Linear(2 * width * ((size // 4) ** 2 if flat else 4), 10),
    )  # fmt: skip


def mlp(width, norm, act, dropout, size):
    """For digits as rows of pixels."""
    normalise = {"batch": nn.BatchNorm1d, "group": nn.LayerNorm, None: lambda _: nn.Identity()}[norm]
    return nn.Sequential(
        nn.Flatten(), nn.Linear(size * size, width), normalise(width), act(),
        *([nn.Dropout(dropout)] if dropout else []),
        nn.Linear(width, width), act(), nn.Linear(width, 10),
    )  # fmt: skip


def make(choose):
    size, epochs = choose.choice([12, 16]), choose.choice([4, 5, 6])
    x, y = digits(size)
    mine = randperm(len(y), generator=generator_of(choose))[:850]
    norm, act, dropout = (
        choose.choice([None, "batch", "group"]),
        choose.choice([nn.ReLU, nn.GELU, nn.LeakyReLU]),
        choose.choice([0, 0.2]),
    )
    network = choose.choice([
        functools.partial(cnn, choose.choice([8, 12]), norm, act, dropout, choose.random() < 0.5, size),
        functools.partial(mlp, choose.choice([32, 64]), norm, act, dropout, size),
    ])  # fmt: skip
    train_data, valid_data = split((x[mine], y[mine]), 650)
    return Program(
        task="classes",
        make_model=network,
        make_optimizer=optimizer(choose, 3e-3),
        loss_fn=nn.CrossEntropyLoss(label_smoothing=choose.choice([0, 0, 0.1])),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES),
        make_scheduler=scheduler(choose, epochs),
    )
