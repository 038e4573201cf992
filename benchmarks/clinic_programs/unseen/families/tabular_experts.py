"""Mixtures of experts on tables of numbers and categories, two inputs: counts (Poisson), medians and means."""

import functools

import torch
from clinic_programs import loops
from clinic_programs.program import Program
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import TensorDataset


def diabetes(generator):
    """A real table: nine numbers and the sex; how far the disease went a year later, normalised."""
    values, progress = load_diabetes(return_X_y=True, scaled=False)
    order = torch.randperm(len(values), generator=generator)
    values = torch.from_numpy(values).float()[order]
    progress = torch.from_numpy(progress).float()[order].unsqueeze(1)
    numbers = torch.cat([values[:, :1], values[:, 2:]], dim=1)
    return normalised(numbers), values[:, 1:2].long() - 1, normalised(progress), [2]


def rentals(generator):
    """Bicycles rented in an hour: weather as numbers, weekday and kind of place as categories."""
    numbers = torch.randn(600, 5, generator=generator)
    weekday = torch.randint(7, (600,), generator=generator)
    place = torch.randint(4, (600,), generator=generator)
    log_rate = 0.6 + 0.5 * numbers[:, 0] - 0.4 * numbers[:, 1] * (weekday > 4) + 0.4 * (place - 1.5)
    counts = torch.poisson(log_rate.exp(), generator=generator).unsqueeze(1)  # (N, 1)
    return numbers, torch.stack([weekday, place], dim=1), counts, [7, 4]


def normalised(values):
    return (values - values.mean(dim=0)) / values.std(dim=0)


class Experts(nn.Module):
    def __init__(self, numbers, sizes, experts, width, act, dropout):
        super().__init__()
        self.embed = nn.ModuleList(nn.Embedding(size, 3) for size in sizes)
        features = numbers + 3 * len(sizes)
        self.gate = nn.Linear(features, experts)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(features, width), act()) for _ in range(experts))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, 1)

    def forward(self, numbers, categories):
        embedded = [embed(column) for embed, column in zip(self.embed, categories.unbind(dim=1), strict=True)]
        x = torch.cat([numbers, *embedded], dim=1)  # (B, features)
        each = torch.stack([expert(x) for expert in self.experts], dim=1)  # (B, experts, width)
        mixed = (self.gate(x).softmax(dim=1).unsqueeze(2) * each).sum(dim=1)  # (B, width)
        return self.head(self.dropout(mixed))


def pinball(share, output, y):
    """Quantile regression (Koenker and Bassett, 1978): smallest where the output is y's quantile `share`."""
    error = y - output
    return torch.maximum(share * error, (share - 1) * error).mean()


def groups(model):
    """Embeddings without weight decay, and at a higher rate."""
    embeddings = list(model.embed.parameters())
    others = [p for name, p in model.named_parameters() if not name.startswith("embed")]
    return torch.optim.AdamW(
        [{"params": others, "weight_decay": 0.05}, {"params": embeddings, "lr": 1e-2, "weight_decay": 0.0}], lr=5e-3
    )


OPTIMIZERS = [
    groups,
    lambda model: torch.optim.Adam(model.parameters(), lr=5e-3),
    lambda model: torch.optim.Adagrad(model.parameters(), lr=0.05),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True),
]
SCHEDULERS = [None, lambda optimizer: torch.optim.lr_scheduler.PolynomialLR(optimizer, 10)]


def lbfgs(model):
    return torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=6, history_size=5)


@torch.no_grad()
def evaluate_by_samples(model, loader, loss_fn):
    model.eval()
    losses = [(loss_fn(model(numbers, categories), y).item(), len(y)) for numbers, categories, y in loader]
    return sum(loss * count for loss, count in losses) / sum(count for _, count in losses)


def make(choose):
    generator = torch.Generator().manual_seed(choose.randrange(10**6))
    table, losses = choose.choice([
        (diabetes, [functools.partial(pinball, 0.5), nn.HuberLoss(), nn.MSELoss()]),
        (rentals, [nn.PoissonNLLLoss(), nn.PoissonNLLLoss()]),
    ])  # fmt: skip
    numbers, categories, y, sizes = table(generator)
    cut = len(y) * 3 // 4
    second_order = choose.random() < 0.3
    plain = choose.choice([loops.train, loops.train_by_closure, loops.train_cleared_afterwards])
    return Program(
        task="numbers",
        make_model=functools.partial(
            Experts, numbers.shape[1], sizes, choose.choice([2, 3]), choose.choice([12, 16]),
            choose.choice([nn.ReLU, nn.Tanh, nn.Softplus]), choose.choice([0.0, 0.1]),
        ),
        make_optimizer=lbfgs if second_order else choose.choice(OPTIMIZERS),
        loss_fn=choose.choice(losses),
        train_data=TensorDataset(numbers[:cut], categories[:cut], y[:cut]),
        valid_data=TensorDataset(numbers[cut:], categories[cut:], y[cut:]),
        batch_size=150 if second_order else choose.choice([16, 25]),
        epochs=choose.choice([5, 7]) if second_order else choose.choice([8, 10]),
        train_one_epoch=loops.train_by_closure if second_order else plain,
        evaluate=choose.choice([loops.evaluate, evaluate_by_samples]),
        make_scheduler=None if second_order else choose.choice(SCHEDULERS),
    )  # fmt: skip
