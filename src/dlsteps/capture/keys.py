"""Read and send keys: one interface, four libraries behind it.

| backend     | reads | sends | where                                                                  |
|-------------|-------|-------|------------------------------------------------------------------------|
| "xtest"     | yes   | yes   | Linux (X11), through python-xlib; the default there                    |
| "pynput"    | yes   | yes   | Windows, macOS (the default there); on Linux it needs a compiler       |
| "keyboard"  | yes   | yes   | Windows; on Linux only as root; unmaintained since 2020                |
| "pyautogui" | no    | yes   | anywhere; on Linux not beside python-xlib, whose files it overwrites   |

Only the keys named in `watch` are ever looked at. The pynput and keyboard backends are tested on Linux against the
real libraries where those run there; on Windows and macOS they are not run in CI.
"""

import contextlib
import importlib
import subprocess
import sys

CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
NAMES = ("left", "right", "up", "down", "space", "enter", "escape", "tab", "shift", "ctrl", *CHARACTERS)


class Keys:
    """The keyboard, as far as `watch` allows.

    Use it in a `with` block, or call `release_all()` in a `finally`: a key left down stays down after the program.

    Args:
        watch: names of the keys to read; `Keys.names` holds all that there are.
        backend: "xtest", "pynput", "keyboard" or "pyautogui"; None takes the one for this system.
    """

    names = NAMES

    def __init__(self, watch=NAMES, backend=None):
        watch = [watch] if isinstance(watch, str) else list(watch)
        for key in watch:
            check_key(key)
        backend = backend or ("xtest" if sys.platform.startswith("linux") else "pynput")
        if backend not in BACKENDS:
            raise ValueError(f"unknown backend {backend!r}: choose from {', '.join(map(repr, BACKENDS))}")
        self.watch, self.pressed = tuple(watch), set()
        self.backend = BACKENDS[backend](self.watch)

    def held(self):
        """The watched keys that are down now, whoever presses them: a frozenset of names."""
        return frozenset(self.backend.held())

    def press(self, key):
        """Press a key and keep it down. The system sends it to whichever window has the focus."""
        check_key(key)
        self.pressed.add(key)  # before the press: should that fail half-way, the key is still released
        self.backend.press(key)

    def release(self, key):
        check_key(key)
        self.backend.release(key)
        self.pressed.discard(key)

    def release_all(self):
        """Release every key that this object pressed; if one of them fails, the others all the same."""
        with contextlib.ExitStack() as stack:
            for key in sorted(self.pressed):
                stack.callback(self.release, key)

    def close(self):
        try:
            self.release_all()
        finally:
            self.backend.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def check_key(key):
    if key not in NAMES:
        raise ValueError(f"unknown key {key!r}: choose from {', '.join(NAMES)}")


class XTest:
    """X11: `query_keymap` reads the whole keyboard in one round trip, the XTEST extension presses keys."""

    keysyms = {"left": "Left", "right": "Right", "up": "Up", "down": "Down", "enter": "Return", "escape": "Escape",
               "tab": "Tab", "shift": "Shift_L", "ctrl": "Control_L"}  # fmt: skip

    def __init__(self, watch):
        from Xlib import XK

        from dlsteps.capture.x11 import connect

        self.display = connect()
        code = self.display.keysym_to_keycode
        self.codes = {name: code(XK.string_to_keysym(self.keysyms.get(name, name))) for name in NAMES}
        self.watch = watch

    def held(self):
        keymap = self.display.query_keymap()  # 32 bytes, a bit a key
        return [name for name in self.watch if keymap[self.codes[name] // 8] >> self.codes[name] % 8 & 1]

    def press(self, key):
        from Xlib import X

        self._fake(X.KeyPress, key)

    def release(self, key):
        from Xlib import X

        self._fake(X.KeyRelease, key)

    def close(self):
        from Xlib.error import ConnectionClosedError

        with contextlib.suppress(ConnectionClosedError):
            self.display.close()

    def _fake(self, kind, key):
        from Xlib.ext import xtest

        if not self.codes[key]:
            raise RuntimeError(f"the keyboard layout of this display has no key {key!r}")
        xtest.fake_input(self.display, kind, self.codes[key])
        self.display.sync()


class Pynput:
    """A listener thread keeps the set of watched keys that are down; started at the first `held()`.

    Letters and digits are pressed by their keys' codes on Linux and Windows: given a character, pynput sends X11
    programs an event that leaves the key itself up, and Windows programs no key if the layout has it on an upper row.
    """

    special = {"escape": "esc"}

    def __init__(self, watch):
        self.keyboard = _load("pynput.keyboard")
        self.controller = self.keyboard.Controller()
        self.watch, self.down, self.listener = watch, set(), None
        code = {"linux": ord, "win32": lambda name: ord(name.upper())}.get(sys.platform)
        self.codes = {name: code(name) for name in CHARACTERS} if code else {}
        self.characters = {code: name for name, code in self.codes.items()}
        if sys.platform == "darwin":
            self.characters = _load("pynput._util.darwin_vks").SYMBOLS

    def held(self):
        if self.listener is None:
            self.listener = self.keyboard.Listener(on_press=self._on_press, on_release=self._on_release)
            self.listener.start()
            self.listener.wait()
        if not self.listener.is_alive():
            raise RuntimeError("the keyboard cannot be read: on macOS, allow Input Monitoring and Accessibility")
        return [name for name in self.watch if name in self.down]

    def press(self, key):
        self.controller.press(self._key(key))

    def release(self, key):
        self.controller.release(self._key(key))

    def close(self):
        if self.listener is not None:
            self.listener.stop()

    def _key(self, name):
        if name in self.codes:
            return self.keyboard.KeyCode(vk=self.codes[name], char=name)
        return name if len(name) == 1 else self.keyboard.Key[self.special.get(name, name)]

    def _on_press(self, key):
        if (name := self._name(key)) in self.watch:
            self.down.add(name)

    def _on_release(self, key):
        self.down.discard(self._name(key))

    def _name(self, key):
        """Our name of a pynput key; left and right shift and ctrl are one key to us."""
        if isinstance(key, self.keyboard.Key):
            name = key.name.removesuffix("_l").removesuffix("_r")
            return {"esc": "escape"}.get(name, name)
        name = (getattr(key, "char", None) or "").lower()
        # With shift or ctrl held, '1' comes as '!' and 'a' as '\x01': then the key's code tells, though not on Linux.
        return name if name in NAMES else self.characters.get(getattr(key, "vk", None))


class Keyboard:
    """The `keyboard` library, which the study note names."""

    special = {"escape": "esc"}

    def __init__(self, watch):
        self.keyboard, self.watch = _load("keyboard"), watch

    def held(self):
        return [name for name in self.watch if self._call("is_pressed", name)]

    def press(self, key):
        self._call("press", key)

    def release(self, key):
        self._call("release", key)

    def close(self):
        pass

    def _call(self, method, key):
        try:
            return getattr(self.keyboard, method)(self.special.get(key, key))
        except (ImportError, OSError, AssertionError, subprocess.SubprocessError) as problem:
            # On Linux: not root, no dumpkeys, no input device, no console.
            reason = str(problem) or "no input device"
            raise RuntimeError(f"the keyboard library cannot work here ({reason}): leave out backend=") from None


class PyAutoGui:
    """pyautogui, which the study note names; with its pause of 0.1 s a call switched off.

    Its fail-safe stays on: with the mouse in a corner of the screen, `press` raises its `FailSafeException`.
    """

    def __init__(self, watch):
        self.pyautogui = _load("pyautogui")
        self.pyautogui.PAUSE = 0

    def held(self):
        raise RuntimeError("pyautogui sends keys but cannot read them: choose another backend to record")

    def press(self, key):
        self.pyautogui.keyDown(key)

    def release(self, key):
        safe, self.pyautogui.FAILSAFE = self.pyautogui.FAILSAFE, False  # it would stop us from letting go
        try:
            self.pyautogui.keyUp(key)
        finally:
            self.pyautogui.FAILSAFE = safe

    def close(self):
        pass


BACKENDS = {"xtest": XTest, "pynput": Pynput, "keyboard": Keyboard, "pyautogui": PyAutoGui}


def _load(module):
    package = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as problem:  # they raise all sorts without a display, exit without tkinter
        if getattr(problem, "name", None) == package:
            raise ImportError(f"{package} is not installed: python -m pip install {package}") from None
        reason = f"{type(problem).__name__}: {problem}".splitlines()[0]
        raise ImportError(f"{package} does not work here ({reason})") from None
