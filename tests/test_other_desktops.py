"""The Windows and macOS backends over stand-ins that know which names and how many arguments the real libraries have.

The names come from types-pywin32 (Windows) and from interfaces/quartz.txt (macOS, see interfaces/refresh.py). What the
real systems answer is written down here from their documentation: a stand-in shows that our code calls what exists and
does the right thing with such answers, no more.
"""

import ast
import contextlib
import ctypes
import sys
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlsteps.capture import CaptureError, WindowHidden, WindowInfo, WindowNotFound, find_window, windows
from dlsteps.capture.quartz import DOCK_LAYER, TITLE_BAR, QuartzDesktop
from dlsteps.capture.win32 import DWMWA_CLOAKED, DWMWA_EXTENDED_FRAME_BOUNDS, Rectangle, Win32Desktop

ANY = range(100)


class StandIn:
    """Stands in for a module or class. `real`: name -> range of argument numbers of a function, or a constant's value.

    A name that the real one lacks raises AttributeError, one that it has but `fakes` does not NotImplementedError.
    """

    def __init__(self, name, real, fakes):
        self._name, self._real = name, real
        for key, fake in fakes.items():
            setattr(self, key, self._counting(key, fake) if isinstance(self._known(key), range) else fake)

    def __getattr__(self, key):
        value = self._known(key)
        if value is None or isinstance(value, range):
            raise NotImplementedError(f"this test does not fake {self._name}.{key}")
        return value

    def _known(self, key):
        if key not in self._real:
            raise AttributeError(f"the real {self._name} has no {key!r}")
        return self._real[key]

    def _counting(self, key, fake):
        def call(*arguments):
            if len(arguments) not in self._real[key]:
                raise TypeError(f"the real {self._name}.{key} does not take {len(arguments)} arguments")
            return fake(*arguments)

        return call


def stub(path):
    """The names of a module of types-pywin32, for `StandIn`."""
    names = {}
    for node in ast.parse(distribution("types-pywin32").locate_file(path).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            most = len(node.args.posonlyargs) + len(node.args.args)
            numbers = range(most - len(node.args.defaults), most + 1) if node.args.vararg is None else ANY
            overload = names.get(node.name, numbers)
            names[node.name] = range(min(numbers[0], overload[0]), max(numbers[-1], overload[-1]) + 1)
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = literal(node.value)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname: None for alias in node.names if alias.asname}
    return names


def literal(node):
    with contextlib.suppress(TypeError, ValueError):
        return ast.literal_eval(node)


def pyobjc(module):
    """The names of a module in quartz.txt, for `StandIn`; pyobjc's string constants are worth their own names."""
    names = {}
    for line in (Path(__file__).parent / "interfaces" / "quartz.txt").read_text().splitlines():
        owner, name, *rest = line.split()
        if owner == module:
            is_class = module == "AppKit" and not rest
            names[name] = None if is_class else name
            if rest:
                names[name] = int(rest[1]) if rest[0] == "=" else range(int(rest[0]), int(rest[0]) + 1)
    return names


def part(names, owner):
    """Of the names of a module, those of one class."""
    return {name.split(".")[1]: value for name, value in names.items() if name.startswith(f"{owner}.")}


WIN32GUI, WIN32CON = stub("win32-stubs/win32gui.pyi"), stub("win32-stubs/lib/win32con.pyi")
QUARTZ, APPKIT = pyobjc("Quartz"), pyobjc("AppKit")


# ---- the stand-ins themselves


def test_stand_in_refuses_what_the_real_library_lacks():
    gui = StandIn("win32gui", WIN32GUI, {"IsWindow": lambda handle: 1})
    assert gui.IsWindow(1) == 1
    with pytest.raises(AttributeError, match="the real win32gui has no 'IsWindowOpen'"):
        gui.IsWindowOpen(1)
    with pytest.raises(TypeError, match="win32gui.IsWindow does not take 2 arguments"):
        gui.IsWindow(1, 2)
    with pytest.raises(NotImplementedError, match="does not fake win32gui.IsIconic"):
        gui.IsIconic(1)
    with pytest.raises(AttributeError, match="no 'GetTitle'"):
        StandIn("win32gui", WIN32GUI, {"GetTitle": str})


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (WIN32GUI, {"GetForegroundWindow": range(1), "ClientToScreen": range(2, 3), "error": None}),
        (WIN32GUI, {"SystemParametersInfo": range(1, 4)}),
        (WIN32CON, {"GW_HWNDPREV": 3, "SW_RESTORE": 9, "WS_EX_TRANSPARENT": 32}),
        (QUARTZ, {"CGWindowListCopyWindowInfo": range(2, 3), "CGPreflightScreenCaptureAccess": range(1)}),
        (QUARTZ, {"CGRectDivide": range(5, 6), "kCGWindowName": "kCGWindowName", "kCGNullWindowID": 0}),
        (APPKIT, {"NSWorkspace": None, "NSRunningApplication.activateWithOptions_": range(1, 2)}),
    ],
)
def test_interfaces_hold_what_the_documentation_says(names, known):
    assert {name: names.get(name, "missing") for name in known} == known
    assert not {"import", "IsWindowOpen", "kCGWindowTitle", "NSRunLoop.run_"} & set(names)


# ---- Microsoft Windows


class Closed(Exception):
    """What pywin32 raises: pywintypes.error(code, function, message)."""


class FakeWin32:
    """A desktop of windows, the top-most first: {handle: [title, client rectangle], …} with some changed by tests."""

    def __init__(self):
        self.titles = {30: "Notes", 10: "Catch", 20: "Catch replay", 40: ""}
        self.client = {30: (700, 0, 200, 100), 10: (108, 131, 256, 256), 20: (500, 400, 64, 64), 40: (0, 0, 1920, 1080)}
        self.foreground, self.restored, self.refuses = 10, [], False
        self.invisible, self.iconic, self.cloaked, self.clicks_through = set(), set(), set(), set()

    def alive(self, handle, function):
        if handle not in self.titles:
            raise Closed(1400, function, "Invalid window handle.")
        return handle

    def enumerate(self, callback, extra):
        for handle in list(self.titles):
            assert callback(handle, extra) in (None, 1)  # 0 would stop it

    def client_rect(self, handle):
        return (0, 0, *self.client[self.alive(handle, "GetClientRect")][2:])

    def to_screen(self, handle, point):
        left, top, *_ = self.client[self.alive(handle, "ClientToScreen")]
        return left + point[0], top + point[1]

    def next_window(self, handle, which):
        assert which == WIN32CON["GW_HWNDPREV"]
        order = list(self.titles)
        place = order.index(self.alive(handle, "GetWindow"))
        return order[place - 1] if place else 0

    def take_focus(self, handle):
        if self.refuses:
            raise Closed(0, "SetForegroundWindow", "No error message is available")
        self.foreground = self.alive(handle, "SetForegroundWindow")

    def restore(self, handle, how):
        assert how == WIN32CON["SW_RESTORE"]
        self.iconic.discard(handle)
        self.restored.append(handle)
        return 1

    def style(self, handle, index):
        assert index == WIN32CON["GWL_EXSTYLE"]
        return 0x00080000 | (
            WIN32CON["WS_EX_TRANSPARENT"] if self.alive(handle, "GetWindowLong") in self.clicks_through else 0
        )

    def compositor(self, handle, attribute, pointer, size):
        """DwmGetWindowAttribute: 8 points of frame on three sides and 31 of title bar around the client rectangle."""
        value, handle = pointer._obj, handle.value
        assert size == ctypes.sizeof(value) == {DWMWA_CLOAKED: 4, DWMWA_EXTENDED_FRAME_BOUNDS: 16}[attribute]
        if handle not in self.titles:
            return -2147024890  # and the value is left as it was
        if attribute == DWMWA_CLOAKED:
            value.value = 2 if handle in self.cloaked else 0
        else:
            left, top, width, height = self.client[handle]
            new = Rectangle(left - 8, top - 31, left + width + 8, top + height + 8)
            ctypes.memmove(ctypes.byref(value), ctypes.byref(new), size)
        return 0

    def functions(self):
        return {
            "EnumWindows": self.enumerate,
            "IsWindow": lambda handle: int(handle in self.titles),
            "IsWindowVisible": lambda handle: int(handle in self.titles and handle not in self.invisible),
            "IsIconic": lambda handle: int(handle in self.iconic),
            "GetWindowText": lambda handle: self.titles.get(handle, ""),
            "GetClientRect": self.client_rect,
            "ClientToScreen": self.to_screen,
            "GetForegroundWindow": lambda: self.foreground,
            "SetForegroundWindow": self.take_focus,
            "ShowWindow": self.restore,
            "GetWindow": self.next_window,
            "GetWindowLong": self.style,
            "error": Closed,
        }


@pytest.fixture
def fake(monkeypatch):
    fake = FakeWin32()
    dwmapi = SimpleNamespace(DwmGetWindowAttribute=fake.compositor)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(dwmapi=dwmapi), raising=False)
    monkeypatch.setitem(sys.modules, "win32gui", StandIn("win32gui", WIN32GUI, fake.functions()))
    monkeypatch.setitem(sys.modules, "win32con", StandIn("win32con", WIN32CON, {}))
    return fake


@pytest.fixture
def win32(fake, monkeypatch):
    return installed(monkeypatch, "win32", Win32Desktop)


def installed(monkeypatch, platform, kind):
    """The backend that `desktop()` makes on that system, made the one that `find_window` uses."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", platform)
        backend = windows.desktop.__wrapped__()
    assert type(backend) is kind
    monkeypatch.setattr(windows, "desktop", lambda: backend)
    return backend


CATCH = WindowInfo("Catch", 108, 131, 256, 256, 10)


def test_win32_finds_client_rectangles(win32):
    assert find_window("Catch") == CATCH
    assert [w.title for w in win32.windows()] == ["Notes", "Catch", "Catch replay"]  # not the one without a title
    with pytest.raises(WindowNotFound, match=r"Did you mean 'Notes'\?"):
        find_window("Nodes")


def test_win32_lists_only_what_can_be_seen(win32, fake):
    fake.invisible, fake.iconic, fake.cloaked = {30}, {10}, {20}
    fake.titles |= {50: "Empty", 60: "Paint"}
    fake.client |= {50: (0, 0, 0, 0), 60: (1, 2, 3, 4)}
    assert win32.windows() == [WindowInfo("Paint", 1, 2, 3, 4, 60)]


def test_win32_window_that_closes_while_listed(win32, fake):
    sys.modules["win32gui"].GetWindowText = lambda handle: fake.titles.pop(30) if handle == 30 else fake.titles[handle]
    assert [w.title for w in win32.windows()] == ["Catch", "Catch replay"]


def test_win32_follows_a_window(win32, fake):
    fake.client[10] = (-500, 40, 512, 512)
    fake.titles[10] = "Catch (paused, P goes on)"
    assert win32.locate(CATCH) == WindowInfo("Catch", -500, 40, 512, 512, 10)
    fake.iconic = {10}
    with pytest.raises(WindowHidden, match="'Catch' is minimised"):
        win32.locate(CATCH)
    fake.iconic, fake.cloaked = set(), {10}
    with pytest.raises(WindowHidden, match="'Catch' is hidden, or on another virtual desktop"):
        win32.locate(CATCH)
    del fake.titles[10]
    assert win32.locate(CATCH) is None


def test_win32_window_that_closes_while_located(win32, fake, monkeypatch):
    monkeypatch.setattr(sys.modules["win32gui"], "ClientToScreen", lambda *_: fake.client_rect(99))
    assert win32.locate(CATCH) is None


def test_win32_focus(win32, fake):
    assert win32.focused(CATCH)
    fake.foreground, fake.iconic = 0, {20}
    assert not win32.focused(CATCH)
    win32.focus(CATCH)
    assert win32.focused(CATCH)
    assert not fake.restored  # that would shrink a maximised window
    win32.focus(find_window("Notes")._replace(id=20))
    assert fake.restored == [20]
    fake.refuses = True
    with pytest.raises(CaptureError, match="click on the window 'Catch'$"):
        win32.focus(CATCH)


def test_win32_covered(win32, fake):
    assert win32.covered(CATCH) is None  # 'Notes' is above but beside it, the other two overlap but are below
    fake.client[30] = (108 + 256 + 7, 131, 50, 50)  # its frame of 8 reaches over the last column of pixels
    assert win32.covered(CATCH) == "Notes"
    fake.client[30] = (108 + 256 + 8, 131, 50, 50)
    assert win32.covered(CATCH) is None
    fake.client[30] = (108 - 8 - 50, 131, 50, 50)
    assert win32.covered(CATCH) is None
    fake.client[30] = (108 - 7 - 50, 131, 50, 50)
    assert win32.covered(CATCH) == "Notes"
    fake.client[30] = fake.client[40]
    fake.titles[30] = ""
    assert win32.covered(CATCH) == "a window without a title"


@pytest.mark.parametrize("how", ["invisible", "iconic", "cloaked", "clicks_through"])
def test_win32_covered_by_nothing_that_shows(win32, fake, how):
    fake.client[30] = fake.client[40]
    assert win32.covered(CATCH) == "Notes"
    setattr(fake, how, {30})
    assert win32.covered(CATCH) is None


def test_win32_covered_of_a_closed_window_or_a_restless_order(win32, fake, monkeypatch):
    assert win32.covered(CATCH._replace(id=99)) is None
    answers = iter([30, 20, 30])  # a fourth question would fail
    monkeypatch.setattr(sys.modules["win32gui"], "GetWindow", lambda handle, which: next(answers))
    fake.client[20] = fake.client[30]
    assert win32.covered(CATCH) is None


def test_win32_without_pywin32(monkeypatch):
    monkeypatch.setitem(sys.modules, "win32gui", None)
    with pytest.raises(CaptureError, match="^win32gui cannot be loaded .*: python -m pip install pywin32$"):
        Win32Desktop()


# ---- macOS


class FakeMac:
    """Entries as CGWindowListCopyWindowInfo gives them, the front-most first."""

    def __init__(self):
        self.entries = [
            self.entry(1, 0, "Window Server", "Cursor", (400, 300, 20, 20), layer=2147483630),
            self.entry(2, 5, "Dock", "Dock", (0, 0, 1920, 1080), layer=DOCK_LAYER),
            self.entry(3, 6, "Shade", "Shade", (0, 0, 1920, 1080), alpha=0.0),
            self.entry(10, 7, "Python", "Catch", (100, 100, 256, 284)),
            self.entry(20, 8, "Notes", "Shopping", (300, 50, 400, 400)),
            self.entry(30, 7, "Python", "", (0, 0, 50, 50)),
        ]
        self.allowed, self.asked, self.closing = True, 0, []
        self.front_pid, self.next_pid, self.activated, self.activates = 7, 7, [], True

    @staticmethod
    def entry(number, pid, owner, title, bounds, layer=0, alpha=1.0):
        return {
            "kCGWindowNumber": number,
            "kCGWindowOwnerPID": pid,
            "kCGWindowOwnerName": owner,
            "kCGWindowLayer": layer,
            "kCGWindowAlpha": alpha,
            "kCGWindowBounds": dict(zip(("X", "Y", "Width", "Height"), map(float, bounds), strict=True)),
            "kCGWindowIsOnscreen": True,
            "kCGWindowMemoryUsage": 1264,
        } | ({"kCGWindowName": title} if title else {})

    def of(self, number):
        return next(e for e in self.entries if e["kCGWindowNumber"] == number)

    def list(self, option, number):
        on_screen = [e for e in self.entries if e.get("kCGWindowIsOnscreen")]
        if option == QUARTZ["kCGWindowListOptionIncludingWindow"]:
            return tuple(e for e in self.entries if e["kCGWindowNumber"] == number)
        option -= QUARTZ["kCGWindowListExcludeDesktopElements"]
        if option == QUARTZ["kCGWindowListOptionOnScreenOnly"]:
            assert number == QUARTZ["kCGNullWindowID"]
            return tuple(on_screen)
        assert option == QUARTZ["kCGWindowListOptionOnScreenAboveWindow"]
        numbers = [e["kCGWindowNumber"] for e in on_screen]
        return tuple(on_screen[: numbers.index(number)]) if number in numbers else None

    def ask(self):
        self.asked += 1
        return False

    def turn(self, date):
        self.front_pid = self.next_pid

    def application(self, pid):
        if pid not in {e["kCGWindowOwnerPID"] for e in self.entries}:
            return None
        fakes = {"processIdentifier": lambda: pid, "activateWithOptions_": lambda how: self.activate(pid, how)}
        return StandIn("NSRunningApplication", part(APPKIT, "NSRunningApplication"), fakes)

    def activate(self, pid, how):
        assert how == APPKIT["NSApplicationActivateIgnoringOtherApps"]
        self.activated.append(pid)
        return self.activates

    def modules(self):
        screen = SimpleNamespace(size=SimpleNamespace(width=1920.0, height=1080.0))
        quartz = {
            "CGWindowListCopyWindowInfo": self.list,
            "CGPreflightScreenCaptureAccess": lambda: self.allowed,
            "CGRequestScreenCaptureAccess": self.ask,
            "CGMainDisplayID": lambda: 77,
            "CGDisplayBounds": {77: screen}.get,
        }
        found = self.application
        classes = {
            "NSRunningApplication": {"runningApplicationWithProcessIdentifier_": found},
            "NSWorkspace": {"sharedWorkspace": lambda: made["NSWorkspace"]},
            "NSRunLoop": {"currentRunLoop": lambda: made["NSRunLoop"], "runUntilDate_": self.turn},
            "NSDate": {"date": object},
        }
        classes["NSWorkspace"]["frontmostApplication"] = lambda: found(self.front_pid)
        made = {name: StandIn(name, part(APPKIT, name), fakes) for name, fakes in classes.items()}
        return {"Quartz": StandIn("Quartz", QUARTZ, quartz), "AppKit": StandIn("AppKit", APPKIT, made)}


@pytest.fixture
def mac(monkeypatch):
    mac = FakeMac()
    for name, module in mac.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    return mac


@pytest.fixture
def quartz(mac, monkeypatch):
    return installed(monkeypatch, "darwin", QuartzDesktop)


MAC_CATCH = WindowInfo("Catch", 100, 100 + TITLE_BAR, 256, 256, 10)


def test_quartz_finds_rectangles_without_the_title_bar(quartz, mac):
    assert find_window("catch") == MAC_CATCH
    assert [w.title for w in quartz.windows()] == ["Catch", "Shopping"]  # no Dock, nothing transparent or untitled
    mac.of(20)["kCGWindowBounds"] |= {"X": 0.0, "Y": 0.0, "Width": 1920.0, "Height": 1080.0}
    assert find_window("Shopping")[1:5] == (0, 0, 1920, 1080)  # fills the screen: it has no title bar


def test_quartz_lists_nothing_of_size_zero(quartz, mac):
    mac.of(20)["kCGWindowBounds"]["Width"] = 0.0
    assert [w.title for w in quartz.windows()] == ["Catch"]


def test_quartz_without_permission(quartz, mac):
    mac.allowed = False
    for entry in mac.entries:
        entry.pop("kCGWindowName", None)
    with pytest.raises(CaptureError, match="allow Screen Recording for the program that runs Python") as caught:
        find_window("Catch")
    assert "\n" not in str(caught.value)
    assert mac.asked == 1


def test_quartz_follows_a_window(quartz, mac):
    mac.of(10)["kCGWindowBounds"] |= {"X": -300.0, "Y": 7.0, "Height": 540.0}
    mac.of(10)["kCGWindowName"] = "Catch (paused, P goes on)"
    assert quartz.locate(MAC_CATCH) == WindowInfo("Catch", -300, 7 + TITLE_BAR, 256, 540 - TITLE_BAR, 10)
    del mac.of(10)["kCGWindowIsOnscreen"]
    with pytest.raises(WindowHidden, match="'Catch' is minimised"):
        quartz.locate(MAC_CATCH)
    mac.entries = []
    assert quartz.locate(MAC_CATCH) is None


def test_quartz_focused(quartz, mac):
    assert quartz.focused(MAC_CATCH)
    assert not quartz.focused(find_window("Shopping"))
    mac.next_pid = 8  # AppKit knows only after a turn of the run loop; the window list can be behind, too
    assert not quartz.focused(MAC_CATCH)
    mac.next_pid = 99
    assert not quartz.focused(MAC_CATCH)
    mac.next_pid = 7
    mac.entries.insert(3, mac.entry(11, 7, "Python", "Catch: settings", (0, 0, 9, 9)))  # of the same application
    assert not quartz.focused(MAC_CATCH)
    mac.entries = []
    assert not quartz.focused(MAC_CATCH)


def test_quartz_focus(quartz, mac):
    quartz.focus(find_window("Shopping"))
    assert mac.activated == [8]
    mac.activates = False
    with pytest.raises(CaptureError, match="click on the window 'Catch'$"):
        quartz.focus(MAC_CATCH)
    mac.entries = []
    with pytest.raises(CaptureError, match="'Catch' was closed"):
        quartz.focus(MAC_CATCH)


def test_quartz_covered(quartz, mac):
    assert quartz.covered(MAC_CATCH) is None  # below the Dock's full-screen layer and a transparent window only
    shopping = find_window("Shopping")
    assert quartz.covered(shopping) == "Catch"
    mac.of(10)["kCGWindowBounds"]["Y"] = 10.0  # up: its last row is now 294
    assert quartz.covered(shopping._replace(top=294)) is None
    assert quartz.covered(shopping._replace(top=293)) == "Catch"
    del mac.of(10)["kCGWindowName"]
    assert quartz.covered(shopping) == "Python"  # who owns it is known even without the permission
    mac.of(3)["kCGWindowAlpha"] = 0.5
    mac.of(3)["kCGWindowLayer"] = 3  # a floating panel
    assert quartz.covered(MAC_CATCH) == "Shade"
    mac.entries = []
    assert quartz.covered(MAC_CATCH) is None


def test_quartz_without_pyobjc(monkeypatch):
    monkeypatch.setitem(sys.modules, "AppKit", None)
    with pytest.raises(
        CaptureError, match="^Quartz cannot be loaded .*: python -m pip install pyobjc-framework-Quartz$"
    ):
        QuartzDesktop()
