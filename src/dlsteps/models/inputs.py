"""What goes into a network for photographs: one clear line about what is wrong with it, and what comes out by name."""

import math
import os
import warnings

import numpy as np
import torch
from torch import nn

from dlsteps.models.modes import eval_mode

# A batch, before each forward pass


def check_pictures(model, args, kwargs):
    """A forward pre-hook of `efficientnet_lite0`: looks at the input's shape and dtype, not at its values.

    A function of this module, so a model that has it is copied, pickled, compiled and exported as before.

    Raises TypeError for what is no tensor, and for a dtype other than the weights'; ValueError for a shape other
    than (B, 3, H, W), or less than 32 pixels high or wide. Whoever changes the first convolution changes that, too.
    """
    first = next(layer for layer in model.modules() if not list(layer.children()))
    inputs = (*args, *kwargs.values())
    if not isinstance(first, nn.Conv2d) or not inputs:  # somebody's own beginning; or `forward` has an error itself
        return
    _check_batch(inputs[0])
    _check_channels(inputs[0], first.in_channels)
    _check_size(inputs[0], least=16 * first.stride[0])  # all that follows divides by 16
    _check_dtype(inputs[0], first.weight.dtype)


def _check_batch(x):
    if not isinstance(x, torch.Tensor):
        kind = type(x).__name__
        raise TypeError(f"the input is of type {kind}, no tensor: preprocess(photo)[None] is a batch of one")
    shape = tuple(x.shape)
    if len(shape) == 3:
        way = "x.permute(2, 0, 1)[None]" if shape[2] == 3 != shape[0] else "x[None]"
        raise ValueError(f"x is {shape}, a single picture: {way} is a batch of one")
    if len(shape) != 4:
        raise ValueError(f"x is {shape}: a batch of pictures is (B, channels, H, W)")
    if shape[3] == 3 != shape[1]:
        raise ValueError(f"x is {shape}, channels last: x.permute(0, 3, 1, 2) puts them second")


def _check_channels(x, wanted):
    if x.shape[1] == wanted:
        return
    ways = {1: " (grey): x.expand(-1, 3, -1, -1) repeats it", 4: " (RGBA?): x[:, :3] leaves out alpha"}
    way = ways.get(x.shape[1], "") if wanted == 3 else ""
    raise ValueError(f"x is {tuple(x.shape)}: {wanted} channels wanted, not {x.shape[1]}{way}")


def _check_size(x, least):
    if x.shape[2] < least or x.shape[3] < least:
        size = f"{x.shape[2]} x {x.shape[3]} pixels"
        raise ValueError(f"pictures of {size}: {least} x {least} at least; the weights were trained at 224 x 224")


def _check_dtype(x, wanted):
    if x.dtype == wanted:
        return
    if not x.is_floating_point():
        raise TypeError(f"x is {_name(x.dtype)}: {_name(wanted)} wanted, -1 … 1, as preprocess(photo) gives it")
    if x.dtype != torch.float64 and _is_autocast(x.device.type):  # float64 it leaves alone
        return
    raise TypeError(f"x is {_name(x.dtype)}, but the weights are {_name(wanted)}: x.to({wanted})")


def _is_autocast(device):
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def _name(dtype):
    return str(dtype).removeprefix("torch.")


# A batch, and what a network says about it


def classify(model, x, classes, k=5):
    """What `model` sees on pictures: for each a list of k pairs (class, probability), the most probable first.

    Args:
        model: (B, 3, H, W) to logits (B, len(classes)). It is used in eval mode; afterwards it is in the mode it was.
        x: (B, 3, H, W) float, normalised as the model's weights want it.
        classes: their names, in the order of the logits.
        k: how many, 1 … len(classes).

    Probabilities (float) are the softmax over all classes. Warns (UserWarning) if all values of x lie in 0 … 1: a
    white picture may look so, but one that nobody normalised does, too.

    Raises TypeError or ValueError for x of another kind or shape; ValueError for values beyond ±10, nan or infinite,
    for such a k, and if there are not as many classes as logits.
    """
    _check_batch(x)
    if not x.is_floating_point():
        raise TypeError(f"x is {_name(x.dtype)}: floats wanted, normalised, as preprocess(photo) gives them")
    _check_values(x)
    if not 1 <= k <= len(classes):
        raise ValueError(f"k is {k}: choose from 1 to {len(classes)}, the number of classes")
    with torch.inference_mode(), eval_mode(model):
        logits = model(x)
        _check_logits(logits, len(x), len(classes))
        top = logits.float().softmax(dim=1).topk(k)
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return [[(classes[i], p) for i, p in zip(*one, strict=True)] for one in pairs]


def _check_values(x):
    if not x.numel():
        return
    lowest, highest = (value.item() for value in x.aminmax())  # nan if there is one
    if not math.isfinite(lowest) or not math.isfinite(highest):
        raise ValueError("there are nan or infinite values in x: look where they come from")
    if max(-lowest, highest) > 10:
        reach = f"up to {highest}" if highest > 10 else f"down to {lowest}"
        raise ValueError(f"values {reach}: not normalised as the weights expect it; preprocess(photo) does that")
    if lowest >= 0 and highest <= 1:
        message = "all values in 0 … 1: the weights expect -1 … 1; preprocess(photo) gives that"
        warnings.warn(message, stacklevel=3)  # it shows the line that called `classify`


def _check_logits(logits, samples, num_classes):
    shape = tuple(getattr(logits, "shape", ()))
    if len(shape) != 2 or shape[0] != samples:
        what = shape or type(logits).__name__
        raise ValueError(f"for {samples} pictures the model gives {what}: logits ({samples}, {num_classes}) wanted")
    if shape[1] != num_classes:
        raise ValueError(f"the model gives {shape[1]} logits, but there are {num_classes} classes")


# A photograph, before it is made a tensor


def upright_rgb(photo):
    """The photograph that `preprocess` begins with: an upright `PIL.Image` in RGB, or the (1 or 3, H, W) uint8 tensor.

    Upright: phones save a portrait lying on its side, and say in EXIF how to turn it.

    Raises TypeError or ValueError for anything else, see `preprocess`.
    """
    from PIL import Image, ImageOps

    if isinstance(photo, torch.Tensor):
        _check_photo_tensor(photo)
        return photo
    if not isinstance(photo, Image.Image):
        raise TypeError(_why_no_photo(photo))
    _check_not_empty(photo.height, photo.width)
    return _to_rgb(ImageOps.exif_transpose(photo))


def _why_no_photo(photo):
    if isinstance(photo, str | os.PathLike):
        return f"photo is a path: preprocess(PIL.Image.open({str(photo)!r}))"
    if isinstance(photo, np.ndarray):
        return f"photo is an ndarray of shape {photo.shape}: preprocess(PIL.Image.fromarray(photo)), if it is RGB"
    return f"photo is of type {type(photo).__name__}: a PIL image wanted, or a (3, H, W) uint8 tensor"


def _check_photo_tensor(photo):
    shape = tuple(photo.shape)
    if len(shape) == 4:
        raise ValueError(f"photo is {shape}, a batch: torch.stack([preprocess(photo) for photo in photos])")
    if len(shape) != 3:
        raise ValueError(f"photo is {shape}: (3, H, W) wanted; photo[None] if it is grey, (H, W)")
    if shape[0] not in (1, 3):
        if shape[2] in (1, 3, 4):
            raise ValueError(f"photo is {shape}, channels last: photo.permute(2, 0, 1) puts them first")
        way = ": photo[:3] leaves out alpha" if shape[0] == 4 else ""
        raise ValueError(f"photo is {shape}: 3 channels wanted (or 1, grey), not {shape[0]}{way}")
    if photo.dtype != torch.uint8:
        way = "(photo * 255).round().to(torch.uint8), if its values lie in 0 … 1"
        raise TypeError(f"photo is {_name(photo.dtype)}: uint8, 0 … 255, wanted; {way}")
    _check_not_empty(*shape[1:])


def _check_not_empty(height, width):
    if not height or not width:
        raise ValueError(f"the photo is {width} pixels wide and {height} high: there is nothing to see")


def _to_rgb(image):
    """RGB by way of what PIL's own conversion would lose: what is transparent becomes white, and 16 bits become 8."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("photo is a PIL image of mode 'F', floats of any scale: 0 … 255 wanted, photo.convert('L')")
    if image.mode.startswith("I;16") or (image.mode == "I" and image.getextrema()[1] > 255):
        grey = image.convert("I").point(lambda value: value / 257 + 0.5)  # convert alone: white from 255 on
        image = grey.convert("L")
    elif image.has_transparency_data:  # convert("RGB") would show the colours that nobody was to see, mostly black
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")
