"""Which shapes are in a picture, several at once: depthwise separable convolutions with squeeze and excitation."""

import functools

import torch
import torch.nn.functional as F
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import Dataset, TensorDataset

SIZE = 20
ROWS, COLUMNS = torch.meshgrid(torch.arange(-3, 4), torch.arange(-3, 4), indexing="ij")
SHAPES = {  # (7, 7) masks, and a colour
    "disc": (ROWS**2 + COLUMNS**2 <= 10, (1.0, 0.3, 0.2)),
    "square": (torch.ones(7, 7, dtype=torch.bool), (0.2, 0.9, 0.3)),
    "cross": ((ROWS.abs() <= 1) | (COLUMNS.abs() <= 1), (0.3, 0.4, 1.0)),
    "ring": ((ROWS.abs() == 3) | (COLUMNS.abs() == 3), (1.0, 0.9, 0.2)),
    "wedge": (ROWS >= COLUMNS, (0.9, 0.3, 0.9)),
}


def picture(tags, names, generator):
    """A noisy grey ground, and each tagged shape somewhere on it: (3, SIZE, SIZE)"""
    canvas = 0.3 + 0.1 * torch.randn(3, SIZE, SIZE, generator=generator)
    for name, tag in zip(names, tags, strict=True):
        if tag:
            mask, colour = SHAPES[name]
            row, column = torch.randint(SIZE - 6, (2,), generator=generator).tolist()
            canvas[:, row : row + 7, column : column + 7][:, mask] = torch.tensor(colour)[:, None]
    return canvas


def pictures(count, names, often, generator):
    y = (torch.rand(count, len(names), generator=generator) < often).float()  # (N, K)
    x = torch.stack([picture(tags, names, generator) for tags in y])
    channels = x[: count * 4 // 5].transpose(0, 1).flatten(1)  # (3, pixels)
    mean, spread = channels.mean(dim=1), channels.std(dim=1)
    return (x - mean[:, None, None]) / spread[:, None, None], y


class Augmented(Dataset):
    """Mirrored, and moved by a pixel or two."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        x = F.pad(self.x[index], (2, 2, 2, 2), mode="reflect")
        row, column = torch.randint(5, (2,)).tolist()
        x = x[:, row : row + SIZE, column : column + SIZE]
        return (x.flip(2) if torch.rand(()) < 0.5 else x), self.y[index]


class Squeeze(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(width, width // 4), nn.SiLU(), nn.Linear(width // 4, width), nn.Sigmoid())

    def forward(self, x):
        return x * self.gate(x.mean(dim=(2, 3)))[:, :, None, None]


def separable(inside, outside, act, squeeze):
    return nn.Sequential(
        nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False), nn.BatchNorm2d(inside), act(),
        nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside), act(),
        Squeeze(outside) if squeeze else nn.Identity(),
    )  # fmt: skip


def network(tags, width, act, squeeze, dropout):
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), act(),
        separable(width, 2 * width, act, squeeze), separable(2 * width, 2 * width, act, squeeze),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width, tags),
    )  # fmt: skip


def focal(power, output, y):
    """Binary cross-entropy that looks less at what is known already (Lin et al., 2017)."""
    each = F.binary_cross_entropy_with_logits(output, y, reduction="none")
    return ((1 - torch.exp(-each)) ** power * each).mean()


def decayed(model):
    weights = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim == 1]
    return torch.optim.AdamW([{"params": weights}, {"params": rest, "weight_decay": 0}], lr=4e-3, weight_decay=0.05)


OPTIMIZERS = [
    decayed,
    lambda model: torch.optim.Adam(model.parameters(), lr=3e-3, amsgrad=True),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.9, nesterov=True),
]
SCHEDULERS = [None, lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.2, total_iters=8)]


def make(choose):
    names = choose.sample(sorted(SHAPES), choose.choice([3, 4, 5]))
    often = choose.choice([0.35, 0.5])
    x, y = pictures(600, names, often, torch.Generator().manual_seed(choose.randrange(10**6)))
    weighted = nn.BCEWithLogitsLoss(pos_weight=torch.full((len(names),), (1 - often) / often))
    return Program(
        task="tags",
        make_model=functools.partial(
            network, len(names), choose.choice([12, 16]), choose.choice([nn.SiLU, nn.ReLU6, nn.Hardswish]),
            choose.choice([True, False]), choose.choice([0.0, 0.1]),
        ),
        make_optimizer=choose.choice(OPTIMIZERS),
        loss_fn=choose.choice([nn.BCEWithLogitsLoss(), weighted, functools.partial(focal, 1.0)]),
        train_data=choose.choice([Augmented, TensorDataset])(x[:480], y[:480]),
        valid_data=TensorDataset(x[480:], y[480:]),
        batch_size=choose.choice([16, 32]),
        epochs=choose.choice([7, 9]),
        train_one_epoch=choose.choice([loops.train, loops.train_clipped, loops.train_two_batches_a_step]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_all_at_once]),
        make_scheduler=choose.choice(SCHEDULERS),
    )  # fmt: skip
