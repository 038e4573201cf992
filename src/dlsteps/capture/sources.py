"""Where frames come from: a window, an environment, a video, a folder of pictures. One interface for all."""

import re
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dlsteps.capture.pictures import (
    UnreadablePicture,
    check_sizes,
    check_unreadable,
    read_picture,
    resize_picture,
    size_pair,
    warn_of_skipped,
)
from dlsteps.capture.windows import CaptureError, WindowHidden, desktop, find_window

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


class Frame(NamedTuple):
    pixels: np.ndarray  # (H, W, 3) uint8 RGB
    time: float  # seconds; of a window: time.monotonic() at the capture, else since the start of the stream
    action: int | None = None  # what a player did on seeing this frame, if the source knows


class FrameSource:
    """A stream of frames. `read()` returns the next `Frame`, or None once the stream has ended.

    Works in a `with` block (closes itself) and in a `for` loop.
    """

    def read(self) -> Frame | None:
        raise NotImplementedError

    def close(self):
        pass

    def __iter__(self):
        while (frame := self.read()) is not None:
            yield frame

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class WindowSource(FrameSource):
    """The picture inside a desktop window, wherever it moves to.

    The position is asked for again at every `read()`: an old rectangle would go on filming the desktop after the window
    has moved. `read()` raises `WindowHidden` while the window is minimised or partly off the screen, and returns None
    once it is closed. What covers the window is captured instead of it: ask `covered()` now and then.

    Args:
        title: the window's title or a part of it, see `find_window`.
    """

    def __init__(self, title):
        import mss

        self.desktop = desktop()
        self.grabber = mss.MSS()  # once, and before the window is located: on Windows it makes coordinates exact
        try:
            self.window = find_window(title)
        except BaseException:
            self.grabber.close()
            raise
        whole = self.grabber.monitors[0]
        self.screen = whole["left"], whole["top"], whole["left"] + whole["width"], whole["top"] + whole["height"]

    def read(self):
        answer = self.desktop.ask(self.window)  # the answer comes while we grab where the window was last
        now, pixels = time.monotonic(), self._grab(self.window)
        window = answer()
        if window is None:
            return None
        if window != self.window or pixels is None:  # it has moved or grown
            self.window = window
            now, pixels = time.monotonic(), self._grab(window)
        if pixels is None:
            raise WindowHidden(f"the window {window.title!r} is not wholly on the screen")
        return Frame(pixels, now)

    def focused(self):
        """Whether the keyboard is with this window now."""
        return self.desktop.focused(self.window)

    def focus(self, seconds=2.0):
        """Bring the window to the front and the keyboard to it; waits up to `seconds` until it is so."""
        self.desktop.focus(self.window)
        end = time.monotonic() + seconds
        while not self.focused():
            if time.monotonic() > end:
                raise CaptureError(
                    f"the window {self.window.title!r} does not take the focus: click on it, then try again"
                )
            time.sleep(0.01)

    def covered(self):
        """The title of a window that lies over this one, or None."""
        return self.desktop.covered(self.window)

    def close(self):
        self.grabber.close()

    def _grab(self, window):
        """(H, W, 3) uint8 RGB, or None unless the window is wholly on the screen."""
        left, top, right, bottom = self.screen
        if window.left < left or window.top < top or window.right > right or window.bottom > bottom:
            return None
        import cv2
        import mss

        region = {"left": window.left, "top": window.top, "width": window.width, "height": window.height}
        try:
            shot = self.grabber.grab(region)
        except mss.ScreenShotError as problem:
            raise CaptureError(
                f"the system refused a screenshot ({problem}): on macOS, allow Screen Recording"
            ) from None
        # A HiDPI screen gives more pixels than the window has points; the shot's own size is the true one.
        bgra = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        return cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB)


class EnvSource(FrameSource):
    """The frames of one episode of a Gymnasium environment, each with the action that `policy` chose on seeing it.

    Args:
        env: a Gymnasium environment with image observations, or with `render_mode="rgb_array"`.
        policy: called with the observation, returns an action. If it has `reset(game)`, that is called first, with the
            environment's `game` if it has one, else with the environment itself.
        seed: of the episode; 0 unless told.
    """

    def __init__(self, env, policy, seed=0):
        self.env, self.policy = env, policy
        self.observation, _ = env.reset(seed=seed)
        if hasattr(policy, "reset"):
            policy.reset(getattr(env.unwrapped, "game", env))
        self.fps = env.metadata.get("render_fps") or 60
        self.tick, self.ended = 0, False

    def read(self):
        if self.ended:
            return None
        action = int(self.policy(self.observation))
        frame = Frame(self._picture(), self.tick / self.fps, action)
        self.observation, _, terminated, truncated, _ = self.env.step(action)
        self.tick += 1
        self.ended = terminated or truncated
        return frame

    def close(self):
        self.env.close()

    def _picture(self):
        picture = self.observation if self.env.render_mode != "rgb_array" else self.env.render()
        picture = np.asarray(picture)
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise CaptureError(
                f"{self.env} shows no picture (observation {picture.shape} {picture.dtype}): make it with "
                'render_mode="rgb_array"'
            )
        return picture


class VideoSource(FrameSource):
    """The frames of a video file (what OpenCV can read: mp4, avi, webm …)."""

    def __init__(self, path):
        import cv2

        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"no video {str(path)!r}")
        self.video = cv2.VideoCapture(str(path))
        self.fps = self.video.get(cv2.CAP_PROP_FPS) or 30.0
        self.next = 0
        if not self.video.isOpened():
            raise CaptureError(f"{str(path)!r} is not a video that OpenCV can read")

    def read(self):
        import cv2

        ok, bgr = self.video.read()
        if not ok:
            return None
        self.next += 1
        return Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), (self.next - 1) / self.fps)

    def close(self):
        self.video.release()


class FolderSource(FrameSource):
    """The pictures of a folder in the order of their names, 'frame2' before 'frame10'; '.hidden' ones are left out.

    Args:
        path: the folder.
        fps: gives the pictures their times.
        size: (width, height), or one number for a square; None keeps the pictures' own, which must then be one.
        unreadable: "raise", or "skip" to leave out what cannot be read; the others keep their times.

    Attributes: `skipped`, the files left out so far; at the end a warning says how many.

    Raises `FileNotFoundError`, or `CaptureError` if there is no picture; `read()` raises `CaptureError` if the next one
    is no whole picture, or of another size than the first.
    """

    def __init__(self, path, fps=30.0, size=None, unreadable="raise"):
        check_unreadable(unreadable)
        self.folder, self.size, self.unreadable, self.skipped = Path(path), size_pair(size), unreadable, []
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no folder {str(path)!r}")
        files = (f for f in self.folder.iterdir() if f.suffix.lower() in PICTURES and not f.name.startswith("."))
        self.files = sorted(files, key=_natural)
        if not self.files:
            raise CaptureError(f"no picture in {str(path)!r}: looked for {', '.join(PICTURES)}")
        self.fps, self.next, self.ended = fps, 0, False
        self.first = None  # the file and the size that the others must have

    def read(self):
        while self.next < len(self.files):
            file = self.files[self.next]
            try:
                pixels = self._sized(file, read_picture(file))
            except UnreadablePicture:
                if self.unreadable == "raise":
                    raise
                pixels = None
                self.skipped.append(file)
            self.next += 1
            if pixels is not None:
                return Frame(pixels, (self.next - 1) / self.fps)
        if self.skipped and not self.ended:
            warn_of_skipped(self.skipped, len(self.files), self.folder)
        self.ended = True
        return None

    def _sized(self, file, image):
        """(H, W, 3) uint8, of the size asked for, or of the first picture's."""
        if self.size is not None:
            return resize_picture(np.asarray(image), self.size)
        self.first = self.first or (file, image.size)
        check_sizes(*self.first, file, image.size)
        return np.asarray(image)


def _natural(file):
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", file.name.lower())]
