"""What every download of the course needs: not to wait for ever, to be silent, and to say in a few words why it failed.

The two times are read when they are needed, as `network.PATIENCE` and `network.SILENCE`.
"""

import contextlib
import io
import queue
import socket
import threading
import time
import urllib.request
from urllib.error import HTTPError

PATIENCE = 8  # seconds until the server must have answered
SILENCE = 10  # seconds without a byte, later on


def reach(addresses):
    """Raise the reason why none of the addresses answers, `PATIENCE` seconds from now at the latest.

    A timeout alone would not do: it begins anew for each of a server's machines, and not while its name is looked up.
    """
    answers, end = queue.SimpleQueue(), time.monotonic() + PATIENCE

    def ask(address):
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "pytorch/vision"})
            answers.put(urllib.request.urlopen(request, timeout=PATIENCE).close())
        except Exception as problem:
            if isinstance(problem, HTTPError):
                problem.close()  # it is an open page as well
            answers.put(problem)

    for address in addresses:
        threading.Thread(target=ask, args=[address], daemon=True).start()
    for _ in addresses:
        try:
            problem = answers.get(timeout=max(end - time.monotonic(), 0))
        except queue.Empty:
            raise TimeoutError(f"no answer in {PATIENCE} s") from None
        if problem is None:
            return
    raise problem


@contextlib.contextmanager
def silent():
    """Inside, nothing is printed: no progress bars."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def default_timeout(seconds):
    """Inside, a socket that waits for so long gives up; torch and torchvision set no timeout of their own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


DAMAGED = ("corrupted", "invalid hash value")  # what torchvision says of a wrong checksum, and torch


def reason(problem):
    """Why a download failed, in a few words: one line."""
    if not isinstance(problem, HTTPError):  # which says all there is
        problem = getattr(problem, "reason", problem)
    words = (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__).strip().splitlines()[-1]
    return "a file arrived damaged" if any(sign in words for sign in DAMAGED) else words
