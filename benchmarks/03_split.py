"""What a random split flatters: accuracy on the validation set, beside accuracy on games that nobody saw a frame of.

Trains `ConvNet` on the committed minute of level 1 as lesson 00 does, but without augmentation, from several seeds:
once split at random, once by time. Then both are measured on new minutes, played without a window. Accuracy is the mean
of that of left, stay and right, so 1/3 is chance. For ten epochs, and for forty, after which the network knows its
training frames by heart. Writes data/split.csv, a row a training. A quarter of an hour on one core.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, Subset, random_split

from dlsteps.agents.learn import record_headless
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import Score
from dlsteps.models import ConvNet


def new_minute(seed, folder):
    """A minute that is played and recorded now; without its first frame, whose stack would hold it twice."""
    path = record_headless(folder / str(seed), 60, level=1, theme="night", fps=60, seed=seed, size=128)
    dataset = FrameDataset(path)
    return Subset(dataset, range(1, len(dataset)))


@torch.no_grad()
def accuracy(model, dataset):
    model.eval()
    answers, truth = [], []
    for x, y in DataLoader(dataset, batch_size=256):
        answers.append(model(x).argmax(dim=1))
        truth.append(y)
    answers, truth = torch.cat(answers), torch.cat(truth)
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
    folder = Path(tempfile.mkdtemp())
    new = ConcatDataset([new_minute(seed, folder) for seed in range(2000, 2005)])
    rows = []
    for epochs in (10, 40):
        for seed in seeds:
            for name, (train_set, valid_set) in {
                "random": random_split(dataset, [0.8, 0.2], torch.Generator().manual_seed(seed)),
                "by time": split_by_time(dataset),
            }.items():
                model = train(train_set, weight, seed, epochs)
                figures = [accuracy(model, part) for part in (train_set, valid_set, new)]
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
