"""Run somebody else's code: silently, for a limited time, with random numbers that are the same each time."""

import contextlib
import ctypes
import io
import os
import random
import sys
import threading

import numpy as np


class TooLong(BaseException):
    """Raised inside code that runs longer than it may; no Exception, so that `except Exception` does not stop it."""


def run_guarded(function, seconds):
    """`function()` in a thread of its own: (what it returned, what it raised); one of the two is None.

    It is silent, draws from freshly seeded generators that are put back afterwards, and is stopped after `seconds`.
    Code that catches even that, or sits in one long call into C, is left behind; the thread dies with the process.
    """
    outcome = []

    def target():
        try:
            outcome.append((function(), None))
        except BaseException as error:  # SystemExit and KeyboardInterrupt are no reason to end the notebook
            outcome.append((None, error))

    thread = threading.Thread(target=target, daemon=True)
    with _one_at_a_time, _silence(thread), _own_randomness(), _own_surroundings():
        thread.start()
        try:
            thread.join(seconds)
        finally:  # also when the learner interrupts the kernel
            for _ in range(20):
                if thread.is_alive():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooLong))
                    thread.join(0.05)
    return outcome[0] if outcome else (None, TooLong())


_one_at_a_time = threading.Lock()  # streams, seeds and folder are the whole process's


class _Silent(io.TextIOBase):
    """A stream for all threads but one."""

    def __init__(self, stream, thread):
        self.stream, self.thread = stream, thread

    def write(self, text):
        return len(text) if threading.current_thread() is self.thread else self.stream.write(text)

    def flush(self):
        self.stream.flush()


@contextlib.contextmanager
def _silence(thread):
    out, err = _Silent(sys.stdout, thread), _Silent(sys.stderr, thread)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


@contextlib.contextmanager
def _own_surroundings():
    """Put back the folder, the environment's variables and the figures as they were."""
    folder, variables = os.getcwd(), dict(os.environ)
    plt = sys.modules.get("matplotlib.pyplot")
    figures = set(plt.get_fignums()) if plt else set()
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        for figure in set(plt.get_fignums()) - figures if plt else ():
            plt.close(figure)


@contextlib.contextmanager
def _own_randomness(seed=0):
    torch = sys.modules.get("torch")
    legacy = np.random  # the generators that all share, old-fashioned or not: an answer may draw from them
    states = random.getstate(), legacy.get_state(), torch.get_rng_state() if torch else None
    random.seed(seed)
    legacy.seed(seed)
    if torch:
        torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        legacy.set_state(states[1])
        if torch:
            torch.set_rng_state(states[2])
