"""The proof, on a small window, that windows can be captured and keys sent."""

import contextlib
import subprocess
import sys
import time
from typing import NamedTuple

from dlsteps.doctor.machine import session_type
from dlsteps.doctor.packages import _last_words, quiet

DESKTOP_MODULES = {"numpy", "cv2", "tqdm", "pygame", "mss", "win32gui", "Xlib", "pynput", "Quartz"}
NO_WINDOW = "the course works without a window, through EnvSource"
TITLE, SIZE = "dlsteps doctor", (240, 160)
IDLE, PRESSED = (70, 110, 160), (190, 150, 90)  # muted: colour profiles bend strong colours most
TOLERANCE = 24  # per channel
WINDOW = (sys.executable, "-m", "dlsteps.doctor", "--window")
MACOS = "System Settings > Privacy & Security > {}: allow the program that runs this, then restart it"
ADVICE = {  # a session, a session and what failed in it, or what failed anywhere else: what to do
    "wayland": "Wayland lets no program watch or steer another's window: log in to an 'Xorg' session",
    ("macos", "see"): MACOS.format("Screen Recording"),
    ("macos", "press"): MACOS.format("Accessibility"),
    ("macos", "read"): MACOS.format("Input Monitoring"),
    ("windows", "press"): "run this in a terminal without administrator's rights in front, and touch nothing",
    ("x11", "press"): "the X server needs its XTEST extension; and touch nothing while this runs",
    "see": "uncover the window and move it wholly onto the screen",
    "read": "touch nothing while this runs",
}


class Step(NamedTuple):
    name: str
    ok: bool | None  # None: skipped
    detail: str


class NoDesktop(Exception):
    """There is no desktop to prove anything on."""


def show_window(idle=IDLE, pressed=PRESSED, seconds=30.0):
    """Show a window in the colour `idle`, and in `pressed` while the space key is down; at most so many seconds."""
    from dlsteps.game.window import open_window

    screen = open_window("", SIZE)
    import pygame

    pygame.display.flip()
    pygame.display.set_caption(TITLE)  # only now: on X11 SDL opens a window, closes it and opens another
    end = time.monotonic() + seconds
    while time.monotonic() < end and not any(event.type == pygame.QUIT for event in pygame.event.get()):
        screen.fill(pressed if pygame.key.get_pressed()[pygame.K_SPACE] else idle)
        pygame.display.flip()
        time.sleep(0.004)


class DesktopProof:
    """The steps of `check_desktop` in their order: each returns a detail, or raises. `stack` closes what they open."""

    def __init__(self, command, stack):
        self.command, self.stack = command, stack

    def open_a_window(self):
        _need_desktop()
        if _is_open():
            raise RuntimeError(f"a window titled {TITLE!r} is open already: close it")
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace")
        self.stack.enter_context(process)  # in the end waits for it, once it is killed
        self.stack.callback(process.kill)
        _wait(lambda: process.poll() is not None or _is_open(), 15)
        if process.poll() is not None:
            raise RuntimeError(_last_words(process.returncode, process.stderr.read()))
        return "{} x {} pixels, of one colour".format(*SIZE)

    def find_it(self):
        from dlsteps.capture import WindowNotFound, WindowSource

        try:
            self.source = self.stack.enter_context(WindowSource(TITLE))
        except WindowNotFound:  # its message names the open windows, which are nobody's business
            raise RuntimeError(f"no window titled {TITLE!r}; {_advice('see')}") from None
        return repr(TITLE)

    def focus_it(self):
        self.source.focus()
        return "it has the keyboard"

    def capture_it(self):
        if not _wait(lambda: self._read().any(), 3):
            raise RuntimeError(f"black frames: every pixel is 0; {_advice('see')}")
        height, width, _ = self._read().shape
        return f"{width} x {height} pixels, not black"

    def right_colour(self):
        if not _wait(lambda: self._shows(IDLE), 3):
            covered = "; another window lies over it" if self.source.covered() else ""
            raise RuntimeError(f"captured {self._colour()} instead of {IDLE}{covered}; {_advice('see')}")
        return f"{self._colour()} for {IDLE}"

    def capture_rate(self):
        start = time.perf_counter()
        for _ in range(100):
            self._read()
        return f"{100 / (time.perf_counter() - start):.0f} frames/s"

    def press_space(self):
        from dlsteps.capture import Keys

        self.keys = self.stack.enter_context(Keys("space"))
        if self.keys.held():
            raise RuntimeError("the space key is down already: let go of it")
        if not self.source.focused():  # another program would get the key
            raise RuntimeError("the window lost the keyboard: touch nothing while this runs")
        self.pressed_at = time.perf_counter()
        self.keys.press("space")
        return f"through {type(self.keys.backend).__name__}"

    def picture_changes(self):
        if not _wait(lambda: self._shows(PRESSED), 2):
            raise RuntimeError(f"no new colour within 2 s of the key; {_advice('press')}")
        return f"{1000 * (time.perf_counter() - self.pressed_at):.0f} ms after the key"

    def key_reads_as_held(self):
        if not _wait(self.keys.held, 1):
            raise RuntimeError(f"the key is down and does not read so; {_advice('read')}")
        return "space"

    def release_it(self):
        self.keys.release_all()
        if not _wait(lambda: not self.keys.held() and self._shows(IDLE), 2):
            raise RuntimeError("the key stays down: press the space bar once")
        return "the first colour is back"

    def _read(self):
        frame = self.source.read()
        if frame is None:
            raise RuntimeError("the window was closed: leave it open")
        return frame.pixels

    def _colour(self):
        """(r, g, b): the median of the picture's middle."""
        import numpy as np

        height, width, _ = (pixels := self._read()).shape
        middle = pixels[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
        return tuple(int(value) for value in np.median(middle, axis=(0, 1)))

    def _shows(self, colour):
        return all(abs(a - b) <= TOLERANCE for a, b in zip(self._colour(), colour, strict=True))


STEPS = [name for name in vars(DesktopProof) if not name.startswith("_")]


def check_desktop(command=WINDOW, progress=quiet):
    """Prove on a small window that windows can be found and captured, and keys sent and read: a list of `Step`.

    Takes about 2 s, and the keyboard with it. The steps after a failed one are skipped; where there is no desktop, all.

    Args:
        command: opens the window.
        progress: called like tqdm.
    """
    steps, stack = [], contextlib.ExitStack()
    proof = DesktopProof(command, stack)
    try:
        for name in progress(STEPS, desc="desktop"):
            ok, detail = _attempt(getattr(proof, name)) if all(step.ok for step in steps) else (None, "")
            steps.append(Step(name.replace("_", " "), ok, detail))
    finally:
        ok, detail = _attempt(stack.close)
    return steps if ok else [*steps, Step("close it", ok, detail)]


def _attempt(action):
    try:
        return True, action()
    except NoDesktop as reason:
        return None, str(reason)
    except (Exception, SystemExit) as problem:  # whatever a library raises is a finding
        return False, (str(problem) or type(problem).__name__).splitlines()[0]


def _need_desktop():
    if session_type() == "none":
        raise NoDesktop(f"no display: {NO_WINDOW}")
    if session_type() in ("windows", "macos"):
        return
    from dlsteps.capture.windows import CaptureError, desktop

    try:
        desktop()
    except CaptureError as problem:
        raise NoDesktop(problem if "EnvSource" in str(problem) else f"{problem}; {NO_WINDOW}") from None


def _is_open():
    from dlsteps.capture import list_windows

    return TITLE in [window.title for window in list_windows()]


def _advice(what):
    session = session_type()
    return ADVICE.get(session) or ADVICE.get((session, what)) or ADVICE[what]


def _wait(condition, seconds):
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.002)
    return value
