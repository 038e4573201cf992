"""Recordings as a PyTorch dataset: stacks of frames, and the action that followed."""

import os

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from dlsteps.capture.recording import load_recording


class FrameDataset(Dataset):
    """Map-style dataset of `(x, y)`: x (3 * stack, size, size) float32 in 0 ... 1, the oldest frame's RGB first;
    y, the action, an int64 tensor of shape ().

    A stack never reaches back across a gap or an episode's start: there the first frame is repeated. Frames whose
    action is unknown (-1) serve as history only.

    Args:
        path: a recording (folder or .npz file), or a list of them.
        stack: how many consecutive frames a sample holds; one picture cannot show which way a ball moves.
        size: width and height of x, in pixels. Recordings of another size are resized once, in memory.

    Attributes: `actions` (N,) int64, the labels; `episodes` (N,) int64, which recording a sample is from.
    """

    def __init__(self, path, stack=2, size=64):
        paths = [path] if isinstance(path, str | os.PathLike) else list(path)
        if not paths:
            raise ValueError("no recordings: name at least one")
        if stack < 1 or size < 1:
            raise ValueError(f"stack {stack} and size {size} must be 1 or more")
        recordings = [load_recording(p) for p in paths]
        self.frames = [_resized(r.frames, size) for r in recordings]  # each (frames, size, size, 3) uint8
        samples = [_samples(r, stack) for r in recordings]
        self.history = np.concatenate([history for history, _ in samples])  # (N, stack) frame numbers, oldest first
        self.actions = np.concatenate([actions for _, actions in samples])
        self.episodes = np.repeat(np.arange(len(samples)), [len(actions) for _, actions in samples])
        if len(self) == 0:
            raise ValueError(f"no frame of {', '.join(map(str, paths))} has a known action")

    def __len__(self):
        return len(self.actions)

    def __getitem__(self, i):
        return self.__getitems__([i])[0]

    def __getitems__(self, indices):
        """A whole batch at once, as a list of samples; `DataLoader` prefers this to one call a sample."""
        stacks = np.stack([self.frames[self.episodes[i]][self.history[i]] for i in indices])  # (B, stack, H, W, 3)
        b, stack, h, w, _ = stacks.shape
        x = torch.from_numpy(stacks).permute(0, 1, 4, 2, 3).reshape(b, 3 * stack, h, w).float() / 255
        y = torch.from_numpy(self.actions[np.asarray(indices)])
        return list(zip(x, y, strict=True))


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


def _samples(recording, stack):
    """Frame numbers of each labelled sample, (N, stack), and its action, (N,)."""
    number = np.arange(len(recording.segments))
    first = np.searchsorted(recording.segments, recording.segments)  # where each frame's segment begins
    history = np.stack([np.maximum(number - back, first) for back in range(stack - 1, -1, -1)], axis=1)
    known = recording.actions >= 0
    return history[known], recording.actions[known]


def _resized(frames, size):
    if frames.shape[1:3] == (size, size):
        return frames
    return np.stack([cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in frames])
