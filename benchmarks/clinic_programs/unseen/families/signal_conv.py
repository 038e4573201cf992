"""One-dimensional convolutions on noisy signals of several sensors; shifts in time for the training set alone."""

import functools
import math

import torch
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import Dataset, TensorDataset

SHAPES = {
    "sine": torch.sin,
    "square": lambda angle: torch.sin(angle).sign(),
    "saw": lambda angle: (angle / math.pi) % 2 - 1,
    "beat": lambda angle: torch.sin(angle) * torch.sin(angle / 4),
    "pulse": lambda angle: 3 * (torch.sin(angle) > 0.9).float() - 0.5,
    "flat": lambda angle: torch.zeros_like(angle),
}


def signals(names, weights, count, sensors, length, generator):
    """The same shape in every sensor, with a phase and noise of its own: (N, sensors, length), (N,)"""
    y = torch.multinomial(torch.tensor(weights), count, replacement=True, generator=generator)
    time = torch.arange(length) * 2 * math.pi / length
    cycles = 3 + 3 * torch.rand(count, 1, 1, generator=generator)
    angle = cycles * time + 6 * torch.rand(count, sensors, 1, generator=generator)
    clean = torch.stack([SHAPES[names[k]](a) for k, a in zip(y.tolist(), angle, strict=True)])
    return clean + 0.3 * torch.randn(clean.shape, generator=generator), y


class Shifted(Dataset):
    def __init__(self, x, y):
        self.pairs = TensorDataset(x, y)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        x, y = self.pairs[index]
        return x.roll(torch.randint(x.shape[-1], ()).item(), dims=-1), y


class Pool(nn.Module):
    """The average and the maximum over time: (B, C, T) to (B, 2 C)"""

    def forward(self, x):
        return torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)


def network(sensors, classes, width, depth, norm, act, dropout):
    layers = [nn.Conv1d(sensors, width, 5, padding=2)]
    for number in range(depth):
        layers += [norm(width), act(), nn.Conv1d(width, width, 3, padding=2**number, dilation=2**number)]
    return nn.Sequential(*layers, norm(width), act(), Pool(), nn.Dropout(dropout), nn.Linear(2 * width, classes))


OPTIMIZERS = [
    lambda model: torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5),
    lambda model: torch.optim.NAdam(model.parameters(), lr=3e-3),
    lambda model: torch.optim.Adagrad(model.parameters(), lr=0.02),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True),
]
SCHEDULERS = [
    None,
    lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85),
    lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5),
]
NORMS = [nn.BatchNorm1d, lambda width: nn.GroupNorm(2, width), lambda width: nn.Identity()]


def train_clipped_by_value(model, loader, loss_fn, optimizer):
    model.train()
    seen, total = 0, 0.0
    for signal, label in loader:
        prediction = model(signal)
        loss = loss_fn(prediction, label)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        seen += label.size(0)
        total += loss.item() * label.size(0)
    return total / seen


def make(choose):
    names = choose.sample(sorted(SHAPES), choose.choice([3, 4, 5]))
    uneven = choose.choice([True, False])
    weights = [1.5 if uneven and k == 0 else 1.0 for k in range(len(names))]
    sensors = choose.choice([1, 2, 3])
    generator = torch.Generator().manual_seed(choose.randrange(10**6))
    x, y = signals(names, weights, 700, sensors, choose.choice([48, 64]), generator)
    x = (x - x[:560].mean()) / x[:560].std()
    return Program(
        task="classes",
        make_model=functools.partial(
            network, sensors, len(names), choose.choice([12, 16]), choose.choice([1, 2]),
            choose.choice(NORMS), choose.choice([nn.ReLU, nn.ELU, nn.LeakyReLU]), choose.choice([0.0, 0.2]),
        ),
        make_optimizer=choose.choice(OPTIMIZERS),
        loss_fn=nn.CrossEntropyLoss(weight=1 / torch.tensor(weights) if uneven else None),
        train_data=choose.choice([Shifted, TensorDataset])(x[:560], y[:560]),
        valid_data=TensorDataset(x[560:], y[560:]),
        batch_size=choose.choice([16, 24]),
        epochs=choose.choice([6, 8]),
        train_one_epoch=choose.choice([train_clipped_by_value, loops.train_two_batches_a_step, loops.train]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_with_accuracy]),
        make_scheduler=choose.choice(SCHEDULERS),
    )  # fmt: skip
