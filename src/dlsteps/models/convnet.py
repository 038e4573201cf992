"""The network that plays: a feature extractor that looks, and a head that decides."""

from torch import nn


class ConvNet(nn.Module):
    """From a stack of frames to a score (logit) for each action.

    `feature_extractor`: three convolutions, each halving height and width, then a linear layer to 128 features. It
    flattens the picture rather than averaging over it: where things are is what matters here.
    `head`: a linear layer from features to logits.

    Args:
        in_channels: 3 for each frame of the stack.
        num_actions: number of logits.
        size: height and width of the input in pixels, a multiple of 8.
    """

    def __init__(self, in_channels, num_actions, size=64):
        super().__init__()
        if size % 8:
            raise ValueError(f"size is {size}: a multiple of 8, since three layers halve it")
        self.feature_extractor = nn.Sequential(
            *halve(in_channels, 16, kernel_size=5),
            *halve(16, 32),
            *halve(32, 32),
            nn.Flatten(),
            nn.Linear(32 * (size // 8) ** 2, 128),
            nn.ReLU(),
        )
        self.head = nn.Linear(128, num_actions)

    def forward(self, x):  # (B, in_channels, size, size) float
        features = self.feature_extractor(x)  # (B, 128)
        return self.head(features)  # (B, num_actions)


def halve(in_channels, out_channels, kernel_size=3):
    """Convolution with stride 2, batch normalisation, ReLU: (B, in, H, W) to (B, out, H / 2, W / 2)."""
    convolution = nn.Conv2d(
        in_channels, out_channels, kernel_size, stride=2, padding=kernel_size // 2, bias=False
    )  # no bias: the normalisation would subtract it again
    return convolution, nn.BatchNorm2d(out_channels), nn.ReLU()
