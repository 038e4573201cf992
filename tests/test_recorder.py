"""Recording: what is paired with what, what is kept, what is refused. Real windows, real keys."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import wait_for

from dlsteps.capture import CaptureError, EnvSource, Frame, FrameSource, Keys, WindowSource, record
from dlsteps.capture.recording import RecordingWriter, load_recording, pack
from dlsteps.game import LEFT, RIGHT, STAY, Catch, CatchEnv, ScriptedPlayer

CATCH = {"left": LEFT, "": STAY, "right": RIGHT}


def quietly(source, keys, path, seconds, **options):
    return record(source, keys, path, seconds, progress=False, **options)


class Pictures(FrameSource):
    """Frames of one colour each, 1/60 s apart."""

    def __init__(self, values, shape=(4, 6, 3)):
        self.frames = [Frame(np.full(shape, value, np.uint8), i / 60, i % 3) for i, value in enumerate(values)]

    def read(self):
        return self.frames.pop(0) if self.frames else None


# On the disk


def test_what_is_recorded_is_what_was_seen(tmp_path):
    path = quietly(Pictures([5, 5, 9]), None, tmp_path / "r", 10)
    recording = load_recording(path)
    assert recording.frames[:, 0, 0, 0].tolist() == [5, 5, 9]
    assert recording.frames.shape == (3, 4, 6, 3)
    assert recording.actions.tolist() == [0, 1, 2]
    assert recording.times.tolist() == pytest.approx([0, 1 / 60, 2 / 60], abs=1e-6)
    assert recording.meta["frames"] == 3


def test_size_and_seconds_are_obeyed(tmp_path):
    path = quietly(Pictures(range(100)), None, tmp_path / "r", 0.5, size=(3, 2))
    assert load_recording(path).frames.shape == (30, 2, 3, 3)


def test_packing_loses_nothing(tmp_path):
    source = EnvSource(CatchEnv(level=3, max_ticks=90), ScriptedPlayer(), seed=3)
    folder = load_recording(quietly(source, None, tmp_path / "r", 10, size=64))
    pack(tmp_path / "r", tmp_path / "r.npz")
    packed = load_recording(tmp_path / "r.npz")
    for name in ("frames", "times", "actions", "segments"):
        assert np.array_equal(getattr(folder, name), getattr(packed, name)), name
    assert (packed.keys, packed.meta) == (folder.keys, folder.meta)
    assert (tmp_path / "r.npz").stat().st_size < folder.frames.nbytes / 10


def test_an_existing_path_is_never_touched(tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(FileExistsError, match="exists already: give another name"):
        quietly(Pictures([1]), None, tmp_path / "mine", 1)
    assert (tmp_path / "mine").read_text() == "precious"


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptureError, match=r"cannot write to .*choose another folder"):
        quietly(Pictures([1]), None, tmp_path / "file" / "r", 1)


def test_nothing_recorded_leaves_nothing_behind(tmp_path):
    with pytest.raises(CaptureError, match="nothing was recorded"):
        quietly(Pictures([]), None, tmp_path / "r", 1)
    assert not (tmp_path / "r").exists()


def test_a_full_disk_keeps_what_there_is(tmp_path):
    code = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from test_recorder import Pictures, quietly
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # a file may not grow beyond 100 kB
quietly(Pictures(range(200), shape=(64, 64, 3)), None, sys.argv[1], 100)
"""
    if sys.platform == "win32":
        pytest.skip("no file size limit to set on Windows")
    command = [sys.executable, "-c", code, str(tmp_path / "r"), os.path.dirname(__file__)]
    run = subprocess.run(command, capture_output=True, text=True)
    kept = 100_000 // (64 * 64 * 3)
    assert f"cannot go on writing (File too large): the {kept} frames so far are kept in" in run.stderr
    assert load_recording(tmp_path / "r").frames[:, 0, 0, 0].tolist() == list(range(kept))


def test_a_cut_off_file_gives_its_whole_frames(tmp_path):
    path = quietly(Pictures(range(10)), None, tmp_path / "r", 10)
    with open(path / "frames.bin", "r+b") as file:
        file.truncate(4 * 6 * 3 * 7 + 5)
    with pytest.warns(UserWarning, match="is truncated: 7 of its 10 frames are there"):
        recording = load_recording(path)
    assert recording.frames[:, 0, 0, 0].tolist() == list(range(7))


@pytest.mark.parametrize("spoil", ["no meta", "empty", "another version", "foreign folder", "foreign file", "cut npz"])
@pytest.mark.filterwarnings("ignore:.* is truncated")  # said by the one that is empty
def test_what_is_no_recording_is_refused_in_one_line(tmp_path, spoil):
    path = quietly(Pictures(range(10)), None, tmp_path / "r", 10)
    if spoil == "no meta":
        (path / "meta.json").unlink()
    elif spoil == "empty":
        (path / "frames.bin").write_bytes(b"")
    elif spoil == "another version":
        (path / "meta.json").write_text((path / "meta.json").read_text().replace('"version": 1', '"version": 99'))
    elif spoil == "foreign folder":
        path = tmp_path
    elif spoil == "foreign file":
        path = tmp_path / "x.npz"
        path.write_bytes(b"something else")
    else:
        pack(path, tmp_path / "x.npz")
        path = tmp_path / "x.npz"
        path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(CaptureError, match="is not a whole recording of this course") as caught:
        load_recording(path)
    assert "\n" not in str(caught.value)


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no recording '.*nowhere'"):
        load_recording(tmp_path / "nowhere")


def test_the_size_may_not_change(tmp_path):
    writer = RecordingWriter(tmp_path / "r", {})
    writer.append(np.zeros((4, 4, 3), np.uint8), 0.0, 0, "", 0)
    with pytest.raises(CaptureError, match="size changed from .* record with size="):
        writer.append(np.zeros((4, 5, 3), np.uint8), 0.1, 0, "", 0)
    writer.close()


# What the keys mean


class ScriptedKeys:
    """A keyboard that gives one combination after the other."""

    def __init__(self, *combinations):
        self.combinations = list(combinations)

    def held(self):
        return frozenset(self.combinations.pop(0).split("+")) - {""}


def test_combinations_are_numbered_as_they_appear(tmp_path):
    keys = ScriptedKeys("", "space+left", "left", "left+space", "")
    recording = load_recording(quietly(Pictures(range(5)), keys, tmp_path / "r", 1))
    assert recording.keys == ["", "left+space", "left", "left+space", ""]
    assert recording.actions.tolist() == [0, 1, 2, 1, 0]
    assert recording.meta["actions"] == {"": 0, "left+space": 1, "left": 2}


@pytest.mark.desktop
def test_a_dictionary_gives_keys_their_meaning(tmp_path, display):
    meaning = {"": 7, "space+left": 3}
    with Keys() as keyboard:
        keyboard.press("left")
        unknown = load_recording(quietly(Pictures([1]), meaning, tmp_path / "a", 1))
        keyboard.press("space")
        keyboard.press("x")  # not among the keys asked for: not looked at
        known = load_recording(quietly(Pictures([1]), meaning, tmp_path / "b", 1))
    assert (unknown.actions.tolist(), unknown.keys) == ([-1], ["left"])
    assert (known.actions.tolist(), known.keys) == ([3], ["left+space"])


@pytest.mark.desktop
def test_an_unknown_key_is_named(tmp_path, display):
    with pytest.raises(ValueError, match="unknown key 'lefft': choose from left, right"):
        quietly(Pictures([1]), {"lefft": 0}, tmp_path / "r", 1)
    assert not (tmp_path / "r").exists()


# From a real window


@pytest.mark.desktop
def test_frames_are_paired_with_the_keys_the_game_used(start, tmp_path):
    log = tmp_path / "log.json"
    process, source = start("dlsteps.agents.teacher", "--fps", 30, "--seed", 4, "--ticks", 170, "--log", log)
    recording = load_recording(quietly(source, CATCH, tmp_path / "r", 4, fps=90))
    process.wait(10)
    game, used, tick_of = Catch(4), {}, {Catch(4).frame().tobytes(): 0}
    for tick, action, *_ in json.loads(log.read_text())["log"]:
        used[tick] = action
        game.step(action)
        tick_of[game.frame().tobytes()] = tick
    ticks = [tick_of.get(frame.tobytes()) for frame in recording.frames]
    pairs = [(a, used[t + 1]) for t, a in zip(ticks, recording.actions, strict=True) if t is not None and t + 1 in used]
    assert len(pairs) > 80  # of 120: the machine may be busy
    assert np.mean([recorded == true for recorded, true in pairs]) > 0.95  # 0.99 and more when it is idle
    assert len({action for action, _ in pairs}) == 3


def colour_switch(window, make_window, colours, pause=0.1):
    """Repaint a window again and again, as a game would; returns a function that stops it."""
    stop = threading.Event()

    def paint():
        for i in range(10**6):
            if stop.wait(pause):
                return
            window.change_attributes(background_pixel=colours[i % len(colours)])
            window.clear_area()
            make_window.sync()

    thread = threading.Thread(target=paint)
    thread.start()
    return lambda: (stop.set(), thread.join())


@pytest.mark.desktop
def test_repeated_frames_are_dropped(make_window, tmp_path):
    make_window("Still")
    with WindowSource("Still") as source:
        source.focus()
        recording = load_recording(quietly(source, CATCH, tmp_path / "r", 1))
    assert len(recording.frames) == 1


@pytest.mark.desktop
@pytest.mark.parametrize("trouble", ["covered", "not in focus", "hidden"])
def test_what_must_not_be_recorded_is_left_out(make_window, tmp_path, trouble):
    """Red and green frames; for a while something is wrong, and nothing of that while may be kept."""
    window = make_window("Game", 50, 60, 80, 70)
    other = make_window("Other", 400, 300, 80, 70, colour=0x0000FF)

    def disturb():
        time.sleep(0.7)
        if trouble == "covered":
            other.configure(x=100, y=100, stack_mode=0)
        elif trouble == "hidden":
            window.configure(x=-30)
        else:
            other.set_input_focus(0, 0)
        make_window.sync()
        time.sleep(0.8)
        other.configure(x=400, y=300)
        window.configure(x=50)
        window.set_input_focus(0, 0)
        make_window.sync()

    with WindowSource("Game") as source:
        source.focus()
        stop = colour_switch(window, make_window, [0xFF0000, 0x00FF00])
        thread = threading.Thread(target=disturb)
        thread.start()
        recording = load_recording(quietly(source, CATCH, tmp_path / "r", 2.5))
        thread.join()
        stop()
    assert recording.meta["dropped"][trouble] > 20
    assert set(recording.segments.tolist()) == {0, 1}
    assert np.diff(recording.times).max() > 0.6
    assert not (recording.frames == (0, 0, 255)).all(axis=3).any(), "a blue pixel is of the window on top"


@pytest.mark.desktop
def test_a_window_that_moves_is_recorded_all_the_same(make_window, tmp_path):
    window = make_window("Mover", colour=0xFF0000)
    with WindowSource("Mover") as source:
        source.focus()
        stop = colour_switch(window, make_window, [0xFF0000, 0x00FF00])
        threading.Timer(0.5, lambda: (window.configure(x=500, y=400), make_window.sync())).start()
        recording = load_recording(quietly(source, CATCH, tmp_path / "r", 1.5))
        stop()
    last = recording.frames[recording.times > 1]
    assert len(last) > 2
    assert (last[..., 2] == 0).all()
    assert (last.max(axis=(1, 2, 3)) == 255).all()


@pytest.mark.desktop
def test_closing_the_window_ends_the_recording_and_keeps_it(start, tmp_path):
    _, source = start("dlsteps.agents.teacher", "--ticks", 60)
    recording = load_recording(quietly(source, CATCH, tmp_path / "r", 60, size=32))
    assert recording.meta["ended"] == "the window was closed"
    assert len(recording.frames) > 20


@pytest.mark.desktop
def test_a_window_that_stays_black_is_reported(make_window, tmp_path):
    make_window("Black", colour=0)
    with WindowSource("Black") as source:
        source.focus()
        with pytest.raises(CaptureError, match="only black frames: a Wayland session, a protected window"):
            quietly(source, CATCH, tmp_path / "r", 20)
    assert not (tmp_path / "r").exists()


@pytest.mark.desktop
def test_never_in_focus_says_why_nothing_was_recorded(make_window, tmp_path):
    make_window("Game")
    make_window("Other", 300).set_input_focus(0, 0)
    make_window.sync()
    with (
        WindowSource("Game") as source,
        pytest.raises(CaptureError, match=r"nothing was recorded: \d+ .* not in focus"),
    ):
        quietly(source, CATCH, tmp_path / "r", 0.5)


@pytest.mark.desktop
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_killed_recorder_loses_at_most_the_last_second(start, tmp_path):
    start("dlsteps.agents.teacher")
    code = (
        "import sys; from dlsteps.capture import WindowSource, record;"
        "record(WindowSource('Catch'), {'left': 0, '': 1, 'right': 2}, sys.argv[1], 60, size=64)"
    )
    recorder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "r")], stderr=subprocess.DEVNULL)
    wait_for(lambda: (tmp_path / "r").exists(), "the recording")
    began = time.time()
    time.sleep(3)
    recorder.send_signal(signal.SIGKILL)
    recorder.wait()
    recording = load_recording(tmp_path / "r")
    assert recording.times[-1] > time.time() - began - 1.2
    assert len(recording.frames) > 60


@pytest.mark.desktop
def test_ctrl_c_keeps_what_there_is(start, tmp_path):
    _, source = start("dlsteps.agents.teacher")
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        quietly(source, CATCH, tmp_path / "r", 60, size=32)
    recording = load_recording(tmp_path / "r")
    assert recording.meta["ended"] == "interrupted"
    assert len(recording.frames) > 20


@pytest.mark.desktop
def test_a_game_that_nobody_here_wrote(start, tmp_path):
    """pygame-ce's own example, with other keys: nothing in `capture` knows Catch."""
    start("pygame.examples.aliens", title="Pygame Aliens")
    meaning = {"": 0, "left": 1, "right": 2, "space": 3, "left+space": 4, "right+space": 5}

    def play():
        with Keys() as keys:
            for combination in (("left", "space"), ("right",), ("right", "space")):
                for key in combination:
                    keys.press(key)
                time.sleep(0.3)  # a bomb may end the game soon
                keys.release_all()

    player = threading.Thread(target=play)
    with WindowSource("aliens") as source:
        assert source.read().pixels.shape == (480, 640, 3)
        wait_for(lambda: source.read().pixels.any(), "the game's picture")
        player.start()
        recording = load_recording(quietly(source, meaning, tmp_path / "r", 2.5, size=(160, 120)))
        player.join()
    assert recording.frames.shape[1:] == (120, 160, 3)
    assert len(recording.frames) > 30
    assert {"left+space", "right", "right+space"} <= set(recording.keys)
    assert recording.actions.tolist() == [meaning.get(keys, -1) for keys in recording.keys]
