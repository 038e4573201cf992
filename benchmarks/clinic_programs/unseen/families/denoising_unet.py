"""Small U-Nets that take noise off patches of photographs; new noise in each training epoch, the same in validation."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from dlsteps.data.photos import load_photos

PHOTOS = ["astronaut", "cat", "coffee", "flower", "grace_hopper", "china"]


def patches(name, grey):
    """Patches that do not overlap, at half the resolution: (N, C, 16, 16)"""
    picture = torch.from_numpy(np.array(load_photos()[name], dtype=np.float32)).permute(2, 0, 1)  # (3, H, W)
    picture = F.avg_pool2d(picture.mean(dim=0, keepdim=True) if grey else picture, 2)
    tiles = picture.unfold(1, 16, 16).unfold(2, 16, 16)  # (C, rows, columns, 16, 16)
    return tiles.flatten(1, 2).transpose(0, 1)


class Noisy(Dataset):
    def __init__(self, clean, amount):
        self.clean, self.amount = clean, amount

    def __len__(self):
        return len(self.clean)

    def __getitem__(self, index):
        clean = self.clean[index]
        return clean + self.amount * torch.randn_like(clean), clean


class UNet(nn.Module):
    def __init__(self, channels, width, norm, act, up, residual):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), norm(width), act())
        self.down = nn.Sequential(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), norm(2 * width), act())
        self.up = up(2 * width, width)
        self.last = nn.Sequential(nn.Conv2d(2 * width, width, 3, padding=1), norm(width), act())
        self.head = nn.Conv2d(width, channels, 1)
        self.residual = residual

    def forward(self, x):
        fine = self.first(x)  # (B, width, 16, 16)
        coarse = self.up(self.down(fine))
        output = self.head(self.last(torch.cat([fine, coarse], dim=1)))
        return x - output if self.residual else output


def transposed(inside, outside):
    return nn.ConvTranspose2d(inside, outside, 2, stride=2)


def resized(inside, outside):
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(inside, outside, 3, padding=1))


OPTIMIZERS = [
    lambda model: torch.optim.Adam(model.parameters(), lr=4e-3, betas=(0.9, 0.98)),
    lambda model: torch.optim.RAdam(model.parameters(), lr=8e-3),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True),
    lambda model: torch.optim.Adamax(model.parameters(), lr=5e-3),
]
SCHEDULERS = [None, lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.4)]


def charbonnier(output, y):
    """A smooth L1 loss, usual in image restoration (Charbonnier et al., 1994)."""
    return ((output - y) ** 2 + 1e-4).sqrt().mean()


def train_enumerated(model, loader, loss_fn, optimizer):
    running = np.zeros(2)
    model.train(True)
    for i, (noisy, clean) in enumerate(loader):
        assert noisy.shape == clean.shape, f"batch {i}"
        for parameter in model.parameters():
            parameter.grad = None
        loss = loss_fn(model(noisy), clean)
        loss.backward()
        optimizer.step()
        running += np.array([loss.item() * noisy.shape[0], noisy.shape[0]])
    return float(running[0] / running[1])


def make(choose):
    names, grey = choose.sample(PHOTOS, choose.choice([2, 3])), choose.choice([True, False])
    generator = torch.Generator().manual_seed(choose.randrange(10**6))
    clean = torch.cat([patches(name, grey) for name in names])
    clean = clean[torch.randperm(len(clean), generator=generator)[:400]]
    clean = (clean - clean[:320].mean()) / clean[:320].std()
    amount = choose.choice([0.4, 0.6])
    noisy = clean + amount * torch.randn(clean.shape, generator=generator)
    train = choose.choice([Noisy(clean[:320], amount), TensorDataset(noisy[:320], clean[:320])])
    losses = [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), charbonnier]
    return Program(
        task="numbers",
        make_model=functools.partial(
            UNet, clean.shape[1], choose.choice([8, 12]), choose.choice([nn.BatchNorm2d, lambda width: nn.Identity()]),
            choose.choice([nn.ReLU, nn.GELU, nn.LeakyReLU]), choose.choice([transposed, resized]),
            choose.choice([True, False]),
        ),
        make_optimizer=choose.choice(OPTIMIZERS),
        loss_fn=choose.choice(losses),
        train_data=train,
        valid_data=TensorDataset(noisy[320:], clean[320:]),
        batch_size=choose.choice([10, 16]),
        epochs=choose.choice([6, 8]),
        train_one_epoch=choose.choice([train_enumerated, loops.train]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_all_at_once]),
        make_scheduler=choose.choice(SCHEDULERS),
    )  # fmt: skip
