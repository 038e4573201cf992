"""How long `preflight` and `check_loop` take for the course's networks, in seconds (together at most 10 on two cores).

The agent's `ConvNet` on the minute of play, balanced, flipped and shifted as in lesson 08; a small network on 1,400
digits; EfficientNet-Lite0 with its ImageNet weights and a new head on digits at 96 x 96, the rest frozen, as in lesson
07. Medians, in brackets the fastest and the slowest. All three are sound: an error would be a false alarm.
"""

import argparse
import copy
import functools
import importlib
import statistics
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms.v2.functional import resize

from dlsteps.clinic import check_loop, preflight
from dlsteps.data import load_digits5k
from dlsteps.models import ConvNet, efficientnet_lite0
from dlsteps.models.loading import freeze

lesson_08 = importlib.import_module("08_learning_rate")


def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    model.eval()
    total = right = 0.0
    for x, y in loader:
        logits = model(x)
        total += loss_fn(logits, y).item() * len(y)
        right += (logits.argmax(dim=1) == y).sum().item()
    return {"loss": total / len(loader.dataset), "accuracy": right / len(loader.dataset)}


def agent():
    return ConvNet(in_channels=6, num_actions=3), *lesson_08.loaders()


def loaders(prepare):
    images, labels = load_digits5k()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, valid = order[:1000], order[1000:1400]
    return (
        DataLoader(TensorDataset(prepare(images[train]), labels[train]), 64, shuffle=True),
        DataLoader(TensorDataset(prepare(images[valid]), labels[valid]), 64),
    )


def small():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    return model, *loaders(lambda images: (images / 255 - 0.13) / 0.31)


def lite0():
    model = efficientnet_lite0(10, weights="imagenet")
    freeze(model.feature_extractor)
    return model, *loaders(lambda images: (resize(images, [96, 96]) / 127.5 - 1).expand(-1, 3, -1, -1))


def make_optimizer(model):
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)


def seconds(function, *args):
    start = time.perf_counter()
    return function(*args), time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    loss_fn = nn.CrossEntropyLoss()
    print(f"{torch.get_num_threads()} threads, {rounds} rounds; seconds: preflight, check_loop, both")
    for name, make in {"agent": agent, "digits": small, "EfficientNet-Lite0": lite0}.items():
        torch.manual_seed(0)
        model, train, valid = make()
        times = []
        for _ in range(rounds):
            before, first = seconds(preflight, model, loss_fn, train, valid, make_optimizer(model))
            loop, second = seconds(
                check_loop, train_one_epoch, evaluate, functools.partial(copy.deepcopy, model), make_optimizer,
                train, valid, loss_fn,
            )  # fmt: skip
            times.append((first, second, first + second))
        columns = [sorted(column) for column in zip(*times, strict=True)]
        print(
            f"{name:20}", *(f"{statistics.median(c):6.2f} ({c[0]:.2f} … {c[-1]:.2f})" for c in columns),
            "no error" if before.ok and loop.ok else "AN ERROR",
        )  # fmt: skip
        print(before + loop)


if __name__ == "__main__":
    main()
