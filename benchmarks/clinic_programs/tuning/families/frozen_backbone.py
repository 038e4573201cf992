"""Transfer: a network that learned the digits 0 to 4, frozen on purpose, with a new head for 5 to 9."""

import copy
import functools

import torch
from clinic_programs import loops
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
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SIZE = 12


def features(width, norm):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), norm2d(norm, width), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1), norm2d(norm, 2 * width), nn.ReLU(),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(),
    )  # fmt: skip


@functools.cache
def pretrained(width, norm):
    """Features that tell 0 to 4 apart."""
    with torch.random.fork_rng():
        torch.manual_seed(width)
        x, y = digits(SIZE)
        known = (y < 5).nonzero()[:1200, 0]
        body = features(width, norm)
        model = nn.Sequential(body, nn.Linear(18 * width, 5))
        loader = DataLoader(TensorDataset(x[known], y[known]), 32, shuffle=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(3):
            loops.train(model, loader, nn.CrossEntropyLoss(), optimizer)
    return body


class Transfer(nn.Module):
    def __init__(self, width, norm, hidden):
        super().__init__()
        self.backbone = copy.deepcopy(pretrained(width, norm)).requires_grad_(False)
        layers = [nn.Linear(18 * width, hidden), nn.ReLU(), nn.Linear(hidden, 5)] if hidden else []
        self.head = nn.Sequential(*layers or [nn.Linear(18 * width, 5)])

    def train(self, mode=True):
        """The backbone stays in eval mode: its averages are not to change."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x):  # (B, 1, SIZE, SIZE)
        return self.head(self.backbone(x))


class WithoutGradient(Transfer):
    def forward(self, x):
        with torch.no_grad():
            hidden = self.backbone(x)
        return self.head(hidden)


def make(choose):
    x, y = digits(SIZE)
    unknown = (y >= 5).nonzero()[:, 0]
    mine = unknown[torch.randperm(len(unknown), generator=generator_of(choose))[:600]]
    train_data, valid_data = split((x[mine], y[mine] - 5), 450)
    epochs = choose.choice([5, 6, 8])
    return Program(
        task="classes",
        make_model=functools.partial(
            choose.choice([Transfer, WithoutGradient]), choose.choice([8, 12]), choose.choice([None, "batch"]),
            choose.choice([0, 0, 32]),
        ),
        make_optimizer=optimizer(choose, 3e-3),
        loss_fn=nn.CrossEntropyLoss(),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
