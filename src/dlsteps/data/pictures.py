"""A learner's own pictures as a PyTorch dataset: one folder a class."""

import os
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms import PILToTensor

from dlsteps.capture.pictures import (
    UnreadablePicture,
    check_sizes,
    check_unreadable,
    picture_size,
    read_picture,
    resize_picture,
    size_pair,
    warn_of_skipped,
)
from dlsteps.data.recordings import inside
from dlsteps.data.workers import explain_missing_guard, require_main_guard


class PictureFolder(ImageFolder):
    """Map-style dataset of `(x, y)`: pictures from a folder that has one sub-folder a class, e.g. `left/` and `right/`.

    x is a (3, H, W) uint8 tensor, RGB, or what `transform` makes of the picture; y, an int, is the class's place among
    the sub-folders' sorted names. Files and folders whose names begin with a dot are not looked at.

    Args:
        path: the folder.
        size: resizes the pictures to (height, width), or to a square, whatever their proportions; None keeps theirs,
            which must then all be the same, unless there is a `transform` to see to it.
        transform: called with the RGB `PIL.Image`, after `size`.
        unreadable: "raise" names a file that is no whole picture, at the latest when its sample is asked for. "skip"
            reads all files now, and leaves such out with a warning.

    Attributes: `classes`, `class_to_idx`, `samples` and `targets` as torchvision's `ImageFolder` has them; `skipped`,
        the paths left out.

    Raises `FileNotFoundError` if there is no folder, no sub-folder, or a sub-folder without a picture, `CaptureError`
    for an unreadable picture or different sizes, `IndexError` for an index outside the dataset.
    """

    def __init__(self, path, size=None, transform=None, unreadable="raise"):
        explain_missing_guard()
        check_unreadable(unreadable)
        self.size, self.unreadable, self.skipped = size_pair(size), unreadable, []
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder {str(path)!r}")
        to_x = PILToTensor() if transform is None else transform
        super().__init__(folder, to_x, loader=self.read, is_valid_file=self._wanted, allow_empty=True)
        self._check_classes()
        if self.skipped:
            warn_of_skipped(self.skipped, len(self.skipped) + len(self), path)
        if size is None and transform is None:
            self._check_sizes()

    def __getitem__(self, i):
        return super().__getitem__(inside(i, len(self)).item())

    def __getstate__(self):
        require_main_guard()
        return vars(self)

    def read(self, path):
        """The picture in a file, an RGB `PIL.Image` of the size asked for."""
        image = read_picture(path)
        return image if self.size is None else Image.fromarray(resize_picture(np.asarray(image), self.size[::-1]))

    def find_classes(self, directory):
        """The sub-folders' names, sorted, and their numbers: (classes, class_to_idx)."""
        classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
        if not classes:
            raise FileNotFoundError(f"no sub-folders in {str(directory)!r}: put the pictures of each class into one")
        return classes, {name: number for number, name in enumerate(classes)}

    def _wanted(self, path):
        hidden = any(part.startswith(".") for part in Path(path).relative_to(self.root).parts)
        if hidden or not path.lower().endswith(IMG_EXTENSIONS):
            return False
        if self.unreadable == "skip":
            try:
                self.read(path)
            except UnreadablePicture:
                self.skipped.append(path)
                return False
        return True

    def _check_classes(self):
        filled = {self.classes[y] for y in self.targets}
        empty = [name for name in self.classes if name not in filled]
        if empty:
            unread = f"; {len(self.skipped)} cannot be read" if self.skipped else ""
            raise FileNotFoundError(
                f"no picture for class {', '.join(map(repr, empty))} in {str(self.root)!r}: "
                f"looked for {', '.join(IMG_EXTENSIONS)}{unread}"
            )

    def _check_sizes(self):
        first, _ = self.samples[0]
        size = picture_size(first)
        for path, _ in self.samples:
            check_sizes(first, size, path, picture_size(path))
