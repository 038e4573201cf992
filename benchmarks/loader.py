"""How fast batches come: PIL and v2 a sample, with and without workers, against whole batches; and who waits for whom.

All paths deliver the same: 64 x 64 RGB frames of the committed episodes, each with its own random crop (4 pixels of
padding, edges repeated) and its own random flip, as float32 batches of 64 in random order. The limit is reading alone.
Then a training step of `ConvNet` on stacks of two frames: how much of it is spent waiting for data. Rounds are
interleaved; medians, and the smallest and largest.
"""

import argparse
import platform
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler
from torchvision.transforms import v2

from dlsteps.data import FrameDataset, data_path
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.models import ConvNet

EPISODES = [data_path(f"catch_{name}.npz") for name in ("level1_night", "level1_day", "level3_night")]
BATCH, PADDING = 64, 4


class SampleDataset(Dataset):
    """The usual way: one frame at a time, through `transform`."""

    def __init__(self, frames, labels, transform, as_picture):
        self.frames, self.labels, self.transform, self.as_picture = frames, labels, transform, as_picture

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, i):
        frame = self.frames[i]  # (64, 64, 3) uint8
        x = Image.fromarray(frame) if self.as_picture else torch.from_numpy(frame).permute(2, 0, 1)
        return self.transform(x), self.labels[i]


def one_by_one(frames, labels, as_picture, workers):
    steps = [v2.RandomCrop(64, padding=PADDING, padding_mode="edge"), v2.RandomHorizontalFlip()]
    steps += [v2.PILToTensor()] if as_picture else []
    transform = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True)])
    dataset = SampleDataset(frames, labels, transform, as_picture)
    return DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=workers)


def in_batches(dataset, batches=True, workers=0):
    if not batches:
        return DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=workers)
    sampler = BatchSampler(RandomSampler(dataset), BATCH, drop_last=False)
    return DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=workers)


def images_per_second(loader):
    count, start = 0, time.perf_counter()
    for x, _ in loader:
        count += len(x)
    return count / (time.perf_counter() - start)


def read_only(dataset):
    """The limit: the pixels alone, as they are stored, in random order."""
    order, start = np.random.default_rng(0).permutation(len(dataset)), time.perf_counter()
    for first in range(0, len(order), BATCH):
        for store, mine in _by_store(dataset, order[first : first + BATCH]):
            store.take(mine)
    return len(order) / (time.perf_counter() - start)


def _by_store(dataset, indices):
    for episode, store in enumerate(dataset.stores):
        yield store, dataset.history[indices[dataset.episodes[indices] == episode]]


def share_waiting(dataset, steps=60):
    """The share of training steps that is spent waiting for the next batch."""
    model = ConvNet(6, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    waiting, start, batches = 0.0, time.perf_counter(), iter(in_batches(dataset))
    for step in range(steps):
        asked = time.perf_counter()
        x, y = next(batches)
        if step < 10:  # warm-up
            start = time.perf_counter()
        else:
            waiting += time.perf_counter() - asked
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return waiting / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    augment = v2.Compose([RandomShift(PADDING, PADDING), RandomFlip([2, 1, 0])])
    ours = FrameDataset(EPISODES, stack=1, transform=augment)
    plain = FrameDataset(EPISODES, stack=1)
    stacked = FrameDataset(EPISODES, stack=2, transform=augment)
    frames = np.concatenate([store.take(np.arange(store.shape[0])) for store in plain.stores]).transpose(0, 2, 3, 1)
    frames, labels = np.ascontiguousarray(frames), torch.from_numpy(plain.actions)
    paths = {
        "PIL, sample by sample": lambda: images_per_second(one_by_one(frames, labels, True, 0)),
        "PIL, 2 workers": lambda: images_per_second(one_by_one(frames, labels, True, 2)),
        "v2 on tensors, sample by sample": lambda: images_per_second(one_by_one(frames, labels, False, 0)),
        "ours, DataLoader(batch_size=64)": lambda: images_per_second(in_batches(ours, batches=False)),
        "ours, whole batches": lambda: images_per_second(in_batches(ours)),
        "ours, whole batches, 1 worker": lambda: images_per_second(in_batches(ours, workers=1)),
        "ours, no augmentation": lambda: images_per_second(in_batches(plain)),
        "reading alone (the limit)": lambda: read_only(plain),
    }
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}"
    print(
        f"{platform.machine()}, {torch.get_num_threads()} threads, {versions}; {len(plain)} frames, {rounds} rounds\n"
    )
    rates = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            rates[name].append(path())
    base = rates["PIL, sample by sample"]
    print(f"{'images a second':34} median    min … max       times PIL (median of the rounds)")
    for name, values in rates.items():
        times = statistics.median(value / pil for value, pil in zip(values, base, strict=True))
        spread = f"{min(values):7,.0f} … {max(values):7,.0f}"
        print(f"{name:34} {statistics.median(values):7,.0f}  {spread}  {times:6.1f}")
    shares = [share_waiting(stacked) for _ in range(rounds)]
    print(f"\nwaiting for data, share of a training step: {statistics.median(shares):.1%}"
          f" ({min(shares):.1%} … {max(shares):.1%})")  # fmt: skip


if __name__ == "__main__":
    main()
