"""The networks of the course, and what is done with their weights."""

from dlsteps.models.convnet import ConvNet
from dlsteps.models.efficientnet_lite import efficientnet_lite0
from dlsteps.models.loading import LoadReport, copy_submodule, freeze, load_matching, read_weights, unfreeze

__all__ = [
    "ConvNet",
    "LoadReport",
    "copy_submodule",
    "efficientnet_lite0",
    "freeze",
    "load_matching",
    "read_weights",
    "unfreeze",
]
