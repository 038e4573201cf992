"""Several yes-or-no answers for a point, or a single one."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE, TRAIN, generator_of, optimizer, scheduler, split
from torch import nn


class Tagger(nn.Module):
    def __init__(self, features, tags, width, depth, act, norm, dropout):
        super().__init__()
        self.inside = nn.Linear(features, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.norms = nn.ModuleList(norm(width) for _ in range(depth))
        self.act, self.dropout = act(), nn.Dropout(dropout)
        self.outside = nn.Linear(width, tags)

    def forward(self, x):  # (B, F)
        hidden = self.act(self.norms[0](self.inside(x)))
        for layer, norm in zip(self.layers, self.norms[1:], strict=True):
            hidden = self.act(norm(layer(self.dropout(hidden))))
        return self.outside(self.dropout(hidden))  # (B, K)


def make(choose):
    generator, features, tags = generator_of(choose), choose.choice([8, 16]), choose.choice([1, 4, 6])
    x = torch.randn(650, features, generator=generator)
    score = x @ torch.randn(features, tags, generator=generator) + 0.7 * (x[:, :1] * x[:, 1:2])
    y = (score + 0.5 * torch.randn(score.shape, generator=generator) > 0.3).float()  # (N, K)
    train_data, valid_data = split((x, y), 500)
    epochs = choose.choice([5, 6, 8])
    return Program(
        task="tags",
        make_model=functools.partial(
            Tagger, features, tags, choose.choice([24, 48]), choose.choice([1, 2, 3]),
            choose.choice([nn.ReLU, nn.GELU, nn.Tanh]), choose.choice([nn.Identity, nn.BatchNorm1d, nn.LayerNorm]),
            choose.choice([0.0, 0.1]),
        ),
        make_optimizer=optimizer(choose, 3e-3),
        loss_fn=nn.BCEWithLogitsLoss(pos_weight=choose.choice([None, torch.full((tags,), 1.2)])),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 25]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
