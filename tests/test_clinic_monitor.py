"""`Monitor`: planted bugs are found and named first, healthy runs give no error, and nothing is left behind."""

import contextlib
import copy
import io
import math
import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlsteps.clinic import Monitor
from dlsteps.clinic.codes import CODES
from dlsteps.models import ConvNet, freeze
from dlsteps.training import Callback, ClipGradients, StopOnNaN, Trainer, resume, save_checkpoint

CE = nn.CrossEntropyLoss()


# Networks and data


def mlp(width=32, activation=nn.ReLU, depth=2, dropout=0.0):
    sizes = [8] + [width] * depth
    layers = [part for a, b in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(width, 3))


def cnn():
    return ConvNet(1, 3, size=8)


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM, dropout=0.0):
        super().__init__()
        self.rnn = kind(4, 16, num_layers=2, dropout=dropout, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):  # (B, T, 4)
        return self.head(self.rnn(x)[0][:, -1])


class Tokens(nn.Module):
    """A small transformer, or a bag of words."""

    def __init__(self, transformer=True):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False) if transformer else nn.Identity()
        self.head = nn.Linear(16, 3)

    def forward(self, x):  # (B, T) int64
        return self.head(self.body(self.embedding(x)).mean(dim=1))


class Functional(nn.Module):
    """No module for the ReLU, and a part that is called from outside `forward`."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 3)

    def features(self, x):
        return F.relu(self.second(F.relu(self.first(x))))

    def forward(self, x):
        return self.head(self.features(x))


class Backbone(nn.Module):
    def __init__(self, features=None):
        super().__init__()
        self.backbone = features or nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(32, 3)
        self.cut = lambda features: features

    def forward(self, x):
        return self.head(self.cut(self.backbone(x)))


def batches(kind="vector", n=16, steps=120, seed=0):
    """Batches of a task that can be learned."""
    generator = torch.Generator().manual_seed(seed)
    shape = {"vector": (8,), "picture": (1, 8, 8), "sequence": (6, 4)}.get(kind)
    for _ in range(steps):
        if kind == "tokens":
            x = torch.randint(50, (n, 6), generator=generator)
            yield x, (x[:, 0] % 3).long()
        else:
            y = torch.randint(3, (n,), generator=generator)
            x = torch.randn(n, *shape, generator=generator)
            x.flatten(1)[:, :3] += 2 * F.one_hot(y, 3)
            yield x, y


def train(model, data, optimizer=None, loss_fn=CE, *, lr=1e-3, scheduler=None, epochs=1, zero=True, every=50, **more):
    """A plain loop; returns the monitor."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=lr)
    before, after = more.pop("before", None), more.pop("after", None)
    scheduler = scheduler and scheduler(optimizer)
    data = list(data)
    with Monitor(every, say=None).watch(model, optimizer, scheduler, **more) as monitor:
        for _ in range(epochs):
            total = 0.0
            for x, y in data:
                loss = loss_fn(model(x), y)
                if zero:
                    optimizer.zero_grad()
                loss.backward()
                if before:
                    before(model)
                optimizer.step()
                if after:
                    after(model)
                if scheduler:
                    scheduler.step()
                monitor.step(loss)
                total += loss.item() / len(data)
            monitor.epoch(total)
    assert monitor.skipped == {}
    return monitor


def first(monitor):
    findings = monitor.report.findings
    return (findings[0].code, findings[0].severity) if findings else None


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


# Healthy runs: no error


def sgd(lr, **options):
    return lambda model: torch.optim.SGD(model.parameters(), lr=lr, **options)


def warm_up(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 60))


def one_cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=200)


def cosine(optimizer):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 120)


def zero_head():
    model = mlp()
    nn.init.zeros_(model[-1].weight)
    nn.init.zeros_(model[-1].bias)
    return model


def clip(model):
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)


def half(model):
    return model.to(torch.bfloat16)


HEALTHY = {
    "mlp": (mlp, "vector", {}),
    "wide mlp": (lambda: mlp(256), "vector", {}),
    "tanh": (lambda: mlp(activation=nn.Tanh), "vector", {}),
    "leaky": (lambda: mlp(activation=nn.LeakyReLU), "vector", {}),
    "functional": (Functional, "vector", {}),
    "cnn": (cnn, "picture", {}),
    "cnn, AdamW 1e-2": (cnn, "picture", {"lr": 1e-2}),
    "cnn, SGD momentum": (cnn, "picture", {"make": sgd(0.05, momentum=0.9)}),
    "mlp, SGD": (mlp, "vector", {"make": sgd(0.1)}),
    "nesterov": (mlp, "vector", {"make": sgd(0.05, momentum=0.9, nesterov=True, weight_decay=1e-2)}),
    "RMSprop": (mlp, "vector", {"make": lambda m: torch.optim.RMSprop(m.parameters(), lr=1e-3)}),
    "Adagrad": (mlp, "vector", {"make": lambda m: torch.optim.Adagrad(m.parameters(), lr=1e-2)}),
    "two groups": (Backbone, "vector", {"make": lambda m: torch.optim.AdamW(
        [{"params": m.backbone.parameters(), "lr": 1e-5}, {"params": m.head.parameters()}], lr=1e-3)}),
    "foreach off": (mlp, "vector", {"make": lambda m: torch.optim.Adam(m.parameters(), foreach=False)}),
    "warm-up": (mlp, "vector", {"scheduler": warm_up}),
    "one cycle": (cnn, "picture", {"scheduler": one_cycle}),
    "cosine": (mlp, "vector", {"scheduler": cosine}),
    "clipping": (mlp, "vector", {"before": clip}),
    "dropout": (lambda: mlp(dropout=0.5), "vector", {}),
    "LSTM": (Recurrent, "sequence", {}),
    "LSTM, dropout, clipping": (lambda: Recurrent(dropout=0.3), "sequence", {"before": clip}),
    "GRU": (lambda: Recurrent(nn.GRU), "sequence", {}),
    "transformer": (Tokens, "tokens", {}),
    "transformer, warm-up": (Tokens, "tokens", {"scheduler": warm_up, "lr": 3e-3}),
    "bag of words": (lambda: Tokens(False), "tokens", {"lr": 1e-2}),
    "zeros in the last layer": (zero_head, "vector", {}),
    "SELU, deep": (lambda: mlp(activation=nn.SELU, depth=6), "vector", {}),
    "deep ReLU": (lambda: mlp(64, depth=6), "vector", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy(name):
    make, kind, options = HEALTHY[name]
    options = dict(options)
    model = make()
    optimizer = options.pop("make", lambda m: None)(model)
    monitor = train(model, batches(kind), optimizer, **options)
    assert monitor.report.findings == []
    assert len(monitor.seen.looks) >= 10


@pytest.mark.parametrize("n", [1, 2, 512])
def test_healthy_batch_sizes(n):
    for model, kind in ((mlp(), "vector"), (Recurrent(), "sequence"), (Tokens(), "tokens")):
        assert train(model, batches(kind, n=n, steps=40)).report.ok


def frozen_by_flag():
    model = Backbone()
    model.backbone.requires_grad_(False)
    model.backbone.eval()
    return model, torch.optim.Adam(model.head.parameters())


def frozen_by_flag_all_in_optimizer():
    model = Backbone()
    model.backbone.requires_grad_(False)
    return model, torch.optim.Adam(model.parameters())


def frozen_by_freeze():
    model = Backbone()
    freeze(model.backbone)
    return model, torch.optim.Adam([p for p in model.parameters() if p.requires_grad])


def only_the_head():
    model = Backbone()
    return model, torch.optim.Adam(model.head.parameters())


def without_gradient():
    model = Backbone()
    model.backbone.register_forward_pre_hook(lambda module, args: torch.set_grad_enabled(False) and None)
    model.backbone.register_forward_hook(lambda module, args, output: torch.set_grad_enabled(True) and None)
    return model, torch.optim.Adam(model.parameters())


def only_biases():
    model = mlp()
    return model, torch.optim.Adam([p for n, p in model.named_parameters() if "bias" in n or n.startswith("5")])


def unused_layer():
    model = Backbone()
    model.spare = nn.Linear(3, 3)
    return model, torch.optim.Adam(model.parameters())


def still_batch_norm():
    model = Backbone()
    model.backbone[1].eval()
    return model, torch.optim.Adam(model.parameters())


PARTS = [
    frozen_by_flag, frozen_by_flag_all_in_optimizer, frozen_by_freeze, only_the_head, without_gradient, only_biases,
    unused_layer, still_batch_norm,
]  # fmt: skip


@pytest.mark.parametrize("make", PARTS)
def test_healthy_parts(make):
    model, optimizer = make()
    monitor = train(model, batches(), optimizer)
    assert monitor.report.ok
    if make in (frozen_by_flag, frozen_by_freeze):
        assert monitor.report.findings == []


TASKS = {
    "regression": (1, nn.MSELoss(), lambda x, y: x.sum(dim=1, keepdim=True)),
    "large targets": (1, nn.MSELoss(), lambda x, y: 100 * x.sum(dim=1, keepdim=True)),
    "L1": (1, nn.L1Loss(), lambda x, y: x[:, :1]),
    "Huber": (1, nn.HuberLoss(), lambda x, y: x[:, :1]),
    "binary": (1, nn.BCEWithLogitsLoss(), lambda x, y: (x[:, :1] > 0).float()),
    "multi-label": (3, nn.BCEWithLogitsLoss(), lambda x, y: (x[:, :3] > 0).float()),
    "autoencoder": (8, nn.MSELoss(), lambda x, y: x),
    "negative loss": (1, lambda out, t: -torch.exp(-((out - t) ** 2)).mean(), lambda x, y: x[:, :1]),
}


@pytest.mark.parametrize("name", TASKS)
def test_healthy_tasks(name):
    outputs, loss_fn, target = TASKS[name]
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, outputs))
    monitor = train(model, [(x, target(x, y)) for x, y in batches()], loss_fn=loss_fn)
    assert monitor.report.findings == []


def test_healthy_unnormalised_inputs():
    data = [(100 + 60 * x, y) for x, y in batches()]
    assert train(mlp(), data).report.ok


def test_healthy_pure_noise():
    """Nothing to learn, but nothing wrong with the loop."""
    data = [(x, y[torch.randperm(len(y))]) for x, y in batches(steps=300)]
    assert train(mlp(), data).report.ok


def test_healthy_one_batch_by_heart():
    data = list(batches(steps=1)) * 300
    assert train(mlp(), data, lr=1e-2).report.ok


def test_healthy_bfloat16():
    data = [(x.to(torch.bfloat16), y) for x, y in batches()]
    assert train(half(mlp()), data).report.ok


def test_healthy_gradient_accumulation():
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters())
    with Monitor(say=None).watch(model, optimizer) as monitor:
        for i, (x, y) in enumerate(batches(steps=200)):
            loss = CE(model(x), y)
            (loss / 4).backward()
            if i % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
            monitor.step(loss)
    assert monitor.report.findings == []


@pytest.mark.parametrize("place", ["before forward", "after step", "to zero", "model"])
def test_healthy_places_of_zero_grad(place):
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Monitor(say=None).watch(model, optimizer) as monitor:
        for x, y in batches():
            if place == "before forward":
                optimizer.zero_grad()
            loss = CE(model(x), y)
            if place == "to zero":
                optimizer.zero_grad(set_to_none=False)
            if place == "model":
                model.zero_grad()
            loss.backward()
            optimizer.step()
            if place == "after step":
                optimizer.zero_grad()
            monitor.step(loss)
    assert monitor.report.findings == []


def test_healthy_evaluation_with_gradients_in_between():
    """Somebody forgot no_grad() when evaluating: not ours to find, and no wrong mode in training."""
    model = mlp(dropout=0.2)
    optimizer = torch.optim.Adam(model.parameters())
    with Monitor(say=None).watch(model, optimizer) as monitor:
        for x, y in batches():
            model.eval()
            CE(model(x), y)
            model.train()
            loss = CE(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            model.eval()
            CE(model(x), y)
            optimizer.step()
            monitor.step(loss)
    assert monitor.report.findings == []


@pytest.mark.parametrize("together", [False, True])
def test_healthy_gan(together):
    g, d = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 8)), mlp()
    d[-1] = nn.Linear(32, 1)
    of_g, of_d = (torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.999)) for m in (g, d))
    monitors = [Monitor(say=None).watch(nn.ModuleList([g, d]), [of_d, of_g])] if together else []
    monitors = monitors or [Monitor(say=None).watch(g, of_g), Monitor(say=None).watch(d, of_d)]
    bce = nn.BCEWithLogitsLoss()
    for x, _ in batches(steps=300):
        z = torch.randn(16, 4)
        loss_d = bce(d(x), torch.ones(16, 1)) + bce(d(g(z).detach()), torch.zeros(16, 1))
        of_d.zero_grad()
        loss_d.backward()
        of_d.step()
        loss_g = bce(d(g(z)), torch.ones(16, 1))
        of_g.zero_grad()
        loss_g.backward()
        of_g.step()
        for monitor, loss in zip(monitors, [loss_g, loss_d], strict=False):
            monitor.step(loss)
    for monitor in monitors:
        monitor.close()
        assert monitor.report.ok
        assert monitor.skipped == {}


def test_healthy_lbfgs():
    model, (x, y) = mlp(), next(batches(n=64))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = CE(model(x), y)
        loss.backward()
        return loss

    with Monitor(say=None).watch(model, optimizer) as monitor:
        for _ in range(30):
            monitor.step(optimizer.step(closure))
    assert monitor.report.ok
    assert monitor.skipped == {}


def test_healthy_sparse_embedding():
    model = nn.Sequential(nn.Embedding(50, 8, sparse=True), nn.Flatten(), nn.Linear(48, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert train(model, batches("tokens"), optimizer).report.ok


def test_healthy_several_inputs_and_outputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(8, 3), nn.Linear(8, 5)

        def forward(self, x, other=None):
            return {"logits": self.a(x), "more": [self.b(other)]}

    data = [((x, x.flip(0)), y) for x, y in batches()]
    model = Two()
    optimizer = torch.optim.Adam(model.parameters())
    with Monitor(say=None).watch(model, optimizer) as monitor:
        for (x, other), y in data:
            out = model(x, other=other)
            loss = CE(out["logits"], y) + out["more"][0].square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            monitor.step(loss.item())
    assert monitor.report.findings == []
    assert monitor.skipped == {}


# Planted bugs


@pytest.mark.parametrize(("make", "kind"), [(cnn, "picture"), (Tokens, "tokens"),
                                            (lambda: mlp(dropout=0.3), "vector"),
                                            (lambda: Recurrent(dropout=0.3), "sequence")])  # fmt: skip
def test_wrong_mode(make, kind):
    assert first(train(make().eval(), batches(kind, steps=20))) == ("wrong-mode-in-training", "error")


def test_wrong_mode_of_a_part():
    model = Backbone()
    model.backbone.eval()
    assert first(train(model, batches(steps=20))) == ("wrong-mode-in-training", "advice")


@pytest.mark.parametrize(("make", "kind"), [(cnn, "picture"), (mlp, "vector"), (Recurrent, "sequence"),
                                            (Tokens, "tokens")])  # fmt: skip
@pytest.mark.parametrize("optimizer", [None, sgd(0.1, momentum=0.9)])
def test_missing_zero_grad(make, kind, optimizer):
    model = make()
    monitor = train(model, batches(kind), optimizer and optimizer(model), zero=False)
    assert first(monitor) == ("missing-zero-grad", "error")


def test_missing_zero_grad_with_clipping_and_once_an_epoch():
    model = mlp()
    monitor = train(model, batches(), zero=False, before=clip)
    assert first(monitor) == ("missing-zero-grad", "error")


def spoil(data, step, part=0, value=math.nan):
    data = [(x.clone(), y.clone()) for x, y in data]
    data[step][part][3, ..., 0] = value
    return data


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("make", "kind"), [(cnn, "picture"), (mlp, "vector"), (Recurrent, "sequence")])
def test_nan_in_the_input(make, kind, value):
    monitor = train(make(), spoil(batches(kind), 37, value=value))
    if (make, value) == (Recurrent, math.inf):  # tanh makes 1 of it
        return
    assert first(monitor) == ("non-finite-input", "error")
    assert "step 37" in monitor.report.findings[0].message
    assert len(monitor.report.findings) == 1


def test_nan_in_the_target():
    data = spoil([(x, x.sum(dim=1, keepdim=True)) for x, _ in batches()], 11, part=1)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    assert first(train(model, data, loss_fn=nn.MSELoss())) == ("non-finite-input", "error")
    monitor = Monitor(say=None)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    trainer = Trainer(model, torch.optim.Adam(model.parameters()), nn.MSELoss(), callbacks=[monitor], device="cpu")
    with pytest.raises(FloatingPointError):
        trainer.fit(data)
    assert "sample 3" in monitor.report.findings[0].message
    assert monitor.report.findings[0].evidence["step"] == 11


def test_nan_in_the_gradient_first():
    """The square root at 0: a finite loss, a gradient that is not."""

    def loss_fn(output, target):
        return CE(output, target) + (output - output.detach()).abs().sum().sqrt()

    monitor = train(mlp(), batches(steps=20), loss_fn=loss_fn)
    assert first(monitor) == ("exploding-gradient", "error")
    assert "the gradient was not finite" in monitor.report.findings[0].message


@pytest.mark.parametrize(("make", "kind", "optimizer"), [
    (mlp, "vector", sgd(100.0)), (cnn, "picture", sgd(1e4)), (mlp, "vector", sgd(1e5, momentum=0.9)),
    (mlp, "vector", lambda m: torch.optim.Adam(m.parameters(), lr=3.0)),
    (cnn, "picture", lambda m: torch.optim.Adam(m.parameters(), lr=10.0)),
    (Tokens, "tokens", lambda m: torch.optim.Adam(m.parameters(), lr=1.0)),
    (Recurrent, "sequence", lambda m: torch.optim.Adam(m.parameters(), lr=3.0)),
    (Recurrent, "sequence", sgd(300.0)),
])  # fmt: skip
def test_rate_too_high(make, kind, optimizer):
    model = make()
    monitor = train(model, batches(kind, steps=150), optimizer(model))
    assert first(monitor) == ("learning-rate-too-high", "error")


def test_rate_too_high_in_regression():
    data = [(x, x.sum(dim=1, keepdim=True)) for x, _ in batches()]
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    monitor = train(model, data, sgd(5.0)(model), nn.MSELoss())
    assert first(monitor) == ("learning-rate-too-high", "error")


@pytest.mark.parametrize(("make", "kind", "optimizer"), [
    (mlp, "vector", sgd(1e-6)), (cnn, "picture", sgd(1e-6)), (cnn, "picture", sgd(0.0)),
    (Recurrent, "sequence", sgd(1e-4)),
    (mlp, "vector", lambda m: torch.optim.Adam(m.parameters(), lr=1e-7)),
    (Tokens, "tokens", lambda m: torch.optim.Adam(m.parameters(), lr=1e-8)),
])  # fmt: skip
def test_rate_too_low(make, kind, optimizer):
    model = make()
    monitor = train(model, batches(kind, steps=250), optimizer(model))
    assert first(monitor) == ("learning-rate-too-low", "advice")


def scaled(factor, model):
    for p in model.parameters():
        if p.ndim > 1:
            p.data *= factor
    return model


def test_exploding():
    class Long(nn.Module):
        def __init__(self):
            super().__init__()
            self.step, self.head = nn.Linear(8 + 16, 16), nn.Linear(16, 3)

        def forward(self, x):
            h = x.new_zeros(len(x), 16)
            for _ in range(30):
                h = F.leaky_relu(self.step(torch.cat([x, h], dim=1)), 0.8)
            return self.head(h)

    for make, factor in ((Long, 4.0), (lambda: mlp(64, depth=8), 6.0), (lambda: mlp(64, nn.Identity, depth=8), 8.0)):
        model = scaled(factor, make())
        with torch.no_grad():
            list(model.modules())[-1].weight.div_(factor)
        monitor = train(model, batches(), sgd(0.01)(model))
        assert first(monitor) == ("exploding-gradient", "error")


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (lambda: mlp(32, nn.Sigmoid, depth=8), sgd(0.1)),
        (lambda: mlp(32, nn.Sigmoid, depth=8), lambda m: torch.optim.Adam(m.parameters())),
        (lambda: scaled(0.2, mlp(32, nn.Tanh, depth=7)), sgd(0.1)),
    ],
)
def test_vanishing(make, optimizer):
    model = make()
    assert first(train(model, batches(steps=200), optimizer(model))) == ("vanishing-gradient", "advice")


def test_healthy_again_after_a_weak_start():
    """Adam makes large steps of small gradients: what vanishes at first need not stay like that."""
    assert train(scaled(0.2, mlp(32, nn.Tanh, depth=7)), batches(steps=200)).report.findings == []


def test_dead_relu_all():
    def dead():
        model = mlp()
        nn.init.constant_(model[2].bias, -50.0)
        return model

    def functional():
        model = Functional()
        nn.init.constant_(model.second.bias, -50.0)
        return model

    def picture():
        model = cnn()
        nn.init.constant_(model.feature_extractor[7].bias, -50.0)
        return model

    for make, kind in ((dead, "vector"), (functional, "vector"), (picture, "picture")):
        assert first(train(make(), batches(kind), lr=1e-3)) == ("dead-relu", "error")


@pytest.mark.parametrize(("make", "kind", "layer"), [(mlp, "vector", lambda m: m[0]),
                                                     (cnn, "picture", lambda m: m.feature_extractor[4])])  # fmt: skip
def test_dead_relu_most(make, kind, layer):
    model = make()
    nn.init.constant_(layer(model).bias[4:], -50.0)
    monitor = train(model, batches(kind))
    assert first(monitor) == ("dead-relu", "advice")


def test_constant_output():
    def zeros():
        model = mlp()
        for p in model.parameters():
            nn.init.zeros_(p)
        return model

    class Overwritten(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp()

        def forward(self, x):
            return self.net(torch.ones_like(x))

    for make in (zeros, Overwritten):
        assert first(train(make(), batches())) == ("constant-output", "error")


def test_no_gradient_because_it_was_cut():
    for cut in (torch.Tensor.detach, lambda x: torch.tensor(x.detach().numpy())):
        model = Backbone()
        model.cut = cut
        assert first(train(model, batches(), torch.optim.SGD(model.parameters(), lr=0.1))) == ("no-gradient", "error")


def test_no_gradient_because_it_was_zeroed():
    for make in (mlp, Recurrent):
        model = make()
        monitor = train(model, batches("vector" if make is mlp else "sequence"), before=lambda m: m.zero_grad())
        assert first(monitor) == ("no-gradient", "error")
        assert "between" in monitor.report.findings[0].fix


def test_unused_layer_is_advice():
    model, optimizer = unused_layer()
    assert first(train(model, batches(), optimizer)) == ("no-gradient", "advice")


def test_parameter_not_in_optimizer():
    late = mlp()
    optimizer = torch.optim.Adam(late.parameters())
    late[-1] = nn.Linear(32, 3)
    without_middle = mlp(depth=3)
    parts = [*without_middle[0].parameters(), *without_middle[4].parameters(), *without_middle[-1].parameters()]
    backbone = Backbone()
    for model, held in (
        (late, optimizer),
        (without_middle, torch.optim.SGD(parts, lr=0.1)),
        (backbone, torch.optim.Adam(backbone.backbone.parameters())),
    ):
        assert first(train(model, batches(), held)) == ("parameter-not-in-optimizer", "error")


def test_frozen_by_accident():
    for freeze_it in (lambda m: m[0].requires_grad_(False), lambda m: m[-1].requires_grad_(False)):
        model = mlp()
        freeze_it(model)
        assert first(train(model, batches())) == ("frozen-by-accident", "advice")


def test_weights_put_back():
    model = mlp()
    old = model[2].weight.detach().clone()

    def after(model):
        with torch.no_grad():
            model[2].weight.copy_(old)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *args: after(model))
    assert first(train(model, batches(), optimizer)) == ("frozen-by-accident", "error")


def test_optimizer_makes_no_step():
    model = mlp()
    with Monitor(say=None).watch(model, torch.optim.Adam(model.parameters())) as monitor:
        for x, y in batches(steps=10):
            loss = CE(model(x), y)
            loss.backward()
            monitor.step(loss)
        monitor.epoch()
    assert first(monitor) == ("frozen-by-accident", "error")


def test_optimizer_of_another_model():
    for make in (mlp, Functional):
        model = make()
        monitor = train(model, batches(steps=30), torch.optim.Adam(copy.deepcopy(model).parameters()))
        assert first(monitor) == ("optimizer-of-another-model", "error")


def test_scheduler_stale():
    schedulers = (
        lambda o: torch.optim.lr_scheduler.StepLR(o, 1),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100),
    )
    for scheduler in schedulers:
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters())
        with Monitor(say=None).watch(model, optimizer, scheduler(optimizer)) as monitor:
            for _ in range(2):
                for x, y in batches(steps=10):
                    loss = CE(model(x), y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    monitor.step(loss)
                monitor.epoch()
        assert first(monitor) == ("scheduler-stale", "error")


def test_scheduler_of_another_optimizer():
    model = mlp()
    other = torch.optim.Adam(model.parameters())
    monitor = Monitor(say=None)
    monitor.watch(model, torch.optim.Adam(model.parameters()), torch.optim.lr_scheduler.StepLR(other, 1))
    assert first(monitor) == ("scheduler-stale", "error")
    monitor.close()


def test_scheduler_once_an_epoch_is_fine():
    for where in ("before", "after"):
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters())
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 30)
        with Monitor(say=None).watch(model, optimizer, scheduler) as monitor:
            for _ in range(4):
                for x, y in batches(steps=10):
                    loss = CE(model(x), y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    monitor.step(loss)
                if where == "before":
                    scheduler.step()
                monitor.epoch()
                if where == "after":
                    scheduler.step()
        assert monitor.report.findings == []


def test_overfitting():
    monitor = Monitor(say=None)
    model = mlp()
    monitor.watch(model, torch.optim.Adam(model.parameters()))
    for train_loss, valid_loss in [(1.0, 1.0), (0.7, 0.8), (0.5, 0.79), (0.4, 0.85), (0.3, 0.9), (0.2, 1.0)]:
        monitor.epoch(train_loss, valid_loss)
    assert first(monitor) == ("overfitting", "advice")
    monitor.close()
    monitor = Monitor(say=None).watch(model, torch.optim.Adam(model.parameters()))
    for valid_loss in (1.0, 0.8, 0.7, 0.72, 0.69, 0.71, 0.7):  # up and down
        monitor.epoch(0.5, valid_loss)
    assert monitor.report.findings == []
    monitor.close()


# As a callback


def trainer_with(monitor, model=None, lr=1e-3, callbacks=(), **options):
    torch.manual_seed(0)
    model = model or mlp()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    return Trainer(model, optimizer, CE, callbacks=[*callbacks, monitor], device="cpu", **options)


def test_callback_healthy_and_bare_afterwards():
    monitor = Monitor(every=5, say=None)
    trainer = trainer_with(monitor, cnn(), callbacks=[ClipGradients(0.5)])
    trainer.fit(list(batches("picture", steps=30)), list(batches("picture", steps=3, seed=1)), epochs=2)
    assert monitor.report.findings == []
    assert monitor.skipped == {}
    assert monitor.seen.updates == monitor.seen.steps == trainer.step == 60
    assert [epoch["train_loss"] for epoch in monitor.seen.epochs] == trainer.history["train_loss"]
    bare(trainer.model, trainer.optimizer)


def bare(model, optimizer):
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())
    assert not any(p._backward_hooks for p in model.parameters())
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert not torch.nn.modules.module._global_forward_hooks


def test_callback_with_stop_on_nan_in_any_order():
    for before in (True, False):
        monitor = Monitor(say=None)
        others = [StopOnNaN()] if before else []
        trainer = trainer_with(monitor, callbacks=others)
        if not before:
            trainer.callbacks.append(StopOnNaN())
            trainer.hooks["backward_end"].append(trainer.callbacks[-1].on_backward_end)
        with pytest.raises(FloatingPointError):
            trainer.fit(spoil(batches(), 20))
        assert first(monitor) == ("non-finite-input", "error")
        assert monitor.report.findings[0].evidence["step"] == 20
        bare(trainer.model, trainer.optimizer)


def test_callback_mixed_precision():
    monitor = Monitor(say=None)
    trainer_with(monitor, amp_dtype=torch.bfloat16).fit(list(batches()))
    assert monitor.report.findings == []
    assert monitor.skipped == {}


@pytest.mark.parametrize("steps", [5, 30, 70])
def test_resumed_as_if_nothing_had_happened(tmp_path, steps):
    data = list(batches(steps=steps))

    def run(monitor):
        torch.manual_seed(0)
        model = mlp(dropout=0.1)
        nn.init.constant_(model[0].bias[4:], -50.0)
        return trainer_with(monitor, model)

    whole = Monitor(say=None)
    run(whole).fit(data, epochs=4)
    half_way, lines = run(Monitor(say=None)), []
    half_way.fit(data, epochs=2)
    save_checkpoint(half_way, tmp_path / "last.pt")
    monitor = Monitor(say=lines.append)
    trainer = run(monitor)
    resume(trainer, tmp_path / "last.pt")
    trainer.fit(data, epochs=4)
    assert repr(monitor.report) == repr(whole.report)
    assert monitor.seen.losses == whole.seen.losses
    assert monitor.seen.steps == whole.seen.steps
    if half_way.callbacks[0].findings:
        assert lines == []  # said before


# What is left behind


def test_nothing_is_changed():
    """The same weights, random numbers and gradients with and without."""

    def run(watched):
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        model = nn.Sequential(cnn(), nn.Dropout(0.3))
        optimizer = torch.optim.Adam(model.parameters())
        monitor = Monitor(every=3, say=None)
        if watched:
            monitor.watch(model, optimizer)
        for x, y in batches("picture", steps=20):
            loss = CE(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if watched:
                monitor.step(loss)
        monitor.close()
        bare(model, optimizer)
        state = model.state_dict() | {f"grad {n}": p.grad for n, p in model.named_parameters()}
        return state, torch.get_rng_state(), random.getstate(), np.random.get_state()[1]  # noqa: NPY002

    (a, *states), (b, *others) = run(False), run(True)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert torch.equal(states[0], others[0])
    assert states[1] == others[1]
    assert np.array_equal(states[2], others[2])


def test_copied_and_saved_in_the_middle():
    model = cnn()
    optimizer = torch.optim.Adam(model.parameters())
    x, y = next(batches("picture"))
    with Monitor(every=1, say=None).watch(model, optimizer) as monitor:
        for _ in range(3):
            loss = CE(model(x), y)
            for moment in range(2):
                twin = copy.deepcopy(copy.deepcopy(model))
                file = io.BytesIO()
                torch.save(model, file)
                file.seek(0)
                loaded = torch.load(file, weights_only=False)
                pickle.loads(pickle.dumps(optimizer))
                copy.deepcopy(optimizer)
                heard = len(monitor.eyes.ear.heard)
                for other in (twin, loaded):
                    CE(other(x), y).backward()
                assert len(monitor.eyes.ear.heard) == heard
                if moment == 0:
                    optimizer.zero_grad()
                    loss.backward()
            optimizer.step()
            monitor.step(loss)
    assert monitor.report.findings == []
    pickled = pickle.dumps(model)
    assert b"dlsteps.clinic" not in pickled


def test_a_pickle_needs_nothing_of_the_clinic():
    model = nn.Linear(2, 2)
    with Monitor(say=None).watch(model, torch.optim.SGD(model.parameters(), lr=0.1)):
        assert b"dlsteps" not in pickle.dumps(model)


def test_said_once_in_one_line():
    lines = []
    monitor = Monitor(say=lines.append)
    trainer_with(monitor, mlp(), lr=10.0).fit(list(batches(steps=200)))
    errors = [finding.code for finding in monitor.report.findings]
    assert errors[0] == "learning-rate-too-high"
    said = [line.partition(" (")[0] + line.partition(") ")[2].partition(":")[0] for line in lines]  # severity and code
    assert len(said) == len(set(said)) > 0
    assert not any("\n" in line for line in lines)
    assert all(code in CODES for code in errors)


def test_silent():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        train(mlp().eval(), batches(steps=10), zero=False)
    assert out.getvalue() == ""


def test_what_goes_wrong_in_a_look_does_not_stop_the_run(monkeypatch):
    def fail(*args):
        raise RuntimeError("no\nmore")

    monkeypatch.setattr("dlsteps.clinic.monitor_checks.looks.spread", fail)
    monkeypatch.setattr("dlsteps.clinic.monitor_checks.looks.always_zero", fail)
    model = mlp()
    with Monitor(say=None).watch(model, torch.optim.Adam(model.parameters())) as monitor:
        for x, y in batches(steps=10):
            loss = CE(model(x), y)
            model.zero_grad()
            loss.backward()
            monitor.eyes.optimizers[0].step()
            monitor.step(loss)
    assert set(monitor.report.skipped.values()) == {"RuntimeError: no"}


def test_a_lazy_device(monkeypatch):
    """On a GPU losses are read only now and then; which step was the first and why is known all the same."""
    monkeypatch.setattr("dlsteps.clinic.monitor_checks.monitor.lazy", lambda loss: True)
    monitor = train(mlp(), spoil(batches(), 37))
    assert first(monitor) == ("non-finite-input", "error")
    assert monitor.report.findings[0].evidence["step"] == 37
    model = mlp()
    assert first(train(model, batches(steps=150), sgd(100.0)(model))) == ("learning-rate-too-high", "error")


def test_misuse():
    with pytest.raises(RuntimeError, match="watch"):
        Monitor().step(1.0)
    with pytest.raises(RuntimeError, match="watch"):
        Monitor().epoch()
    with pytest.raises(ValueError, match="every is 0"):
        Monitor(every=0)
    assert isinstance(Monitor(), Callback)
