"""The course's own network on frames of Catch: which key was held?"""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE_CLASSES, TRAIN, optimizer, recorded, scheduler
from torch import nn
from torch.utils.data import Dataset, Subset

from dlsteps.models import ConvNet


class Frames(Dataset):
    """Stacks of frames, oldest first, with the action of the newest."""

    def __init__(self, frames, actions, stack):
        self.frames, self.actions, self.stack = frames, actions, stack

    def __len__(self):
        return len(self.actions) - self.stack + 1

    def __getitem__(self, number):
        return self.frames[number : number + self.stack].flatten(0, 1), self.actions[number + self.stack - 1]


def balanced(actions, numbers, each, choose):
    """As many of one action as of another, in order."""
    found = [[n for n in numbers if actions[n] == action] for action in range(3)]
    return sorted(n for some in found for n in choose.sample(some, min(each, len(some))))


def make(choose):
    size, stack, epochs = choose.choice([24, 32]), choose.choice([1, 2]), choose.choice([6, 8])
    frames, actions = recorded("catch_level1_night.npz", size)
    frames = (frames - frames.mean((0, 2, 3), keepdim=True)) / frames.std()
    data = Frames(frames, actions, stack)
    cut, newest = int(0.7 * len(data)), data.actions[stack - 1 :]
    weights = choose.choice([None, torch.tensor([1.0, 0.8, 1.0])])
    return Program(
        task="classes",
        make_model=functools.partial(ConvNet, 3 * stack, 3, size),
        make_optimizer=optimizer(choose, 5e-4),
        loss_fn=nn.CrossEntropyLoss(weight=weights),
        train_data=Subset(data, balanced(newest, range(cut), 200, choose)),
        valid_data=Subset(data, balanced(newest, range(cut + 40, len(data)), 70, choose)),
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES[: 2 if weights is None else 1]),
        make_scheduler=scheduler(choose, epochs),
    )
