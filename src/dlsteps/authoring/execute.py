"""Execute lessons without a browser, and measure them."""

import difflib
import json
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm.auto import tqdm


def find_lessons(folder, numbers=()):
    """The lessons with these numbers ("00", "2" …), or all; a list of paths. Raises FileNotFoundError."""
    lessons = {path.name[:2]: path for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))}
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
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": str(path.parent)}})
    start, result = time.perf_counter(), "ok"
    with client.setup_kernel(), PeakMemory(client.km.provisioner.pid) as memory:
        try:
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
        except CellExecutionError as error:
            result = f"failed in cell {number}: {error.ename}: {error.evalue.splitlines()[0] if error.evalue else ''}"
        except CellTimeoutError:
            result = f"failed in cell {number}: no end after {timeout} s"
        except DeadKernelError:
            result = f"failed in cell {number}: the kernel died"
    seconds = time.perf_counter() - start
    return {"lesson": path.stem, "seconds": round(seconds, 1), "peak_mb": round(memory.peak / 1e6), "result": result}


class PeakMemory:
    """The largest resident memory of a process and its children, in bytes, looked at every 50 ms."""

    def __init__(self, pid):
        self.process, self.peak, self.done = psutil.Process(pid), 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.done.wait(0.05):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(member.memory_info().rss for member in family))
            except psutil.NoSuchProcess:
                continue

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
