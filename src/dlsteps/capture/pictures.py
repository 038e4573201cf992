"""Picture files as a source of frames and a dataset read them: whole, upright, in RGB, of one size."""

import numbers
import warnings

import numpy as np

from dlsteps.capture.windows import CaptureError


class UnreadablePicture(CaptureError):
    """A file is not a whole picture; the message names it, and says why."""


def read_picture(path):
    """The picture in a file: an RGB `PIL.Image`, upright (a camera may note how it was held instead of turning it).

    Raises `UnreadablePicture` if there is no whole picture in it.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I;16"):  # Pillow would make white of all but the darkest
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            return upright.convert("RGB")
    except UnidentifiedImageError:
        reason = "not in a format that Pillow knows"
    except Exception as problem:  # decoders raise OSError, ValueError, SyntaxError, struct.error …
        reason = " ".join(str(getattr(problem, "strerror", None) or problem).split()) or type(problem).__name__
    raise UnreadablePicture(
        f"{str(path)!r} is not a picture that can be read ({reason}): "
        'delete it, or leave such out with unreadable="skip"'
    )


def picture_size(path):
    """(width, height) that `read_picture` would give, from the file's header alone; raises as it does."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            on_its_side = "exif" in image.info and image.getexif().get(0x0112, 1) >= 5  # the tag Orientation
            return image.size[::-1] if on_its_side else image.size
    except Exception:
        return read_picture(path).size


def resize_picture(pixels, size):
    """(H, W, 3) uint8 to `size`, (width, height), as the recorder and the agent do it."""
    import cv2

    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def size_pair(size):
    """One number of pixels, or two, as a pair; None stays None. Raises `ValueError` for anything else."""
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if size is not None and (len(pair) != 2 or any(not isinstance(n, numbers.Integral) or n < 1 for n in pair)):
        raise ValueError(f"unknown size {size!r}: choose a number of pixels, or two, each 1 or more")
    return None if size is None else pair


def check_unreadable(unreadable):
    """Raise `ValueError` unless it says what to do with pictures that cannot be read."""
    if unreadable not in ("raise", "skip"):
        raise ValueError(f"unknown unreadable {unreadable!r}: choose from 'raise', 'skip'")


def check_sizes(first, first_size, other, other_size):
    """Raise `CaptureError`, which names both files, unless they have the same size, (width, height)."""
    if first_size == other_size:
        return
    (width, height), (other_width, other_height) = first_size, other_size
    raise CaptureError(
        f"{str(first)!r} has {width} x {height} pixels, {str(other)!r} {other_width} x {other_height}: "
        "give all of them one size, e.g. size=64"
    )


def warn_of_skipped(skipped, count, folder):
    """Warn that so many of the pictures in a folder could not be read."""
    warnings.warn(
        f"{len(skipped)} of {count} pictures in {str(folder)!r} cannot be read and are left out: see .skipped",
        stacklevel=3,
    )
