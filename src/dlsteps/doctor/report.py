"""Versions, devices and desktop tools: the report of lesson 1 and of `python course.py doctor`."""

import argparse
import contextlib
import functools
import json
import os
import platform
import re
import sys
from pathlib import Path

from dlsteps import __version__
from dlsteps.doctor.desktop import DESKTOP_MODULES, Step, check_desktop, show_window
from dlsteps.doctor.machine import check_machine
from dlsteps.doctor.packages import PACKAGES, ROOT, _python, check_packages, quiet
from dlsteps.tables import table


def format_packages(checks):
    """The list of `check_packages` as a table, each repair command under its package."""
    rows = [(c.package, "" if c.module == c.package.replace("-", "_") else c.module, *c[2:5]) for c in checks]
    heading, *lines = table([("package", "import as", "status", "version", "note"), *rows]).splitlines()
    repairs = [f"\n  repair: {check.repair}" if check.repair else "" for check in checks]
    return "\n".join([heading, *map("".join, zip(lines, repairs, strict=True))])


def format_machine(machine):
    """The dict of `check_machine` as a table, without what cannot be told."""
    known = [(name, str(value)) for name, value in machine.items() if value is not None]
    return table([(name.replace("_gb", " (GB)").replace("_", " "), value) for name, value in known])


def format_desktop(steps):
    """The list of `check_desktop` as a table."""
    return table([(s.name, {True: "OK", False: "FAILED", None: "skipped"}[s.ok], s.detail) for s in steps])


def problems(packages, steps):
    """What keeps the course from working, a text each: packages that it needs, and failed steps."""
    optional = {package.name for package in PACKAGES if package.optional}
    bad = [c for c in packages if c.status in ("missing", "broken") and c.package not in optional]
    found = [": ".join(filter(None, [f"{c.package} is {c.status}", c.note])) + f"\n    {c.repair}" for c in bad]
    return found + [f"{s.name}: {s.detail}" for s in steps if s.ok is False]


def verdict(packages, machine, steps):
    """A summary to paste in a report: without the names of user and machine, and without paths."""
    found, statuses = problems(packages, steps), [check.status for check in packages]
    facts = {name: "?" if value is None else value for name, value in machine.items()}
    facts["gpu"] = f" ({machine['gpu']}, {machine['gpu_memory_gb']} GB)" if machine["gpu"] else ""
    repairs = f"{len(found)} to repair: begin with the first, then run this again"
    lines = [
        f"dlsteps {__version__}: {repairs if found else 'all that the course needs works here'}",
        "Python {python}, {system}, {architecture}, desktop: {session}".format_map(facts),
        "torch {torch} on {device}{gpu}, {threads} threads, {cores} cores".format_map(facts),
        "memory {memory_gb} GB ({memory_free_gb} free), disk {disk_free_gb} GB free".format_map(facts),
        "packages: " + ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses)),
        "window: " + _summary(steps),
        *(f"  {problem}" for problem in found),
    ]
    line = "-" * 72
    return "\n".join([line, anonymous("\n".join(lines).replace(f"{_python()} -m", "python -m")), line])


def _summary(steps):
    if not steps or steps[0].ok is None:
        return steps[0].detail if steps else "not checked"
    figures = [s.detail for s in steps if s.ok and s.name in ("capture rate", "picture changes")]
    return ", ".join([f"{sum(bool(s.ok) for s in steps)} of {len(steps)} steps OK", *figures])


def anonymous(text):
    """The text with every path cut down to its last part, and without the names of this user and machine."""
    for folder in (ROOT, Path.cwd(), Path.home(), sys.prefix):
        text = text.replace(str(folder), "...") if len(str(folder)) > 3 else text
    text = re.sub(r"(?<!\w)([A-Za-z]:)?([\\/]+[^\s\\/'\",;:()]+)+(?=[\\/])", "...", text)
    for name in (Path.home().name, platform.node().split(".")[0], os.environ.get("DISPLAY", "").split(":")[0]):
        text = re.sub(rf"\b{re.escape(name)}\b", "***", text) if len(name) > 2 else text
    return text


def examine(with_desktop=True, progress=quiet):
    """(packages, machine, steps) of the three checks; what uses a package that cannot be imported is left out."""
    packages = check_packages(progress=progress)
    unusable = {check.module for check in packages if check.status in ("missing", "broken")}
    machine = check_machine("torch" not in unusable)
    if not with_desktop:
        return packages, machine, []
    if lacking := sorted(unusable & DESKTOP_MODULES):
        return packages, machine, [Step("desktop", None, f"first repair {', '.join(lacking)}")]
    return packages, machine, check_desktop(progress=progress)


def main(argv=None):
    """Print the report; 0 if the course has all that it needs, else 1. A missing display is no fault."""
    parser = argparse.ArgumentParser(prog="course.py doctor", description=__doc__.splitlines()[0])
    parser.add_argument("--no-desktop", action="store_true", help="open no window: it takes the keyboard for 2 s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--window", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.window:
        return show_window()
    packages, machine, steps = examine(not options.no_desktop, _progress())
    found, summary = problems(packages, steps), verdict(packages, machine, steps)
    if options.json:
        report = {"packages": [c._asdict() for c in packages], "machine": machine}
        report |= {"desktop": [s._asdict() for s in steps], "verdict": summary, "ok": not found}
        print(json.dumps(report, indent=1))
    else:
        tables = format_packages(packages), format_machine(machine), format_desktop(steps) if steps else ""
        print(*filter(None, tables), summary, sep="\n\n")
    return 1 if found else 0


def _progress():
    """tqdm, which writes to stderr, and only if that is a terminal."""
    with contextlib.suppress(Exception, SystemExit):
        from tqdm import tqdm

        return functools.partial(tqdm, leave=False, disable=None)
    return quiet
