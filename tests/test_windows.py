"""Finding windows, and seeing what is in them, on a real X server."""

import shutil
import subprocess

import numpy as np
import pytest
from conftest import wait_for

from dlsteps.capture import CaptureError, WindowHidden, WindowNotFound, WindowSource, find_window, list_windows
from dlsteps.capture.windows import desktop
from dlsteps.game import Catch

pytestmark = pytest.mark.desktop


def test_a_window_is_found_with_its_client_rectangle(make_window):
    make_window("Chess", 50, 60, 80, 70)
    (window,) = list_windows()
    assert window[:5] == ("Chess", 50, 60, 80, 70)
    assert find_window("Chess") == window


def test_titles_match_exactly_or_in_part(make_window):
    make_window("Catch")
    make_window("Catch 2", 300)
    make_window("Ünïcode – 游戏", 500)
    assert find_window("Catch").title == "Catch"  # the exact title wins over the part
    assert find_window("cATCH 2").title == "Catch 2"


def test_two_matches_are_named(make_window):
    make_window("Catch 1")
    make_window("Catch 2", 300)
    with pytest.raises(WindowNotFound, match=r"^2 windows match 'catch': 'Catch \d', 'Catch \d'; close all but one"):
        find_window("catch")


def test_no_match_names_the_open_windows_and_the_nearest(make_window):
    make_window("Catch")
    make_window("Editor", 300)
    with pytest.raises(WindowNotFound, match=r"^no window 'Cacth'. Did you mean 'Catch'\? Open windows: 'Catch', 'Ed"):
        find_window("Cacth")


def test_no_window_at_all(display):
    with pytest.raises(WindowNotFound, match="no other titled window is open: start the game first"):
        find_window("Catch")


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # python-xlib's, when it finds no server
def test_no_display_says_what_to_do(monkeypatch, display):
    desktop().display.close()
    desktop.cache_clear()
    try:
        monkeypatch.delenv("DISPLAY")
        for look in (list_windows, lambda: find_window("x"), lambda: WindowSource("x")):
            with pytest.raises(CaptureError, match=r"DISPLAY is not set.*EnvSource"):
                look()
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        with pytest.raises(CaptureError, match="this is a Wayland session"):
            list_windows()
        monkeypatch.setenv("DISPLAY", ":9999")
        with pytest.raises(CaptureError, match="cannot reach the display"):
            list_windows()
    finally:
        monkeypatch.undo()
        desktop.cache_clear()


def test_frames_are_rgb(make_window):
    make_window("Colour", width=30, height=20, colour=0xFF8000)
    with WindowSource("Colour") as source:
        pixels = source.read().pixels
    assert (pixels.shape, pixels.dtype) == ((20, 30, 3), np.uint8)
    assert (pixels == (255, 128, 0)).all()
    assert pixels.flags.c_contiguous


def test_a_window_that_moves_or_grows_is_followed(make_window):
    window = make_window("Mover", 50, 60, 80, 70, colour=0x00FF00)
    with WindowSource("Mover") as source:
        assert source.read().pixels.shape == (70, 80, 3)
        window.configure(x=400, y=300, width=100, height=90)
        make_window.sync()
        wait_for(lambda: source.read().pixels.shape == (90, 100, 3), "the new size")
        wait_for(lambda: (source.read().pixels == (0, 255, 0)).all(), "the window's own colour")
        assert source.window[1:5] == (400, 300, 100, 90)


def test_a_closed_window_ends_the_stream(make_window):
    window = make_window("Brief")
    with WindowSource("Brief") as source:
        source.read()
        window.destroy()
        make_window.sync()
        assert source.read() is None


def test_a_minimised_window_and_one_beyond_the_screen_are_hidden(make_window):
    window = make_window("Shy")
    with WindowSource("Shy") as source:
        source.read()
        window.unmap()
        make_window.sync()
        with pytest.raises(WindowHidden, match="'Shy' is minimised"):
            wait_for(lambda: source.read() is None, "the window to hide")
        window.map()
        window.configure(x=-20)
        make_window.sync()
        wait_for(lambda: source.desktop.locate(source.window).left == -20, "the move")
        with pytest.raises(WindowHidden, match="not wholly on the screen"):
            source.read()


def test_a_window_on_top_is_noticed(make_window):
    make_window("Below", 50, 60, 80, 70)
    with WindowSource("Below") as source:
        assert source.covered() is None
        make_window("Beside", 130, 60, 80, 70)  # touches, does not overlap
        assert source.covered() is None
        above = make_window("Above", 120, 120, 50, 50)
        assert source.covered() == "Above"
        above.unmap()
        make_window.sync()
        assert source.covered() is None


def test_focus(make_window):
    make_window("One")
    make_window("Two", 300)
    with WindowSource("One") as one, WindowSource("Two") as two:
        one.focus()
        assert (one.focused(), two.focused()) == (True, False)
        two.focus()
        assert (one.focused(), two.focused()) == (False, True)


@pytest.mark.skipif(shutil.which("openbox") is None, reason="no openbox (a window manager) on this machine")
def test_under_a_window_manager(start, display):
    """A window manager puts the window into a frame of its own; what is found is still the picture inside it."""
    manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
    try:
        wait_for(desktop()._managed, "openbox")
        _, source = start("dlsteps.game.window", "--fps", 0.2)
        wait_for(lambda: np.array_equal(source.read().pixels, Catch().frame()), "the first frame")
        before = source.window
        desktop()._handle(before).configure(x=before.left + 150, y=before.top + 90)
        desktop().display.sync()
        wait_for(lambda: source.read() and source.window.left > before.left + 50, "the move")
        wait_for(lambda: np.array_equal(source.read().pixels, Catch().frame()), "the frame after the move")
        assert source.covered() is None
    finally:
        manager.kill()
        manager.wait()


@pytest.mark.skipif(shutil.which("openbox") is None, reason="no openbox (a window manager) on this machine")
def test_a_window_manager_that_has_ended_is_not_believed(make_window):
    manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
    wait_for(desktop()._managed, "openbox")
    manager.kill()
    manager.wait()
    make_window("Later")
    assert [window.title for window in list_windows()] == ["Later"]
