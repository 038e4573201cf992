"""Resuming bit by bit, checkpoints of other runs, damaged files, and runs that are killed while they save."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from dlsteps.training import (
    Callback,
    Checkpoint,
    ClipGradients,
    EarlyStopping,
    Trainer,
    accuracy,
    resume,
    save_checkpoint,
)
from dlsteps.training import checkpoint as checkpoints
from dlsteps.training.checkpoint import previous_of, read_checkpoint


class Noisy(Dataset):
    """Random augmentation, by torch and by Python."""

    def __init__(self, count=53):
        self.x = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
        self.y = (self.x.sum(dim=1) > 0).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i] + 0.1 * torch.randn(8) + 0.1 * random.random(), self.y[i]


OPTIMIZERS = {
    "AdamW": lambda values: torch.optim.AdamW(values, lr=1e-2),
    "SGD": lambda values: torch.optim.SGD(values, lr=0.1, momentum=0.9),
}
SCHEDULERS = {
    "none": lambda optimizer: None,
    "OneCycle": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=16),
    "cosine": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 16),
    "plateau": lambda optimizer: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
}


def network(width=16):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 2))


def make(folder=None, optimizer="AdamW", scheduler="none", model=None, extra=(), **options):
    model = model or network()
    made = OPTIMIZERS[optimizer](model.parameters())
    callbacks = [EarlyStopping(patience=9, restore_best=True), ClipGradients(), *extra]
    callbacks += [Checkpoint(folder)] if folder else []
    options = {"device": "cpu", "metrics": {"accuracy": accuracy}} | options
    return Trainer(
        model, made, nn.CrossEntropyLoss(), scheduler=SCHEDULERS[scheduler](made), callbacks=callbacks, **options
    )


def fit(trainer, epochs, workers=0):
    return trainer.fit(DataLoader(Noisy(), 16, shuffle=True, num_workers=workers), DataLoader(Noisy(20), 16), epochs)


def same(one, other):
    weights = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in weights) and one.history == other.history


# Resuming


@pytest.mark.parametrize(
    ("optimizer", "scheduler", "workers", "dtype"),
    [
        *[(optimizer, scheduler, 0, None) for optimizer in OPTIMIZERS for scheduler in SCHEDULERS],
        ("AdamW", "OneCycle", 2, None),
        ("AdamW", "OneCycle", 0, torch.bfloat16),
        ("SGD", "cosine", 2, torch.bfloat16),
        ("AdamW", "none", 0, torch.float16),
    ],
)
def test_a_resumed_run_is_the_straight_run(tmp_path, optimizer, scheduler, workers, dtype):
    options = {"optimizer": optimizer, "scheduler": scheduler, "amp_dtype": dtype}
    straight = make(tmp_path / "straight", **options)
    fit(straight, 4, workers)
    fit(make(tmp_path / "stopped", **options), 2, workers)
    torch.rand(1234)  # another process has drawn other numbers by now
    random.random()
    resumed = make(tmp_path / "stopped", **options)
    resume(resumed, tmp_path / "stopped")
    assert resumed.epoch == 2
    fit(resumed, 4, workers)
    assert same(straight, resumed)
    assert resumed.step == straight.step == 16


def test_the_comparison_notices_what_is_not_resumed(tmp_path):
    """The test above can fail: with the weights alone, or with another seed, other weights come out."""
    straight = make()
    fit(straight, 4)
    fit(make(tmp_path), 2)
    weights_only = make()
    weights_only.model.load_state_dict(read_checkpoint(tmp_path / "last.pt")["model"])
    weights_only.epoch = 2
    fit(weights_only, 4)
    assert not same(straight, weights_only)


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_checkpoint import fit, make, resume, torch
trainer = make({folder!r}, "SGD", "OneCycle")
resume(trainer, {folder!r})
fit(trainer, 4)
torch.save([trainer.model.state_dict(), list(trainer.history)], {out!r})
"""


def test_another_process_goes_on(tmp_path):
    straight = make(None, "SGD", "OneCycle")
    fit(straight, 4)
    fit(make(tmp_path / "stopped", "SGD", "OneCycle"), 2)
    facts = {"tests": str(Path(__file__).parent), "folder": str(tmp_path / "stopped"), "out": str(tmp_path / "out.pt")}
    subprocess.run([sys.executable, "-c", PROGRAM.format(**facts)], check=True, timeout=120)
    weights, history = torch.load(tmp_path / "out.pt", weights_only=True)
    assert all(torch.equal(value, weights[name]) for name, value in straight.model.state_dict().items())
    assert history == list(straight.history)


class Worse(Callback):
    """A validation loss that only grows."""

    def on_epoch_end(self, trainer):
        trainer.history[-1]["valid_loss"] = float(trainer.epoch)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_callbacks_does_not_matter(tmp_path, order):
    def callbacks(folder):
        return [Worse(), *[EarlyStopping(patience=3), Checkpoint(tmp_path / folder)][::order]]

    def trainer(folder):
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks(folder), device="cpu")

    straight, resumed = trainer("straight"), trainer("stopped")
    fit(straight, 9)
    fit(trainer("stopped"), 2)
    resume(resumed, tmp_path / "stopped")
    fit(resumed, 9)
    assert len(straight.history) == 4
    assert same(straight, resumed)


def test_a_stopped_run_stays_stopped(tmp_path):
    trainer = make(tmp_path, extra=[Worse(), EarlyStopping(patience=1)])
    fit(trainer, 9)
    assert len(trainer.history) == 2
    again = make(tmp_path, extra=[Worse(), EarlyStopping(patience=1)])
    resume(again, tmp_path)
    assert again.stop
    fit(again, 9)
    assert len(again.history) == len(trainer.history)


def test_best_and_last(tmp_path):
    class Given(Callback):
        def on_epoch_end(self, trainer):
            trainer.history[-1]["valid_loss"] = [3.0, 1.0, 2.0][trainer.epoch - 1]

    model = network()
    callbacks = [Given(), Checkpoint(tmp_path)]
    trainer = Trainer(
        model, torch.optim.SGD(model.parameters(), 0.1), nn.CrossEntropyLoss(), callbacks=callbacks, device="cpu"
    )
    fit(trainer, 3)
    assert read_checkpoint(tmp_path / "best.pt")["epoch"] == 2
    assert read_checkpoint(tmp_path / "last.pt")["epoch"] == 3
    assert read_checkpoint(tmp_path / "last.previous.pt")["epoch"] == 2


# Checkpoints of other runs


@pytest.fixture
def saved(tmp_path):
    trainer = make()
    fit(trainer, 1)
    save_checkpoint(trainer, tmp_path / "run.pt")
    return tmp_path / "run.pt"


def other_groups():
    trainer = make()
    layers = trainer.model
    groups = [{"params": layers[0].parameters()}, {"params": [*layers[1].parameters(), *layers[4].parameters()]}]
    trainer.optimizer = torch.optim.AdamW(groups)
    return trainer


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: make(model=nn.Sequential(*network(), nn.Linear(2, 2))), "missing 2: 5.weight, 5.bias"),
        (lambda: make(model=network()[:4]), "unexpected 2: 4.weight, 4.bias"),
        (lambda: make(model=network(17)), "another shape 7: 0.weight, 0.bias, 1.weight, …"),
        (lambda: make(optimizer="SGD"), "optimizer AdamW there, SGD here"),
        (lambda: make(scheduler="cosine"), "scheduler None there, CosineAnnealingLR here"),
        (lambda: make(seed=3), "seed 0 there, 3 here"),
        (lambda: make(amp_dtype=torch.float16), "float16 here only"),
        (other_groups, r"groups of the optimizer: \[6\] there, \[2, 4\] here"),
    ],
)
def test_what_differs_is_said_and_nothing_changed(saved, other, words):
    trainer = other()
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    with pytest.raises(ValueError, match=words):
        resume(trainer, saved)
    assert all(torch.equal(before[name], value) for name, value in trainer.model.state_dict().items())
    assert trainer.epoch == 0
    assert not trainer.optimizer.state


def test_callbacks_that_are_gone_are_named(saved):
    trainer = make()
    trainer.callbacks = []
    with pytest.raises(ValueError, match="callbacks with a state there only: EarlyStopping"):
        resume(trainer, saved)


def test_two_callbacks_of_a_kind_keep_their_states(tmp_path):
    trainer = make(extra=[EarlyStopping("train_loss", patience=5)])
    trainer.callbacks[0].waited, trainer.callbacks[2].waited = 1, 2
    save_checkpoint(trainer, tmp_path / "run.pt")
    other = make(extra=[EarlyStopping("train_loss", patience=5)])
    resume(other, tmp_path / "run.pt")
    assert [other.callbacks[0].waited, other.callbacks[2].waited] == [1, 2]


def test_a_newer_format(saved):
    state = torch.load(saved, weights_only=True)
    torch.save(state | {"format": 9}, saved)
    with pytest.raises(ValueError, match="has format 9, this dlsteps knows up to 1: update dlsteps"):
        resume(make(), saved)


# Files that are no checkpoints, or not any more


def cut(content):
    return content[: len(content) // 2]


def flip(content):
    """One byte of a weight is another, as after a fault of a disk."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flip, lambda content: b"", lambda content: b"hello"])
def test_a_damaged_file_is_said_to_be_and_the_one_before_offered(saved, damage):
    save_checkpoint(make(), saved)  # the first is kept
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(
        ValueError, match=r"run\.pt' is damaged or no checkpoint; the one before it is '.*run\.previous\.pt'"
    ):
        resume(make(), saved)
    trainer = make()
    resume(trainer, previous_of(saved))
    assert trainer.epoch == 1


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint '.*last\.pt'"):
        resume(make(), tmp_path)


def test_weights_alone(tmp_path):
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match="was not written by save_checkpoint; for weights alone: load_matching"):
        resume(make(), tmp_path / "weights.pt")


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("evil.txt"),)


def test_a_malicious_file_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "model": Evil()}, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="cannot be read without running code from it, so it was not"):
        resume(make(), tmp_path / "run.pt")
    assert not Path("evil.txt").exists()
    torch.load(tmp_path / "run.pt", weights_only=False)  # it would have
    assert Path("evil.txt").exists()


def test_a_state_that_could_not_be_read_back_is_refused_when_saving(saved):
    class Bad(Callback):
        def state_dict(self):
            return {"when": Path("somewhere")}

    before = saved.read_bytes()
    with pytest.raises(TypeError, match=r"in the checkpoint, 'callbacks', 'Bad', 'when' there is a PosixPath"):
        save_checkpoint(make(extra=[Bad()]), saved)
    assert saved.read_bytes() == before


def test_a_numpy_number_is_refused_when_saving_since_it_could_not_be_read(saved):
    trainer = make()
    trainer.history.append({"epoch": 0, "score": np.float64(0.5)})
    with pytest.raises(TypeError, match="in the checkpoint, 'history', 'score' there is a float64"):
        save_checkpoint(trainer, saved)
    trainer.history[0]["score"] = 0.5
    save_checkpoint(trainer, saved)
    assert read_checkpoint(saved)["history"] == [{"epoch": 0, "score": 0.5}]


# A disk that is full, a run that is killed


def test_a_full_disk_leaves_the_checkpoint_before(saved, monkeypatch):
    before = saved.read_bytes()

    def full(state, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with pytest.raises(OSError, match=r"run\.pt' could not be written, the one before is as it was: .*No space left"):
        save_checkpoint(make(), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["run.pt"]


def test_ctrl_c_while_saving_leaves_the_checkpoint_before_and_nothing_else(saved, monkeypatch):
    before = saved.read_bytes()

    def interrupted(state, file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(make(), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["run.pt"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_twenty_kills_while_saving_lose_nothing(tmp_path):
    spec = importlib.util.spec_from_file_location("kills", Path(__file__).parents[1] / "benchmarks/kills.py")
    kills = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    generator = random.Random(0)
    for n in range(20):
        folder = tmp_path / str(n)
        folder.mkdir()
        said, last, before, files = kills.kill_while_saving(folder, generator.uniform(0, 0.1))
        assert last >= said
        assert before is None or before >= last - 1
        assert set(files) <= {"last.pt", "last.previous.pt", ".last.pt.new", ".last.previous.pt.new"}
