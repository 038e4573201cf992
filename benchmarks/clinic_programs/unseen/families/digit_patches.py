"""Vision transformers on handwritten digits, cut into patches."""

import functools
import math

import torch
import torch.nn.functional as F
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import TensorDataset

from dlsteps.data.digits import load_digits5k


class Block(nn.Module):
    """Attention and a small network, each normalised first and added."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(dropout)
        )

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


def of_torch(width, heads, dropout):
    return nn.TransformerEncoderLayer(width, heads, 2 * width, dropout, batch_first=True)


class PatchTransformer(nn.Module):
    def __init__(self, classes, size, width, heads, depth, dropout, block, with_token):
        super().__init__()
        self.patch = nn.Conv2d(1, width, size, stride=size)
        self.token = nn.Parameter(torch.zeros(1, 1, width)) if with_token else None
        self.places = nn.Parameter(0.02 * torch.randn((28 // size) ** 2 + with_token, width))
        self.blocks = nn.Sequential(*(block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)  # (B, T, width)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1)
        x = self.norm(self.blocks(x + self.places))
        return self.head(x[:, 0] if self.token is not None else x.mean(dim=1))


def by_groups(kind, rate, decay, model):
    """Weight decay for matrices of linear layers alone."""
    decayed = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    groups = [[p for p in model.parameters() if (id(p) in decayed) == wanted] for wanted in (True, False)]
    return kind([{"params": groups[0], "weight_decay": decay}, {"params": groups[1], "weight_decay": 0.0}], lr=rate)


def warmed_up(epochs, optimizer):
    """Half the rate in the first epoch, then a cosine."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: 0.5 if epoch == 0 else 0.05 + 0.95 * math.cos(math.pi / 2 * epoch / epochs)
    )


def smoothed(amount, output, y):
    return F.cross_entropy(output, y, label_smoothing=amount)


def make(choose):
    digits = sorted(choose.sample(range(10), choose.choice([4, 5, 8])))
    images, labels = load_digits5k()
    generator = torch.Generator().manual_seed(choose.randrange(10**6))
    chosen = torch.isin(labels, torch.tensor(digits)).nonzero().flatten()
    chosen = chosen[torch.randperm(len(chosen), generator=generator)[:800]]
    x, y = images[chosen].float() / 255, torch.searchsorted(torch.tensor(digits), labels[chosen])
    x = (x - x[:640].mean()) / x[:640].std()
    epochs = choose.choice([7, 9])
    width, heads = choose.choice([(24, 2), (32, 4), (32, 2)])
    kind = choose.choice([torch.optim.AdamW, torch.optim.NAdam])
    return Program(
        task="classes",
        make_model=functools.partial(
            PatchTransformer, len(digits), choose.choice([5, 7]), width, heads, choose.choice([1, 2]),
            choose.choice([0.0, 0.1]), choose.choice([Block, of_torch]), choose.choice([True, False]),
        ),
        make_optimizer=functools.partial(by_groups, kind, choose.choice([2e-3, 3e-3]), choose.choice([0.01, 0.05])),
        loss_fn=choose.choice([nn.CrossEntropyLoss(), functools.partial(smoothed, 0.1)]),
        train_data=TensorDataset(x[:640], y[:640]),
        valid_data=TensorDataset(x[640:], y[640:]),
        batch_size=choose.choice([20, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice([loops.train_clipped, loops.train_cleared_afterwards]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_with_accuracy]),
        make_scheduler=choose.choice([None, functools.partial(warmed_up, epochs)]),
    )  # fmt: skip
