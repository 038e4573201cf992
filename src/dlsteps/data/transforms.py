"""Augmentations of whole batches in which every sample draws its own chance.

All take and return `(x, y)`: x (B, C, H, W), uint8 or float in 0 … 1, with 3 channels for each frame of a stack, and y
(B,), the labels. They go into `FrameDataset(transform=…)`, through `torchvision.transforms.v2.Compose`, or between
loader and model. The frames of a stack are changed alike. Random numbers come from torch's generator.
"""

import torch
import torch.nn.functional as F
from torch import nn


class RandomShift(nn.Module):
    """Shift each picture by up to so many pixels, `vertical` and `horizontal`, repeating what is at the edge.

    The same as cropping the original size from a padded picture (torchvision's `RandomCrop(size, padding, …, "edge")`).
    """

    def __init__(self, vertical, horizontal):
        super().__init__()
        if vertical < 0 or horizontal < 0:
            raise ValueError(f"vertical {vertical} and horizontal {horizontal} must be 0 or more pixels")
        self.vertical, self.horizontal = vertical, horizontal

    def forward(self, x, y):
        height, width = x.shape[2:]
        down = torch.randint(0, 2 * self.vertical + 1, (len(x),)).tolist()
        right = torch.randint(0, 2 * self.horizontal + 1, (len(x),)).tolist()
        h, v = self.horizontal, self.vertical
        wide = F.pad(x, (h, h, v, v), mode="replicate")
        windows = [wide[i, :, d : d + height, r : r + width] for i, (d, r) in enumerate(zip(down, right, strict=True))]
        return torch.stack(windows), y


class RandomFlip(nn.Module):
    """Mirror each picture with probability `p`, and its label with it: what was left is right.

    `mirror` gives the mirrored label of each, e.g. `[2, 1, 0]`; None leaves the labels as they are.
    """

    def __init__(self, mirror=None, p=0.5):
        super().__init__()
        self.mirror, self.p = None if mirror is None else torch.as_tensor(mirror), p

    def forward(self, x, y):
        chosen = torch.rand(len(x)) < self.p
        x = torch.stack([x[i].flip(2) if flip else x[i] for i, flip in enumerate(chosen.tolist())])
        if self.mirror is not None:
            y = torch.where(chosen.to(y.device), self.mirror.to(y.device)[y], y)
        return x, y


class RandomColour(nn.Module):
    """Change brightness and contrast of each picture: by a shift, and a factor, of up to so much. Returns float."""

    def __init__(self, brightness=0.2, contrast=0.2):
        super().__init__()
        self.brightness, self.contrast = brightness, contrast

    def forward(self, x, y):
        x = as_float(x)
        shift, factor = (2 * torch.rand(2, len(x), 1, 1, 1, device=x.device) - 1).unbind()
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = (x - mean) * (1 + self.contrast * factor) + mean + self.brightness * shift
        return x.clamp_(0, 1), y


class RandomTheme(nn.Module):
    """With probability `p`, give a picture other colours altogether: red, green and blue change places, dark is light.

    What is where stays; which colour it has does not. For players that are to know the game in any theme.
    """

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x, y):
        x = as_float(x)
        batch, channels, height, width = x.shape
        frames = x.reshape(batch, channels // 3, 3, height, width)
        order = torch.rand(batch, 3, device=x.device).argsort(dim=1)  # (B, 3), for each picture another order
        other = frames[torch.arange(batch)[:, None], :, order].transpose(1, 2)  # (B, stack, 3, H, W)
        negative = (torch.rand(batch, 1, 1, 1, 1) < 0.5).to(x.device)
        other = torch.where(negative, 1 - other, other)
        chosen = (torch.rand(batch, 1, 1, 1) < self.p).to(x.device)
        return torch.where(chosen, other.reshape_as(x), x), y


def as_float(x):
    """uint8 in 0 … 255 to float32 in 0 … 1; float as it is."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x
