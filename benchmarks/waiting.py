"""What a busy program beside it costs a training step, when torch's waiting threads spin and when they sleep.

After each parallel loop torch's threads wait for the slowest. By default they wait actively for a while; on a machine
whose cores are all taken, that keeps the slowest from running at all. OMP_WAIT_POLICY=PASSIVE, which `course.py` sets
for the programs that it starts, lets them sleep. One step of EfficientNet-Lite0, ten pictures of 96 x 96, all threads;
alone, and beside a program that keeps one core busy. Rounds are interleaved; medians.
"""

import argparse
import contextlib
import os
import platform
import statistics
import subprocess
import sys

import torch

STEPS = """
import time, torch
from dlsteps.models import efficientnet_lite0
torch.manual_seed(0)
model = efficientnet_lite0(2).train()
optimizer = torch.optim.AdamW(model.parameters())
x, y, times = torch.rand(10, 3, 96, 96), torch.arange(10) % 2, []
for _ in range(8):
    start = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    times.append(time.perf_counter() - start)
print(sorted(times[2:])[3])
"""


@contextlib.contextmanager
def busy_programs(count):
    """Inside, so many programs compute something without end."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def seconds(policy):
    environment = os.environ | {"OMP_WAIT_POLICY": policy}
    run = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=True)
    return float(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times = {(policy, busy): [] for busy in (0, 1) for policy in ("ACTIVE", "PASSIVE")}
    for _ in range(rounds):
        for (policy, busy), values in times.items():
            with busy_programs(busy):
                values.append(seconds(policy))
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}; seconds a step, {rounds} rounds")
    for (policy, busy), values in times.items():
        where = "beside a busy program" if busy else "alone"
        print(f"{policy:8} {where:22} {statistics.median(values):.3f} ({min(values):.3f} … {max(values):.3f})")


if __name__ == "__main__":
    main()
