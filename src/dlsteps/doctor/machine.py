"""The system, the device to train on, memory and disk."""

import contextlib
import os
import platform
import shutil
import sys

from dlsteps.doctor.packages import ROOT


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
