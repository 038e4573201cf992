"""What the learning rate does to the agent: lesson 08's training at eight rates, constant and as one cycle.

`ConvNet` on the minute of play that comes with the course: balanced batches of 64, flipped and shifted, AdamW, ten
epochs; the last fifth validates. Five seeds of each, and each agent plays four games at level 1. Writes
data/learning_rate.csv, a row a training, with the mean training loss of each tenth of an epoch. Forty minutes on one
core.
"""

import csv

import torch
from torch.utils.data import DataLoader, Subset, WeightedRandomSampler
from torchvision.transforms import v2

from dlsteps.agents.imitation import Agent
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.paths import CHECKOUT
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.game import score
from dlsteps.models import ConvNet
from dlsteps.seed import seed_everything
from dlsteps.training import Callback, Trainer, accuracy

RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SCHEDULES = ("constant", "one cycle")
EPOCHS, SEEDS, GAMES = 10, range(5), range(4)


class Losses(Callback):
    """The loss of each step."""

    def __init__(self):
        self.values = []

    def on_batch_end(self, trainer):
        self.values.append(trainer.loss.detach())


def loaders():
    """Training batches, balanced, flipped and shifted; and validation batches as they were recorded."""
    path = data_path("catch_level1_night.npz")
    plain = FrameDataset(path)
    varied = FrameDataset(path, transform=v2.Compose([RandomFlip([2, 1, 0]), RandomShift(vertical=0, horizontal=8)]))
    train_part, valid_set = split_by_time(plain)
    actions = torch.from_numpy(plain.actions[train_part.indices])
    sampler = WeightedRandomSampler(1 / torch.bincount(actions)[actions], len(actions))
    train_set = Subset(varied, train_part.indices)
    return DataLoader(train_set, batch_size=64, sampler=sampler), DataLoader(valid_set, batch_size=64)


def new_trainer(schedule, rate, seed, steps, callbacks=()):
    """A run of so many steps, before its first; its first callback has the losses."""
    seed_everything(seed)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps) if schedule == "one cycle" else None
    return Trainer(
        model, optimizer, torch.nn.CrossEntropyLoss(), metrics={"accuracy": accuracy}, scheduler=scheduler,
        callbacks=[Losses(), *callbacks], device="cpu", seed=seed,
    )  # fmt: skip


def train(schedule, rate, seed):
    """The trainer after its run."""
    train_loader, valid_loader = loaders()
    trainer = new_trainer(schedule, rate, seed, EPOCHS * len(train_loader))
    trainer.fit(train_loader, valid_loader, epochs=EPOCHS)
    return trainer


def main():
    rows = []
    for seed in SEEDS:
        for schedule in SCHEDULES:
            for rate in RATES:
                trainer = train(schedule, rate, seed)
                last = trainer.history[-1]
                parts = torch.stack(trainer.callbacks[0].values).tensor_split(10 * EPOCHS)
                played = score(Agent(trainer.model), 1, GAMES).mean
                numbers = [f"{value:.4f}" for value in (last["valid_loss"], last["valid_accuracy"], played)]
                rows.append((schedule, f"{rate:g}", seed, *numbers, " ".join(f"{part.mean():.3g}" for part in parts)))
                print(*rows[-1][:6], flush=True)
    with open(CHECKOUT / "learning_rate.csv", "w", encoding="utf8", newline="") as file:
        heading = ("schedule", "rate", "seed", "valid_loss", "valid_accuracy", "score", "train_losses")
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


if __name__ == "__main__":
    main()
