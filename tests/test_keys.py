"""Keys, with the real libraries in a real (virtual) display.

Only python-xlib is among the course's dependencies on Linux. The other libraries are installed into folders of the
tests' own and used in a second process: pynput without evdev, which needs a compiler, and pyautogui with python3-xlib,
which takes the place of python-xlib there. What they press is read here through python-xlib.
"""

import enum
import gc
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from conftest import wait_for

from dlsteps.capture import CaptureError, Keys
from dlsteps.capture import keys as keys_module
from dlsteps.game.catch import LEFT, RIGHT, STAY

NEEDED = ("left", "right", "space", "a", "escape", "shift")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only")
pytestmark = pytest.mark.desktop


# ---- python-xlib


@pytest.fixture
def keys(display):
    if display is None:
        pytest.skip("X11 only")
    with Keys() as keys:
        yield keys
    with Keys() as after:
        assert not after.held()


@pytest.mark.parametrize("name", Keys.names)
def test_xtest_presses_reads_and_releases(keys, name):
    keys.press(name)
    assert keys.held() == {name}
    keys.press(name)  # twice is once
    keys.release(name)
    assert keys.held() == set()


def test_xtest_keys_are_different_keys(keys):
    codes = keys.backend.codes
    assert 0 not in codes.values()
    assert len(set(codes.values())) == len(Keys.names) == 46


def test_release_all_and_close_twice(display):
    keys = Keys()
    for name in ("left", "space", "a"):
        keys.press(name)
    assert keys.held() == {"left", "space", "a"}
    keys.release_all()
    assert keys.held() == set()
    keys.press("up")
    keys.close()
    keys.close()
    with Keys() as other:
        assert other.held() == set()


def test_with_releases_after_an_exception(keys):
    def play():
        with Keys() as inner:
            inner.press("right")
            inner.press("shift")
            assert keys.held() == {"right", "shift"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        play()
    assert keys.held() == set()


def test_watch_restricts_what_is_read(keys):
    with Keys(watch=["left", "right"]) as mine, Keys(watch="space") as one:
        for name in ("p", "left", "space"):
            keys.press(name)
        assert mine.held() == {"left"}
        assert one.held() == {"space"}
        mine.press("tab")  # may be pressed all the same
        assert mine.held() == {"left"}
        assert keys.held() == {"p", "left", "space", "tab"}
        for name in ("p", "left", "space"):
            keys.release(name)


def test_two_keys_objects_share_the_keyboard_but_not_what_they_pressed(keys):
    with Keys() as other:
        other.press("left")
        keys.press("right")
        assert keys.held() == other.held() == {"left", "right"}
        other.release_all()
        assert keys.held() == other.held() == {"right"}
    assert keys.held() == {"right"}


def test_unknown_names(display):
    with pytest.raises(ValueError, match="unknown key 'Left': choose from left, right, up, .*, 9$"):
        Keys(watch=["Left"])
    with pytest.raises(
        ValueError, match="unknown backend 'pyinput': choose from 'xtest', 'pynput', 'keyboard', 'pyauto"
    ):
        Keys(backend="pyinput")
    with Keys() as keys:
        for method in (keys.press, keys.release):
            with pytest.raises(ValueError, match="unknown key 'esc': choose from"):
                method("esc")


def test_xtest_says_when_the_layout_lacks_a_key(keys):
    keys.backend.codes["q"] = 0  # what python-xlib answers for a keysym that is not there
    with pytest.raises(RuntimeError, match="layout of this display has no key 'q'"):
        keys.press("q")
    keys.pressed.clear()


@linux
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib leaves its sockets open
def test_xtest_without_a_display(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(CaptureError, match="check DISPLAY, or run under xvfb-run"):
        Keys()
    gc.collect()


class Stubborn:
    """A backend that cannot release one key."""

    def __init__(self, watch):
        self.down, self.closed = set(), False

    def press(self, key):
        self.down.add(key)

    def release(self, key):
        if key == "left":
            raise OSError("stuck")
        self.down.discard(key)

    def close(self):
        self.closed = True


def test_a_key_that_cannot_be_released_does_not_keep_the_others_down(monkeypatch):
    monkeypatch.setitem(keys_module.BACKENDS, "stubborn", Stubborn)
    keys = Keys(backend="stubborn")
    for name in ("a", "left", "right"):
        keys.press(name)
    with pytest.raises(OSError, match="stuck"):
        keys.close()
    assert keys.backend.down == {"left"}
    assert keys.backend.closed


def test_a_pygame_window_receives_the_keys(start, keys, tmp_path):
    """RIGHT, then LEFT, then D and A: the game's own log tells which action each tick took."""
    process, source = start("dlsteps.game.window", "--log", tmp_path / "log.json", "--fps", 60)
    for _ in range(3):  # the ball falls: the game is running, not just opening
        before = source.read().pixels
        wait_for(lambda before=before: (source.read().pixels != before).any(), "the next frame")
    for name in ("right", "left", "d", "a"):
        assert source.focused()
        keys.press(name)
        time.sleep(0.25)
        keys.release(name)
        time.sleep(0.1)
    keys.press("escape")
    assert process.wait(10) == 0
    keys.release("escape")
    actions = [action for _, action, *_ in json.loads((tmp_path / "log.json").read_text())["log"]]
    runs = [action for i, action in enumerate(actions) if i == 0 or action != actions[i - 1]]
    assert runs == [STAY, RIGHT, STAY, LEFT, STAY, RIGHT, STAY, LEFT, STAY]
    assert 10 <= actions.count(LEFT) <= 50  # 2 x 15 ticks
    assert 10 <= actions.count(RIGHT) <= 50


# ---- the other libraries


@pytest.fixture(scope="session")
def install(tmp_path_factory):
    """Install packages into a folder that this process does not import from; returns the folder."""

    def run(*arguments):
        folder = tmp_path_factory.mktemp("packages")
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", folder]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=240)
        if done.returncode:
            pytest.skip(
                f"cannot install {arguments[-1]}: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}"
            )
        return folder

    return run


@pytest.fixture(scope="session")
def pynput(install):
    return install("--no-deps", "pynput==1.8.2")


@pytest.fixture(scope="session")
def pyautogui(install):
    return install("pyautogui==0.9.54")


@pytest.fixture(scope="session")
def keyboard(install):
    return install("--no-deps", "keyboard==0.13.5")


CHILD = """
import json, sys
from dlsteps.capture.keys import Keys

def reply(thing):
    print("reply:", json.dumps(thing), flush=True)

try:
    with Keys(**json.loads(sys.argv[1])) as keys:
        reply("ready")
        for line in sys.stdin:
            try:
                reply(eval(line, {"keys": keys, "sys": sys}))
            except Exception as problem:
                reply(f"{type(problem).__name__}: {problem}")
except Exception as problem:
    reply(f"{type(problem).__name__}: {problem}")
"""


class Child:
    """A second process with a `Keys` object of its own; `ask` evaluates an expression of `keys` there."""

    def __init__(self, folder, tmp_path, change_environment, **arguments):
        source = os.path.dirname(os.path.dirname(os.path.dirname(keys_module.__file__)))
        empty = tmp_path / "Xauthority"  # python3-xlib insists on such a file
        empty.touch()
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(folder), source]),
            "PYNPUT_BACKEND": "xorg",
            "XAUTHORITY": str(empty),
        }
        environment = {k: v for k, v in (environment | change_environment).items() if v is not None}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps(arguments)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.first = self._reply()

    def ask(self, expression):
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()
        return self._reply()

    def held(self):
        return set(self.ask("sorted(keys.held())"))

    def _reply(self):
        timer = threading.Timer(30, self.process.kill)
        timer.start()
        line = next(
            (line for line in self.process.stdout if line.startswith("reply: ")), None
        )  # python3-xlib prints, too
        timer.cancel()
        assert line, f"no reply: {self.process.stderr.read()}"
        return json.loads(line.removeprefix("reply: "))

    def end(self):
        """Leave the `with` block there."""
        self.process.communicate(timeout=20)


@pytest.fixture
def child(display, tmp_path):
    if display is None:
        pytest.skip("X11 only")
    children = []

    def run(folder, change_environment=(), **arguments):
        children.append(Child(folder, tmp_path, dict(change_environment), **arguments))
        return children[-1]

    yield run
    for one in children:
        one.process.kill()
        one.process.communicate()


def test_pynput_presses_what_others_see(keys, child, pynput):
    other = child(pynput, backend="pynput")
    for name in Keys.names:
        assert other.ask(f"keys.press({name!r})") is None
        wait_for(lambda name=name: keys.held() == {name}, f"{name} pressed by pynput", 2)
        other.ask(f"keys.release({name!r})")
        wait_for(lambda: not keys.held(), "release by pynput", 2)
    for name in NEEDED:
        other.ask(f"keys.press({name!r})")
    wait_for(lambda: keys.held() == set(NEEDED), "all keys", 2)
    other.ask("keys.release_all()")
    wait_for(lambda: not keys.held(), "release_all by pynput", 2)
    other.ask("keys.press('left')")
    other.end()
    assert keys.held() == set()


def test_pynput_reads_what_others_press(keys, child, pynput):
    other = child(pynput, backend="pynput")
    assert other.held() == set()  # starts to listen
    for name in Keys.names:
        keys.press(name)
        wait_for(lambda name=name: other.held() == {name}, f"{name} read by pynput", 2)
        keys.release(name)
        wait_for(lambda: not other.held(), "release read by pynput", 2)
    for name in NEEDED:
        keys.press(name)
    wait_for(lambda: other.held() == set(NEEDED), "all keys", 2)
    keys.release_all()
    wait_for(lambda: not other.held(), "no keys", 2)


def test_pynput_reads_back_what_it_presses(child, pynput):
    other = child(pynput, backend="pynput")
    assert other.held() == set()
    for name in NEEDED:
        other.ask(f"keys.press({name!r})")
        wait_for(lambda name=name: other.held() == {name}, f"{name} read back", 2)
        other.ask(f"keys.release({name!r})")
        wait_for(lambda: not other.held(), "release read back", 2)


def test_pynput_keeps_nothing_of_keys_that_are_not_watched(keys, child, pynput):
    other = child(pynput, backend="pynput", watch=["left"])
    assert other.held() == set()
    keys.press("p")
    keys.press("left")
    wait_for(lambda: other.held() == {"left"}, "left", 2)
    assert other.ask("sorted(keys.backend.down)") == ["left"]
    keys.release_all()


@pytest.mark.parametrize(
    ("system", "vk", "char", "name"),
    [
        ("win32", ord("1"), "!", "1"),
        ("win32", ord("A"), "\x01", "a"),
        ("win32", ord("A"), "A", "a"),
        ("win32", 0xBA, ";", None),
        ("darwin", 18, "!", "1"),
        ("darwin", 0, "å", "a"),
        ("darwin", 12, "a", "a"),  # a French keyboard: what is written on the key goes before its place
        ("linux", ord("A"), "A", "a"),
        ("linux", ord("!"), "!", None),
    ],
)
def test_pynput_names_keys_by_their_code_where_the_character_does_not_tell(child, pynput, system, vk, char, name):
    """Other systems' keys in pynput's classes: the same `Pynput` object, told that it runs there."""
    other = child(pynput, backend="pynput")
    other.ask(f"setattr(sys, 'platform', {system!r}) or keys.backend.__init__(keys.watch)")
    assert other.ask(f"keys.backend._name(keys.backend.keyboard.KeyCode(vk={vk}, char={char!r}))") == name
    codes = {"win32": [81, 49], "darwin": [None, None], "linux": [113, 49]}[system]
    assert other.ask("[getattr(keys.backend._key(c), 'vk', None) for c in 'q1']") == codes


def test_pynput_left_and_right_modifiers_are_one_key():
    pynput = keys_module.Pynput.__new__(keys_module.Pynput)
    key = enum.Enum("Key", ["shift_l", "shift_r", "ctrl", "ctrl_l", "ctrl_r", "esc", "left", "f1"])
    pynput.keyboard, pynput.characters = SimpleNamespace(Key=key), {}
    assert [pynput._name(k) for k in key] == ["shift", "shift", "ctrl", "ctrl", "ctrl", "escape", "left", "f1"]


def test_pynput_says_when_its_listener_has_ended(child, pynput):
    other = child(pynput, backend="pynput")
    other.ask("setattr(keys.backend, 'listener', __import__('threading').Thread())")  # one that does not run
    assert other.ask("sorted(keys.held())").startswith("RuntimeError: the keyboard cannot be read")


def test_pynput_without_a_display(child, pynput):
    problem = child(pynput, {"DISPLAY": None}, backend="pynput").first
    assert problem.startswith("ImportError: pynput does not work here (ImportError: this platform is not supported")
    assert "\n" not in problem


def test_pyautogui_presses_what_others_see(keys, child, pyautogui):
    other = child(pyautogui, backend="pyautogui")
    assert other.ask("sys.modules['Xlib'].__file__").startswith(
        str(pyautogui)
    )  # python3-xlib's, as on a learner's disk
    begin = time.perf_counter()
    for name in Keys.names:
        assert other.ask(f"keys.press({name!r})") is None
        wait_for(lambda name=name: keys.held() == {name}, f"{name} pressed by pyautogui", 2)
        other.ask(f"keys.release({name!r})")
        wait_for(lambda: not keys.held(), "release by pyautogui", 2)
    assert time.perf_counter() - begin < 0.1 * len(Keys.names)  # its pause would take 0.2 s a key
    for name in NEEDED:
        other.ask(f"keys.press({name!r})")
    assert keys.held() == set(NEEDED)
    other.end()
    assert keys.held() == set()


def test_pyautogui_cannot_read(child, pyautogui):
    other = child(pyautogui, backend="pyautogui")
    assert other.ask("keys.held()") == (
        "RuntimeError: pyautogui sends keys but cannot read them: choose another backend to record"
    )


def test_pyautogui_fail_safe_stops_pressing_but_not_letting_go(keys, child, pyautogui):
    other = child(pyautogui, backend="pyautogui")
    other.ask("keys.press('left')")
    keys.backend.display.screen().root.warp_pointer(0, 0)
    keys.backend.display.sync()
    try:
        assert other.ask("keys.press('right')").startswith("FailSafeException")
        assert keys.held() == {"left"}
        assert other.ask("keys.release_all()") is None
        assert keys.held() == set()
        assert other.ask("keys.backend.pyautogui.FAILSAFE") is True
    finally:
        keys.backend.display.screen().root.warp_pointer(640, 360)
        keys.backend.display.sync()


def test_pyautogui_without_a_display(child, pyautogui):
    problem = child(pyautogui, {"DISPLAY": None}, backend="pyautogui").first
    assert problem == "ImportError: pyautogui does not work here (KeyError: 'DISPLAY')"


@pytest.mark.skipif(os.path.exists("/dev/input"), reason="this machine has input devices")
def test_keyboard_library_without_devices_or_root(child, keyboard):
    other = child(keyboard, backend="keyboard")
    for request in ("keys.held()", "keys.press('left')", "keys.release('left')", "keys.held()"):
        answer = other.ask(request)
        assert answer.startswith("RuntimeError: the keyboard library cannot work here (")
        assert answer.endswith("): leave out backend=")
        assert "()" not in answer
        assert "\n" not in answer


def real_keyboard(folder, monkeypatch):
    """The real module's functions, without starting anything: importing it touches no device."""
    monkeypatch.syspath_prepend(folder)
    import keyboard as real

    for name in [name for name in sys.modules if name.partition(".")[0] == "keyboard"]:
        monkeypatch.delitem(sys.modules, name)
    return real


def test_keyboard_library_where_it_works(keyboard, monkeypatch):
    """A stand-in whose functions take what the real ones take, and know the names that the real one knows."""
    real = real_keyboard(keyboard, monkeypatch)
    down = set()

    def checked(name, function):
        def call(*arguments):
            inspect.signature(getattr(real, name)).bind(*arguments)
            assert real.normalize_name(arguments[0]) == arguments[0]
            return function(*arguments)

        return call

    fakes = {"press": down.add, "release": down.discard, "is_pressed": lambda key: key in down}
    stand_in = SimpleNamespace(**{name: checked(name, fake) for name, fake in fakes.items()})
    monkeypatch.setitem(sys.modules, "keyboard", stand_in)
    with Keys(backend="keyboard") as keys:
        for name in Keys.names:
            keys.press(name)
            assert keys.held() == {name}
            keys.release(name)
        keys.press("escape")
        assert down == {"esc"}
    assert down == set()


@pytest.mark.parametrize("package", ["pynput", "keyboard", "pyautogui"])
def test_missing_libraries(package, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if not os.path.isdir(os.path.join(entry, package))])
    with pytest.raises(ImportError, match=f"^{package} is not installed: python -m pip install {package}$"):
        Keys(backend=package)
