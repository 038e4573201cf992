"""Digits through a bottleneck and back; some are noisy on their way in."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE, TRAIN, digits, generator_of, optimizer, scheduler, split
from torch import nn


def dense(size, width, code, act):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(size * size, width), act(), nn.Linear(width, code), act(),
        nn.Linear(code, width), act(), nn.Linear(width, size * size), nn.Unflatten(1, (1, size, size)),
    )  # fmt: skip


class Convolutional(nn.Module):
    def __init__(self, size, width, code, act):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), act(), nn.Conv2d(8, 16, 3, stride=2, padding=1), act(),
            nn.Flatten(), nn.Linear(16 * (size // 4) ** 2, code),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(code, 16 * (size // 4) ** 2), act(), nn.Unflatten(1, (16, size // 4, size // 4)),
            nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), act(),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
        )  # fmt: skip

    def forward(self, x):  # (B, 1, size, size)
        return self.decoder(self.encoder(x))


def make(choose):
    size, epochs, generator = choose.choice([12, 16]), choose.choice([6, 8]), generator_of(choose)
    x, _ = digits(size)
    y = x[torch.randperm(len(x), generator=generator)[:700]]
    noisy = y + choose.choice([0.0, 0.4]) * torch.randn(y.shape, generator=generator)
    train_data, valid_data = split((noisy, y), 560)
    return Program(
        task="numbers",
        make_model=functools.partial(
            choose.choice([dense, Convolutional]), size, choose.choice([48, 64]), choose.choice([12, 24]),
            choose.choice([nn.ReLU, nn.GELU, nn.Tanh]),
        ),
        make_optimizer=optimizer(choose, 3e-3),
        loss_fn=choose.choice([nn.MSELoss(), nn.SmoothL1Loss()]),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
