"""The scripted player at the real keyboard: it sees the game's state and presses real keys, as a person would.

`python -m dlsteps.agents.teacher` opens the game's window and plays in it; record that window to get an episode.
"""

import argparse
import signal
import sys

from dlsteps.capture import Keys
from dlsteps.game import window
from dlsteps.game.catch import LEFT, RIGHT

KEYS = {LEFT: "left", RIGHT: "right"}  # to stay is no key at all


def press_action(keys, action):
    """Hold just the key of `action` down: release the others first."""
    wanted = KEYS.get(action)
    for key in keys.pressed - {wanted}:
        keys.release(key)
    if wanted is not None and wanted not in keys.pressed:
        keys.press(wanted)


def main(arguments):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # asked to end: on the way out, let go of the keys
    with Keys(watch=["left", "right"]) as keys:  # released at the end, whatever happens
        return window.main(arguments, after_frame=lambda game: press_action(keys, game.expert()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m dlsteps.agents.teacher", description=__doc__)
    window.add_arguments(parser)
    try:
        main(parser.parse_args())
    except window.NoDisplay as error:
        sys.exit(f"Catch: {error}")
