"""What several test files need: a real desktop, and real windows on it."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from dlsteps.capture import WindowNotFound, WindowSource
from dlsteps.capture.windows import desktop


@pytest.fixture(scope="session")
def display():
    """A desktop of the tests' own: an Xvfb of 1280 x 720 on Linux, the machine's elsewhere."""
    if not sys.platform.startswith("linux"):
        yield None
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb on this machine (Debian: apt install xvfb)")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-noreset", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    number = server.stdout.readline().strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", f":{number}")
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        patch.setenv("SDL_VIDEODRIVER", "x11")
        patch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        desktop.cache_clear()
        yield os.environ["DISPLAY"]
        desktop().display.close()
    desktop.cache_clear()
    server.terminate()
    server.wait()
    server.stdout.close()


@pytest.fixture
def start(display):
    """Start `python -m MODULE ARGS…` with a window titled `title`; returns (process, WindowSource with the focus)."""
    running = []

    def run(module, *arguments, title="Catch"):
        process = subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], stderr=subprocess.DEVNULL)
        running.append(process)
        source = wait_for(lambda: _window(title), f"the window {title!r}")
        running.append(source)
        source.focus()
        return process, source

    yield run
    for thing in reversed(running):
        if isinstance(thing, subprocess.Popen):
            thing.terminate()  # not kill: whoever holds a key down must let go of it
            thing.wait()
        else:
            thing.close()
    if running:
        wait_for(lambda: not desktop().windows(), "all windows to close")


def _window(title):
    try:
        return WindowSource(title)
    except WindowNotFound:
        return None


def wait_for(condition, what, seconds=15.0):
    """Wait until `condition()` is true, and return its value; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return value


@pytest.fixture
def make_window(display):
    """Make plain-coloured X11 windows in this process: make_window("title", left, top, width, height, 0xRRGGBB)."""
    if display is None:
        pytest.skip("the plain test windows are X11 windows")
    from Xlib import X
    from Xlib.display import Display

    connection = Display()
    screen = connection.screen()

    def make(title, left=50, top=60, width=80, height=70, colour=0x336699):
        window = screen.root.create_window(
            left, top, width, height, 0, screen.root_depth, X.InputOutput, X.CopyFromParent, background_pixel=colour
        )
        utf8 = connection.get_atom("UTF8_STRING")
        window.change_text_property(connection.get_atom("_NET_WM_NAME"), utf8, title.encode())
        window.map()
        connection.sync()
        return window

    make.sync = connection.sync
    yield make
    connection.close()  # its windows go with it
    wait_for(lambda: not desktop().windows(), "all windows to close")
