"""What a recording is on disk, written so that a killed program loses at most the last moment.

A recording is a folder:

    frames.bin   the frames one after the other, (height, width, 3) uint8 RGB, no header: memory-mapped when read
    index.csv    a row a frame: time in seconds, action (-1: unknown), keys held ("left+space"), segment
    meta.json    the format's version, size, where it came from, what the actions mean

Frames of one segment follow each other without a gap; a new segment begins after each gap. `pack` turns a finished
folder into one small .npz file, which `load_recording` reads just as well.
"""

import csv
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dlsteps.capture.windows import CaptureError

VERSION = 1
COLUMNS = ("time", "action", "keys", "segment")


class Recording(NamedTuple):
    frames: np.ndarray  # (N, H, W, 3) uint8 RGB; memory-mapped where it comes from a folder
    times: np.ndarray  # (N,) float64, seconds since the first frame
    actions: np.ndarray  # (N,) int64, -1 where unknown
    keys: list[str]  # keys held, "" or "left" or "left+space"
    segments: np.ndarray  # (N,) int64
    meta: dict


class RecordingWriter:
    """Appends frames to a new recording; unbuffered, so that all it was given survives the program's death."""

    def __init__(self, path, meta):
        self.path, self.meta = Path(path), {"version": VERSION, **meta}
        if self.path.exists():
            raise FileExistsError(f"{str(path)!r} exists already: give another name, or delete it first")
        try:
            self.path.mkdir(parents=True)
            self.frames = open(self.path / "frames.bin", "xb", buffering=0)  # noqa: SIM115
            self.index = open(self.path / "index.csv", "x", encoding="utf8", newline="", buffering=1)  # noqa: SIM115
            self.rows = csv.writer(self.index)
            self.rows.writerow(COLUMNS)
        except OSError as problem:
            raise CaptureError(f"cannot write to {str(path)!r} ({problem.strerror}): choose another folder") from None
        self.count = 0

    def append(self, pixels, time, action, keys, segment):
        """Append one frame, (H, W, 3) uint8. All frames of a recording have the size of the first."""
        shape = list(pixels.shape)
        if self.count == 0:
            self.meta["shape"] = shape
            self._write_meta()
        elif shape != self.meta["shape"]:
            raise CaptureError(f"the picture's size changed from {self.meta['shape']} to {shape}: record with size=")
        data = memoryview(np.ascontiguousarray(pixels)).cast("B")
        while data:  # an unbuffered write may take only a part
            data = data[self.frames.write(data) :]
        action = -1 if action is None else int(action)
        self.rows.writerow((f"{time:.6f}", action, keys, segment))
        self.count += 1

    def close(self, **summary):
        """Add `summary` to meta.json. A recording without a single frame leaves nothing behind."""
        self.frames.close()
        self.index.close()
        if self.count == 0:
            for file in self.path.iterdir():
                file.unlink()
            self.path.rmdir()
            return
        self.meta.update(summary, frames=self.count)
        self._write_meta()

    def _write_meta(self):
        new = self.path / "meta.json.new"
        new.write_text(json.dumps(self.meta, indent=1) + "\n", encoding="utf8")
        os.replace(new, self.path / "meta.json")


def load_recording(path):
    """Read a recording: a folder written by `record`, or an .npz file written by `pack`. Returns a `Recording`."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no recording {str(path)!r}")
    try:
        return _load_folder(path) if path.is_dir() else _load_packed(path)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as problem:
        raise CaptureError(f"{str(path)!r} is not a whole recording of this course ({problem})") from None


def pack(folder, path):
    """Write a recording into one compressed .npz file, losing nothing.

    Each frame is stored as its difference from the one before (modulo 256): nearly all zeros, which compress well.
    """
    recording = load_recording(folder)
    first = np.zeros_like(recording.frames[:1])
    arrays = {
        "differences": np.diff(recording.frames, axis=0, prepend=first),
        "times": recording.times,
        "actions": recording.actions.astype(np.int16),
        "keys": np.array(recording.keys),
        "segments": recording.segments.astype(np.int32),
        "meta": np.array(json.dumps(recording.meta)),
    }
    with zipfile.ZipFile(path, "w") as file:  # LZMA: half the size of np.savez_compressed, and np.load reads it
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # no time stamp: the same recording gives the same bytes
            entry.compress_type = zipfile.ZIP_LZMA
            with file.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _load_folder(path):
    meta = _check(json.loads((path / "meta.json").read_text(encoding="utf8")))
    header, *lines = (path / "index.csv").read_text(encoding="utf8").split("\n", 1)
    if header != ",".join(COLUMNS):
        raise ValueError("index.csv has other columns")
    whole_lines = "".join(lines).rpartition("\n")[0]  # the last may be half-written
    fields = whole_lines.replace("\n", ",").split(",") if whole_lines else []  # csv would take a second for a million
    if len(fields) % len(COLUMNS):
        raise ValueError("index.csv has rows of another length")
    rows = len(fields) // len(COLUMNS)
    frame_bytes = int(np.prod(meta["shape"]))
    whole = (path / "frames.bin").stat().st_size // frame_bytes
    if whole < rows:
        warnings.warn(f"{str(path)!r} is truncated: {whole} of its {rows} frames are there", stacklevel=3)
    count = min(whole, rows)
    if count == 0:
        raise ValueError("no whole frame")
    times, actions, keys, segments = (fields[column : 4 * count : 4] for column in range(4))
    times = np.array(times, float)
    frames = np.memmap(path / "frames.bin", np.uint8, "r", shape=(count, *meta["shape"]))
    return Recording(frames, times - times[0], np.array(actions, np.int64), keys, np.array(segments, np.int64), meta)


def _load_packed(path):
    with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
        meta = _check(json.loads(str(file["meta"])))
        frames = np.cumsum(file["differences"], axis=0, dtype=np.uint8)
        keys = file["keys"].tolist()
        return Recording(
            frames, file["times"], file["actions"].astype(np.int64), keys, file["segments"].astype(np.int64), meta
        )


def _check(meta):
    if meta["version"] != VERSION:
        raise ValueError(f"its version is {meta['version']!r}, this course reads {VERSION}")
    return meta
