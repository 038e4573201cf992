"""Find an open window by its title: one interface, a backend for each desktop (x11.py, win32.py, quartz.py)."""

import difflib
import os
import sys
from functools import lru_cache
from typing import NamedTuple


class CaptureError(RuntimeError):
    """The desktop cannot be watched; the message says why and what to do."""


class WindowNotFound(LookupError):
    """No window has this title, or several have; the message names the open ones."""


class WindowHidden(RuntimeError):
    """The window is open, but cannot be captured now: minimised, or not wholly on the screen."""


class WindowInfo(NamedTuple):
    """An open window. The rectangle is its client area (the picture, no frame or title bar), in screen pixels."""

    title: str
    left: int
    top: int
    width: int
    height: int
    id: int

    @property
    def right(self):
        return self.left + self.width

    @property
    def bottom(self):
        return self.top + self.height

    def overlaps(self, other):
        """Whether the two rectangles share a pixel."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@lru_cache
def desktop():
    """The backend for this system. Each has

    windows() -> list[WindowInfo], of the visible windows that have a title;
    locate(window) -> WindowInfo with its present rectangle, or None once it is closed; raises WindowHidden;
    ask(window) -> a function that does the same; the question is under way in the meantime, where a system can do that;
    focused(window) -> bool; focus(window); covered(window) -> title of a window lying over it, or None.
    """
    if sys.platform == "win32":
        from dlsteps.capture.win32 import Win32Desktop

        return Win32Desktop()
    if sys.platform == "darwin":
        from dlsteps.capture.quartz import QuartzDesktop

        return QuartzDesktop()
    from dlsteps.capture.x11 import X11Desktop

    if not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY"):
            raise CaptureError(
                "this is a Wayland session, which lets no program see another's window: log in to an 'Xorg' session, "
                "or play without a window through EnvSource"
            )
        raise CaptureError(
            "no display (DISPLAY is not set): run this on a desktop, under xvfb-run, or use EnvSource instead"
        )
    return X11Desktop()


def list_windows():
    """The visible windows that have a title, as a list of `WindowInfo`."""
    return desktop().windows()


def find_window(title):
    """The window with exactly this title, else the only one whose title contains it (upper or lower case alike).

    Raises `WindowNotFound` if there is none or more than one, naming the open windows.
    """
    windows = list_windows()
    hits = [w for w in windows if w.title == title] or [w for w in windows if title.lower() in w.title.lower()]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise WindowNotFound(
            f"{len(hits)} windows match {title!r}: {', '.join(repr(w.title) for w in hits)}; "
            "close all but one, or give the whole title"
        )
    titles = sorted({w.title for w in windows})
    if not titles:
        raise WindowNotFound(f"no window {title!r}, and no other titled window is open: start the game first")
    lowered = {t.lower(): t for t in titles}
    near = difflib.get_close_matches(title.lower(), lowered, 1)
    nearest = f" Did you mean {lowered[near[0]]!r}?" if near else ""
    raise WindowNotFound(f"no window {title!r}.{nearest} Open windows: {', '.join(map(repr, titles))}")
