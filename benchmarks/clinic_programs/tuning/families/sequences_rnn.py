"""Recurrent networks on noisy waves: of what form are they, or how fast?"""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE, EVALUATE_CLASSES, TRAIN, generator_of, optimizer, scheduler, split
from torch import nn

FORMS = [torch.sin, lambda t: torch.sign(torch.sin(t)), lambda t: 2 * (t / 6.2832 % 1) - 1, lambda t: torch.sin(t) ** 3]


class Recurrent(nn.Module):
    def __init__(self, kind, features, width, layers, dropout, both_ways, pool, outputs):
        super().__init__()
        self.rnn = kind(
            features, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0, bidirectional=both_ways
        )
        self.pool = pool
        self.head = nn.Linear(width * (2 if both_ways else 1), outputs)

    def forward(self, x):  # (B, T, F)
        hidden, _ = self.rnn(x)  # (B, T, H)
        return self.head(hidden.mean(1) if self.pool == "mean" else hidden[:, -1])  # (B, outputs)


def waves(count, steps, features, generator):
    """(N, T, F) with forms and speeds, both (N,)."""
    form = torch.randint(len(FORMS), (count,), generator=generator)
    speed = 0.3 + 0.7 * torch.rand(count, generator=generator)
    t = torch.arange(steps) * speed[:, None] + 6.3 * torch.rand(count, 1, generator=generator)  # (N, T)
    x = torch.stack([FORMS[k](row) for k, row in zip(form.tolist(), t, strict=True)])
    gains = 1 + 0.3 * torch.randn(features, generator=generator)
    return x[:, :, None] * gains + 0.2 * torch.randn(count, steps, features, generator=generator), form, speed


def make(choose):
    generator, epochs, features = generator_of(choose), choose.choice([8, 10]), choose.choice([1, 3])
    x, form, speed = waves(750, choose.choice([16, 24]), features, generator)
    classify = choose.random() < 0.6
    y = form if classify else ((speed - speed.mean()) / speed.std())[:, None]
    train_data, valid_data = split((x, y), 600)
    return Program(
        task="classes" if classify else "numbers",
        make_model=functools.partial(
            Recurrent, choose.choice([nn.LSTM, nn.GRU]), features, choose.choice([16, 24]), choose.choice([1, 1, 2]),
            choose.choice([0.0, 0.1]), choose.random() < 0.4, choose.choice(["mean", "mean", "last"]),
            len(FORMS) if classify else 1,
        ),
        make_optimizer=optimizer(choose, 8e-3),
        loss_fn=nn.CrossEntropyLoss() if classify else choose.choice([nn.MSELoss(), nn.HuberLoss()]),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES if classify else EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
