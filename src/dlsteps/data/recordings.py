"""Recordings as a PyTorch dataset: stacks of frames, and the action that followed."""

import os

import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from dlsteps.capture.recording import load_recording
from dlsteps.data.frames import StoredFrames
from dlsteps.data.transforms import as_float
from dlsteps.data.workers import explain_missing_guard, require_main_guard
from dlsteps.seed import own_generator


class FrameDataset(Dataset):
    """Map-style dataset of `(x, y)`: x (3 * stack, size, size) float32 in 0 ... 1, the oldest frame's RGB first;
    y, the action, an int64 tensor of shape ().

    `dataset[i]` is a sample. `dataset[[i, j, …]]` is a whole batch, x (B, 3 * stack, size, size) and y (B,), read at
    once: a loader with `batch_size=None` and a `BatchSampler` asks for such, and saves the collating. One with a plain
    `batch_size` gets its samples a batch at a time, too.

    An index counts from the end if it is negative; one outside the dataset raises `IndexError`, which names it.

    A stack never reaches back across a gap or an episode's start: there the first frame is repeated. Frames whose
    action is unknown (-1) serve as history only.

    Args:
        path: a recording (folder or .npz file), or a list of them. The pixels stay on disk (`dlsteps.data.frames`).
        stack: how many consecutive frames a sample holds; one picture cannot show which way a ball moves.
        size: width and height of x, in pixels. Frames of another size are resized.
        transform: called with batches, x uint8 (B, 3 * stack, size, size) and y (B,); returns such, see
            `dlsteps.data.transforms`. After it x becomes float32. What it draws depends on `seed` and on which samples
            are in the batch: the same with any number of workers, and new in each epoch that is shuffled.
        seed: for what the transform draws.
        num_actions: how many actions there are, to check the labels by; None does not check.

    Attributes: `actions` (N,) int64, the labels; `episodes` (N,) int64, which recording a sample is from.
    """

    def __init__(self, path, stack=2, size=64, transform=None, seed=0, num_actions=None):
        explain_missing_guard()
        paths = [path] if isinstance(path, str | os.PathLike) else list(path)
        if not paths:
            raise ValueError("no recordings: name at least one")
        if stack < 1 or size < 1:
            raise ValueError(f"stack {stack} and size {size} must be 1 or more")
        self.transform, self.seed = transform, seed
        self.stores, histories, labels = [], [], []
        for p in paths:
            recording = load_recording(p)
            history, actions = _samples(recording, stack, p)
            _check_labels(actions, num_actions, p)
            self.stores.append(StoredFrames(p, recording.frames, size))
            histories.append(history)
            labels.append(actions)
        self.history = np.concatenate(histories)  # (N, stack) frame numbers, oldest first
        self.actions = np.concatenate(labels)
        self.episodes = np.repeat(np.arange(len(labels)), [len(actions) for actions in labels])

    def __len__(self):
        return len(self.actions)

    def __getitem__(self, i):
        if np.ndim(i) == 0:
            x, y = self._batch([i])
            return x[0], y[0]
        return self._batch(i)

    def __getitems__(self, indices):
        """The samples of a batch, as a list; a loader's fetcher prefers this to one call a sample."""
        return list(zip(*self._batch(indices), strict=True))

    def __getstate__(self):
        require_main_guard()
        return vars(self)

    def _batch(self, indices):
        indices = inside(indices, len(self))
        episodes, numbers = self.episodes[indices], self.history[indices]
        if len(self.stores) == 1:
            frames = self.stores[0].take(numbers)  # (B, stack, 3, H, W)
        else:
            size = self.stores[0].size
            frames = np.empty((*numbers.shape, 3, size, size), np.uint8)
            for episode in np.unique(episodes):
                mine = episodes == episode
                frames[mine] = self.stores[episode].take(numbers[mine])
        x, y = torch.from_numpy(frames).flatten(1, 2), torch.from_numpy(self.actions[indices])
        if self.transform is not None:
            with own_generator(self.seed, *indices.tolist()):
                x, y = self.transform(x, y)
        return as_float(x), y


def split_by_time(dataset, valid=0.2, gap=60):
    """Split into (train, valid): the last part of each episode validates, so neighbouring frames stay on one side.

    Args:
        dataset: a `FrameDataset`.
        valid: share of each episode that validates, between 0 and 1.
        gap: samples left out between the two parts; 60 are a second of Catch, longer than a frame stays similar.
    """
    if not 0 < valid < 1:
        raise ValueError(f"valid is {valid}: a share between 0 and 1")
    train, last = [], []
    for episode in np.unique(dataset.episodes):
        samples = np.flatnonzero(dataset.episodes == episode)
        cut = round(len(samples) * (1 - valid))
        train.extend(samples[: max(cut - gap, 0)].tolist())
        last.extend(samples[cut:].tolist())
    if not train or not last:
        raise ValueError(f"{len(dataset)} samples are too few to split with a gap of {gap}: record for longer")
    return Subset(dataset, train), Subset(dataset, last)


def inside(indices, count):
    """Indices of a dataset with `count` samples, all counted from its start. `IndexError` names one that is outside."""
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":  # a mask, or what NumPy refuses in its own words
        return indices
    indices = indices.astype(np.int64)
    outside = indices[(indices < -count) | (indices >= count)]
    if len(outside):
        raise IndexError(
            f"index {outside[0]}, but there are {count} samples (0 … {count - 1}): "
            "a sampler may have been made for another dataset"
        )
    return indices % count


def _samples(recording, stack, path):
    """Frame numbers of each labelled sample, (N, stack), and its action, (N,)."""
    number = np.arange(len(recording.segments))
    first = np.searchsorted(recording.segments, recording.segments)  # where each frame's segment begins
    history = np.stack([np.maximum(number - back, first) for back in range(stack - 1, -1, -1)], axis=1)
    known = recording.actions >= 0
    if not known.any():
        raise ValueError(f"no frame of {str(path)!r} has a known action: record with keys, or with a source that knows")
    longest = int(np.unique(recording.segments, return_counts=True)[1].max())
    if stack > longest:
        raise ValueError(f"stack is {stack}, but {str(path)!r} has at most {longest} frames without a gap: choose less")
    return history[known], recording.actions[known]


def _check_labels(actions, num_actions, path):
    if num_actions is not None and actions.max() >= num_actions:
        where = int(actions.argmax())
        raise ValueError(f"{str(path)!r}, sample {where}: label {actions[where]}, but there are {num_actions} actions")
