"""What the families choose from: optimizers, schedules, loops; and real data, read once a process."""

import functools

import torch
from clinic_programs import loops
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path, load_digits5k, load_photos

TRAIN = [
    loops.train, loops.train_clipped, loops.train_cleared_afterwards, loops.train_by_closure,
    loops.train_two_batches_a_step,
]  # fmt: skip
EVALUATE = [loops.evaluate, loops.evaluate_all_at_once]
EVALUATE_CLASSES = [*EVALUATE, loops.evaluate_with_accuracy]


def optimizer(choose, rate):
    """rate: one that suits Adam."""
    kind, times, settings = choose.choice([
        (torch.optim.Adam, 1, {}),
        (torch.optim.AdamW, 1, {"weight_decay": 0.05}),
        (torch.optim.NAdam, 1, {}),
        (torch.optim.RMSprop, 0.5, {}),
        (torch.optim.SGD, 10, {"momentum": 0.9}),
        (torch.optim.SGD, 10, {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}),
    ])  # fmt: skip
    split = choose.random() < 0.25

    def make_optimizer(model):
        trained = [p for p in model.parameters() if p.requires_grad]
        if not split:
            return kind(trained, lr=times * rate, **settings)
        matrices, others = [p for p in trained if p.dim() > 1], [p for p in trained if p.dim() <= 1]
        groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
        return kind(groups, lr=times * rate, **settings)

    return make_optimizer


def scheduler(choose, epochs):
    """None, or a schedule that is stepped once an epoch."""
    return choose.choice([
        None,
        None,
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, max(1, epochs // 2), 0.3),
        lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8),
    ])  # fmt: skip


def split(tensors, train):
    """The first `train` samples, and the others."""
    return TensorDataset(*(t[:train] for t in tensors)), TensorDataset(*(t[train:] for t in tensors))


def generator_of(choose):
    return torch.Generator().manual_seed(choose.randrange(10**6))


def standardised(x, over):
    return (x - x.mean(over, keepdim=True)) / x.std(over, keepdim=True)


def norm2d(kind, channels):
    return {"batch": nn.BatchNorm2d(channels), "group": nn.GroupNorm(4, channels), None: nn.Identity()}[kind]


# Real data


@functools.cache
def digits(size):
    """MNIST, 5,000 digits in a fixed random order: (N, 1, size, size) standardised, (N,)."""
    images, labels = load_digits5k()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    x = F.adaptive_avg_pool2d(images[order].float() / 255, size)
    return (x - x.mean()) / x.std(), labels[order]


@functools.cache
def recorded(name, size):
    """Every second frame of a recorded episode of Catch, (N, 3, size, size) in 0 to 1, and the actions (N,)."""
    recording = load_recording(data_path(name))
    frames = torch.from_numpy(recording.frames[::2].copy()).permute(0, 3, 1, 2)
    actions = torch.from_numpy(recording.actions[::2].copy()).long()
    return F.interpolate(frames.float() / 255, size=size, mode="area")[actions >= 0], actions[actions >= 0]


@functools.cache
def photographs(scale):
    """[(3, H, W) in 0 to 1] of real photographs, made smaller by `scale`."""
    found = []
    for photo in load_photos().values():
        pixels = torch.frombuffer(bytearray(photo.tobytes()), dtype=torch.uint8).reshape(photo.height, photo.width, 3)
        found.append(F.avg_pool2d(pixels.permute(2, 0, 1).float() / 255, scale))
    return found
