"""A script without a main guard, where workers are started anew (Windows, macOS): what to do, said in one line.

A worker that is started anew runs the script once more, to know its functions and classes. Without the guard it comes
to the line that starts workers, and Python refuses with forty lines. The parent could not know that; so it is asked
while it sends the dataset (`require_main_guard`), and a child that was started all the same puts it shortly
(`explain_missing_guard`).
"""

import multiprocessing
import sys
from multiprocessing.context import get_spawning_popen
from pathlib import Path


def require_main_guard():
    """Called while a dataset is pickled. On its way to a worker, raises `RuntimeError` if the script has no guard."""
    script = getattr(sys.modules["__main__"], "__file__", None)  # None in a notebook: cells are not run once more
    if get_spawning_popen() is None or script is None or not Path(script).is_file():
        return
    if b"__main__" not in Path(script).read_bytes():
        raise RuntimeError(_advice(script))


def explain_missing_guard():
    """Called where a dataset is made. While a worker runs the script once more, shortens Python's refusal."""
    if not getattr(multiprocessing.current_process(), "_inheriting", False):  # the test that Python itself makes
        return
    usual = sys.excepthook

    def shorten(kind, problem, trace):
        if issubclass(kind, RuntimeError) and "bootstrapping phase" in str(problem):
            print(_advice(sys.argv[0]), file=sys.stderr)
        else:
            usual(kind, problem, trace)

    sys.excepthook = shorten


def _advice(script):
    return (
        f"{Path(script).name} starts workers, and each of them runs {Path(script).name} once more: "
        "put what starts them under 'if __name__ == \"__main__\":', or use num_workers=0"
    )
