"""What holds a network back from learning ten seconds of play by heart, under equal budgets (lesson 11).

`ConvNet` on 600 frames of the minute of play that comes with the course: 608 steps with batches of 32, AdamW at a
constant 0.001. The 600 frames after them validate, the last 1,200 are the third set, and neighbours of a part (60
frames) are in none. Each way gets three strengths and ten seeds. Losses are plain cross-entropy, whatever was trained
with; each agent plays four games at level 1, once with the weights of the last epoch and once with those of the epoch
whose validation loss was lowest. Writes data/regularise.csv, a row a training. An hour on one core; `--seeds 0 5`
prints those of seeds 0 to 4 only, to share the work out, and `--join FILES` writes the CSV from such prints.
"""

import argparse
import copy
import csv
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import v2

from dlsteps.agents.imitation import Agent
from dlsteps.data import FrameDataset, data_path
from dlsteps.data.paths import CHECKOUT
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.game import score
from dlsteps.models import ConvNet
from dlsteps.seed import seed_everything
from dlsteps.training import Trainer, accuracy

TRAIN, VALID, THIRD = range(600), range(660, 1260), range(2385, 3585)
EPOCHS, SEEDS, GAMES = 32, range(10), range(4)
FLIP = RandomFlip(mirror=[2, 1, 0])
AUGMENT = {
    "shift 4": [RandomShift(vertical=0, horizontal=4)],
    "flip, shift 4": [FLIP, RandomShift(vertical=0, horizontal=4)],
    "flip, shift 8": [FLIP, RandomShift(vertical=0, horizontal=8)],
}
WAYS = {  # {way: strengths}
    "nothing": ["-"],
    "weight decay": [0.1, 1, 10],
    "dropout": [0.2, 0.5, 0.8],
    "label smoothing": [0.1, 0.2, 0.4],
    "augmentation": list(AUGMENT),
    "augmentation and dropout": [0.2, 0.5, 0.8],
}
HEADING = (
    "way", "strength", "seed", "best_epoch", "third_loss_best", "third_accuracy_best", "score_best",
    "third_loss_last", "third_accuracy_last", "score_last", "train_losses", "valid_losses", "third_losses",
)  # fmt: skip


def new_trainer(way, strength, seed):
    """A run before its first step, and the transform of its training frames."""
    seed_everything(seed)
    model = ConvNet(in_channels=6, num_actions=3)
    if "dropout" in way:
        model.feature_extractor.insert(10, nn.Dropout(strength))  # before the linear layer, which has most weights
    loss_fn = nn.CrossEntropyLoss(label_smoothing=strength if way == "label smoothing" else 0.0)
    decay = strength if way == "weight decay" else 0.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=decay)
    metrics = {"accuracy": accuracy, "nats": F.cross_entropy}  # as label smoothing changes the loss itself
    transforms = AUGMENT["flip, shift 8" if "dropout" in way else strength] if "augmentation" in way else []
    return Trainer(model, optimizer, loss_fn, metrics=metrics, device="cpu", seed=seed), transforms


def loaders(transforms):
    """Loaders of the three parts; only the first is shuffled and transformed."""
    path = data_path("catch_level1_night.npz")
    plain, varied = FrameDataset(path), FrameDataset(path, transform=v2.Compose(transforms) if transforms else None)
    train = DataLoader(Subset(varied, TRAIN), batch_size=32, shuffle=True)
    return train, *(DataLoader(Subset(plain, part), batch_size=200) for part in (VALID, THIRD))


def train(way, strength, seed):
    """A row of the table."""
    trainer, transforms = new_trainer(way, strength, seed)
    train_loader, valid_loader, third_loader = loaders(transforms)
    thirds, lowest, best = [], np.inf, None
    for epoch in range(1, EPOCHS + 1):
        trainer.fit(train_loader, valid_loader, epochs=epoch)
        thirds.append(trainer.evaluate(third_loader, "third"))
        if trainer.history[-1]["valid_nats"] < lowest:
            lowest, best = trainer.history[-1]["valid_nats"], (epoch, copy.deepcopy(trainer.model.state_dict()))
    row = [way, strength, seed, best[0]]
    played = score(Agent(trainer.model), 1, GAMES).mean
    trainer.model.load_state_dict(best[1])
    for epoch, points in [(best[0], score(Agent(trainer.model), 1, GAMES).mean), (EPOCHS, played)]:
        row += [f"{value:.4f}" for value in (thirds[epoch - 1]["third_nats"], thirds[epoch - 1]["third_accuracy"])]
        row.append(f"{points:.4f}")
    curves = trainer.history["train_nats"], trainer.history["valid_nats"], [third["third_nats"] for third in thirds]
    return [*row, *(" ".join(f"{value:.3f}" for value in curve) for curve in curves)]


def write(rows):
    """In the order of `WAYS`, so that it does not matter who has trained what."""
    order = [(way, str(strength)) for way, strengths in WAYS.items() for strength in strengths]
    rows.sort(key=lambda row: (order.index((row[0], str(row[1]))), int(row[2])))
    with open(CHECKOUT / "regularise.csv", "w", encoding="utf8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADING, *rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"))
    parser.add_argument("--join", nargs="+", metavar="FILE")
    options = parser.parse_args()
    if options.join:
        write([row for path in options.join for row in csv.reader(Path(path).read_text(encoding="utf8").splitlines())])
        return
    rows, printed = [], csv.writer(sys.stdout, lineterminator="\n")
    for seed in range(*options.seeds) if options.seeds else SEEDS:
        for way, strengths in WAYS.items():
            for strength in strengths:
                rows.append(train(way, strength, seed))
                printed.writerow(rows[-1])
                sys.stdout.flush()
    if not options.seeds:
        write(rows)


if __name__ == "__main__":
    main()
