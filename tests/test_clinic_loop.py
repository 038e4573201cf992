"""check_loop: planted bugs are named first, healthy loops give no error, and nothing is changed."""

import copy
import functools
import random
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.clinic import check_loop
from dlsteps.clinic.loop_checks.recording import record
from dlsteps.clinic.loop_checks.replay import Samples
from dlsteps.models import ConvNet


# tasks: (make_model, tensors of the data set, loss_fn); all tiny
def task(name, seed=0, n=45):
    g = torch.Generator().manual_seed(seed)
    vectors, pictures = torch.randn(n, 6, generator=g), torch.randn(n, 3, 8, 8, generator=g)
    series, tokens = torch.randn(n, 5, 4, generator=g), torch.randint(0, 20, (n, 5), generator=g)
    labels, tags = torch.randint(0, 4, (n,), generator=g), torch.randint(0, 2, (n, 3), generator=g).float()
    number, steps = torch.randn(n, 1, generator=g), torch.randint(0, 4, (n, 5), generator=g)
    ce, mse = nn.CrossEntropyLoss(), F.mse_loss
    return {
        "mlp": (lambda: mlp(4), (vectors, labels), ce),
        "dropout": (lambda: mlp(4, nn.Dropout(0.5)), (vectors, labels), F.cross_entropy),
        "batchnorm": (lambda: mlp(4, nn.BatchNorm1d(8)), (vectors, labels), ce),
        "cnn": (cnn, (pictures, labels), ce),
        "course": (lambda: ConvNet(3, 4), (torch.randn(n, 3, 64, 64, generator=g), labels), ce),
        "lstm": (lambda: Recurrent(nn.LSTM), (series, labels), ce),
        "gru": (lambda: Recurrent(nn.GRU), (series, labels), F.cross_entropy),
        "transformer": (Transformer, (series, labels), ce),
        "embedding": (Embedded, (tokens, labels), ce),
        "sequence": (Tagger, (tokens, steps), ce),
        "autoencoder": (lambda: mlp(6, nn.Tanh()), (vectors, vectors.clone()), nn.MSELoss()),
        "regression": (lambda: mlp(1), (vectors, number), mse),
        "huber": (lambda: mlp(1, nn.LayerNorm(8)), (vectors, number), nn.HuberLoss()),
        "multilabel": (lambda: mlp(3), (vectors, tags), nn.BCEWithLogitsLoss()),
        "binary": (lambda: mlp(1), (vectors, tags[:, :1]), F.binary_cross_entropy_with_logits),
        "frozen": (frozen_backbone, (vectors, labels), ce),
        "own loss": (lambda: mlp(1), (vectors, number), lambda output, y: (output - y).abs().mean()),
        "summed loss": (lambda: mlp(1), (vectors, number), nn.MSELoss(reduction="sum")),
    }[name]


def mlp(outputs, middle=None):
    return nn.Sequential(nn.Linear(6, 8), middle or nn.Identity(), nn.ReLU(), nn.Linear(8, outputs))


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * 36, 4)
    )


def frozen_backbone():
    model = mlp(4, nn.BatchNorm1d(8))
    for part in model[:2]:
        part.requires_grad_(False)
    return model


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.body, self.head = kind(4, 6, num_layers=2, dropout=0.2, batch_first=True), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.body(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.head = nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.body(x).mean(1))


class Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(20, 6), nn.Linear(6, 4)

    def forward(self, tokens):
        return self.head(self.table(tokens).mean(1))


class Tagger(Embedded):
    def forward(self, tokens):
        return self.head(self.table(tokens)).transpose(1, 2)  # (B, K, T)


ALL = [
    "mlp", "dropout", "batchnorm", "cnn", "lstm", "gru", "transformer", "embedding", "sequence", "autoencoder",
    "regression", "huber", "multilabel", "binary", "frozen", "own loss", "summed loss",
]  # fmt: skip


def sgd(model):
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05, momentum=0.9)


def loaders(tensors, batch_size=10):
    dataset = TensorDataset(*tensors)
    return DataLoader(dataset, batch_size, shuffle=True), DataLoader(dataset, batch_size)


def check(train, evaluate, kind="mlp", optimizer=sgd, model=None, **options):
    make_model, tensors, loss_fn = task(kind)
    return check_loop(train, evaluate, model or make_model, optimizer, *loaders(tensors, **options), loss_fn)


# the loops that are right
def train(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    model.eval()
    total = count = 0
    for x, y in loader:
        total, count = total + loss_fn(model(x), y).item() * len(x), count + len(x)
    return total / count


def train_sum(model, loader, loss_fn, optimizer):  # of a loss that is a sum itself
    model.train()
    total = 0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader.dataset)


@torch.inference_mode()
def evaluate_sum(model, loader, loss_fn):
    model.eval()
    return sum(loss_fn(model(x), y).item() for x, y in loader) / len(loader.dataset)


@pytest.mark.parametrize("kind", ALL)
def test_healthy_programs_give_no_error(kind):
    loops = (train_sum, evaluate_sum) if kind == "summed loss" else (train, evaluate)
    report = check(*loops, kind, optimizer=functools.partial(sgd) if kind != "summed loss" else small_steps)
    assert report.ok, report
    assert not report.findings, report


def small_steps(model):
    return torch.optim.SGD(model.parameters(), lr=0.001)


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "Adadelta", "LBFGS"])
def test_any_optimizer(kind):
    def with_closure(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for x, y in loader:

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = loss_fn(model(x), y)
                loss.backward()
                return loss

            total, count = total + optimizer.step(closure).item() * len(x), count + len(x)
        return total / count

    loop = with_closure if kind == "LBFGS" else train
    report = check(loop, evaluate, optimizer=lambda model: getattr(torch.optim, kind)(model.parameters()))
    assert not report.findings, report


# other loops that are right
def clear_at_the_end(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def accumulates(model, loader, loss_fn, optimizer, every=2):
    model.train()
    total = count = 0
    for number, (x, y) in enumerate(loader, 1):
        loss = loss_fn(model(x), y)
        (loss / every).backward()
        if number % every == 0:
            optimizer.step()
            optimizer.zero_grad()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def with_scaler(model, loader, loss_fn, optimizer):
    scaler = torch.amp.GradScaler("cpu")
    model.train()
    total = count = 0
    for x, y in loader:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_fn(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def with_bar_and_schedule(model, loader, loss_fn, optimizer):
    from tqdm import tqdm

    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=len(loader))
    model.train()
    mean = count = 0
    for x, y in (bar := tqdm(loader)):
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        count += len(x)
        mean += (loss.item() - mean) * len(x) / count
        bar.set_postfix(loss=mean)
    print("done")
    return torch.tensor(mean)


def mixes(model, loader, loss_fn, optimizer):  # mixup
    model.train()
    total = count = 0
    for x, y in loader:
        order, share = torch.randperm(len(x)), random.random()
        output = model(share * x + (1 - share) * x[order])
        loss = share * loss_fn(output, y) + (1 - share) * loss_fn(output, y[order])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def shuffles_pairs(model, loader, loss_fn, optimizer):
    model.train()
    for x, y in loader:
        order = torch.randperm(len(x))
        x, y = (x[order] - 0.1) / 2, y[order]
        optimizer.zero_grad()
        loss = loss_fn(model(x), y) + 1e-3 * sum(p.square().sum() for p in model.parameters())
        loss.backward()
        optimizer.step()


def sharpness_aware(model, loader, loss_fn, optimizer):  # two passes a step; Foret et al., 2021
    model.train()
    for x, y in loader:
        loss_fn(model(x), y).backward()
        moves = [0.05 * p.grad for p in model.parameters()]
        with torch.no_grad():
            for p, move in zip(model.parameters(), moves, strict=True):
                p.add_(move)
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        with torch.no_grad():
            for p, move in zip(model.parameters(), moves, strict=True):
                p.sub_(move)
        optimizer.step()
        optimizer.zero_grad()
    return {"loss": 1.0}


def by_hand(model, loader, loss_fn, optimizer):
    model.train()
    for x, y in loader:
        model.zero_grad()
        loss_fn(model(x), y).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad


def averages_weights(model, loader, loss_fn, optimizer):  # and pickles nothing: a deep copy, called in between
    twin = copy.deepcopy(model)
    for x, y in loader:
        model.train()
        with torch.no_grad():
            hint = twin(x)
        optimizer.zero_grad()
        output = model(x)
        (loss_fn(output, y) + (output - hint).square().mean()).backward()
        optimizer.step()
        with torch.no_grad():
            for a, b in zip(twin.parameters(), model.parameters(), strict=True):
                a.lerp_(b, 0.1)


def parts_by_hand(model, loader, loss_fn, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        hidden = x
        for part in model:
            hidden = part(hidden)
        loss_fn(hidden, y).backward()
        optimizer.step()


def looks_in_between(
    model, loader, loss_fn, optimizer
):  # gradients for a log, before those of the last step are cleared
    model.train()
    for x, y in loader:
        loss = loss_fn(model(x), y)
        torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize(
    "loop",
    [
        clear_at_the_end, accumulates, functools.partial(accumulates, every=16),
        functools.partial(accumulates, every=4), with_scaler, with_bar_and_schedule, mixes,
        shuffles_pairs, sharpness_aware, by_hand, averages_weights,
        parts_by_hand, looks_in_between,
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["mlp", "batchnorm", "dropout"])
def test_unusual_loops_that_are_right(loop, kind):
    report = check(loop, evaluate, kind)
    assert report.ok, report
    assert not report.findings, report


# evaluations that are right
@torch.no_grad()
def evaluate_accuracy(model, loader, loss_fn, axis=1, scale=1.0):
    model.eval()
    total = right = count = 0
    for x, y in loader:
        logits = model(x)
        total, count = total + loss_fn(logits, y).item() * len(x), count + y.numel()
        right += (logits.argmax(axis) == y).sum().item()
    return {"loss": total / len(loader.dataset), "accuracy": scale * right / count}


@torch.no_grad()
def evaluate_threshold(model, loader, loss_fn):
    model.eval()
    pairs = [(model(x), y) for x, y in loader]
    logits, y = map(torch.cat, zip(*pairs, strict=True))
    return {"loss": loss_fn(logits, y).item(), "accuracy": ((logits > 0) == (y > 0.5)).float().mean()}


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("mlp", evaluate_accuracy),
        ("cnn", functools.partial(evaluate_accuracy, scale=100)),
        ("transformer", functools.partial(evaluate_accuracy, axis=-1)),
        ("mlp", functools.partial(evaluate_accuracy, scale=0.25)),  # divided by the length of something else
        ("sequence", evaluate_accuracy),
        ("binary", evaluate_threshold),
        ("multilabel", evaluate_threshold),
    ],
)
def test_evaluations_that_are_right(kind, function):
    report = check(train, function, kind)
    assert not report.findings, report
    assert "wrong-argmax-axis" not in report.skipped


# planted bugs, by what differs from the loops above
def broken_train(
    clear=True, mode="train", weigh="samples", labels=None, inputs=None, cut=None, step=True, backward=True, swap=None,
    squeeze=False,
):  # fmt: skip
    def train(model, loader, loss_fn, optimizer):
        if mode is not None:
            model.train(mode == "train")
        if swap is not None:
            model, optimizer = swap(model, optimizer)
        losses, sizes, last = [], [], None
        for x, y in loader:
            last, y = y, labels(y, last) if labels else y
            output = model(inputs(x) if inputs else x)
            output = output.detach().requires_grad_() if cut == "output" else output
            loss = loss_fn(output.squeeze(1) if squeeze else output, y)
            if cut == "loss":
                loss = torch.tensor(loss.item(), requires_grad=True)
            if clear:
                optimizer.zero_grad()
            if backward:
                loss.backward()
            if clear == "too late":
                optimizer.zero_grad()
            if step:
                optimizer.step()
            losses.append(loss.item())
            sizes.append(len(x))
        return average(losses, sizes, weigh)

    return train


def test_a_softmax_in_the_loop_that_the_loss_takes_itself():
    class Squashing:
        def __init__(self, model):
            self.model = model

        def train(self):
            self.model.train()

        def __call__(self, x):
            return self.model(x).softmax(dim=1)

    def squashed_train(model, loader, loss_fn, optimizer):
        return train(Squashing(model), loader, loss_fn, optimizer)

    assert_first(check(squashed_train, evaluate), "softmax-before-cross-entropy")


def average(losses, sizes, weigh):
    if weigh == "last":
        return losses[-1]
    if weigh == "batches":
        return sum(losses) / len(losses)
    if weigh == "mixed":
        return sum(losses) / sum(sizes)
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


def broken_evaluate(mode="eval", grad=False, weigh="samples", after=None, labels=None, inputs=None):
    def evaluate(model, loader, loss_fn):
        if mode is not None:
            model.train(mode == "train")
        with torch.set_grad_enabled(grad):
            losses, sizes = [], []
            for x, y in loader:
                loss = loss_fn(model(inputs(x) if inputs else x), labels(y) if labels else y)
                if after:
                    after(model, loss)
                losses.append(loss.item())
                sizes.append(len(x))
        return average(losses, sizes, weigh)

    return evaluate


def shuffled(y, last=None):
    return y[torch.randperm(len(y))]


def other_model(model, optimizer):
    twin = copy.deepcopy(model)
    return twin, sgd(twin)


TRAINING = [
    ("missing-zero-grad", {"clear": False}, ["mlp", "cnn", "lstm", "regression", "embedding", "dropout", "frozen"]),
    ("wrong-mode-in-training", {"mode": "eval"}, ["batchnorm", "dropout", "cnn", "lstm", "transformer"]),
    ("wrong-mode-in-training", {"mode": None}, ["batchnorm", "dropout", "cnn", "gru", "transformer"]),
    ("loss-of-last-batch-only", {"weigh": "last"}, ["mlp", "cnn", "regression", "multilabel", "lstm"]),
    ("loss-not-weighted-by-batch", {"weigh": "batches"}, ["mlp", "cnn", "regression", "binary", "transformer"]),
    ("loss-not-weighted-by-batch", {"weigh": "mixed"}, ["mlp", "regression", "sequence"]),
    ("labels-shuffled-against-inputs", {"labels": shuffled}, ["mlp", "cnn", "regression", "multilabel", "sequence"]),
    ("input-ignored", {"inputs": torch.zeros_like}, ["mlp", "cnn", "gru", "embedding"]),
    ("input-ignored", {"inputs": torch.randn_like}, ["mlp", "cnn", "regression"]),
    ("detached-graph", {"cut": "output"}, ["mlp", "lstm", "regression"]),
    ("detached-graph", {"cut": "loss"}, ["mlp", "cnn", "multilabel"]),
    ("parameter-not-in-optimizer", {"step": False}, ["mlp", "cnn"]),
    ("no-gradient", {"backward": False}, ["mlp", "transformer"]),
    ("no-gradient", {"clear": "too late"}, ["mlp", "cnn"]),
    ("optimizer-of-another-model", {"swap": other_model}, ["mlp", "cnn"]),
    ("optimizer-of-another-model", {"swap": lambda model, _: (model, sgd(model))}, ["mlp", "lstm"]),
]
EVALUATION = [
    ("wrong-mode-in-evaluation", {"mode": None}, ["batchnorm", "dropout", "cnn", "lstm", "transformer"]),
    ("wrong-mode-in-evaluation", {"mode": "train"}, ["batchnorm", "dropout", "cnn"]),
    ("graph-kept-in-evaluation", {"grad": True}, ["mlp", "cnn", "lstm", "embedding"]),
    ("loss-of-last-batch-only", {"weigh": "last"}, ["mlp", "cnn", "autoencoder"]),
    ("loss-not-weighted-by-batch", {"weigh": "batches"}, ["mlp", "cnn", "regression", "gru", "multilabel", "huber"]),
    ("labels-shuffled-against-inputs", {"labels": shuffled}, ["mlp", "cnn", "regression"]),
    ("input-ignored", {"inputs": torch.zeros_like}, ["mlp", "cnn"]),
]


def each(rows):
    return [(code, options, kind) for code, options, kinds in rows for kind in kinds]


@pytest.mark.parametrize(("code", "options", "kind"), each(TRAINING))
def test_bugs_in_training_are_named_first(code, options, kind):
    assert_first(check(broken_train(**options), evaluate, kind), code)


@pytest.mark.parametrize(("code", "options", "kind"), each(EVALUATION))
def test_bugs_in_evaluation_are_named_first(code, options, kind):
    assert_first(check(train, broken_evaluate(**options), kind), code)


def assert_first(report, code):
    assert report.findings, report
    assert (report.findings[0].code, report.findings[0].severity) == (code, "error"), report
    assert not report.ok


@pytest.mark.parametrize("kind", ["mlp", "regression"])
def test_labels_of_the_batch_before(kind):
    def before(y, last):
        return y if last is None else last[: len(y)]

    assert_first(check(broken_train(labels=before), evaluate, kind), "labels-shuffled-against-inputs")


@pytest.mark.parametrize("kind", ["mlp", "cnn", "regression", "embedding"])
def test_inputs_of_the_first_batch_again_and_again(kind):
    def stuck(model, loader, loss_fn, optimizer):
        model.train()
        first, _ = next(iter(loader))
        total = 0
        for _, y in loader:
            loss = loss_fn(model(first[: len(y)]), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        return total / len(loader.dataset)

    report = check(stuck, evaluate, kind)
    assert_first(report, "input-ignored")
    assert "the inputs of the first" in report.findings[0].message
    assert "labels-shuffled-against-inputs" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    "hand", [lambda x: (x, torch.linspace(0, 1, 6)), lambda x: (x.numpy(),)], ids=["place", "NumPy"]
)
def test_what_the_model_gets_may_stay_the_same_or_be_no_tensor(hand):
    class Placed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 4)

        def forward(self, x, place=0):
            return self.layer(torch.as_tensor(x) + place)

    class Handing:
        def __init__(self, model):
            self.model, self.train, self.eval, self.parameters = model, model.train, model.eval, model.parameters

        def __call__(self, x):
            return self.model(*hand(x))

    def handed_train(model, loader, loss_fn, optimizer):
        return train(Handing(model), loader, loss_fn, optimizer)

    def handed_evaluate(model, loader, loss_fn):
        return evaluate(Handing(model), loader, loss_fn)

    _, tensors, loss_fn = task("mlp")
    report = check_loop(handed_train, handed_evaluate, Placed, sgd, *loaders(tensors), loss_fn)
    assert report.ok, report


@pytest.mark.parametrize("kind", ["regression", "own loss"])
def test_stretched_shapes(kind):
    report = check(broken_train(squeeze=True), evaluate, kind)
    assert_first(report, "shape-broadcast-in-loss")
    assert report.findings[0].evidence["compared"] == 64


def step_on_validation(model, loss):
    with torch.no_grad():
        next(model.parameters()).mul_(0.9)


@pytest.mark.parametrize("kind", ["mlp", "cnn", "embedding"])
def test_evaluation_that_changes_weights(kind):
    report = check(train, broken_evaluate(after=step_on_validation), kind)
    assert_first(report, "evaluation-changes-model")


def test_evaluation_in_train_mode_changes_batchnorm():
    codes = [finding.code for finding in check(train, broken_evaluate(mode="train"), "batchnorm").findings]
    assert codes == ["wrong-mode-in-evaluation", "evaluation-changes-model"]


def wrong_accuracy(kind):
    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        total = right = count = 0
        for x, y in loader:
            logits = model(x)
            total, count = total + loss_fn(logits, y).item() * len(x), count + len(x)
            right += kind(logits, y)
        return {"loss": total / count, "accuracy": right / count}

    return evaluate


@pytest.mark.parametrize("kind", ["mlp", "cnn", "lstm"])
@pytest.mark.parametrize(
    "accuracy",
    [
        lambda logits, y: (logits.argmax() == y).sum().item(),
        lambda logits, y: (logits.max(1)[0] == y).sum().item(),
        lambda logits, y: (logits.argmax(1, keepdim=True) == y).sum().item(),
        lambda logits, y: (logits.softmax(0).argmax(1) == y).sum().item(),
    ],
)
def test_wrong_accuracies(accuracy, kind):
    assert_first(check(train, wrong_accuracy(accuracy), kind), "wrong-argmax-axis")


def test_argmax_over_the_samples_where_it_does_not_crash():
    def accuracy(logits, y):
        return (logits.argmax(0) == y).sum().item()

    assert_first(check(train, wrong_accuracy(accuracy), batch_size=4), "wrong-argmax-axis")
    report = check(train, wrong_accuracy(accuracy))
    assert "evaluate" in report.skipped


def test_argmax_of_a_single_output():
    report = check(train, wrong_accuracy(lambda logits, y: (logits.argmax(1) == y[:, 0]).sum().item()), "binary")
    assert_first(report, "wrong-argmax-axis")


@pytest.mark.parametrize("kind", ["mlp", "cnn", "transformer"])
def test_optimizers_of_other_weights(kind):
    make_model = task(kind)[0]
    assert_first(check(train, evaluate, kind, lambda _: sgd(make_model())), "optimizer-of-another-model")

    def most(model):
        return torch.optim.SGD(list(model.parameters())[:-2], lr=0.05)

    report = check(train, evaluate, kind, most)
    assert_first(report, "parameter-not-in-optimizer")
    names = [name for name, _ in make_model().named_parameters()]
    assert report.findings[0].evidence["parameters"] == names[-2:]


def test_a_cut_between_two_parts():
    def train(model, loader, loss_fn, optimizer):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model[3](model[:3](x).detach()), y).backward()
            optimizer.step()

    report = check(train, evaluate)
    assert_first(report, "detached-graph")
    assert "0.weight" in report.findings[0].message


def test_training_without_gradients_fails_and_is_named():
    report = check(torch.no_grad()(train), evaluate)
    assert_first(report, "detached-graph")
    assert "train_one_epoch" in report.skipped


def far_too_large():
    model = nn.Sequential(*[nn.Linear(6, 6) for _ in range(8)], nn.Linear(6, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8)
    return model


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_gradients_that_explode(rate):
    report = check(train, evaluate, "regression", lambda m: torch.optim.SGD(m.parameters(), rate), far_too_large)
    assert_first(report, "exploding-gradient")


@pytest.mark.parametrize("kind", ["regression", "autoencoder"])
def test_learning_rate_far_too_high(kind):
    report = check(train, evaluate, kind, lambda model: torch.optim.SGD(model.parameters(), lr=50.0))
    assert_first(report, "learning-rate-too-high")


def test_batches_of_one_size_may_be_averaged():
    for options in ({"batch_size": 9}, {"batch_size": 15}):
        report = check(broken_train(weigh="batches"), evaluate, **options)
        assert report.ok, report
        assert [finding.code for finding in report.findings] == ["loss-not-weighted-by-batch"]


def test_modes_without_effect_are_advice():
    report = check(broken_train(mode="eval"), broken_evaluate(mode="train"))
    assert report.ok
    assert {finding.code for finding in report.findings} == {"wrong-mode-in-training", "wrong-mode-in-evaluation"}


# stranger programs that are right
def predicts_noise(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for x, _ in loader:
        noise = torch.randn_like(x)
        loss = loss_fn(model(x + noise), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def own_targets(model, loader, loss_fn, optimizer):  # they depend on the weights, as in Q-learning
    for x, y in loader:
        with torch.no_grad():
            target = y + 0.9 * model(x + 1)
        optimizer.zero_grad()
        loss_fn(model(x), target).backward()
        optimizer.step()


class Probe(nn.Module):
    def __init__(self, cut):
        super().__init__()
        self.body, self.head, self.cut = nn.Linear(6, 8), nn.Linear(8, 4), cut

    def forward(self, x):
        with torch.set_grad_enabled(self.cut != "no_grad"):
            hidden = self.body(x).relu()
        return self.head(hidden.detach() if self.cut == "detach" else hidden)


def test_stranger_programs_that_are_right():
    for loop, kind in ((predicts_noise, "autoencoder"), (own_targets, "regression")):
        assert not check(loop, None, kind).findings
    assert not check(train, evaluate, model=lambda: Probe("no_grad")).findings  # a frozen body, on purpose


def test_a_cut_inside_forward():
    report = check(train, evaluate, model=lambda: Probe("detach"))
    assert_first(report, "detached-graph")
    assert report.findings[0].evidence["parameters"] == ["body.weight", "body.bias"]


def never_clears(model, loader, loss_fn, optimizer, every=1):
    model.train()
    for number, (x, y) in enumerate(loader, 1):
        (loss_fn(model(x), y) / every).backward()
        if number % every == 0:
            optimizer.step()


def closure_never_clears(model, loader, loss_fn, optimizer):
    for x, y in loader:

        def closure(x=x, y=y):
            loss = loss_fn(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)


@pytest.mark.parametrize("every", [1, 2, 4, 16])
def test_gradients_that_are_never_cleared(every):
    assert_first(check(functools.partial(never_clears, every=every), evaluate, "cnn"), "missing-zero-grad")


def test_a_closure_that_never_clears():
    report = check(closure_never_clears, evaluate, optimizer=lambda m: torch.optim.LBFGS(m.parameters(), lr=0.01))
    assert_first(report, "missing-zero-grad")


@pytest.mark.parametrize("order", [lambda y: y.flip(0), lambda y: y.roll(1, 0), lambda y: y.sort(0)[0]])
@pytest.mark.parametrize("kind", ["mlp", "regression"])
def test_labels_in_another_order(order, kind):
    report = check(broken_train(labels=lambda y, last: order(y)), evaluate, kind)
    assert_first(report, "labels-shuffled-against-inputs")


def test_evaluation_in_the_middle_of_an_epoch_leaves_eval_mode():
    def looks(model, loader, loss_fn, optimizer):
        model.train()
        for number, (x, y) in enumerate(loader):
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
            if number == 1:
                evaluate(model, loader, loss_fn)

    report = check(looks, evaluate, "cnn")
    assert_first(report, "wrong-mode-in-training")
    assert report.findings[0].evidence["in_eval_mode"] == 2


# kinds of batches
def test_dict_batches_and_several_inputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(12, 4)

        def forward(self, a, b):
            return self.head(torch.cat([a, b], 1))

    (x, y), loss_fn = task("mlp")[1:]
    data = [{"a": a, "b": -a, "label": label} for a, label in zip(x, y, strict=True)]

    def over(step):
        def train(model, loader, loss_fn, optimizer):
            for batch in loader:
                optimizer.zero_grad()
                loss_fn(model(batch["a"], batch["b"]), step(batch["label"])).backward()
                optimizer.step()

        return train

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        n = len(loader.dataset)
        return sum(loss_fn(model(b["a"], b["b"]), b["label"]).item() * len(b["label"]) for b in loader) / n

    def report(function):
        loader = DataLoader(data, 10)
        return check_loop(function, evaluate, Two, sgd, loader, loader, loss_fn)

    assert not [f for f in report(over(lambda y: y)).findings if f.severity == "error"]
    assert_first(report(over(shuffled)), "labels-shuffled-against-inputs")


def test_time_first():
    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.GRU(4, 6), nn.Linear(6, 4)

        def forward(self, x):  # (T, B, F)
            return self.head(self.body(x)[0][-1])

    (x, y), loss_fn = task("gru")[1:]
    batches = [(x[i : i + 9].transpose(0, 1), y[i : i + 9]) for i in range(0, 45, 9)]

    def over(shuffle):
        def train(model, loader, loss_fn, optimizer):
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(model(x), shuffled(y) if shuffle else y).backward()
                optimizer.step()

        return train

    def report(shuffle):
        return check_loop(over(shuffle), None, First, sgd, batches, None, loss_fn)

    assert not report(False).findings
    assert_first(report(True), "labels-shuffled-against-inputs")


def test_batches_that_cannot_be_joined():
    (x, y), loss_fn = task("embedding")[1:]
    batches = [(x[i : i + 9, : 3 + i % 3], y[i : i + 9]) for i in range(0, 40, 8)]
    report = check_loop(train, evaluate, Embedded, sgd, batches, batches, loss_fn)
    assert report.ok, report
    assert_first(
        check_loop(broken_train(clear=False), evaluate, Embedded, sgd, batches, batches, loss_fn), "missing-zero-grad"
    )


# bad input
def broken(*_):
    raise ValueError("no such file")


def test_functions_that_fail_end_no_other_check():
    report = check(broken, broken_evaluate(mode="train"), "batchnorm")
    assert report.skipped["train_one_epoch"] == "ValueError: no such file"
    assert_first(report, "wrong-mode-in-evaluation")
    report = check(broken_train(clear=False), broken)
    assert report.skipped["evaluate"] == "ValueError: no such file"
    assert_first(report, "missing-zero-grad")
    report = check(train, evaluate, model=broken)
    assert not report.findings
    assert report.skipped["make_model, make_optimizer"] == "ValueError: no such file"
    assert "no nn.Module" in check(train, evaluate, model=lambda: 3).skipped["make_model, make_optimizer"]


def test_functions_that_return_nothing_or_print_or_plot(capsys):
    import matplotlib.pyplot as plt

    def loud(model, loader, loss_fn, optimizer):
        train(model, loader, loss_fn, optimizer)
        print("epoch done")
        plt.figure()
        plt.show()

    before = plt.get_fignums()
    report = check(loud, lambda *arguments: None)
    assert report.ok
    assert "None" in report.skipped["loss of train_one_epoch"]
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == before


def test_loaders_that_cannot_be_read():
    make_model, tensors, loss_fn = task("mlp")
    good, _ = loaders(tensors)
    once = iter(list(good))
    report = check_loop(train, evaluate, make_model, sgd, once, [], loss_fn)
    assert "once" in report.skipped["train_loader"]
    assert report.skipped["valid_loader"] == "it gives no batch"
    assert len(list(once)) == 5

    class Endless:
        def __iter__(self):
            while True:
                yield from good

    report = check_loop(broken_train(clear=False), evaluate, make_model, sgd, Endless(), Endless(), loss_fn)
    assert_first(report, "missing-zero-grad")


def test_a_function_that_never_ends():
    def endless(model, loader, loss_fn, optimizer):
        while True:
            train(model, loader, loss_fn, optimizer)

    report = check(endless, evaluate)
    assert "TooLong" in report.skipped["train_one_epoch"]


def test_a_function_that_reads_another_loader():
    make_model, tensors, loss_fn = task("mlp")
    mine, _ = loaders(tensors)

    def train_on_mine(model, loader, loss_fn, optimizer):
        return train(model, mine, loss_fn, optimizer)

    report = check_loop(train_on_mine, evaluate, make_model, sgd, mine, mine, loss_fn)
    assert report.ok, report
    assert "does not read the loader" in report.skipped["input-ignored in train_one_epoch"]


# nothing is changed
def everything(*things):
    states = [copy.deepcopy(thing.state_dict()) for thing in things]
    return states, torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002


def flat(thing):
    if isinstance(thing, dict):
        return [value for key in sorted(thing, key=str) for value in [str(key), *flat(thing[key])]]
    if isinstance(thing, list | tuple):
        return [value for part in thing for value in flat(part)]
    return [thing.tolist() if isinstance(thing, torch.Tensor | np.ndarray) else thing]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_changed(fails):
    """Not even of a model, an optimizer, a scheduler and a list that the functions reach by name."""
    _, tensors, loss_fn = task("cnn")
    model = cnn()
    optimizer = torch.optim.Adam(model.parameters())
    generator = torch.Generator().manual_seed(5)
    loader = DataLoader(TensorDataset(*tensors), 10, shuffle=True, generator=generator)
    train(model, [next(iter(loader))], loss_fn, optimizer)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    history, modes = [1.0], [part.training for part in model.modules()]
    gradients = [parameter.grad.clone() for parameter in model.parameters()]

    def train_mine(net, loader, loss_fn, _):
        model.eval()
        history.append(train(model, loader, loss_fn, optimizer))
        scheduler.step()
        if fails:
            raise ValueError
        return train(net, loader, loss_fn, optimizer)

    before, place = everything(model, optimizer, scheduler), generator.get_state()
    check_loop(train_mine, evaluate, lambda: model, lambda _: optimizer, loader, loader, loss_fn)
    assert flat(everything(model, optimizer, scheduler)) == flat(before)
    assert torch.equal(generator.get_state(), place)
    assert (history, [part.training for part in model.modules()]) == ([1.0], modes)
    assert all(torch.equal(p.grad, old) for p, old in zip(model.parameters(), gradients, strict=True))
    hooks = [m._forward_hooks or m._forward_pre_hooks for m in [*model.modules(), loss_fn]]
    assert not any(hooks)
    assert not any(parameter._backward_hooks for parameter in model.parameters())
    assert not _global_optimizer_pre_hooks


def test_the_next_batches_are_what_they_would_have_been():
    make_model, tensors, loss_fn = task("mlp")
    train_loader, valid_loader = loaders(tensors)
    torch.manual_seed(3)
    expected = [x for x, _ in train_loader]
    torch.manual_seed(3)
    check_loop(train, evaluate, make_model, sgd, train_loader, valid_loader, loss_fn)
    assert all(torch.equal(a, x) for a, (x, _) in zip(expected, train_loader, strict=True))


def test_what_the_functions_get_is_what_they_expect():
    seen = types.SimpleNamespace(all=[])  # a list of its own would be put back

    def looks(model, loader, loss_fn, optimizer):
        seen.all += [isinstance(model, nn.Module), isinstance(loss_fn, nn.Module), isinstance(loader, DataLoader)]
        seen.all += [len(loader) == len(list(loader)), loader.batch_size == 8, loader.dataset[0][0].shape == (6,)]
        seen.all += [len(loader.dataset) == sum(len(x) for x, _ in loader), len(loader.dataset.tensors) == 2]
        return train(model, loader, loss_fn, optimizer)

    assert check(looks, evaluate).ok
    assert len(seen.all) >= 16
    assert all(seen.all)


# the parts
def test_small_batches_end_with_a_short_one():
    loader, _ = loaders(task("mlp")[1])
    samples = Samples(loader)
    first, equal, own = samples.plans()
    assert [len(x) for x, _ in first] == [8, 8, 8, 3]
    assert [len(x) for x, _ in equal] == [8, 8, 8]
    assert [len(x) for x, _ in own] == [10, 10, 10, 10]
    for (x, y), (new_x, new_y), changed in ((a, *b) for a, b in zip(first, samples.exchanged(first), strict=True)):
        differ = (x != new_x).any(1).nonzero().flatten().tolist()
        assert set(differ) == set((y != new_y).nonzero().flatten().tolist()) == changed
        assert len(changed) == max(1, len(x) // 2)


def test_the_gradient_that_a_step_uses_is_that_of_its_batches():
    """The recorded norm against torch's own gradient of the same batch."""
    make_model, tensors, loss_fn = task("regression")
    loader, _ = loaders(tensors)
    samples = Samples(loader)
    batches = next(samples.plans())
    torch.manual_seed(0)
    model = make_model()
    x, y = batches[0]
    gradients = torch.autograd.grad(loss_fn(model(x), y), list(model.parameters()))
    run = record(train, model, batches, loader, loss_fn, sgd(model))
    expected = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    assert run.steps[0].norm == pytest.approx(expected, rel=1e-5)
    assert not run.stale
    assert all(step.given for step in run.steps)


class Scaled(nn.Module):
    """What it multiplies with is not in the state dict."""

    def __init__(self, draw):
        super().__init__()
        self.body, self.scale = mlp(4), draw()

    def forward(self, x):
        return self.body(x) * self.scale


@pytest.mark.parametrize("draw", [lambda: 1 + torch.rand(4), lambda: 1 + random.random()])
def test_what_a_new_model_draws_for_itself_is_not_saved(draw):
    report = check(train, evaluate, model=lambda: Scaled(draw))
    assert [(f.code, f.severity) for f in report.findings] == [("save-load-differs", "error")], report


def test_an_output_with_chance_in_it_survives():
    class Noisy(nn.Sequential):
        def forward(self, x):
            return super().forward(x) + torch.rand(())

    report = check(train, evaluate, model=lambda: Noisy(mlp(4)))
    assert "save-load-differs" not in [f.code for f in report.findings]
