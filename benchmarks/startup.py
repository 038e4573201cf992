"""Start-up: what `import dlsteps` costs beyond Python itself, and how soon a second `course.py` call does its work."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(*command):
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def report(what, times):
    print(f"{what:42} {1000 * statistics.median(times):6.0f} ms  ({1000 * min(times):.0f} … {1000 * max(times):.0f})")


rounds = [(seconds("-c", "pass"), seconds("-c", "import dlsteps"), seconds("course.py", "bench")) for _ in range(15)]
bare, package, course = zip(*rounds, strict=True)
print("median (lowest … highest) of 15 rounds")
report("python -c pass", bare)
report("python -c 'import dlsteps'", package)
report("the import alone (difference, pair by pair)", [b - a for a, b in zip(bare, package, strict=True)])
report("python course.py bench (set up before)", course)
