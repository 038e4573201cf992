"""Small residual networks that tell textures apart, on patches of real photographs; flips in training alone."""

import functools

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import Dataset, TensorDataset

TEXTURES = ["brick", "grass", "gravel", "immunohistochemistry", "coffee"]
EACH = 150  # patches of a photograph


def patches(name):
    """Patches that do not overlap, at half the resolution: (N, 1, 16, 16)"""
    picture = torch.from_numpy(np.array(getattr(skimage.data, name)(), dtype=np.float32))
    picture = picture.mean(dim=2) if picture.ndim == 3 else picture  # (H, W)
    picture = F.avg_pool2d(picture[None], 2)
    return picture.unfold(1, 16, 16).unfold(2, 16, 16).reshape(-1, 1, 16, 16)


class Flipped(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        x = self.x[index]
        for axis in (1, 2):
            if torch.rand(()) < 0.5:
                x = x.flip(axis)
        return x, self.y[index]


class Block(nn.Module):
    def __init__(self, inside, outside, norm, act):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, outside, 3, padding=1, bias=False), norm(outside), act(),
            nn.Conv2d(outside, outside, 3, padding=1, bias=False), norm(outside),
        )  # fmt: skip
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()
        self.act = act()

    def forward(self, x):
        return self.act(self.skip(x) + self.body(x))


class ResNet(nn.Module):
    def __init__(self, classes, width, blocks, norm, act, dropout):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), norm(width), act(), nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*(Block(width * (i + 1), width * (i + 2), norm, act) for i in range(blocks)))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width * (blocks + 1), classes)

    def forward(self, x):
        features = self.blocks(self.stem(x)).mean(dim=(2, 3))
        return self.head(self.dropout(features))


def grouped(channels):
    return nn.GroupNorm(4, channels)


def sgd(rate, decay, model):
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)


def adamw(rate, decay, model):
    """No weight decay for biases and normalisations."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate)


def data(names, generator):
    x = torch.cat([patches(name)[torch.randperm(EACH, generator=generator)] for name in names])
    y = torch.arange(len(names)).repeat_interleave(EACH)
    order = torch.randperm(len(y), generator=generator)
    x, y, cut = x[order], y[order], len(y) * 4 // 5
    x = (x - x[:cut].mean()) / x[:cut].std()
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def make(choose):
    names = choose.sample(TEXTURES, choose.choice([3, 4, 5]))
    train, valid = data(names, torch.Generator().manual_seed(choose.randrange(10**6)))
    epochs = choose.choice([6, 8])
    schedulers = [
        None,
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs - 3, epochs - 1], gamma=0.3),
    ]
    return Program(
        task="classes",
        make_model=functools.partial(
            ResNet, len(names), choose.choice([8, 12]), choose.choice([1, 2]),
            choose.choice([nn.BatchNorm2d, grouped]), choose.choice([nn.ReLU, nn.SiLU, nn.LeakyReLU]),
            choose.choice([0.0, 0.1]),
        ),
        make_optimizer=choose.choice([
            functools.partial(sgd, 0.02, 1e-4), functools.partial(sgd, 0.03, 5e-4),
            functools.partial(adamw, 2e-3, 0.01), functools.partial(adamw, 2e-3, 0.05),
        ]),
        loss_fn=nn.CrossEntropyLoss(label_smoothing=choose.choice([0.0, 0.05, 0.1])),
        train_data=choose.choice([Flipped, TensorDataset])(*train),
        valid_data=TensorDataset(*valid),
        batch_size=choose.choice([16, 32, 50]),
        epochs=epochs,
        train_one_epoch=choose.choice([loops.train, loops.train_clipped]),
        evaluate=choose.choice([loops.evaluate_with_accuracy, loops.evaluate_all_at_once]),
        make_scheduler=choose.choice(schedulers),
    )  # fmt: skip
