"""Record frames and the keys held while they were shown.

Which keys belong to a frame? The player sees frame k, presses, and the game uses that key when it computes frame k+1.
So a frame is paired with the keys held at its **last** capture, just before the next one replaces it. That needs at
least two captures for each frame of the game: record at twice the game's rate or more. At each capture the keys are
read first and the picture taken after: the other way round, the keys could be those of the next frame already.
"""

import contextlib
import sys
import time

import cv2
import numpy as np
from tqdm.auto import tqdm

from dlsteps.capture.keys import Keys
from dlsteps.capture.recording import RecordingWriter
from dlsteps.capture.windows import CaptureError, WindowHidden

COVER_CHECK = 0.2  # seconds between two looks for windows lying over ours; frames wait that long to be believed


def record(source, keys, path, seconds=60.0, fps=120.0, *, size=None, progress=True):
    """Record a source into a new folder; returns its `Path`.

    A window is recorded only while it has the focus, is wholly on the screen and nothing lies over it; what the
    keyboard does elsewhere is not looked at. Frames that repeat the one before are dropped (the keys are kept up to
    date). The window's closing ends the recording early; Ctrl-C does too, and keeps what there is.

    Args:
        source: a `FrameSource`. One that is not a window is read as fast as it goes.
        keys: what to pair frames with.
            A dictionary from keys to an action: `{"left": 0, "": 1, "right": 2, "left+space": 3}` ("" is no key; a
            combination that is not listed is stored as action -1, unknown).
            Or a `Keys` object: each combination of its watched keys gets the next number as it first appears.
            Or None: the action that comes with the frame (`EnvSource`), else unknown.
        path: of the new folder. An existing one is never overwritten.
        seconds: how long.
        fps: captures a second, of a window; at least twice the game's rate.
        size: stored size in pixels: (width, height), or one number for a square; None keeps the source's.
        progress: show a bar.

    Raises `FileExistsError` if `path` exists, `CaptureError` if nothing but black frames come, or the disk is full
    (what was recorded until then is kept, and said).
    """
    with Labels(keys) as labels:
        meta = {"source": type(source).__name__, "title": _title(source), "fps": fps, "actions": labels.actions}
        writer = RecordingWriter(path, meta)
        session, ended = Session(writer, labels, size), "failed"
        try:
            with _bar(seconds, progress) as bar:
                ended = (_watch if hasattr(source, "covered") else _drain)(source, session, seconds, fps, bar)
            session.settle(finish=True)
        except KeyboardInterrupt:
            ended = "interrupted"
            raise
        except OSError as problem:
            kept = f"the {writer.count} frames so far are kept in {str(path)!r}"
            raise CaptureError(f"cannot go on writing ({problem.strerror}): {kept}") from None
        finally:
            with contextlib.suppress(OSError):  # a full disk: what was appended is whole all the same
                writer.close(ended=ended, dropped=session.dropped)
    if writer.count == 0:
        reasons = ", ".join(f"{count} captures were {reason}" for reason, count in session.dropped.items())
        raise CaptureError(f"nothing was recorded: {reasons or ended}")
    return writer.path


def _watch(source, session, seconds, fps, bar):
    """Capture a window at a steady rate; returns why it ended."""
    start = now = time.monotonic()
    checked = float("-inf")
    while now - start < seconds:
        if now - checked >= COVER_CHECK:
            checked, cover = now, source.covered()
            session.settle(keep=cover is None)
            bar.update(now - start - bar.n)
            bar.set_postfix_str(f", waiting: the window is {session.gap}" if session.gap else "")
        focused = source.focused()
        held = session.labels.held() if focused else ""
        try:
            frame = source.read()
        except WindowHidden:
            session.skip("hidden")
        else:
            if frame is None:
                return "the window was closed"
            if cover is not None:
                session.skip("covered")
            elif not focused:
                session.skip("not in focus")
            else:
                session.add(frame, held)
        now = time.monotonic()
        due = start + (int((now - start) * fps) + 1) / fps  # the next beat; beats that were missed are skipped
        time.sleep(due - now)
        now = time.monotonic()
    session.settle(keep=source.covered() is None)
    bar.update(seconds - bar.n)
    return "complete"


def _drain(source, session, seconds, fps, bar):
    """Read a source that needs no clock until it ends, or `seconds` of its own time have passed."""
    for frame in source:
        if frame.time >= seconds:
            break
        session.add(frame, session.labels.held(), distinct=True)
        session.settle()
        bar.update(frame.time - bar.n)
    return "complete"


class Session:
    """Pairs frames with keys, drops repetitions, holds frames back until they are believed, counts what is left out."""

    def __init__(self, writer, labels, size):
        self.writer, self.labels = writer, labels
        self.size = (size, size) if isinstance(size, int) else size
        self.current = None  # the frame on the screen: [pixels, time, (action, keys)]
        self.waiting = []  # frames that have their keys, not yet written
        self.segment, self.gap = 0, None  # gap: why nothing is being recorded just now
        self.dropped = {}  # reason -> number of captures left out
        self.black_since = None  # time of the first frame, as long as all have been black
        self.seen = False  # a frame that was not

    def add(self, frame, held, distinct=False):
        """A capture: a new frame, or the one that was there before, with the keys held by now."""
        label = self.labels.action(frame, held), held
        if not distinct and self.current is not None and np.array_equal(self.current[0], frame.pixels):
            self.current[2] = label
        else:
            self._finish()
            self.current = [frame.pixels, frame.time, label]
        self.gap = None
        if not self.seen:
            self._check_black(frame)

    def skip(self, reason):
        """A capture that must not be kept. What follows such a gap is a new segment."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        if self.gap is None:
            self._finish()
            self.segment += 1
        self.gap = reason

    def settle(self, keep=True, finish=False):
        """Write what is waiting, or throw it away: something lay over the window since nobody knows when."""
        if finish:
            self._finish()
        elif keep and self.black_since is not None:
            return  # nothing but black so far: wait whether a picture comes
        for frame in self.waiting if keep else ():
            self.writer.append(*frame)
        if not keep:
            self.current = None
        self.waiting = []

    def _finish(self):
        """The frame on the screen has gone: its keys are final."""
        if self.current is None:
            return
        pixels, when, (action, keys) = self.current
        if self.size is not None:
            pixels = cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA)
        self.waiting.append((pixels, when, action, keys, self.segment))
        self.current = None

    def _check_black(self, frame):
        if frame.pixels.any():
            self.seen, self.black_since = True, None
            return
        if self.black_since is None:
            self.black_since = frame.time
        if frame.time - self.black_since > 1:
            raise CaptureError(
                "the window gives only black frames: a Wayland session, a protected window, or on macOS no permission "
                "for Screen Recording (python course.py doctor tells which)"
            )


class Labels:
    """What the held keys mean."""

    def __init__(self, keys):
        self.actions, self.owned = {}, False  # {"left+space": action}
        self.learn = hasattr(keys, "held")  # number the combinations as they appear
        self.keyboard = keys if self.learn else None
        if keys is not None and not self.learn:
            self.actions = {_combination(k.split("+") if k else ()): int(action) for k, action in keys.items()}
            self.keyboard = Keys(sorted({key for k in keys for key in k.split("+") if key}))
            self.owned = True

    def held(self):
        """The keys held now, as text: "left+space"."""
        return _combination(self.keyboard.held()) if self.keyboard else ""

    def action(self, frame, held):
        """What these keys mean, or the action that came with the frame; None if unknown."""
        if self.keyboard is None:
            return frame.action
        if self.learn:
            self.actions.setdefault(held, len(self.actions))
        return self.actions.get(held)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.owned:
            self.keyboard.close()


def _combination(keys):
    return "+".join(sorted(keys))


def _title(source):
    window = getattr(source, "window", None)
    return window.title if window else None


def _bar(seconds, progress):
    return tqdm(total=round(seconds, 1), desc="recording", disable=not progress, file=sys.stderr,
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s{postfix}")  # fmt: skip
