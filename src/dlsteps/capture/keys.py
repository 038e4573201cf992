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

import sys

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = ("left", "right", "up", "down", "space", "enter", "escape", "tab", "shift", "ctrl", *LETTERS, *"0123456789")


class Keys:
    """The keyboard, as far as `watch` allows.

    Use it in a `with` block, or call `release_all()` in a `finally`: a key left pressed stays pressed after the program.

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
        """Release every key that this object pressed."""
        for key in sorted(self.pressed):
            self.release(key)

    def close(self):
        self.release_all()
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
        self.display.close()

    def _fake(self, kind, key):
        from Xlib.ext import xtest

        xtest.fake_input(self.display, kind, self.codes[key])
        self.display.sync()


class Pynput:
    """A listener thread keeps the set of keys that are down; started at the first `held()`."""

    special = {"escape": "esc"}

    def __init__(self, watch):
        keyboard = _load("pynput.keyboard", "pynput")
        self.keyboard, self.controller = keyboard, keyboard.Controller()
        self.watch, self.down, self.listener = watch, set(), None

    def held(self):
        if self.listener is None:
            self.listener = self.keyboard.Listener(on_press=self._on_press, on_release=self._on_release)
            self.listener.start()
            self.listener.wait()
        return [name for name in self.watch if name in self.down]

    def press(self, key):
        self.controller.press(self._key(key))

    def release(self, key):
        self.controller.release(self._key(key))

    def close(self):
        if self.listener is not None:
            self.listener.stop()

    def _key(self, name):
        return name if len(name) == 1 else self.keyboard.Key[self.special.get(name, name)]

    def _on_press(self, key):
        self.down.add(self._name(key))

    def _on_release(self, key):
        self.down.discard(self._name(key))

    def _name(self, key):
        """Our name of a pynput key; left and right shift and ctrl are one key to us."""
        if isinstance(key, self.keyboard.Key):
            name = key.name.removesuffix("_l").removesuffix("_r")
            return {"esc": "escape"}.get(name, name)
        return (getattr(key, "char", None) or "").lower()


class Keyboard:
    """The `keyboard` library, which the study note names."""

    special = {"escape": "esc"}

    def __init__(self, watch):
        self.keyboard, self.watch = _load("keyboard", "keyboard"), watch

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
        except (ImportError, OSError) as problem:  # what it raises without root or without /dev/input
            raise RuntimeError(f"the keyboard library cannot work here ({problem}): leave out backend=") from None


class PyAutoGui:
    """pyautogui, which the study note names; with its pause of 0.1 s a call switched off."""

    def __init__(self, watch):
        self.pyautogui = _load("pyautogui", "pyautogui")
        self.pyautogui.PAUSE = 0

    def held(self):
        raise RuntimeError("pyautogui sends keys but cannot read them: choose another backend to record")

    def press(self, key):
        self.pyautogui.keyDown(key)

    def release(self, key):
        self.pyautogui.keyUp(key)

    def close(self):
        pass


BACKENDS = {"xtest": XTest, "pynput": Pynput, "keyboard": Keyboard, "pyautogui": PyAutoGui}


def _load(module, package):
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise ImportError(f"{package} is not installed here ({problem}): python -m pip install {package}") from None
