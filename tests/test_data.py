"""Recordings as a dataset, and the committed episodes."""

import hashlib
import re

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from dlsteps.capture.recording import RecordingWriter, load_recording
from dlsteps.data import FrameDataset, data_path, split_by_time


def recording(path, actions, segments=None, size=8):
    """Frame i is one colour: red i, green 100 + i, blue 200."""
    writer = RecordingWriter(path, {"source": "test"})
    for i, action in enumerate(actions):
        frame = np.empty((size, size, 3), np.uint8)
        frame[:] = i, 100 + i, 200
        writer.append(frame, i / 60, action, "", segments[i] if segments else 0)
    writer.close()
    return path


def colours(x):
    """The first pixel of each channel, back in 0 … 255."""
    return (x[:, 0, 0] * 255).round().int().tolist()


def test_a_sample_is_a_stack_of_frames_and_the_action(tmp_path):
    dataset = FrameDataset(recording(tmp_path / "r", [2, 0, 1]), stack=2, size=8)
    x, y = dataset[2]
    assert (x.shape, x.dtype) == ((6, 8, 8), torch.float32)
    assert colours(x) == [1, 101, 200, 2, 102, 200]  # the oldest frame first
    assert (y.item(), y.dtype, y.shape) == (1, torch.int64, ())


def test_stacks_do_not_reach_across_gaps_or_episodes(tmp_path):
    first = recording(tmp_path / "a", [0, 1, 2, 0, 1], segments=[0, 0, 0, 3, 3])
    second = recording(tmp_path / "b", [2, 2])
    dataset = FrameDataset([first, second], stack=3, size=8)
    reds = [colours(x)[::3] for x, _ in dataset]
    assert reds == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [3, 3, 3], [3, 3, 4], [0, 0, 0], [0, 0, 1]]
    assert dataset.actions.tolist() == [0, 1, 2, 0, 1, 2, 2]
    assert dataset.episodes.tolist() == [0] * 5 + [1] * 2


def test_unknown_actions_are_history_only(tmp_path):
    dataset = FrameDataset(recording(tmp_path / "r", [0, None, 2]), size=8)
    assert dataset.actions.tolist() == [0, 2]
    assert colours(dataset[1][0])[::3] == [1, 2]


def test_batches_equal_samples_and_a_plain_loader_takes_them(tmp_path):
    dataset = FrameDataset(recording(tmp_path / "r", [0, 1, 2] * 5), size=8)
    x, y = next(iter(DataLoader(dataset, batch_size=15)))
    assert torch.equal(x, torch.stack([dataset[i][0] for i in range(15)]))
    assert torch.equal(y, torch.stack([dataset[i][1] for i in range(15)]))


def test_other_sizes_are_resized(tmp_path):
    x, _ = FrameDataset(recording(tmp_path / "r", [0], size=10), stack=1, size=64)[0]
    assert x.shape == (3, 64, 64)
    assert colours(x) == [0, 100, 200]


def test_a_split_by_time_keeps_neighbours_together(tmp_path):
    dataset = FrameDataset([recording(tmp_path / "a", [0] * 50), recording(tmp_path / "b", [1] * 50)], size=8)
    train, valid = split_by_time(dataset, valid=0.2, gap=5)
    assert train.indices == [*range(35), *range(50, 85)]
    assert valid.indices == [*range(40, 50), *range(90, 100)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: split_by_time(d, valid=1.5), "valid is 1.5: a share between 0 and 1"),
        (lambda d: split_by_time(d), "10 samples are too few to split with a gap of 60"),
        (lambda d: FrameDataset([]), "no recordings: name at least one"),
        (lambda d: FrameDataset("x", stack=0), "stack 0 and size 64 must be 1 or more"),
    ],
)
def test_wrong_values_are_named(tmp_path, call, message):
    with pytest.raises(ValueError, match=message):
        call(FrameDataset(recording(tmp_path / "r", [0] * 10), size=8))


def test_a_recording_without_labels_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no frame of .* has a known action"):
        FrameDataset(recording(tmp_path / "r", [None] * 3), size=8)


# The committed files


EPISODES = sorted(path.name for path in data_path(".").glob("catch_*.npz"))


def test_every_committed_file_is_described_with_its_checksum():
    folder = data_path("README.md").parent
    described = dict(re.findall(r"`(\S+\.\w+)`.*?`([0-9a-f]{64})`", (folder / "README.md").read_text(encoding="utf8")))
    files = {path.name: path for path in folder.iterdir() if path.suffix not in (".md",)}
    assert set(described) == set(files)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == described[name], name
    assert sum(path.stat().st_size for path in files.values()) < 4e6


@pytest.mark.parametrize("name", EPISODES)
def test_the_episodes_are_of_a_real_window_and_complete(name):
    episode = load_recording(data_path(name))
    assert episode.meta["source"] == "WindowSource"
    assert episode.meta["ended"] == "complete"
    assert episode.frames.shape[1:] >= (64, 64, 3)
    assert set(episode.actions.tolist()) == {0, 1, 2}
    assert len(set(episode.segments.tolist())) == 1


def test_there_are_three_episodes():
    assert len(EPISODES) == 3


def test_a_missing_data_file_is_named_with_the_choices():
    with pytest.raises(FileNotFoundError, match=r"no data file 'catch_9.npz': choose from .*catch_"):
        data_path("catch_9.npz")


def test_data_may_be_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("dlsteps.data.paths.CHECKOUT", tmp_path / "nowhere")
    monkeypatch.delenv("DLSTEPS_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="clone the course, or set DLSTEPS_DATA"):
        data_path("a.npz")
    (tmp_path / "a.npz").write_text("")
    monkeypatch.setenv("DLSTEPS_DATA", str(tmp_path))
    assert data_path("a.npz") == tmp_path / "a.npz"
