"""A network with its weights from the network; without one, EfficientNet-Lite0 takes its place."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from dlsteps.data import network
from dlsteps.models.efficientnet_lite import efficientnet_lite0, imagenet_classes, preprocess
from dlsteps.models.loading import read_weights


class Pretrained(NamedTuple):
    """A network that knows the photographs of ImageNet, and what belongs to it."""

    name: str
    model: nn.Module  # (B, 3, H, W) float to (B, 1000), in eval mode
    preprocess: Callable  # a PIL image in RGB or a (3, H, W) uint8 tensor to (3, 224, 224) float32
    classes: list  # the names of the 1,000 classes, in the order of the logits


def load_mobilenet_v2():
    """MobileNetV2 with ImageNet weights, as `torchvision.models.mobilenet_v2(weights="DEFAULT")`: a `Pretrained`.

    The first call downloads 14 MB into torch's own cache, where other programs find it; a file that is there already
    is used if its checksum is right, else downloaded again. If that fails, one line says why, and EfficientNet-Lite0
    comes instead, with its own `name` and `preprocess` and the same `classes`.

    Raises ImportError if EfficientNet-Lite0 is needed, and the package that holds its weights is missing.

    Source: Sandler et al., "MobileNetV2", 2018; by way of torchvision.
    """
    weights = MobileNet_V2_Weights.DEFAULT
    file = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
    there, whole = os.path.exists(file), _is_whole(file)
    try:
        model = _read(file) if whole else _download(weights.url, file)
        return Pretrained("mobilenet_v2", model, weights.transforms(), list(weights.meta["categories"]))
    except Exception as problem:  # whatever it was, it is said, and the lesson goes on
        failure = f"MobileNetV2 could not be {'loaded' if whole else 'downloaded'} ({network.reason(problem)})"
    if there and not whole:
        failure += f", and {file.name} in torch's cache is damaged"
    print(f"{failure}: EfficientNet-Lite0, whose weights come with the course, takes its place")
    return Pretrained(
        "efficientnet_lite0", efficientnet_lite0(weights="imagenet").eval(), preprocess, imagenet_classes()
    )


def _is_whole(file):
    """Whether the file can be read and has the checksum that its name promises: torch looks at new files only."""
    try:
        with open(file, "rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest().startswith(_checksum(file))
    except OSError:
        return False


def _checksum(file):
    """The first digits of its SHA-256, as in mobilenet_v2-7ebf99e0.pth."""
    return torch.hub.HASH_REGEX.search(file.name)[1]


def _download(address, file):
    """The network; its `file` is moved into place, in one step, when it is whole and the weights are in the network.

    The folder in which it arrives goes, whatever happens: when the disk is full, torch may leave half a file.
    """
    network.reach([address])
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
        new = Path(folder, file.name)
        with network.default_timeout(network.SILENCE):
            torch.hub.download_url_to_file(address, str(new), _checksum(file), progress=False)
        model = _read(new)
        with contextlib.suppress(OSError):  # another notebook was faster, and reads it (Windows)
            os.replace(new, file)
    return model


def _read(file):
    """MobileNetV2 in eval mode with the weights of the file. Raises ValueError if it holds something else."""
    model = mobilenet_v2()
    try:
        model.load_state_dict(read_weights(file))
    except Exception:  # torch says in many lines what is missing
        raise ValueError(f"{file.name} does not hold the weights of MobileNetV2") from None
    return model.eval()
