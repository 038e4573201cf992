"""The networks of the course."""

from dlsteps.models.convnet import ConvNet

__all__ = ["ConvNet"]
