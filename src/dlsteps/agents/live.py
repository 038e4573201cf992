"""The loop on the real window: capture, decide, press."""

import time
from typing import NamedTuple

import numpy as np

from dlsteps.agents.teacher import press_action
from dlsteps.capture import WindowHidden


class LiveRun(NamedTuple):
    frames: int  # different frames that the policy saw
    latency: np.ndarray  # (frames,) seconds from a capture to the key being sent
    paused: float  # seconds without focus, in which no key was sent


def play_window(policy, source, keys, seconds, fps=120.0):
    """Let `policy` play the game in a window by pressing keys, until the window closes or `seconds` have passed.

    The window is looked at `fps` times a second (twice the game's rate or more), and the policy asked once for each
    different frame. Keys go to whichever window has the focus: without it all keys are released and nothing is sent.
    They are always released at the end.
    """
    previous, latency, paused = None, [], 0.0
    start = now = time.monotonic()
    try:
        while now - start < seconds:
            try:
                frame = source.read()
                if frame is None:
                    break
                ready = source.focused()
            except WindowHidden:
                ready = False
            if not ready:
                keys.release_all()
                paused += 1 / fps
            elif previous is None or not np.array_equal(frame.pixels, previous):
                press_action(keys, policy(frame.pixels))
                latency.append(time.monotonic() - frame.time)
                previous = frame.pixels
            now = time.monotonic()
            time.sleep(start + (int((now - start) * fps) + 1) / fps - now)
            now = time.monotonic()
    finally:
        keys.release_all()
    return LiveRun(len(latency), np.array(latency), paused)
