"""What one silent bug costs: lesson 08's best training, each time with one bug in it, and ten games (lesson 09).

`ConvNet`, balanced batches of 64, flipped and shifted, AdamW with one cycle up to 0.003, ten epochs, in a plain loop;
five seeds. `reported` is the accuracy that the program itself reports for the last fifth of the minute; the score is
that of the agent's ten games at level 1. Writes data/one_bug.csv, a row a training. Half an hour on one core.
"""

import csv
import importlib

import torch
from torch import nn

from dlsteps.agents.imitation import Agent
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import score
from dlsteps.models import ConvNet
from dlsteps.seed import seed_everything

lesson_08 = importlib.import_module("08_learning_rate")
RATE, EPOCHS, SEEDS, GAMES = 3e-3, 10, range(5), range(10)
BUGS = {
    "none": "",
    "evaluated in train mode": "wrong-mode-in-evaluation",
    "no zero_grad": "missing-zero-grad",
    "softmax before the loss": "softmax-before-cross-entropy",
    "scheduler never stepped": "scheduler-stale",
    "features cut off": "detached-graph",
    "trained in eval mode": "wrong-mode-in-training",
    "mean of the batch subtracted": "leak-between-samples",
    "labels in another order": "labels-shuffled-against-inputs",
}


class Network(nn.Module):
    """`ConvNet`, and what a bug does in forward."""

    def __init__(self, bug):
        super().__init__()
        self.bug, self.network = bug, ConvNet(in_channels=6, num_actions=3)

    def forward(self, x):  # (B, 6, 64, 64)
        if self.bug == "mean of the batch subtracted":
            x = x - x.mean(dim=0)
        features = self.network.feature_extractor(x)  # (B, 128)
        if self.bug == "features cut off":
            features = features.detach()
        logits = self.network.head(features)  # (B, 3)
        return logits.softmax(dim=1) if self.bug == "softmax before the loss" else logits


def train_one_epoch(model, loader, optimizer, scheduler, bug):
    model.train(bug != "trained in eval mode")
    for x, y in loader:
        if bug == "labels in another order":
            y = y[torch.randperm(len(y))]
        loss = nn.functional.cross_entropy(model(x), y)
        if bug != "no zero_grad":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if bug != "scheduler never stepped":
            scheduler.step()


@torch.no_grad()
def evaluate(model, loader, bug):
    model.train(bug == "evaluated in train mode")
    hits = torch.cat([model(x).argmax(dim=1) == y for x, y in loader])
    return hits.float().mean().item()


def main():
    rows = []
    for seed in SEEDS:
        for bug, code in BUGS.items():
            seed_everything(seed)
            train_loader, valid_loader = lesson_08.loaders()
            model = Network(bug)
            optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
            scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, EPOCHS * len(train_loader))
            for _ in range(EPOCHS):
                train_one_epoch(model, train_loader, optimizer, scheduler, bug)
                reported = evaluate(model, valid_loader, bug)
            played = score(Agent(model), 1, GAMES).mean
            rows.append((bug, code, seed, f"{reported:.4f}", f"{played:.4f}"))
            print(*rows[-1], flush=True)
    with open(CHECKOUT / "one_bug.csv", "w", encoding="utf8", newline="") as file:
        heading = ("bug", "code", "seed", "reported", "score")
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


if __name__ == "__main__":
    main()
