"""Execute lessons without a browser, and measure them."""

import contextlib
import difflib
import json
import math
import os
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm.auto import tqdm

NEUTRAL = {"DLSTEPS_LANG": "en", "DLSTEPS_PROGRESS": "off"}  # what a check prints then depends on nobody's settings


class NoKernel(OSError):
    """A notebook names a kernel that is not installed; the message says what to do."""


def find_lessons(folder, numbers=(), suffix=".ipynb"):
    """The lessons with these numbers ("00", "2" …), or all; a list of paths. Raises FileNotFoundError."""
    lessons = {path.name[:2]: path for path in sorted(Path(folder).glob(f"[0-9][0-9]_*{suffix}"))}
    wanted = [str(number).zfill(2) for number in numbers] or list(lessons)
    for number in wanted:
        if number not in lessons:
            near = difflib.get_close_matches(number, lessons, 1)
            nearest = f" (did you mean {near[0]}?)" if near else ""
            there = ", ".join(lessons) or f"none in {folder}"
            raise FileNotFoundError(f"no lesson {number!r}{nearest}: choose from {there}")
    return [lessons[number] for number in wanted]


def execute_lessons(lessons, report=None):
    """Execute notebooks one by one, each in a fresh kernel; print a table. Returns 1 if one failed, else 0.

    The files themselves are not changed. `report` names a JSON file for the same table.
    """
    rows = []
    for path in (bar := tqdm(lessons, unit="lesson", file=sys.stderr)):
        bar.set_description(path.stem)
        rows.append(execute(path))
    width = max((len(row["lesson"]) for row in rows), default=6)
    print(f"{'lesson':{width}}  {'seconds':>7}  {'peak MB':>7}  result")
    for row in rows:
        print(f"{row['lesson']:{width}}  {row['seconds']:7.1f}  {row['peak_mb']:7.0f}  {row['result']}")
    if report:
        Path(report).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf8")
    return int(any(row["result"] != "ok" for row in rows))


def execute(path, timeout=120):
    """Execute one notebook: {lesson, seconds (kernel start included), peak_mb (of the kernel), result}."""
    start, result, memory = time.perf_counter(), "ok", None
    try:
        notebook = nbformat.read(path, as_version=4)
        with open_client(notebook, path.parent, timeout) as client, PeakMemory(client.km.provisioner.pid) as memory:
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
    except CellExecutionError as error:
        result = f"failed in cell {cell.id!r}: {error.ename}: {error.evalue.splitlines()[0] if error.evalue else ''}"
    except CellTimeoutError:
        result = f"failed in cell {cell.id!r}: no end after {timeout} s"
    except DeadKernelError:
        result = f"failed in cell {cell.id!r}: the kernel died"
    except NoKernel as error:
        result = str(error)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        result = f"not a notebook: {str(error).splitlines()[0]}"
    seconds, peak = time.perf_counter() - start, memory.peak if memory else 0
    return {"lesson": path.stem, "seconds": round(seconds, 1), "peak_mb": round(peak / 1e6), "result": result}


def neutral_environment():
    """This process's environment variables, without a display and without anybody's progress and language."""
    desktop = ("DISPLAY", "WAYLAND_DISPLAY")
    return {name: value for name, value in os.environ.items() if name not in desktop} | NEUTRAL


@contextlib.contextmanager
def open_client(notebook, folder, timeout, kernel_stderr=None, coalesce_streams=True, **options):
    """A `NotebookClient` with a fresh kernel, working in `folder` and seeing no display. Raises `NoKernel`.

    `kernel_stderr` is where the kernel's own complaints go, as for subprocess.Popen.
    """
    client = NotebookClient(
        notebook, timeout=timeout, resources={"metadata": {"path": str(folder)}}, coalesce_streams=coalesce_streams,
        record_timing=False, extra_arguments=["--IPKernelApp.log_level=40"], **options,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(client.setup_kernel(env=neutral_environment(), stderr=kernel_stderr))
        except NoSuchKernel as error:
            there = ", ".join(map(repr, client.create_kernel_manager().kernel_spec_manager.find_kernel_specs()))
            advice = f"choose from {there}" if there else f"run {sys.executable} -m pip install ipykernel"
            raise NoKernel(f"no Jupyter kernel {error.name!r}: {advice}") from None
        yield client


class PeakMemory:
    """The largest resident memory of a process and its children, in bytes, looked at every `interval` seconds.

    A loader's workers are copies of their parent on Linux and share most pages with it; each page counts once there.
    A process that takes more than `limit` bytes is killed, and then `exceeded` is True.
    """

    def __init__(self, pid, limit=math.inf, interval=0.05):
        self.process, self.peak, self.done = psutil.Process(pid), 0, threading.Event()
        self.limit, self.interval, self.exceeded = limit, interval, False
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.done.wait(self.interval):
            try:
                self.peak = max(self.peak, self._resident(self._family()))
            except psutil.NoSuchProcess:
                continue
            if self.peak > self.limit:
                self.exceeded = True
                self.kill()

    def kill(self):
        """End the process and its children at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in self._family():
                member.kill()

    def _resident(self, family):
        if psutil.LINUX and len(family) > 1:
            with contextlib.suppress(psutil.AccessDenied):
                return sum(member.memory_full_info().pss for member in family)
        return sum(member.memory_info().rss for member in family)

    def _family(self):
        return [self.process, *self.process.children(recursive=True)]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
