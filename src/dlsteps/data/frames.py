"""Where a dataset's pixels come from: a file that is memory-mapped and read a batch at a time.

Recordings up to `PREPARED_BYTES` are unpacked, resized and put into a cache once, colour by colour as networks want
them. Larger ones are read where they are, and resized while they are read.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np

from dlsteps.data.paths import CHECKOUT

PREPARED_BYTES = 1e9
MAPPED_BYTES = 100e6  # what was read through a memory map counts as our memory, until the map is made anew


class StoredFrames:
    """The frames of a recording, RGB, as (N, 3, size, size) uint8.

    Args:
        path: the recording, for the name of its prepared copy.
        frames: (N, H, W, 3) uint8, as `load_recording` gives them.
        size: height and width wanted.
    """

    def __init__(self, path, frames, size):
        self.size = size
        self.prepared = not isinstance(frames, np.memmap) or len(frames) * 3 * size**2 <= PREPARED_BYTES
        if self.prepared:
            self.shape = (len(frames), 3, size, size)
            self.file = prepare(path, frames, size)
        else:
            self.shape, self.file = frames.shape, frames.filename
        self._open()

    def take(self, numbers):
        """The frames with these numbers, an integer array of any shape: (*numbers.shape, 3, size, size) uint8."""
        if self.read > MAPPED_BYTES:
            self._open()
        frames = self.map[numbers.ravel()]
        self.read += frames.nbytes
        if not self.prepared:
            frames = planar(resize(frames, self.size))
        return frames.reshape(*numbers.shape, 3, self.size, self.size)

    def _open(self):
        self.map, self.read = np.memmap(self.file, np.uint8, "r", shape=self.shape), 0

    def __getstate__(self):  # for workers that are started anew (Windows, macOS): they open the file themselves
        return {name: value for name, value in vars(self).items() if name != "map"}

    def __setstate__(self, state):
        vars(self).update(state)
        self._open()


def prepare(path, frames, size):
    """The file with these frames as (N, 3, size, size) uint8; written to the cache if it is not there yet."""
    stat = os.stat(Path(path, "frames.bin") if os.path.isdir(path) else path)
    key = f"{os.path.abspath(path)} {stat.st_size} {stat.st_mtime_ns} {len(frames)} {size}"
    file = cache_folder() / f"{Path(path).stem}-{size}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.bin"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".new", delete=False) as new:
            for start in range(0, len(frames), 1000):
                new.write(planar(resize(frames[start : start + 1000], size)))
        os.replace(new.name, file)  # in one step: two notebooks may prepare the same recording
    return file


def cache_folder():
    """Where prepared recordings are kept, and can be deleted at any time: $DLSTEPS_CACHE, else beside course.py."""
    if named := os.environ.get("DLSTEPS_CACHE"):
        return Path(named)
    root = CHECKOUT.parent
    writable = (root / "course.py").is_file() and os.access(root, os.W_OK)
    return root / ".cache" if writable else Path(tempfile.gettempdir(), "dlsteps-cache")


def resize(frames, size):
    """(N, H, W, 3) uint8 to (N, size, size, 3), as the recorder and the agent do it."""
    if frames.shape[1:3] == (size, size):
        return frames
    return np.stack([cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in frames])


def planar(frames):
    """(N, H, W, 3) to (N, 3, H, W), one colour after the other in memory."""
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
