"""Kills a program at random moments while it saves checkpoints, and looks whether a whole one is left each time.

The program saves as fast as it can, and says after each save that it is done. It is killed (SIGKILL) after a random
time; then last.pt must be loadable, and at least as new as the last that was said to be done; and the one before it,
too, must be loadable. Nothing else may be left but the unfinished file of the save that was interrupted.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from dlsteps.training.checkpoint import previous_of, read_checkpoint

PROGRAM = Path(__file__).parents[1] / "tests/programs/save_forever.py"


def kill_while_saving(folder, wait):
    """The steps (said to be saved, found in last.pt, found in the file before it), and the files that were left."""
    command = [sys.executable, str(PROGRAM), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()  # it has begun
        time.sleep(wait)
        process.kill()
        said = [int(line) for line in [first, *process.stdout.read().split()]]
    last = folder / "last.pt"
    found = [read_checkpoint(path)["step"] if path.exists() else None for path in (last, previous_of(last))]
    return said[-1], *found, sorted(path.name for path in folder.iterdir())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    left, lost, during = Counter(), 0, 0
    for _ in range(arguments.kills):
        with tempfile.TemporaryDirectory() as folder:
            said, last, before, files = kill_while_saving(Path(folder), random.uniform(0, 0.2))
        lost += last is None or last < said or (before is not None and before < last - 1)
        during += any(name.startswith(".") for name in files)
        left.update(files)
    print(f"{arguments.kills} kills, {during} of them while a file was being written; checkpoints lost: {lost}")
    print("files left behind:", dict(left))


if __name__ == "__main__":
    main()
