"""The networks of the course, and what is done with their weights."""

import importlib

from dlsteps.models.convnet import ConvNet
from dlsteps.models.costs import summary
from dlsteps.models.efficientnet_lite import efficientnet_lite0, imagenet_classes, preprocess
from dlsteps.models.inputs import classify
from dlsteps.models.loading import LoadReport, copy_submodule, freeze, load_matching, read_weights, unfreeze

LATER = {"load_mobilenet_v2": "downloads"}

__all__ = [
    "ConvNet",
    "LoadReport",
    "classify",
    "copy_submodule",
    "efficientnet_lite0",
    "freeze",
    "imagenet_classes",
    "load_matching",
    "preprocess",
    "read_weights",
    "summary",
    "unfreeze",
    *LATER,
]


def __getattr__(name):
    """Import what needs torchvision only when it is asked for: that takes a second."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LATER[name]}"), name)
