"""Data sets from the network; without one, the digits that come with the course take their place."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.datasets import CIFAR10, FashionMNIST, VisionDataset
from torchvision.transforms.v2.functional import resize

from dlsteps.data import network
from dlsteps.data.digits import load_digits5k
from dlsteps.data.frames import cache_folder
from dlsteps.data.workers import explain_missing_guard


def load_fashion_mnist(train=True, transform=None, root=None):
    """FashionMNIST: 60,000 small pictures of clothes to train on, or 10,000 to test; a map-style dataset.

    Samples are `(x, y)`: x a 28 x 28 `PIL.Image` of mode "L", or what `transform` makes of it; y an int, 0 … 9.

    The first call downloads 31 MB into `root`, else into a folder of the course's cache. If that fails, one line says
    why, and 4,000 of the course's digits come instead (1,000 to test, others), with the same attributes: `data`,
    `targets`, `classes`.

    Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST", 2017; by way of torchvision.
    """
    addresses = [mirror + file for mirror in FashionMNIST.mirrors for file, _ in FashionMNIST.resources[:1]]
    return _load(FashionMNIST, "FashionMNIST", addresses, train, transform, root)


def load_cifar10(train=True, transform=None, root=None):
    """CIFAR-10: 50,000 small photographs of ten kinds of things to train on, or 10,000 to test; a map-style dataset.

    Samples are `(x, y)`: x a 32 x 32 RGB `PIL.Image`, or what `transform` makes of it; y an int, 0 … 9.

    The first call downloads 170 MB; else as `load_fashion_mnist`, with the digits enlarged and in RGB.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; by way of torchvision.
    """
    return _load(CIFAR10, CIFAR10.base_folder, [CIFAR10.url], train, transform, root)


class Digits(VisionDataset):
    """The course's digits in the shape of another data set: 4,000 to train on, or the 1,000 others, mixed.

    `data` and `targets` have the types they have in `FashionMNIST`, or with `colour` in `CIFAR10`.
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(self, train=True, transform=None, colour=False):
        super().__init__(transform=transform)
        images, labels = load_digits5k()
        part = torch.arange(len(labels)).reshape(10, 500)[:, slice(0, 400) if train else slice(400, 500)].flatten()
        mixed = part[torch.randperm(len(part), generator=torch.Generator().manual_seed(0))]
        self.data, self.targets = images[mixed, 0], labels[mixed]  # (N, 28, 28), (N,)
        if colour:
            self.data = resize(self.data, [32, 32])[..., None].repeat(1, 1, 1, 3).numpy()  # (N, 32, 32, 3)
            self.targets = self.targets.tolist()
        self.class_to_idx = {name: digit for digit, name in enumerate(self.classes)}

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        image, digit = Image.fromarray(np.asarray(self.data[i])), int(self.targets[i])
        return (image if self.transform is None else self.transform(image)), digit


def _load(dataset, folder, addresses, train, transform, root):
    """The `dataset` from `root`, where it keeps its files in `folder`; or downloaded; or else the digits."""
    explain_missing_guard()
    root = Path(root or cache_folder() / "torchvision").expanduser()
    with contextlib.suppress(Exception):  # not there, or damaged: then it is downloaded
        return dataset(root, train, transform)
    try:
        network.reach(addresses)
        _download(dataset, root, folder)
        return dataset(root, train, transform)
    except Exception as problem:  # whatever it was, it is said, and the lesson goes on
        print(
            f"{dataset.__name__} could not be downloaded ({network.reason(problem)}): "
            "the 5,000 digits that come with the course take its place"
        )
    return Digits(train, transform, colour=dataset is CIFAR10)


def _download(dataset, root, folder):
    """Have torchvision download into a folder of its own, and move what is whole into place, in one step."""
    damaged = (root / folder).exists()
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as new:
        with network.silent(), network.default_timeout(network.SILENCE):
            dataset(new, download=True)
        if damaged:
            shutil.rmtree(root / folder)
        with contextlib.suppress(OSError):  # another notebook was faster
            os.replace(Path(new, folder), root / folder)
