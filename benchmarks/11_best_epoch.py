"""How much the best epoch on the validation set flatters itself, measured with a third set (lesson 11).

A small convolutional network learns 400 digits, 30 epochs at a constant 0.003. After each, its loss and accuracy are
taken on 100 and on 1,000 digits that validate (the 100 are among the 1,000) and on the 3,600 of the third set. All that
a hundred times, each with another split, drawn at random: the parts then differ by chance only. (Frames of a game,
split by time, do not: there a later part may simply be easier.) Writes data/best_epoch.csv, a row for each split,
validation set and quantity to choose by.
Twenty minutes on one core.
"""

import csv

import torch
import torch.nn.functional as F
from torch import nn

from dlsteps.data import load_digits5k
from dlsteps.data.paths import CHECKOUT
from dlsteps.models.modes import eval_mode
from dlsteps.seed import seed_everything

EPOCHS, SPLITS, TRAIN, VALID = 30, range(100), 400, (100, 1000)


@torch.inference_mode()
def losses_and_hits(model, x, y):
    """For each sample the loss, and whether the answer is right: (N,), (N,)."""
    with eval_mode(model):
        logits = model(x)
    return F.cross_entropy(logits, y, reduction="none"), (logits.argmax(dim=1) == y).float()


def train(x, y):
    """Train on the first samples; yield losses and hits of all others after each epoch."""
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * 6 * 6, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAIN).split(20):
            loss = F.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield losses_and_hits(model, x[TRAIN:], y[TRAIN:])


def main():
    images, labels = load_digits5k()
    rows = []
    for split in SPLITS:
        seed_everything(split)
        order = torch.randperm(len(labels))
        epochs = list(train(images[order].float() / 255, labels[order]))
        for size in VALID:
            valid, third = slice(size), slice(max(VALID), None)
            for what, values in zip(("loss", "accuracy"), zip(*epochs, strict=True), strict=True):
                curves = [[value[part].mean().item() for value in values] for part in (valid, third)]
                best = (min if what == "loss" else max)(range(EPOCHS), key=curves[0].__getitem__)
                numbers = (curves[0][best], curves[1][best], curves[0][-1], curves[1][-1])
                rows.append((split, size, what, best + 1, *(f"{number:.4f}" for number in numbers)))
                print(*rows[-1], flush=True)
    with open(CHECKOUT / "best_epoch.csv", "w", encoding="utf8", newline="") as file:
        heading = ("split", "size", "what", "best_epoch", "valid_best", "third_best", "valid_last", "third_last")
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


if __name__ == "__main__":
    main()
