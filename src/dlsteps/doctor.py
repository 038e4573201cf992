"""Versions, devices and desktop tools: the report of lesson 1 and of `python course.py doctor`.

It must work where nothing else does, so libraries are imported where they are used, or in a Python of their own.
"""

import argparse
import contextlib
import functools
import importlib.metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from dlsteps import __version__

ROOT = Path(__file__).resolve().parents[2]
NO_WINDOW = "the course works without a window, through EnvSource"


class Package(NamedTuple):
    name: str
    module: str
    instead: dict = {}  # sys.platform: what does its work there, where it cannot
    optional: str = ""  # why the course works without it


PACKAGES = (  # the study note's eight, then the course's own
    *(Package(name, name) for name in ("numpy", "matplotlib", "torch", "torchvision")),
    Package("pywin32", "win32gui", {"linux": "python-xlib finds windows", "darwin": "Quartz finds windows"}),
    Package("opencv-python", "cv2"),
    Package("pyautogui", "pyautogui", {"linux": "not beside python-xlib; XTEST sends the keys"}, "pynput sends keys"),
    Package("keyboard", "keyboard", {"linux": "needs root; python-xlib reads the keys"}, "pynput reads keys"),
    *(Package(name, name) for name in ("jupyterlab", "ipywidgets", "nbclient", "tqdm", "psutil", "gymnasium", "mss")),
    Package("pygame-ce", "pygame"),
    Package("python-xlib", "Xlib", {"win32": "pywin32 and pynput do it", "darwin": "Quartz and pynput do it"}),
    Package("pynput", "pynput", {"linux": "needs a compiler; python-xlib has the keys"}),
    Package("pyobjc-framework-Quartz", "Quartz", {"linux": "python-xlib finds windows", "win32": "pywin32 does"}),
    Package("nbval", "nbval", optional="for developers"),
)
DESKTOP_MODULES = {"numpy", "cv2", "tqdm", "pygame", "mss", "win32gui", "Xlib", "pynput", "Quartz"}
PAIR = ("torch", "torchvision")  # a version of one works with one version of the other
OVERWRITTEN = {"pygame-ce": "pygame", "python-xlib": "python3-xlib"}  # by a package with the same files
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
IMPORT = "import importlib, os, sys; importlib.import_module(sys.argv[1]); os._exit(77)"  # 77: it worked


class PackageCheck(NamedTuple):
    package: str
    module: str
    status: str  # "OK", "missing", "broken", "not for this system" or "optional"
    version: str
    note: str
    repair: str  # a command; "" where nothing needs one


def quiet(items, **_):
    """Takes tqdm's place where nobody watches."""
    return items


def check_packages(packages=PACKAGES, limit=60.0, progress=quiet):
    """Import each `Package` in a fresh Python, four side by side; a list of `PackageCheck` in the same order.

    Args:
        limit: seconds that one import may take.
        progress: called like tqdm.
    """
    with ThreadPoolExecutor(4) as pool:
        checks = pool.map(functools.partial(check_package, limit=limit), packages)
        return list(progress(checks, total=len(packages), desc="packages"))


def check_package(package, limit=60.0, system=sys.platform):
    """The `PackageCheck` of one `Package`, whose import may take `limit` seconds."""
    installed = next(filter(_version, OPENCV if package.module == "cv2" else [package.name]), "")
    rival = OVERWRITTEN.get(package.name, "")

    def result(status, note, repair=""):
        return PackageCheck(package.name, package.module, status, _version(installed), note, repair)

    if system in package.instead:
        return result("not for this system", package.instead[system])
    problem = import_problem(package.module, limit)
    if not installed and problem == f"ModuleNotFoundError: No module named '{package.module}'":
        return result("optional" if package.optional else "missing", package.optional, _install(package))
    if _version(rival):
        repair = f"{_python()} -m pip uninstall -y {rival} && {_install(package, '--force-reinstall')}"
        return result("broken", f"{rival} put its own files over it", repair)
    if problem:
        return result("broken", problem, _install(package, "--force-reinstall"))
    return result("OK", f"installed as {installed}" if installed not in ("", package.name) else "")


def import_problem(module, limit=60.0):
    """In one line what goes wrong when a fresh Python imports `module`, "" if nothing; it gets `limit` seconds."""
    command, null = [sys.executable, "-c", IMPORT, module], subprocess.DEVNULL
    with subprocess.Popen(command, stdin=null, stdout=null, stderr=subprocess.PIPE, errors="replace") as process:
        try:
            _, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            return f"its import takes longer than {limit:g} s"
    return "" if process.returncode == 77 else _last_words(process.returncode, err)


def _last_words(code, err):
    """Why a Python ended, from its exit code and what it wrote to stderr."""
    if code < 0 or code > 0xFFFF:  # a signal; Windows has large numbers for the same
        return f"crashes Python ({signal.Signals(-code).name if code < 0 else hex(code)})"
    if "torchvision::nms does not exist" in err:
        return "operator torchvision::nms does not exist: torch and torchvision do not match"
    last = err.strip().splitlines()[-1:]
    return last[0] if "Traceback" in err else ": ".join([f"ends Python (exit code {code})", *last])


def _install(package, *options):
    names = PAIR if package.name in PAIR else [OPENCV[0] if package.module == "cv2" else package.name]
    return " ".join([_python(), "-m pip install", *options, *(f'"{_pin(name)}"' for name in names)])


def _pin(name):
    """`name==version` as constraints.txt has it; the name alone if it does not, or outside a checkout."""
    with contextlib.suppress(OSError):
        if (ROOT / "pyproject.toml").is_file():
            pins = (ROOT / "constraints.txt").read_text(encoding="utf8").split()
            return next((pin for pin in pins if pin.lower().startswith(f"{name.lower()}==")), name)
    return name


def _version(name):
    try:
        return importlib.metadata.version(name) if name else ""
    except importlib.metadata.PackageNotFoundError:
        return ""


def _python():
    """What to type in a terminal for this Python: its name where that finds it, else its path."""
    this = Path(sys.executable)
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and Path(found).parent == this.parent and os.path.samefile(found, this):
            return name
    path = str(this.relative_to(Path.cwd()) if this.is_relative_to(Path.cwd()) else this)
    return f'"{path}"' if " " in path else path


# lesson 01
def pick_device():
    """The `torch.device` to train on: an NVIDIA or AMD GPU ("cuda"), a Mac's ("mps"), else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def session_type():
    """The desktop that programs started here see: "windows", "macos", "wayland", "x11" or "none"."""
    if sys.platform in ("win32", "darwin"):
        return "windows" if sys.platform == "win32" else "macos"
    if os.environ.get("WAYLAND_DISPLAY"):
        return "wayland"
    return "x11" if os.environ.get("DISPLAY") else "none"


def check_machine(with_torch=True):
    """What the course runs on, as a dict. Sizes are in GB of 2**30 bytes; None stands for what cannot be told."""
    machine = {"python": platform.python_version(), "system": _system(), "architecture": platform.machine()}
    machine |= {"session": session_type(), "cores": os.cpu_count()}
    machine |= dict.fromkeys(("torch", "device", "gpu", "gpu_memory_gb", "threads", "memory_gb", "memory_free_gb"))
    if with_torch:
        with contextlib.suppress(Exception, SystemExit):
            machine |= _torch()
    with contextlib.suppress(Exception, SystemExit):
        import psutil

        memory = psutil.virtual_memory()
        machine |= {"memory_gb": _gb(memory.total), "memory_free_gb": _gb(memory.available)}
    return machine | {"disk_free_gb": _gb(shutil.disk_usage(ROOT).free)}


def _torch():
    import torch

    facts = {"torch": torch.__version__, "device": pick_device().type, "threads": torch.get_num_threads()}
    if facts["device"] == "cuda":
        gpu = torch.cuda.get_device_properties(0)
        facts |= {"gpu": gpu.name, "gpu_memory_gb": _gb(gpu.total_memory)}
    return facts


def _system():
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    with contextlib.suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{platform.system()} {platform.release()}"


def _gb(size):
    return round(size / 2**30, 1)


TITLE, SIZE = "dlsteps doctor", (240, 160)
IDLE, PRESSED = (70, 110, 160), (190, 150, 90)  # muted: colour profiles bend strong colours most
TOLERANCE = 24  # per channel
WINDOW = (sys.executable, "-m", "dlsteps.doctor", "--window")
MACOS = "System Settings > Privacy & Security > {}: allow the program that runs this, then restart it"
ADVICE = {  # a session, or a session and what failed in it: what to do
    "wayland": "Wayland lets no program watch or steer another's window: log in to an 'Xorg' session",
    ("macos", "see"): MACOS.format("Screen Recording"),
    ("macos", "press"): MACOS.format("Accessibility"),
    ("macos", "read"): MACOS.format("Input Monitoring"),
    ("windows", "press"): "run this in a terminal without administrator's rights in front, and touch nothing",
    ("x11", "press"): "the X server needs its XTEST extension; and touch nothing while this runs",
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
            going = all(step.ok for step in steps)
            ok, detail = _attempt(getattr(proof, name)) if going else (None, "")
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
    usual = (
        "uncover the window and move it wholly onto the screen" if what == "see" else "touch nothing while this runs"
    )
    return ADVICE.get(session_type()) or ADVICE.get((session_type(), what)) or usual


def _wait(condition, seconds):
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.002)
    return value


def table(rows):
    """Rows of texts as aligned lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def format_packages(checks):
    """The list of `check_packages` as a table, each repair command under its package."""
    heading, *lines = table([("package", "import", "status", "version", "note"), *(c[:5] for c in checks)]).splitlines()
    repairs = [f"\n  repair: {check.repair}" if check.repair else "" for check in checks]
    return "\n".join([heading, *map("".join, zip(lines, repairs, strict=True))])


def format_machine(machine):
    """The dict of `check_machine` as a table, without what cannot be told."""
    known = [(name, str(value)) for name, value in machine.items() if value is not None]
    return table([(name.replace("_gb", " (GB)").replace("_", " "), value) for name, value in known])


def format_desktop(steps):
    """The list of `check_desktop` as a table."""
    return table([(s.name, {True: "OK", False: "FAILED", None: "skipped"}[s.ok], s.detail) for s in steps])


def problems(packages, steps):
    """What keeps the course from working, a text each: packages that it needs, and failed steps."""
    optional = {package.name for package in PACKAGES if package.optional}
    bad = [c for c in packages if c.status in ("missing", "broken") and c.package not in optional]
    found = [": ".join(filter(None, [f"{c.package} is {c.status}", c.note])) + f"\n    {c.repair}" for c in bad]
    return found + [f"{s.name}: {s.detail}" for s in steps if s.ok is False]


def verdict(packages, machine, steps):
    """A summary to paste in a report: without the names of user and machine, and without paths."""
    found, statuses = problems(packages, steps), [check.status for check in packages]
    facts = {name: "?" if value is None else value for name, value in machine.items()}
    facts["gpu"] = f" ({machine['gpu']}, {machine['gpu_memory_gb']} GB)" if machine["gpu"] else ""
    repairs = f"{len(found)} to repair: begin with the first, then run this again"
    lines = [
        f"dlsteps {__version__}: {repairs if found else 'all that the course needs works here'}",
        "Python {python}, {system}, {architecture}, desktop: {session}".format_map(facts),
        "torch {torch} on {device}{gpu}, {threads} threads, {cores} cores".format_map(facts),
        "memory {memory_gb} GB ({memory_free_gb} free), disk {disk_free_gb} GB free".format_map(facts),
        "packages: " + ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses)),
        "window: " + _summary(steps),
        *(f"  {problem}" for problem in found),
    ]
    line = "-" * 72
    return "\n".join([line, anonymous("\n".join(lines).replace(f"{_python()} -m", "python -m")), line])


def _summary(steps):
    if not steps or steps[0].ok is None:
        return steps[0].detail if steps else "not checked"
    figures = [s.detail for s in steps if s.ok and s.name in ("capture rate", "picture changes")]
    return ", ".join([f"{sum(bool(s.ok) for s in steps)} of {len(steps)} steps OK", *figures])


def anonymous(text):
    """The text with every path cut down to its last part, and without the names of this user and machine."""
    for folder in (ROOT, Path.cwd(), Path.home(), sys.prefix):
        text = text.replace(str(folder), "...") if len(str(folder)) > 3 else text
    text = re.sub(r"(?<!\w)([A-Za-z]:)?([\\/]+[^\s\\/'\",;:()]+)+(?=[\\/])", "...", text)
    for name in (Path.home().name, platform.node().split(".")[0], os.environ.get("DISPLAY", "").split(":")[0]):
        text = re.sub(rf"\b{re.escape(name)}\b", "***", text) if len(name) > 2 else text
    return text


def examine(with_desktop=True, progress=quiet):
    """(packages, machine, steps) of the three checks; what uses a package that cannot be imported is left out."""
    packages = check_packages(progress=progress)
    unusable = {check.module for check in packages if check.status in ("missing", "broken")}
    machine = check_machine("torch" not in unusable)
    if not with_desktop:
        return packages, machine, []
    if lacking := sorted(unusable & DESKTOP_MODULES):
        return packages, machine, [Step("desktop", None, f"first repair {', '.join(lacking)}")]
    return packages, machine, check_desktop(progress=progress)


def main(argv=None):
    """Print the report; 0 if the course has all that it needs, else 1. A missing display is no fault."""
    parser = argparse.ArgumentParser(prog="course.py doctor", description=__doc__.splitlines()[0])
    parser.add_argument("--no-desktop", action="store_true", help="open no window: it takes the keyboard for 2 s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--window", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.window:
        return show_window()
    packages, machine, steps = examine(not options.no_desktop, _progress())
    found, summary = problems(packages, steps), verdict(packages, machine, steps)
    if options.json:
        report = {"packages": [c._asdict() for c in packages], "machine": machine}
        report |= {"desktop": [s._asdict() for s in steps], "verdict": summary, "ok": not found}
        print(json.dumps(report, indent=1))
    else:
        tables = format_packages(packages), format_machine(machine), format_desktop(steps) if steps else ""
        print(*filter(None, tables), summary, sep="\n\n")
    return 1 if found else 0


def _progress():
    """tqdm, which writes to stderr, and only if that is a terminal."""
    with contextlib.suppress(Exception, SystemExit):
        from tqdm import tqdm

        return functools.partial(tqdm, leave=False, disable=None)
    return quiet


if __name__ == "__main__":
    sys.exit(main())
