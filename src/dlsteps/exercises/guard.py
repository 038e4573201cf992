"""Run somebody else's code: silently, for a limited time, with random numbers that are the same each time."""

import contextlib
import ctypes
import io
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
    with _silence(), _own_randomness():
        thread.start()
        try:
            thread.join(seconds)
        finally:  # also when the learner interrupts the kernel
            for _ in range(20):
                if thread.is_alive():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooLong))
                    thread.join(0.05)
    return outcome[0] if outcome else (None, TooLong())


class _Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


@contextlib.contextmanager
def _silence():
    with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
        yield


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
