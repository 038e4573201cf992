"""Residual networks on pieces of real photographs: which photograph is it from?"""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import (
    EVALUATE_CLASSES,
    TRAIN,
    generator_of,
    norm2d,
    optimizer,
    photographs,
    scheduler,
)  # fmt: skip
from torch import nn
from torch.utils.data import TensorDataset


class Block(nn.Module):
    def __init__(self, width, norm, act):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), norm2d(norm, width), act(),
            nn.Conv2d(width, width, 3, padding=1), norm2d(norm, width),
        )  # fmt: skip
        self.act = act()

    def forward(self, x):
        return self.act(x + self.body(x))


class Residual(nn.Module):
    def __init__(self, classes, width, blocks, norm, act, dropout):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), norm2d(norm, width), act(), nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*(Block(width, norm, act) for _ in range(blocks)))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, classes))

    def forward(self, x):  # (B, 3, 16, 16)
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))  # (B, K)


def pieces(photos, count, left, generator, size=16):
    """`count` squares of the left or right part of the photographs, and whose they are."""
    y = torch.arange(count) % len(photos)
    x = []
    for number in y.tolist():
        height, width = photos[number].shape[1:]
        start, end = (0, int(0.6 * width)) if left else (int(0.6 * width), width)
        i = int(torch.randint(height - size + 1, (), generator=generator))
        j = start + int(torch.randint(end - start - size + 1, (), generator=generator))
        x.append(photos[number][:, i : i + size, j : j + size])
    return torch.stack(x), y


def make(choose):
    generator, classes, epochs = generator_of(choose), choose.choice([3, 4, 5]), choose.choice([6, 8])
    photos = choose.sample(photographs(choose.choice([3, 4])), classes)
    x, y = pieces(photos, 500, True, generator)
    x_valid, y_valid = pieces(photos, 150, False, generator)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    return Program(
        task="classes",
        make_model=functools.partial(
            Residual, classes, choose.choice([8, 12]), choose.choice([1, 2]), choose.choice(["batch", "group"]),
            choose.choice([nn.ReLU, nn.SiLU]), choose.choice([0.0, 0.1]),
        ),
        make_optimizer=optimizer(choose, 1.5e-3),
        loss_fn=nn.CrossEntropyLoss(label_smoothing=choose.choice([0, 0, 0.1])),
        train_data=TensorDataset((x - mean) / std, y),
        valid_data=TensorDataset((x_valid - mean) / std, y_valid),
        batch_size=choose.choice([25, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
