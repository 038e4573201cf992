"""TensorBoard's files, what a running TensorBoard serves of them, and the histories of layers."""

import json
import socket
import sys
import urllib.request

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.models import ConvNet
from dlsteps.training import TensorBoard, Trainer, resume, save_checkpoint, show_tensorboard
from dlsteps.training.histories import Histories
from dlsteps.training.tensorboard import dashboards, event_files, open_writer, start_tensorboard

pytestmark = [  # warnings from within TensorBoard, when it is imported
    pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Type google.*uses PyType_Spec:DeprecationWarning"),
]
X = torch.randn(48, 8, generator=torch.Generator().manual_seed(0))
Y = (X.sum(dim=1) > 0).long()


def make(callbacks=(), model=None, **options):
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    return Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks, device="cpu", **options)


def batches():
    return DataLoader(TensorDataset(X, Y), batch_size=16)  # three


def read(folder):
    """{name: [(step, value), …]} of the scalars, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def ask(address, what):
    with urllib.request.urlopen(address + what, timeout=10) as answer:
        return json.load(answer)


# Files


def test_numbers_of_steps_and_epochs(tmp_path):
    trainer = make([TensorBoard(tmp_path, every=2)])
    history = trainer.fit(batches(), batches(), epochs=2)
    found = read(tmp_path)
    assert list(found) == ["step/loss", "step/learning_rate", "train/loss", "valid/loss"]
    assert [step for step, _ in found["step/loss"]] == [2, 4, 6]
    assert found["valid/loss"] == [
        (3, pytest.approx(history["valid_loss"][0])),
        (6, pytest.approx(history[1]["valid_loss"])),
    ]


def test_a_second_fit_adds_to_the_first_also_within_one_second(tmp_path):
    trainer = make([TensorBoard(tmp_path, every=1)])
    for epochs in (1, 2, 3):
        trainer.fit(batches(), epochs=epochs)
    found = read(tmp_path)
    assert [step for step, _ in found["step/loss"]] == list(range(1, 10))
    assert [step for step, _ in found["train/loss"]] == [3, 6, 9]


def test_a_resumed_run_hides_what_the_interrupted_one_wrote_after_its_checkpoint(tmp_path):
    interrupted = make([TensorBoard(tmp_path / "log", every=1)])
    interrupted.fit(batches(), epochs=1)
    save_checkpoint(interrupted, tmp_path / "run.pt")
    interrupted.fit(batches(), epochs=3)  # and crashes: two epochs are lost
    resumed = make([TensorBoard(tmp_path / "log", every=1)])
    resume(resumed, tmp_path / "run.pt")
    history = resumed.fit(batches(), epochs=2)
    found = read(tmp_path / "log")
    assert [step for step, _ in found["step/loss"]] == [1, 2, 3, 4, 5, 6]
    assert found["train/loss"] == [
        (3, pytest.approx(history["train_loss"][0])),
        (6, pytest.approx(history["train_loss"][1])),
    ]


def test_a_new_run_refuses_the_folder_of_another_one(tmp_path):
    make([TensorBoard(tmp_path)]).fit(batches())
    before = [path.read_bytes() for path in event_files(tmp_path)]
    trainer = make([TensorBoard(tmp_path)])
    with pytest.raises(
        FileExistsError, match="holds the curves of another run.*choose another folder, delete this one"
    ):
        trainer.fit(batches())
    assert trainer.step == 0
    assert [path.read_bytes() for path in event_files(tmp_path)] == before


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    trainer = make([TensorBoard(tmp_path / "file" / "run")])
    with pytest.raises(NotADirectoryError, match="cannot write curves to '.*run': Not a directory"):
        trainer.fit(batches())
    assert trainer.step == 0


@pytest.mark.parametrize(("package", "what"), [("tensorboardX", open_writer), ("tensorboard", start_tensorboard)])
def test_a_missing_package_is_named_with_its_command(package, what, tmp_path, monkeypatch):
    open_writer(tmp_path, 0).close()
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:  # another test's, too
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"python -m pip install {package} "):
        what(tmp_path, 0)


# The page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    history = make([TensorBoard(folder / "one", every=1, histograms=True)]).fit(batches(), batches(), epochs=2)
    return start_tensorboard(folder), folder, history


def test_what_a_run_wrote_is_served(page):
    address, _, history = page
    assert ask(address, "data/runs") == ["one"]
    points = ask(address, "data/plugin/scalars/scalars?run=one&tag=valid%2Floss")
    assert [(step, value) for _, step, value in points] == [
        (3, pytest.approx(history["valid_loss"][0])),
        (6, pytest.approx(history["valid_loss"][1])),
    ]
    tags = set(ask(address, "data/plugin/histograms/tags")["one"])
    assert {"weights/0.weight", "gradients/2.bias"} <= tags
    histograms = ask(address, "data/plugin/histograms/histograms?run=one&tag=weights%2F0.weight")
    assert [(step, sum(count for _, _, count in bins)) for _, step, bins in histograms] == [(3, 128), (6, 128)]


def test_there_are_dashboards_as_soon_as_it_has_started(page):
    address, _, _ = page
    assert {"scalars", "histograms", "timeseries"} <= set(dashboards(address))


def test_the_same_folder_is_served_once(page):
    address, folder, _ = page
    assert start_tensorboard(folder) == address
    assert f'src="{address}"' in show_tensorboard(folder).value


def test_a_relative_folder_is_that_of_the_notebook(page, monkeypatch):
    address, folder, _ = page
    monkeypatch.chdir(folder.parent)
    assert start_tensorboard(folder.name) == address


def test_a_folder_without_numbers_is_named_before_the_page_says_no_dashboards(tmp_path):
    with pytest.raises(FileNotFoundError, match="no event files below '.*empty'.*No dashboards are active"):
        start_tensorboard(tmp_path / "empty")


def test_a_port_in_use(page):
    _, folder, _ = page
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port}, it was already in use: choose another port, or none"):
            start_tensorboard(folder, port)
    address = start_tensorboard(folder)
    assert ask(address, "data/runs") == ["one"]


# Histories


def slowly(steps, every):
    """The same by a plain loop."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    found = {"gradient": [], "update": [], "output": [], "dead": []}
    for step, (x, y) in zip(range(steps), [*batches()] * steps, strict=False):
        hidden = model[:2](x)
        loss = nn.functional.cross_entropy(model[2](hidden), y)
        optimizer.zero_grad()
        loss.backward()
        old = model[0].weight.tolist()
        optimizer.step()
        if step % every == 0:
            pairs = [
                (a, b)
                for row, new in zip(old, model[0].weight.tolist(), strict=True)
                for a, b in zip(row, new, strict=True)
            ]
            moved, length = (
                sum(value**2 for value in values) ** 0.5
                for values in ([b - a for a, b in pairs], [a for a, _ in pairs])
            )
            found["update"].append(moved / length)
            found["gradient"].append(sum(g**2 for g in model[0].weight.grad.flatten().tolist()) ** 0.5)
            found["output"].append((sum(h**2 for h in hidden.flatten().tolist()) / hidden.numel()) ** 0.5)
            found["dead"].append(sum(all(h[unit] == 0 for h in hidden) for unit in range(16)) / 16)
    return found


def test_histories_are_those_of_a_plain_loop():
    histories = Histories(every=2)
    make([histories]).fit(batches(), batches(), epochs=3)
    expected = slowly(9, every=2)
    assert histories.steps == [0, 2, 4, 6, 8]
    for what, name in [("gradient", "0.weight"), ("update", "0.weight"), ("output", "1"), ("dead", "1")]:
        assert histories.values[what][name] == pytest.approx(expected[what], rel=1e-4)
    assert {what: list(names) for what, names in histories.values.items()} == {
        "output": ["1"], "dead": ["1"], "gradient": ["0.weight", "2.weight"], "update": ["0.weight", "2.weight"],
    }  # fmt: skip


def test_a_channel_is_dead_if_it_is_0_at_every_place():
    histories = Histories()
    model = ConvNet(in_channels=3, num_actions=2, size=16)
    with torch.no_grad():
        model.feature_extractor[1].bias[:4] = -100  # of 16 channels
    x, y = torch.rand(8, 3, 16, 16), torch.randint(2, (8,))
    make([histories], model).fit([(x, y)])
    assert histories.values["dead"]["feature_extractor.2"] == [0.25]


def test_frozen_weights_have_no_history_and_no_hook_stays():
    histories = Histories()
    trainer = make([histories])
    trainer.model[0].requires_grad_(False)
    trainer.fit(batches())
    assert list(histories.values["update"]) == ["2.weight"]
    assert not any(module._forward_hooks for module in trainer.model.modules())


def test_watching_changes_nothing(tmp_path):
    plain, watched = make(), make([Histories(), TensorBoard(tmp_path, every=1, histograms=True)])
    for trainer in (plain, watched):
        trainer.fit(batches(), batches(), epochs=3)
    assert all(torch.equal(*pair) for pair in zip(plain.model.parameters(), watched.model.parameters(), strict=True))
    assert plain.history == watched.history


def test_early_stopping_names_the_known_numbers_after_the_first_epoch():
    from dlsteps.training import EarlyStopping

    trainer = make([EarlyStopping("val_loss")])
    with pytest.raises(KeyError, match="no 'val_loss' in the history: choose from 'epoch', 'train_loss', 'valid_loss'"):
        trainer.fit(batches(), batches(), epochs=5)
    assert trainer.epoch == 1
