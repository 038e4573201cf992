"""What networks learn from: recordings and pictures as datasets, digits, photographs; augmentations of batches."""

import importlib

from dlsteps.data.digits import load_digits5k
from dlsteps.data.paths import data_path
from dlsteps.data.photos import load_photos
from dlsteps.data.recordings import FrameDataset, split_by_time

LATER = {"PictureFolder": "pictures", "load_cifar10": "downloads", "load_fashion_mnist": "downloads"}

__all__ = ["FrameDataset", "data_path", "load_digits5k", "load_photos", "split_by_time", *LATER]


def __getattr__(name):
    """Import what needs torchvision only when it is asked for: that takes a second."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LATER[name]}"), name)
