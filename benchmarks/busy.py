"""What another busy program does to training: an epoch of lesson 00, alone and beside one busy loop.

Small networks hand their threads many short pieces of work; where one of the threads has to wait for a core, all wait
for it. Each setting in a Python of its own, interleaved; medians, and the smallest and largest.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys

from dlsteps.authoring.source import read_lesson
from dlsteps.data.paths import CHECKOUT

SETTINGS = {"as it is": {}, "one thread": {"OMP_NUM_THREADS": "1"}, "patient threads": {"OMP_WAIT_POLICY": "PASSIVE"}}
TRAIN = "import time\n{before}\nstart = time.perf_counter()\n{train}\nprint('seconds', time.perf_counter() - start)"


def program():
    """One epoch of lesson 00, without its games."""
    cells = {cell.id: cell.source for cell in read_lesson(CHECKOUT.parent / "notebooks/source/00_start_here.py")}
    train = cells["train"].replace("range(10)", "range(1)").split("print(first")[0]
    return TRAIN.format(before="\n".join(cells[name] for name in ("imports", "episode", "balance")), train=train)


def seconds(source, setting):
    env = {**os.environ, **setting, "DLSTEPS_PROGRESS": "off"}
    run = subprocess.run([sys.executable, "-c", source], env=env, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


@contextlib.contextmanager
def busy_loop():
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds, source = parser.parse_args().rounds, program()
    times = {(where, name): [] for where in ("alone", "beside a busy loop") for name in SETTINGS}
    for _ in range(rounds):
        for where, company in (("alone", contextlib.nullcontext), ("beside a busy loop", busy_loop)):
            with company():
                for name, setting in SETTINGS.items():
                    times[where, name].append(seconds(source, setting))
    print(f"{os.cpu_count()} cores; seconds for an epoch of lesson 00, median (min … max) of {rounds}")
    for (where, name), values in times.items():
        print(f"{where:18}  {name:16} {statistics.median(values):6.1f} ({min(values):.1f} … {max(values):.1f})")


if __name__ == "__main__":
    main()
