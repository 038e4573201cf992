"""What a random split flatters: accuracy on the validation set, beside accuracy on games that nobody saw a frame of.

Trains `ConvNet` on the committed minute of level 1 as lesson 00 does, but without augmentation, from several seeds:
once split at random, once by time. Then both are measured on new minutes, played without a window. Accuracy is the mean
of that of left, stay and right, so 1/3 is chance. For ten epochs, and for forty, after which the network knows its
training frames by heart. Writes data/split.csv, a row a training. A quarter of an hour on one core.
"""

import argparse
import csv

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, random_split

from dlsteps.capture import EnvSource
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.paths import CHECKOUT
from dlsteps.data.transforms import as_float
from dlsteps.game import CatchEnv, Score, ScriptedPlayer
from dlsteps.models import ConvNet


def new_minute(seed, size=64):
    """x (3599, 6, size, size) uint8 and y (3599,): a minute that is played now, in stacks of two."""
    frames, actions = [], []
    source = EnvSource(CatchEnv(max_ticks=3600), ScriptedPlayer(), seed=seed)
    while (frame := source.read()) is not None:
        stored = cv2.resize(frame.pixels, (128, 128), interpolation=cv2.INTER_AREA)  # as in the committed recording
        frames.append(cv2.resize(stored, (size, size), interpolation=cv2.INTER_AREA))
        actions.append(frame.action)
    x = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
    return torch.cat([x[:-1], x[1:]], dim=1), torch.tensor(actions[1:])


@torch.no_grad()
def accuracy(model, batches):
    model.eval()
    answers = torch.cat([model(as_float(x)).argmax(dim=1) for x, _ in batches])
    truth = torch.cat([y for _, y in batches])
    return sum((answers == action)[truth == action].float().mean().item() for action in range(3)) / 3


def train(train_set, weight, seed, epochs):
    torch.manual_seed(seed)
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=epochs * len(loader))
    for _ in range(epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x), y, weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    dataset = FrameDataset(data_path("catch_level1_night.npz"))
    weight = len(dataset) / (3 * torch.bincount(torch.from_numpy(dataset.actions)))
    minutes = [new_minute(seed) for seed in range(2000, 2005)]
    new = [(x, y) for xs, ys in minutes for x, y in zip(xs.split(256), ys.split(256), strict=True)]
    rows = []
    for epochs in (10, 40):
        for seed in seeds:
            for name, (train_set, valid_set) in {
                "random": random_split(dataset, [0.8, 0.2], torch.Generator().manual_seed(seed)),
                "by time": split_by_time(dataset),
            }.items():
                model = train(train_set, weight, seed, epochs)
                parts = (DataLoader(part, batch_size=256) for part in (train_set, valid_set))
                figures = [accuracy(model, list(part)) for part in (*parts, new)]
                rows.append((name, epochs, seed, *(f"{figure:.4f}" for figure in figures)))
                print(*rows[-1], flush=True)
        for name in ("random", "by time"):
            mine = [row[3:] for row in rows if row[:2] == (name, epochs)]
            print(
                name,
                epochs,
                *(str(Score.over([float(value) for value in column])) for column in zip(*mine, strict=True)),
            )
    with open(CHECKOUT / "split.csv", "w", encoding="utf8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [("split", "epochs", "seed", "training", "validation", "new games"), *rows]
        )


if __name__ == "__main__":
    main()
