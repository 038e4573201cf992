"""Preflight: sound programs of many kinds, planted bugs that are named first, bad input, and nothing changed."""

import copy
import itertools
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from dlsteps.clinic import Finding, Report, preflight
from dlsteps.models.convnet import ConvNet

CE, MSE, BCE = nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()

# Data that can be learned


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(count=240, features=8, classes=3):
    g = generator()
    centres, y = 1.5 * torch.randn(classes, features, generator=g), torch.randint(0, classes, (count,), generator=g)
    return centres[y] + torch.randn(count, features, generator=g), y


def pictures(count=240, classes=3, channels=3, size=16):
    g = generator(1)
    y, templates = torch.randint(0, classes, (count,), generator=g), torch.randn(classes, channels, 4, 4, generator=g)
    x = F.interpolate(templates[y], size=size, mode="bilinear")
    return x + 0.3 * torch.randn(x.shape, generator=g), y


def sequences(count=240, length=10, features=4):
    x = torch.randn(count, length, features, generator=generator(2))
    return x, (x[:, :, 0].mean(dim=1) > 0).long()


def sentences(count=240, length=12, words=20):
    x = torch.randint(0, words, (count, length), generator=generator(3))
    return x, ((x < 5).sum(dim=1) > 3).long()


def numbers(count=240, features=8):
    x = torch.randn(count, features, generator=generator(4))
    return x, (x @ torch.linspace(-1, 1, features)).tanh()[:, None]


def loaders(x, y, batch=32, shuffle=True, cut=0.75):
    parts = [*x, y] if isinstance(x, tuple) else [x, y]
    n = int(len(y) * cut)
    train, valid = (TensorDataset(*[p[some] for p in parts]) for some in (slice(0, n), slice(n, None)))
    return DataLoader(train, batch, shuffle=shuffle), DataLoader(valid, batch)


# Networks


def mlp(features=8, outputs=3, width=32, between=(), act=nn.ReLU):
    return nn.Sequential(
        nn.Linear(features, width), *between, act(), nn.Linear(width, width), act(), nn.Linear(width, outputs)
    )


def deep(layers, act=nn.ReLU, features=8, outputs=3, width=32):
    sizes = [features, *[width] * layers]
    hidden = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), act())]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def cnn(channels=3, outputs=3, norm=True):
    block = lambda a, b: [nn.Conv2d(a, b, 3, padding=1), *([nn.BatchNorm2d(b)] if norm else []), nn.ReLU()]  # noqa: E731
    return nn.Sequential(
        *block(channels, 8),
        nn.MaxPool2d(2),
        *block(8, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, outputs),
    )


class Recurrent(nn.Module):
    def __init__(self, cell=nn.LSTM, batch_first=True):
        super().__init__()
        self.cell, self.head = cell(4, 16, batch_first=batch_first), nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.words, self.places = nn.Embedding(20, 16), nn.Parameter(0.02 * torch.randn(1, 12, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=batch_first)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.blocks(self.words(x) + self.places).mean(dim=1))


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.EmbeddingBag(20, 16), nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.words(x))


class Tagger(nn.Module):
    """An answer for each word: (B, K, T)."""

    def __init__(self):
        super().__init__()
        self.words, self.cell = nn.Embedding(20, 16), nn.GRU(16, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        return self.head(self.cell(self.words(x))[0]).transpose(1, 2)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(8, 16), nn.Linear(4, 16), nn.Linear(32, 2)

    def forward(self, a, b):
        return self.head(torch.relu(torch.cat([self.a(a), self.b(b)], dim=1)))


class Residual(nn.Module):
    """Each branch begins as 0, as in many modern networks."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(8, 32), nn.Linear(32, 3)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in "abc"
        )
        for branch in self.branches:
            nn.init.zeros_(branch[-1].weight)

    def forward(self, x):
        x = self.first(x)
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x)


def adam(model, lr=1e-3):
    return torch.optim.Adam(model.parameters(), lr=lr)


def sgd(model, lr=0.1, momentum=0.9):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)


def program(data, model, loss_fn=CE, optimizer=adam, **more):
    """What `preflight` is called with."""
    train, valid = data
    chosen = optimizer(model) if optimizer else None
    return {
        "model": model,
        "loss_fn": loss_fn,
        "train_loader": train,
        "valid_loader": valid,
        "optimizer": chosen,
    } | more


# Sound programs


def with_frozen_body(model, by_optimizer):
    if not by_optimizer:
        model[:-1].requires_grad_(False)
    return program(loaders(*pictures()), model, optimizer=lambda m: adam(m[-1], 1e-2))


def with_zero_head():
    model = mlp()
    nn.init.zeros_(model[-1].weight)
    return program(loaders(*blobs()), model)


def tokens_for_each():
    x, _ = sentences()
    return program(loaders(x, (x < 5).long()), Tagger(), optimizer=lambda m: adam(m, 1e-2))


def autoencoder():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.ReLU(), nn.Linear(32, 768), nn.Unflatten(1, (3, 16, 16)))
    x, _ = pictures()
    data = [DataLoader(TensorDataset(part), 32) for part in (x[:180], x[180:])]
    return program(data, net, MSE)


def two_inputs(as_dict):
    (a, _), b = blobs(), torch.randn(240, 4, generator=generator(5))
    data = loaders((a, b), (a[:, 0] + b[:, 0] > 0).long())
    if as_dict:
        data = [[{"a": x, "b": y, "label": z} for x, y, z in loader] for loader in data]
    return program(data, Two())


def with_weights():
    loss_fn = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)
    return program(loaders(*blobs()), mlp(), loss_fn)


def multi_label():
    x, _ = numbers()
    return program(loaders(x, (x[:, :4] + 0.3 * x[:, 4:] > 0).float()), mlp(8, 4), BCE)


def binary(loss_fn=BCE, end=()):
    x, y = numbers()
    return program(loaders(x, (y > 0).float()), nn.Sequential(mlp(8, 1), *end), loss_fn)


def flat_regression():
    x, y = numbers()
    return program(loaders(x, y[:, 0]), nn.Sequential(mlp(8, 1), nn.Flatten(0)), nn.HuberLoss(), lambda m: sgd(m, 0.01))


def frames():
    g = generator(6)
    x, y = 0.3 * torch.rand(300, 6, 64, 64, generator=g), torch.randint(0, 3, (300,), generator=g)
    for i, label in enumerate(y.tolist()):
        x[i, :, 40:46, 20 * label + 5 : 20 * label + 15] += 0.6
    return program(loaders(x, y, batch=64), ConvNet(6, 3))


def warm_up():
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=100)
    return program(loaders(*sentences()), model, optimizer=None) | {"optimizer": optimizer, "scheduler": scheduler}


def nll():
    net = nn.Sequential(mlp(act=nn.Tanh), nn.LogSoftmax(dim=1))
    return program(loaders(*blobs()), net, nn.NLLLoss())


SOUND = {
    "MLP, SGD": lambda: program(loaders(*blobs()), mlp(), optimizer=sgd),
    "MLP, slow SGD": lambda: program(loaders(*blobs()), mlp(), optimizer=lambda m: sgd(m, 1e-3, 0)),
    "MLP, no optimizer": lambda: program(loaders(*blobs()), mlp(), optimizer=None),
    "MLP, BatchNorm": lambda: program(loaders(*blobs()), mlp(between=[nn.BatchNorm1d(32)])),
    "MLP, dropout, RMSprop": lambda: program(
        loaders(*blobs()), mlp(between=[nn.Dropout(0.5)]), optimizer=lambda m: torch.optim.RMSprop(m.parameters(), 1e-3)
    ),
    "MLP, LBFGS": lambda: program(loaders(*blobs()), mlp(), optimizer=lambda m: torch.optim.LBFGS(m.parameters())),
    "MLP of 5 layers, GELU": lambda: program(loaders(*blobs()), deep(5, nn.GELU)),
    "residual": lambda: program(loaders(*blobs()), Residual()),
    "linear": lambda: program(loaders(*blobs()), nn.Linear(8, 3), optimizer=sgd),
    "log-softmax and NLL": nll,
    "weights and smoothing": with_weights,
    "head of zeros": with_zero_head,
    "CNN, BatchNorm": lambda: program(loaders(*pictures()), cnn()),
    "CNN, SGD": lambda: program(loaders(*pictures()), cnn(norm=False), optimizer=lambda m: sgd(m, 0.05)),
    "frozen body": lambda: with_frozen_body(cnn(), False),
    "body left out of the optimizer": lambda: with_frozen_body(cnn(), True),
    "LSTM": lambda: program(loaders(*sequences()), Recurrent(), optimizer=lambda m: adam(m, 1e-2)),
    "GRU": lambda: program(loaders(*sequences()), Recurrent(nn.GRU), optimizer=lambda m: adam(m, 1e-2)),
    "RNN": lambda: program(loaders(*sequences()), Recurrent(nn.RNN), optimizer=sgd),
    "transformer": lambda: program(loaders(*sentences()), Transformer()),
    "transformer, warm-up": warm_up,
    "bag of words": lambda: program(loaders(*sentences()), Bag(), optimizer=lambda m: adam(m, 1e-2)),
    "tagger": tokens_for_each,
    "regression": lambda: program(loaders(*numbers()), mlp(8, 1), MSE),
    "regression, flat": flat_regression,
    "multi-label": multi_label,
    "binary": binary,
    "binary, BCELoss": lambda: binary(nn.BCELoss(), [nn.Sigmoid()]),
    "autoencoder": autoencoder,
    "two inputs": lambda: two_inputs(False),
    "dictionaries": lambda: two_inputs(True),
    "frames": frames,
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_gets_no_error(name):
    torch.manual_seed(0)
    report = preflight(**SOUND[name]())
    assert report.ok, report


# Planted bugs, each with the code that has to come first

PLANTED = {}


def plant(code, name):
    def add(make):
        PLANTED[f"{code}: {name}"] = code, make

    return add


class Net(nn.Module):
    """Some layers, and a function that uses them."""

    def __init__(self, use, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.use = use

    def forward(self, x):
        return self.use(self, x)


def filled(model, function):
    with torch.no_grad():
        for p in model.parameters():
            function(p)
    return model


def matrices(function):
    return lambda p: function(p) if p.ndim > 1 else p


def spoiled(data, where, value=float("nan")):
    x, y = data
    x = x.clone()
    x[where] = value
    return x, y


@plant("non-finite-input", "nan, MLP")
def _():
    return program(loaders(*spoiled(blobs(), (5, 2))), mlp())


@plant("non-finite-input", "infinity, CNN")
def _():
    return program(loaders(*spoiled(pictures(), (7, 0, 0, 0), float("inf"))), cnn())


@plant("non-finite-input", "nan among the targets")
def _():
    x, y = numbers()
    y[3] = float("nan")
    return program(loaders(x, y), mlp(8, 1), MSE)


@plant("label-wrong-type", "floats")
def _():
    x, y = blobs()
    return program(loaders(x, y.float()), mlp())


@plant("label-wrong-type", "a column")
def _():
    x, y = pictures()
    return program(loaders(x, y[:, None]), cnn())


@plant("label-wrong-type", "cross-entropy over the batch")
def _():
    x, y = numbers()
    return program(loaders(x, (y[:, 0] > 0).float()), nn.Sequential(mlp(8, 1), nn.Flatten(0)), CE)


@plant("label-wrong-type", "cross-entropy over one output")
def _():
    x, y = numbers()
    return program(loaders(x, (y > 0).float()), mlp(8, 1), CE)


@plant("label-out-of-range", "from 1")
def _():
    x, y = blobs()
    return program(loaders(x, y + 1), mlp())


@plant("label-out-of-range", "-1 and 1 for BCE")
def _():
    x, y = numbers()
    return program(loaders(x, (y > 0).float() * 2 - 1), mlp(8, 1), BCE)


def permuted(x, y, count):
    y = y.clone()
    y[:count] = y[:count][torch.randperm(count)]
    return x, y


@plant("labels-shuffled-against-inputs", "MLP, training only")
def _():
    return program(loaders(*permuted(*blobs(800), 600)), mlp())


@plant("labels-shuffled-against-inputs", "CNN, training only")
def _():
    return program(loaders(*permuted(*pictures(800), 600)), cnn())


@plant("labels-shuffled-against-inputs", "transformer, everywhere")
def _():
    return program(loaders(*permuted(*sentences(800), 800)), Transformer())


@plant("train-valid-overlap", "the same samples")
def _():
    x, y = blobs()
    return program((loaders(x, y, cut=1.0)[0], DataLoader(TensorDataset(x[:60], y[:60]), 32)), mlp())


@plant("train-valid-overlap", "the same indices")
def _():
    data = TensorDataset(*pictures())
    parts = DataLoader(Subset(data, range(180)), 32, shuffle=True), DataLoader(Subset(data, range(160, 240)), 32)
    return program(parts, cnn())


@plant("train-valid-overlap", "repeated, then split")
def _():
    x, y = pictures(100)
    order = torch.randperm(400)
    return program(loaders(x.repeat(4, 1, 1, 1)[order], y.repeat(4)[order]), cnn())


@plant("unregistered-submodule", "a list")
def _():
    net = Net(
        lambda s, x: s.head(s.hidden[1](s.hidden[0](x))), hidden=[nn.Linear(8, 32), nn.ReLU()], head=nn.Linear(32, 3)
    )
    return program(loaders(*blobs()), net)


@plant("unregistered-submodule", "a dict")
def _():
    net = Net(
        lambda s, x: s.head(s.parts["c"](x).relu().mean((2, 3))), parts={"c": nn.Conv2d(3, 8, 3)}, head=nn.Linear(8, 3)
    )
    return program(loaders(*pictures()), net)


@plant("unregistered-submodule", "a plain tensor")
def _():
    weight = (torch.randn(8, 16) / 3).requires_grad_()
    return program(loaders(*blobs()), Net(lambda s, x: s.head((x @ s.w).relu()), w=weight, head=nn.Linear(16, 3)))


@plant("optimizer-of-another-model", "MLP")
def _():
    return program(loaders(*blobs()), mlp(), optimizer=lambda m: adam(mlp()))


@plant("optimizer-of-another-model", "made before a copy")
def _():
    before = cnn()
    optimizer = sgd(before)
    return program(loaders(*pictures()), copy.deepcopy(before), optimizer=lambda m: optimizer)


@plant("detached-graph", "detach in forward")
def _():
    net = Net(lambda s, x: s.b(s.a(x).relu().detach()), a=nn.Linear(8, 32), b=nn.Linear(32, 3))
    return program(loaders(*blobs()), net)


@plant("detached-graph", "item in the loss")
def _():
    loss_fn = lambda output, y: torch.tensor(F.mse_loss(output, y).item(), requires_grad=True)  # noqa: E731
    return program(loaders(*numbers()), mlp(8, 1), loss_fn)


@plant("detached-graph", "data, LSTM")
def _():
    return program(loaders(*sequences()), Net(lambda s, x: s.inner(x).data, inner=Recurrent()))


@plant("input-ignored", "ones instead")
def _():
    return program(loaders(*blobs()), Net(lambda s, x: s.inner(torch.ones_like(x)), inner=mlp()))


@plant("input-ignored", "zeros instead, tokens")
def _():
    return program(loaders(*sentences()), Net(lambda s, x: s.inner(torch.zeros_like(x)), inner=Transformer()))


@plant("leak-between-samples", "LSTM that takes time first")
def _():
    return program(loaders(*sequences()), Recurrent(batch_first=False))


@plant("leak-between-samples", "mean over the batch")
def _():
    return program(loaders(*blobs()), Net(lambda s, x: s.inner(x - x.mean(0)), inner=mlp()))


@plant("leak-between-samples", "transformer that takes time first")
def _():
    return program(loaders(*sentences()), Transformer(batch_first=False))


@plant("shape-broadcast-in-loss", "MSE")
def _():
    x, y = numbers()
    return program(loaders(x, y[:, 0]), mlp(8, 1), MSE)


@plant("shape-broadcast-in-loss", "by hand")
def _():
    flat = nn.Sequential(mlp(8, 1), nn.Flatten(0))
    return program(loaders(*numbers()), flat, lambda output, y: (output - y).abs().mean())


@plant("softmax-before-cross-entropy", "MLP")
def _():
    return program(loaders(*blobs()), nn.Sequential(mlp(), nn.Softmax(dim=1)))


@plant("softmax-before-cross-entropy", "CNN")
def _():
    return program(loaders(*pictures()), nn.Sequential(cnn(), nn.Softmax(dim=1)), optimizer=sgd)


@plant("softmax-before-cross-entropy", "sigmoid, BCE with logits")
def _():
    return binary(BCE, [nn.Sigmoid()])


@plant("parameter-not-in-optimizer", "the last layer")
def _():
    return program(loaders(*blobs()), mlp(), optimizer=lambda m: adam(m[:-1]))


@plant("parameter-not-in-optimizer", "a new head")
def _():
    model = cnn()
    optimizer = adam(model)
    model[-1] = nn.Linear(16, 3)
    return program(loaders(*pictures()), model, optimizer=lambda m: optimizer)


@plant("frozen-by-accident", "all")
def _():
    return program(loaders(*blobs()), mlp().requires_grad_(False))


@plant("frozen-by-accident", "the head")
def _():
    model = cnn()
    model[-1].requires_grad_(False)
    return program(loaders(*pictures()), model)


@plant("frozen-by-accident", "an LSTM nobody trained")
def _():
    model = Recurrent()
    model.cell.requires_grad_(False)
    return program(loaders(*sequences()), model)


@plant("no-gradient", "a layer that is not used")
def _():
    net = Net(lambda s, x: s.c(s.a(x).relu()), a=nn.Linear(8, 32), b=nn.Linear(32, 32), c=nn.Linear(32, 3))
    return program(loaders(*blobs()), net)


@plant("no-gradient", "a branch times 0")
def _():
    use = lambda s, x: s.head((s.a(x).relu() + 0 * s.b(x)).mean((2, 3)))  # noqa: E731
    return program(loaders(*pictures()), Net(use, a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(3, 8, 3), head=nn.Linear(8, 3)))


@plant("constant-output", "zeros, MLP")
def _():
    return program(loaders(*blobs()), filled(mlp(), nn.init.zeros_))


@plant("constant-output", "zeros, LSTM")
def _():
    return program(loaders(*sequences()), filled(Recurrent(), nn.init.zeros_))


@plant("constant-output", "softmax over one output")
def _():
    return program(loaders(*numbers()), nn.Sequential(mlp(8, 1), nn.Softmax(dim=1)), MSE)


@plant("dead-relu", "MLP")
def _():
    model = mlp()
    nn.init.constant_(model[0].bias, -30)
    return program(loaders(*blobs()), model)


@plant("dead-relu", "CNN")
def _():
    model = cnn(norm=False)
    nn.init.constant_(model[3].bias, -30)
    return program(loaders(*pictures()), model)


@plant("dead-relu", "most of a CNN's channels")
def _():
    model = cnn(norm=False)
    nn.init.constant_(model[3].bias[:12].detach(), -30)
    return program(loaders(*pictures()), model)


@plant("scheduler-stale", "MLP")
def _():
    model = mlp()
    return program(loaders(*blobs()), model, scheduler=torch.optim.lr_scheduler.StepLR(adam(model), 1))


@plant("scheduler-stale", "CNN")
def _():
    return program(loaders(*pictures()), cnn(), scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(sgd(cnn()), 9))


class Linear(nn.Module):
    """A recurrent network without tanh: what it remembers grows."""

    def __init__(self):
        super().__init__()
        self.w, self.into, self.head = nn.Parameter(torch.randn(16, 16)), nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, x):
        h = self.into(x[:, 0])
        for t in range(1, x.shape[1]):
            h = h @ self.w + self.into(x[:, t])
        return self.head(h)


@plant("exploding-gradient", "recurrent")
def _():
    return program(loaders(*sequences(length=30)), Linear(), optimizer=sgd)


@plant("exploding-gradient", "the root of 0 in the loss")
def _():
    loss_fn = lambda output, y: ((output - y).abs() + 0 * (output - output).sqrt()).mean()  # noqa: E731
    return program(loaders(*numbers()), mlp(8, 1), loss_fn)


@plant("learning-rate-too-high", "MLP, SGD")
def _():
    return program(loaders(*blobs()), mlp(), optimizer=lambda m: sgd(m, 20))


@plant("learning-rate-too-high", "CNN, Adam")
def _():
    return program(loaders(*pictures()), cnn(), optimizer=lambda m: adam(m, 10))


@plant("learning-rate-too-high", "transformer, Adam")
def _():
    return program(loaders(*sentences()), Transformer(), optimizer=lambda m: adam(m, 1))


@plant("learning-rate-too-high", "regression")
def _():
    return program(loaders(*numbers()), mlp(8, 1), MSE, lambda m: sgd(m, 5))


@plant("learning-rate-too-low", "MLP")
def _():
    return program(loaders(*blobs()), mlp(), optimizer=lambda m: sgd(m, 1e-6))


@plant("learning-rate-too-low", "LSTM")
def _():
    return program(loaders(*sequences()), Recurrent(), optimizer=lambda m: adam(m, 1e-7))


class Centred(nn.Module):
    """Subtracts a running mean that is no buffer."""

    def __init__(self):
        super().__init__()
        self.inner, self.mean = mlp(), torch.zeros(8)

    def forward(self, x):
        if self.training:
            self.mean = 0.5 * self.mean + 0.5 * (x.detach().mean(dim=0) + 1)
        return self.inner(x - self.mean)


@plant("save-load-differs", "a running mean")
def _():
    return program(loaders(*blobs()), Centred())


@plant("save-load-differs", "random features")
def _():
    net = Net(lambda s, x: s.inner((x @ s.projection).cos()), projection=torch.randn(8, 32), inner=mlp(32))
    return program(loaders(*blobs()), net)


@plant("save-load-differs", "a list that the optimizer knows")
def _():
    net = Net(lambda s, x: s.head(s.hidden[0](x).relu()), hidden=[nn.Linear(8, 32)], head=nn.Linear(32, 3))
    return program(
        loaders(*blobs()), net, optimizer=lambda m: torch.optim.Adam([*m.parameters(), *m.hidden[0].parameters()])
    )


class Scaled(nn.Module):
    """Takes its scale from the first batch."""

    def __init__(self):
        super().__init__()
        self.inner, self.scale = cnn(), None

    def forward(self, x):
        if self.scale is None:
            self.scale = x.std() * 3 + x.mean()
        return self.inner(x / self.scale)


@plant("save-load-differs", "a scale from the first batch")
def _():
    return program(loaders(*pictures()), Scaled())


@plant("cannot-overfit-one-batch", "loss with the wrong sign")
def _():
    return program(loaders(*blobs()), mlp(), lambda output, y: -F.cross_entropy(output, y))


@plant("cannot-overfit-one-batch", "dropout of nearly all")
def _():
    return program(loaders(*blobs()), mlp(between=[nn.Dropout(0.995)]))


@plant("cannot-overfit-one-batch", "output times next to nothing")
def _():
    return program(loaders(*numbers()), Net(lambda s, x: s.inner(x) * 1e-12, inner=mlp(8, 1)), MSE)


@plant("cannot-overfit-one-batch", "an optimizer that climbs")
def _():
    climb = lambda m: torch.optim.SGD(m.parameters(), lr=0.1, maximize=True)  # noqa: E731
    return program(loaders(*blobs()), mlp(), optimizer=climb)


@plant("cannot-overfit-one-batch", "weight decay that wins")
def _():
    decay = lambda m: torch.optim.SGD(m.parameters(), lr=0.1, weight_decay=9)  # noqa: E731
    return program(loaders(*pictures()), cnn(), optimizer=decay)


@plant("bad-initialisation", "large, MLP")
def _():
    return program(loaders(*blobs()), filled(deep(4), matrices(nn.init.normal_)), optimizer=sgd)


@plant("bad-initialisation", "small, MLP")
def _():
    return program(loaders(*blobs()), filled(deep(4), matrices(lambda p: nn.init.normal_(p, std=0.001))), optimizer=sgd)


@plant("bad-initialisation", "equal")
def _():
    return program(loaders(*blobs()), filled(mlp(), lambda p: nn.init.constant_(p, 0.1)), optimizer=sgd)


@plant("bad-initialisation", "large, CNN")
def _():
    return program(loaders(*pictures()), filled(cnn(norm=False), matrices(nn.init.normal_)))


@plant("vanishing-gradient", "MLP")
def _():
    return program(loaders(*blobs()), deep(10, nn.Sigmoid), optimizer=sgd)


@plant("vanishing-gradient", "regression")
def _():
    return program(loaders(*numbers()), deep(8, nn.Sigmoid, outputs=1), MSE)


@plant("initial-loss-off", "large last layer")
def _():
    model = cnn()
    filled(model[-1], lambda p: p.mul_(60))
    return program(loaders(*pictures()), model)


@plant("initial-loss-off", "targets far from 0")
def _():
    x, y = numbers()
    return program(loaders(x, 20 * y + 300), mlp(8, 1), MSE)


@plant("initial-loss-off", "targets far from 0, SGD")
def _():
    x, y = numbers()
    return program(loaders(x, 20 * y + 300), mlp(8, 1), MSE, sgd)


@plant("not-normalised", "pixels, CNN")
def _():
    x, y = pictures()
    return program(loaders((40 * x + 120).clamp(0, 255), y), cnn(norm=False), optimizer=sgd)


@plant("not-normalised", "columns, MLP")
def _():
    x, y = blobs()
    return program(loaders(x * torch.logspace(-2, 4, 8), y), mlp())


@plant("not-normalised", "tiny, MLP")
def _():
    x, y = blobs()
    return program(loaders(1e-3 * x, y), mlp(), optimizer=sgd)


@plant("channel-order-suspect", "channels last")
def _():
    x, y = pictures()
    return program(loaders(x.permute(0, 2, 3, 1).contiguous(), y), cnn(16))


@plant("channel-order-suspect", "reshape in forward")
def _():
    x, y = pictures()
    net = Net(lambda s, x: s.inner(x.reshape(-1, 3, 16, 16)), inner=cnn())
    return program(loaders(x.permute(0, 2, 3, 1).contiguous(), y), net)


@plant("channel-order-suspect", "reshape in the data")
def _():
    x, y = pictures(size=32)
    return program(loaders(x.permute(0, 2, 3, 1).reshape(-1, 3, 32, 32), y), cnn())


@plant("class-imbalance", "MLP")
def _():
    x, y = blobs(400)
    some = (y == 0) | (torch.rand(400) < 0.1)
    return program(loaders(x[some], y[some]), mlp())


@plant("class-imbalance", "binary")
def _():
    x, y = numbers()
    return program(loaders(x, (y > 0.93).float()), mlp(8, 1), BCE)


def in_order(x, y, **more):
    order = y.flatten().argsort()
    return DataLoader(TensorDataset(x[order], y[order]), **more), None


@plant("unshuffled-training-data", "MLP")
def _():
    return program(in_order(*blobs(), batch_size=16), mlp())


@plant("unshuffled-training-data", "CNN, the first class only")
def _():
    return program(in_order(*pictures(2400), batch_size=64), cnn())


@plant("unshuffled-training-data", "regression")
def _():
    return program(in_order(*numbers(), batch_size=32), mlp(8, 1), MSE)


class Noisy(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i] + 0.1 * torch.randn(self.x[i].shape), self.y[i]


@plant("validation-augmented", "MLP")
def _():
    x, y = blobs()
    return program((loaders(x, y)[0], DataLoader(Noisy(x[180:], y[180:]), 32)), mlp())


@plant("validation-augmented", "CNN")
def _():
    x, y = pictures()
    return program((loaders(x, y)[0], DataLoader(Noisy(x[180:], y[180:]), 32)), cnn())


class Doing(nn.Module):
    """A model with something done to its inputs or outputs."""

    def __init__(self, body, before=lambda x: x, after=lambda x: x):
        super().__init__()
        self.body, self.before, self.after = body, before, after

    def forward(self, x):
        return self.after(self.body(self.before(x)))


@plant("softmax-before-cross-entropy", "in the loss")
def _():
    return program(loaders(*blobs()), mlp(), lambda out, y: F.cross_entropy(out.softmax(dim=1), y))


@plant("softmax-before-cross-entropy", "sigmoid in the loss")
def _():
    x, _ = blobs()
    loss = lambda out, y: F.binary_cross_entropy_with_logits(out.sigmoid(), y)  # noqa: E731
    return program(loaders(x, (x[:, :3] > 0).float()), mlp(), loss)


@plant("input-ignored", "one value of eight")
def _():
    return program(loaders(*blobs()), Doing(mlp(), before=lambda x: x[:, :1].expand(-1, 8).clone()))


@plant("input-ignored", "the last pixels only")
def _():
    return program(loaders(*pictures()), Doing(cnn(), before=lambda x: x[:, :, 14:]))


@plant("cannot-overfit-one-batch", "a ReLU behind a regression")
def _():
    x, y = numbers()
    return program(loaders(x, 2 * y), Doing(mlp(8, 1), after=torch.relu), MSE)


@plant("cannot-overfit-one-batch", "a tanh, and targets of 2")
def _():
    x, y = numbers()
    return program(loaders(x, 3 * y), Doing(mlp(8, 1), after=torch.tanh), MSE)


@plant("class-imbalance", "one class of five is rare")
def _():
    x, y = blobs(1200, classes=5)
    rows = torch.cat([(y > 0).nonzero().flatten(), (y == 0).nonzero().flatten()[:12]])
    rows = rows[torch.randperm(len(rows), generator=generator())]
    return program(loaders(x[rows], y[rows]), mlp(outputs=5))


@plant("class-imbalance", "a tag that hardly anything has")
def _():
    x, _ = blobs()
    return program(loaders(x, (x[:, :3] > torch.tensor([0.0, 0.2, 4.5])).float()), mlp(), BCE)


@plant("frozen-by-accident", "as it was initialised, with biases of zero")
def _():
    model = deep(4)
    for layer in list(model)[:-1:2]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        layer.requires_grad_(False)
    return program(loaders(*blobs()), model)


@plant("learning-rate-too-low", "a hundredth")
def _():
    return program(loaders(*blobs()), mlp(), optimizer=lambda model: adam(model, 1e-5))


@plant("initial-loss-off", "a temperature the wrong way round")
def _():
    return program(loaders(*blobs()), Doing(mlp(), after=lambda logits: 100 * logits))


@plant("bad-initialisation", "weights of 0.01")
def _():
    return program(loaders(*blobs()), filled(deep(3), lambda w: nn.init.normal_(w, std=0.01)))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_named_first(name):
    torch.manual_seed(0)
    code, make = PLANTED[name]
    report = preflight(**make())
    assert [finding.code for finding in report.findings[:1]] == [code], report


# Bad input: the rest goes on


def test_a_loader_that_can_be_used_once_is_named():
    loader = iter([(x, y) for x, y in loaders(*blobs())[0]])
    report = preflight(mlp(), CE, (batch for batch in loader), optimizer=None)
    assert "only once" in report.skipped["train_loader"]
    assert report.ok


def test_exhausted_and_empty_loaders_are_named():
    for loader in ([], iter([]), (batch for batch in [])):
        report = preflight(mlp(), CE, loader, loader)
        assert "gave no batch" in report.skipped["train_loader"]
        assert "unregistered-submodule" in report.skipped
        assert report.ok


def test_an_infinite_loader_is_not_read_to_its_end():
    class Endless(IterableDataset):
        taken = 0

        def __iter__(self):
            x, y = blobs()
            for i in itertools.count():
                Endless.taken += 1
                yield x[i % 240], y[i % 240]

    report = preflight(mlp(), CE, DataLoader(Endless(), 16))
    assert report.ok
    assert Endless.taken <= 16 * 16


def test_a_loader_that_raises_midway():
    def broken():
        yield from itertools.islice(loaders(*blobs())[0], 2)
        raise OSError("the disk is gone")

    class Loader:
        __iter__ = staticmethod(broken)

    report = preflight(nn.Sequential(mlp(), nn.Softmax(dim=1)), CE, Loader())
    assert report.skipped["train_loader"] == "it raised OSError: the disk is gone after 2 batches"
    assert report.findings[0].code == "softmax-before-cross-entropy"


def raises(*args):
    raise RuntimeError("no such thing")


@pytest.mark.parametrize(
    ("loss_fn", "reason"),
    [
        (lambda output, y: None, "returned None"),
        (raises, "the loss raised RuntimeError: no such thing"),
        (lambda output: 0, "TypeError"),
    ],
)
def test_a_loss_that_does_not_work(loss_fn, reason):
    report = preflight(mlp(), loss_fn, *loaders(*blobs()), optimizer=adam(other := mlp()))
    assert reason in report.skipped["cannot-overfit-one-batch"]
    assert [finding.code for finding in report.findings] == ["optimizer-of-another-model"]
    assert other


def test_a_model_that_raises_prints_and_exits(capsys):
    def forward(net, x):
        print("here I am")
        raise SystemExit(3)

    report = preflight(Net(forward, layer=nn.Linear(8, 3)), CE, *loaders(*blobs()))
    assert report.skipped["input-ignored"] == "the model raised SystemExit: 3"
    assert capsys.readouterr().out == ""


def test_a_model_that_cannot_be_copied():
    model = nn.Sequential(mlp(), nn.Softmax(dim=1))
    model.stream = (i for i in range(3))  # generators cannot be copied
    report = preflight(model, CE, *loaders(*blobs()), optimizer=adam(model))
    assert report.findings[0].code == "softmax-before-cross-entropy"
    assert report.skipped["copying the model"] == "`stream` cannot be copied, and is shared with the copies"


class Unique(nn.Sequential):
    def __deepcopy__(self, memo):
        raise TypeError("there is only one of me")


def test_a_model_that_does_not_want_to_be_copied():
    model = Unique(mlp(), nn.Softmax(dim=1))
    report = preflight(model, CE, *loaders(*blobs()), optimizer=adam(model))
    assert report.findings[0].code == "softmax-before-cross-entropy"
    reason = "copying the model raised TypeError: there is only one of me"
    assert report.skipped["cannot-overfit-one-batch"] == report.skipped["save-load-differs"] == reason


def test_odd_batches():
    for batches in ([torch.zeros(4, 8)], ["text"], [{"x": 1}], [None], 3):
        report = preflight(mlp(), CE, batches)
        assert report.skipped
        assert report.ok


def test_lazy_layers_are_said_to_be_unfinished():
    report = preflight(nn.Sequential(nn.LazyLinear(3)), CE, *loaders(*blobs()))
    assert report.ok
    assert report.skipped


# Nothing changes


def states_of_chance():
    return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("kind", [nn.Sequential, Unique])
def test_nothing_is_changed(kind):
    model = kind(*cnn(), nn.Dropout(0.3))
    model[1].eval()
    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    x, y = pictures()
    shuffled = DataLoader(TensorDataset(x, y), 32, shuffle=True, generator=generator(5))
    model(x[:8]).sum().backward()
    optimizer.step()
    seen = lambda: plain([model.state_dict(), [p.grad for p in model.parameters()], optimizer.state_dict(),  # noqa: E731
                          scheduler.state_dict(), [m.training for m in model.modules()],
                          [p.requires_grad for p in model.parameters()], states_of_chance()])  # fmt: skip
    before, state = seen(), shuffled.generator.get_state()
    preflight(model, CE, shuffled, loaders(x, y)[1], optimizer, scheduler)
    assert seen() == before
    assert torch.equal(shuffled.generator.get_state(), state)


def test_the_next_batch_is_what_it_would_have_been():
    class Walk(IterableDataset):
        """Goes on where it was, and draws from a generator of its own."""

        def __init__(self):
            self.at, self.rng = 0, np.random.default_rng(0)

        def __iter__(self):
            x, y = blobs()
            for _ in range(64):
                self.at += 1
                yield x[self.at % 240] + self.rng.normal(), y[self.at % 240]

    fresh, checked = (DataLoader(Walk(), 16) for _ in range(2))
    preflight(mlp(), CE, checked)
    for (a, _), (b, _) in zip(fresh, checked, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("label", [2, 3])
def test_a_slow_network_gets_fewer_looks_and_no_label_is_overlooked(label, monkeypatch):
    monkeypatch.setattr("dlsteps.clinic.preflight_checks.examination.FAST", 0)
    x, y = pictures()
    y[200] = label  # of 0 … 2, and not in the first batch
    report = preflight(cnn(), CE, DataLoader(TensorDataset(x, y), 32))
    assert [finding.code for finding in report.findings][:1] == ["label-out-of-range"] * (label == 3)
    assert not {"label-out-of-range", "dead-relu", "input-ignored"} & set(report.skipped)


def test_labels_without_any_relation_are_an_error_also_if_both_halves_are_shuffled():
    x, y = blobs(480)
    report = preflight(**program(loaders(x, y[torch.randperm(480, generator=generator(7))], cut=0.6), mlp()))
    assert [(f.code, f.severity) for f in report.findings][:1] == [("labels-shuffled-against-inputs", "error")], report


def test_a_few_training_samples_late_in_the_validation_set_are_seen():
    x, y = blobs(480)
    train, valid = loaders(x, y)
    mixed = torch.utils.data.ConcatDataset([valid.dataset, Subset(train.dataset, range(20))])
    report = preflight(**program((train, DataLoader(mixed, 8)), mlp()))
    assert [f.code for f in report.findings] == ["train-valid-overlap"], report


def test_reports_add_up_without_what_follows_from_something_found_before():
    def report(code):
        return Report([Finding(code, "error", "seen")])

    assert [f.code for f in (report("missing-zero-grad") + report("dead-relu")).findings] == ["missing-zero-grad"]
    assert [f.code for f in (report("learning-rate-too-high") + report("exploding-gradient")).findings] == [
        "learning-rate-too-high"
    ]
    assert len((report("missing-zero-grad") + report("wrong-argmax-axis")).findings) == 2
