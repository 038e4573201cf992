"""The trainer against a loop written by hand, and what it says about bad input."""

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

from dlsteps.training import (
    Callback,
    Checkpoint,
    ClipGradients,
    EarlyStopping,
    History,
    Progress,
    StopOnNaN,
    Trainer,
    accuracy,
    mean_absolute_error,
    top_k_accuracy,
)
from dlsteps.training.callbacks import EVENTS
from dlsteps.training.metrics import Averages

X = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
Y = (X.sum(dim=1) > 0).long()


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def make(callbacks=(), lr=0.1, model=None, **options):
    model = model or network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    options = {"device": "cpu"} | options
    return Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks, **options)


def batches(size=16):  # the last one is smaller
    return DataLoader(TensorDataset(X, Y), batch_size=size)


class Note(Callback):
    """Writes down every event."""

    def __init__(self):
        self.events = []


for event in EVENTS:
    setattr(Note, f"on_{event}", lambda self, trainer, event=event: self.events.append(event))


# The loop


def by_hand(epochs, clip=None):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=4 * epochs)
    for _ in range(epochs):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            scheduler.step()
    model.eval()
    with torch.no_grad():
        logits = model(X)
        return model, nn.functional.cross_entropy(logits, Y).item(), (logits.argmax(1) == Y).float().mean().item()


@pytest.mark.parametrize("clip", [None, 0.1])
def test_it_does_what_a_loop_by_hand_does(clip):
    trainer = make([ClipGradients(clip)] if clip else [], metrics={"accuracy": accuracy})
    trainer.scheduler = torch.optim.lr_scheduler.OneCycleLR(trainer.optimizer, 0.1, total_steps=12)
    history = trainer.fit(batches(), batches(), epochs=3)
    model, loss, share = by_hand(3, clip)
    for ours, theirs in zip(trainer.model.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert history[-1]["valid_loss"] == pytest.approx(loss, rel=1e-6)  # a mean over samples, not over batches
    assert history[-1]["valid_accuracy"] == pytest.approx(share)
    assert (trainer.epoch, trainer.step) == (3, 12)


def test_the_training_loss_is_a_mean_over_samples():
    trainer = make(lr=0.0)
    record = trainer.fit([(X[:48], Y[:48]), (X[48:], Y[48:])])[0]
    with torch.no_grad():
        trainer.model.train()
        sums = [
            nn.functional.cross_entropy(trainer.model(x), y, reduction="sum")
            for x, y in ((X[:48], Y[:48]), (X[48:], Y[48:]))
        ]
    assert record["train_loss"] == pytest.approx(sum(sums).item() / 50, rel=1e-5)


def test_evaluate_leaves_the_model_as_it_was():
    trainer = make()
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    assert set(trainer.evaluate(batches())) == {"valid_loss"}
    assert set(trainer.evaluate(batches(), "test")) == {"test_loss"}
    assert trainer.model.training
    assert all(torch.equal(before[name], value) for name, value in trainer.model.state_dict().items())
    assert all(value.grad is None for value in trainer.model.parameters())


def test_evaluate_brings_back_each_mode():
    trainer = make()
    trainer.model[1].eval()
    trainer.evaluate(batches())
    assert [part.training for part in trainer.model] == [True, False, True, True]
    with pytest.raises(ValueError, match="at least two"):
        trainer.evaluate([(X,)])
    assert [part.training for part in trainer.model] == [True, False, True, True]


def test_a_float16_loss_is_summed_without_overflow():
    averages = Averages("train", {}, torch.device("cpu"))
    averages.add(torch.tensor(300.0, dtype=torch.float16), None, torch.zeros(1000))
    assert averages.compute() == {"train_loss": 300.0}


def test_events_come_in_order():
    note = Note()
    make([note]).fit(batches(30), epochs=1)
    step = ["batch_start", "backward_end", "batch_end"]
    assert note.events == ["fit_start", "epoch_start", *step, *step, "epoch_end", "checkpoint", "fit_end"]


def test_a_step_knows_its_own_gradients_only():
    steps = []

    class Look(Callback):
        def on_batch_end(self, trainer):
            steps.append(trainer.model[0].weight.grad.clone())

    make([Look()]).fit(batches())
    trainer = make([Look()])
    for parameter in trainer.model.parameters():
        parameter.grad = torch.full_like(parameter, 1000.0)  # left over from something else
    trainer.fit(batches())
    half = len(steps) // 2
    assert half > 1
    assert all(torch.equal(*pair) for pair in zip(steps[:half], steps[half:], strict=True))


def test_max_steps_goes_through_everything_once(tmp_path):
    note = Note()
    trainer = make([note, Checkpoint(tmp_path)])
    history = trainer.fit(batches(), batches(), epochs=100, max_steps=2)
    assert (trainer.step, len(history)) == (2, 1)
    assert "valid_loss" in history[0]
    assert note.events[-3:] == ["epoch_end", "checkpoint", "fit_end"]
    assert (tmp_path / "last.pt").exists()
    trainer.fit(batches(), epochs=100, max_steps=3)
    assert trainer.step == 5


def test_epochs_is_the_total():
    trainer = make()
    trainer.fit(batches(), epochs=2)
    trainer.fit(batches(), epochs=2)
    assert len(trainer.history) == 2
    trainer.fit(batches(), epochs=3)
    assert trainer.history["epoch"] == [0, 1, 2]


def test_stop_ends_at_once():
    class Enough(Callback):
        def on_batch_end(self, trainer):
            trainer.stop = trainer.step == 3

    trainer = make([Enough()])
    trainer.fit(batches(10), epochs=5)
    assert (trainer.step, trainer.epoch) == (3, 1)


def test_what_is_random_depends_on_seed_and_epoch_only():
    def losses(seed, disturb):
        model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
        with torch.no_grad():
            for value in model.parameters():
                value.copy_(torch.linspace(-1, 1, value.numel()).view_as(value))
        trainer = make(model=model, seed=seed)
        if disturb:
            torch.rand(disturb)
        loader = DataLoader(
            TensorDataset(X, Y), 16, sampler=WeightedRandomSampler(torch.ones(50), 50, generator=torch.Generator())
        )
        return trainer.fit(loader, epochs=2)["train_loss"]

    assert losses(0, 0) == losses(0, 17)
    assert losses(0, 0) != losses(1, 0)
    assert losses(0, 0)[0] != losses(0, 0)[1]


def test_a_plateau_scheduler_steps_once_an_epoch_on_the_validation_loss():
    trainer = make(lr=0.0)
    trainer.scheduler = scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(trainer.optimizer, patience=0)
    other = Trainer(trainer.model, trainer.optimizer, trainer.loss_fn, scheduler=scheduler, device="cpu")
    other.fit(batches(), batches(), epochs=3)
    assert scheduler.last_epoch == 3
    assert scheduler.best == pytest.approx(other.history["valid_loss"][0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision(dtype):
    kinds = set()

    class Look(Callback):
        def on_batch_end(self, trainer):
            kinds.update((trainer.output.dtype, trainer.model[0].weight.dtype))

    trainer = make([Look()], amp_dtype=dtype)
    losses = trainer.fit(batches(), epochs=5)["train_loss"]
    assert kinds == {dtype, torch.float32}
    assert losses[-1] < losses[0]
    assert (trainer.scaler is not None) == (dtype is torch.float16)


# Batches


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, pixels):
        return self.layer(pixels)


class Graph:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def to(self, device):
        return Graph(self.x.to(device), self.y.to(device))


class OfGraphs(Named):
    def forward(self, graph):
        return self.layer(graph.x)


class Two(Named):
    def forward(self, first, second):
        return self.layer(first + second)


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("model", "batch"),
    [
        (Named, (X, Y)),
        (Named, [X, Y]),
        (Named, Pair(X, Y)),
        (Named, {"pixels": X, "label": Y}),
        (Named, {"labels": Y, "pixels": X}),
        (OfGraphs, Graph(X, Y)),
        (Two, (X / 2, X / 2, Y)),
    ],
)
def test_batches_of_many_kinds(model, batch):
    torch.manual_seed(0)
    trainer = make(model=model())
    assert trainer.evaluate([batch])["valid_loss"] == pytest.approx(
        nn.functional.cross_entropy(trainer.model.layer(X), Y).item()
    )
    trainer.fit([batch], epochs=2)
    assert trainer.history["train_loss"][1] < trainer.history["train_loss"][0]


@pytest.mark.parametrize(
    ("batch", "kind", "words"),
    [
        ({"pixels": X}, ValueError, "looked for under y, label, labels, target"),
        ((X,), ValueError, "at least two"),
        (X.numpy(), TypeError, "of type ndarray"),
    ],
)
def test_batches_that_cannot_be_taken_apart(batch, kind, words):
    with pytest.raises(kind, match=words):
        make().fit([batch])


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


def test_a_loader_of_unknown_length(capsys):
    trainer = make([Progress()])
    trainer.fit(DataLoader(Stream(), 16), epochs=2)
    assert trainer.step == 8


# Metrics and history


def test_metrics():
    logits = torch.tensor([[3.0, 2, 1], [1, 3, 2], [1, 2, 3]])
    y = torch.tensor([0, 2, 0])
    assert accuracy(logits, y).item() == pytest.approx(1 / 3)
    assert top_k_accuracy(2)(logits, y).item() == pytest.approx(2 / 3)
    assert mean_absolute_error(torch.tensor([1.0, 4]), torch.tensor([2.0, 2])).item() == 1.5


@pytest.mark.parametrize("value", [torch.ones(2), "0.5", None, [1.0]])
def test_a_metric_that_gives_nonsense_is_named(value):
    with pytest.raises(TypeError, match="metric 'wrong' gave"):
        make(metrics={"wrong": lambda output, target: value}).fit(batches())


def test_metrics_are_taken_without_gradients():
    wanted = []

    def metric(output, target):
        wanted.append((output * 1).requires_grad)
        return 0.0

    make(metrics={"metric": metric}).fit(batches(), batches())
    assert not any(wanted)


def test_a_metric_may_serve_as_a_loss():
    output = torch.tensor([1.0, 4.0], requires_grad=True)
    mean_absolute_error(output, torch.tensor([2.0, 2.0])).backward()
    assert output.grad.tolist() == [-0.5, 0.5]


def test_history():
    history = History([{"epoch": 0, "train_loss": 1.0}, {"epoch": 1, "train_loss": 0.5, "valid_loss": 0.7}])
    assert history["valid_loss"] == [None, 0.7]
    assert history[-1]["epoch"] == 1
    lines = str(history).splitlines()
    assert lines[0].index("valid_loss") + len("valid_loss") == len(lines[2])  # numbers stand on the right
    assert lines[2].split() == ["1", "0.5000", "0.7000"]
    with pytest.raises(KeyError, match="choose from 'epoch', 'train_loss', 'valid_loss'"):
        history["loss"]


# Callbacks


def test_progress_draws_the_losses_after_each_epoch(monkeypatch):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    drawn = []

    def show():
        drawn.append({line.get_label(): line.get_ydata().tolist() for line in plt.gca().lines})
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    history = make([Progress(curve=True)]).fit(batches(), batches(), epochs=2)
    assert drawn == [{name: history[name][:n] for name in ("train_loss", "valid_loss")} for n in (1, 2)]


def test_a_misspelled_hook_fails_at_construction():
    class Wrong(Callback):
        def on_batch_ended(self, trainer):
            pass

    with pytest.raises(TypeError, match="Wrong.on_batch_ended would never be called: choose from on_fit_start"):
        make([Wrong()])


class Play(Callback):
    """Puts given validation losses into the history."""

    def __init__(self, losses):
        self.losses = losses

    def on_epoch_end(self, trainer):
        trainer.history[-1]["valid_loss"] = self.losses[trainer.epoch - 1]


@pytest.mark.parametrize(
    ("losses", "options", "epochs"),
    [
        ([5, 4, 3, 2, 1, 0], {}, 6),
        ([1, 2, 3, 4, 5, 6], {"patience": 3}, 4),
        ([1, 1, 1, 1, 1, 1], {"patience": 2}, 3),
        ([3, 2.95, 2.9, 2.85, 2, 1], {"patience": 3, "min_delta": 0.2}, 4),
        ([3, 4, 2, 3, 3, 3], {"patience": 2}, 5),
        ([1, 2, 3, 4, 5, 6], {"mode": "max"}, 6),
        ([float("nan"), 1, 2, 3, 4, 5], {"patience": 2}, 4),
    ],
)
def test_early_stopping(losses, options, epochs):
    trainer = make([Play(losses), EarlyStopping(**options)])
    assert len(trainer.fit(batches(), epochs=6)) == epochs


def test_early_stopping_puts_back_the_best_weights():
    states = []

    class Keep(Callback):
        def on_epoch_end(self, trainer):
            states.append({name: value.clone() for name, value in trainer.model.state_dict().items()})

    trainer = make([Play([3, 1, 2, 2]), Keep(), EarlyStopping(patience=2, restore_best=True)])
    trainer.fit(batches(), epochs=4)
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, states[1][name])
    assert not torch.equal(states[1]["0.weight"], states[-1]["0.weight"])


def test_an_unknown_monitor_or_mode_is_named():
    with pytest.raises(KeyError, match="no 'valid_los' in the history"):
        make([EarlyStopping("valid_los")]).fit(batches(), batches())
    with pytest.raises(ValueError, match="unknown mode 'least': choose from 'min', 'max'"):
        EarlyStopping(mode="least")


def test_nan_is_found_before_the_step_and_before_saving(tmp_path):
    x = X.clone()
    x[20] = torch.nan
    loader = DataLoader(TensorDataset(x, Y), 16)
    trainer = make([StopOnNaN()])
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1, in epoch 0"):
        trainer.fit(loader)
    assert all(torch.isfinite(value).all() for value in trainer.model.parameters())
    trainer = make([Checkpoint(tmp_path)])
    with pytest.raises(FloatingPointError, match="train_loss is nan after epoch 0"):
        trainer.fit(loader)
    assert not list(tmp_path.iterdir())


def test_progress_names_the_last_epoch(capsys):
    make([Progress()]).fit(batches(), batches(), epochs=2)
    said = capsys.readouterr().err
    assert "8/8" in said
    assert "valid_loss" in said


# Bad input


def test_nothing_to_train():
    model = network().requires_grad_(False)
    with pytest.raises(ValueError, match="nothing to train: no parameter of Sequential"):
        make(model=model)


def test_an_optimizer_of_another_model():
    optimizer = torch.optim.SGD(network().parameters(), lr=0.1)
    with pytest.raises(ValueError, match="the optimizer holds 6 parameters, and none of them"):
        Trainer(network(), optimizer, nn.CrossEntropyLoss())


def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match="there is no device 'cuda:99' here: choose from 'cpu'"):
        make(device="cuda:99")


class Nothing(Dataset):
    def __len__(self):
        return 0

    def __getitem__(self, i):
        raise IndexError(i)


@pytest.mark.parametrize("loader", [[], DataLoader(Nothing()), DataLoader(TensorDataset(X, Y), 64, drop_last=True)])
def test_an_empty_loader(loader):
    with pytest.raises(ValueError, match="the train loader gave no batch"):
        make().fit(loader)
    with pytest.raises(ValueError, match="the valid loader gave no batch"):
        make().fit(batches(), loader)


def test_persistent_workers_are_refused():
    loader = DataLoader(TensorDataset(X, Y), num_workers=1, persistent_workers=True)
    with pytest.raises(ValueError, match="persistent_workers=True"):
        make().fit(loader)


# Several processes


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun with gloo is tested on Linux and macOS")
def test_two_processes_train_together(tmp_path):
    """Every sample is counted once, weights and buffers are the same in both, and a resumed run is the straight one."""
    program = Path(__file__).with_name("programs") / "two_processes.py"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(program),
        str(tmp_path),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr[-3000:]
    straight, again, resumed = (
        torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("straight", "again", "resumed")
    )
    for other in (again, resumed):
        assert straight["history"] == other["history"]
        assert all(torch.equal(value, other["model"][name]) for name, value in straight["model"].items())
    assert straight["samples"] == 51
    assert straight["agree"]
    buffer = straight["model"]["1.running_mean"][0].item()
    assert straight["history"][-1]["valid_buffer"] == pytest.approx(buffer, rel=1e-6)  # already when evaluating
