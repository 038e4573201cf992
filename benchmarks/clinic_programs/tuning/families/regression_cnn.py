"""Where is the blob in a noisy colour picture, and how large is it? Convolutional networks that give numbers."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import (
    EVALUATE,
    TRAIN,
    generator_of,
    norm2d,
    optimizer,
    scheduler,
    split,
    standardised,
)  # fmt: skip
from torch import nn


def cnn(outputs, width, norm, act, size):
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1), norm2d(norm, width), act(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), norm2d(norm, 2 * width), act(),
        nn.Flatten(), nn.Linear(2 * width * (size // 4) ** 2, 32), act(), nn.Linear(32, outputs),
    )  # fmt: skip


def blobs(count, size, outputs, generator):
    """Pictures (N, 3, size, size); row, column and radius of their blob, or its column alone: (N, outputs)."""
    place = (0.2 + 0.6 * torch.rand(count, 2, generator=generator)) * size
    radius = size * (0.1 + 0.1 * torch.rand(count, 1, generator=generator))
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    distance = (rows - place[:, :1, None]) ** 2 + (columns - place[:, 1:, None]) ** 2  # (N, size, size)
    colour = 0.5 + torch.rand(count, 3, 1, 1, generator=generator)
    x = colour * torch.exp(-distance / (2 * radius[:, :, None] ** 2))[:, None]
    y = torch.cat([place, radius], dim=1) if outputs == 3 else place[:, 1:]
    x = x + 0.15 * torch.randn(x.shape, generator=generator)
    return (x - x.mean()) / x.std(), standardised(y, 0)


def make(choose):
    generator, size, outputs = generator_of(choose), choose.choice([16, 20]), choose.choice([1, 3])
    epochs = choose.choice([5, 6, 8])
    train_data, valid_data = split(blobs(600, size, outputs, generator), 480)
    return Program(
        task="numbers",
        make_model=functools.partial(
            cnn, outputs, choose.choice([8, 12]), choose.choice([None, "batch", "group"]),
            choose.choice([nn.ReLU, nn.ELU, nn.LeakyReLU]), size,
        ),
        make_optimizer=optimizer(choose, 1e-3),
        loss_fn=choose.choice([nn.MSELoss(), nn.SmoothL1Loss(), nn.L1Loss()]),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
