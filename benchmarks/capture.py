"""Screen capture: frames a second of WindowSource beside mss alone, PIL, pyautogui and the memory-copy limit.

Each grab is a question to the X server. Between two cores the wake-up can cost more than the work (on virtual machines
above all), so the first tables have server and client where the system puts them, the others both on one core. The
contestants take turns, round after round, on a display of their own (Xvfb, 1920 x 1080). Last, the recorder: its share
of a core at 120 captures a second, and how many labels are right at twice the game's rate.
"""

import argparse
import csv
import importlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rounds", type=int, default=7, help="times that each contestant is measured (7)")
parser.add_argument(
    "--csv", metavar="FILE", help="write the first table there (lesson 01 draws data/capture_rates.csv)"
)
parser.add_argument("--seconds", type=float, default=20, help="length of the recording that is checked (20)")
arguments = parser.parse_args()


def start_display():
    """An Xvfb of our own, so that nothing else is on the screen."""
    if shutil.which("Xvfb") is None:
        sys.exit("this needs Xvfb (Debian: apt install xvfb)")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-noreset"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    os.environ["DISPLAY"] = f":{server.stdout.readline().strip()}"
    return server


def plain_window(width, height):
    """Show a plain window of that size; returns its connection (close it to close the window)."""
    from Xlib import X, display

    connection = display.Display()
    screen = connection.screen()
    window = screen.root.create_window(
        0, 0, width, height, 0, screen.root_depth, X.InputOutput, X.CopyFromParent, background_pixel=0x336699
    )
    window.set_wm_name("Plain")
    window.map()
    connection.sync()
    return connection


def contestants(width, height):
    """name -> a function that does it once."""
    import cv2
    import mss
    from PIL import ImageGrab

    from dlsteps.capture import WindowSource

    bgra = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    copy = np.empty_like(bgra)
    grabber, source = mss.MSS(), WindowSource("Plain")
    region = {"left": 0, "top": 0, "width": width, "height": height}

    def grab():
        return np.frombuffer(grabber.grab(region).raw, np.uint8).reshape(height, width, 4)

    found = {
        "memory copy (the limit)": lambda: np.copyto(copy, bgra),
        "mss raw": lambda: grabber.grab(region),
        "mss + RGB (cv2)": lambda: cv2.cvtColor(grab(), cv2.COLOR_BGRA2RGB),
        "mss + RGB (NumPy)": lambda: np.ascontiguousarray(grab()[:, :, 2::-1]),
        "WindowSource.read()": source.read,
        "PIL.ImageGrab": lambda: ImageGrab.grab(bbox=(0, 0, width, height)),
    }
    if (pyautogui := find_pyautogui()) is not None:
        found["pyautogui.screenshot"] = lambda: pyautogui.screenshot(region=(0, 0, width, height))
        try:
            found["pyautogui.screenshot"]()
        except Exception as problem:
            print(f"(pyautogui.screenshot is left out: {problem})")
            del found["pyautogui.screenshot"]
    return found


def find_pyautogui():
    """pyautogui's screenshot function is pyscreeze's; that can be had without what pyautogui overwrites on Linux."""
    name = "pyautogui" if importlib.util.find_spec("pyautogui") else "pyscreeze"
    if not importlib.util.find_spec(name):
        folder = tempfile.mkdtemp()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps", "pyscreeze"]
        if subprocess.run(command, capture_output=True).returncode:
            print("(pyautogui is left out: it is not installed, and cannot be fetched)")
            return None
        sys.path.append(folder)
    os.environ.setdefault("XDG_SESSION_TYPE", "x11")  # it asks this, and scrot or gnome-screenshot does its work
    return importlib.import_module(name)


def rate(action, seconds=0.25):
    """Calls a second, from the median call."""
    action()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1 / statistics.median(times)


def race(width, height, one_core):
    cores = {min(CORES)} if one_core else CORES
    for process in (0, server.pid):
        os.sched_setaffinity(process, cores)
    window = plain_window(width, height)
    try:
        actions = contestants(width, height)
        rounds = [{name: rate(action) for name, action in actions.items()} for _ in range(arguments.rounds)]
    finally:
        window.close()
    where = "both on one core" if one_core else "any core"
    print(f"\n{width} x {height}, {where}: frames/s, median (lowest … highest) of {arguments.rounds} rounds")
    table = [("name", "median", "lowest", "highest")]
    for name in actions:
        rates = [one[name] for one in rounds]
        table.append((name, statistics.median(rates), min(rates), max(rates)))
        print("  {:24} {:9,.0f}  ({:,.0f} … {:,.0f})".format(*table[-1]))
    return table


def check_recorder():
    """Record the scripted player from the real window, and compare each label with the game's own log."""
    from dlsteps.agents.learn import KEYS, OpenGame
    from dlsteps.capture import record
    from dlsteps.capture.recording import load_recording
    from dlsteps.game import Catch

    with tempfile.TemporaryDirectory() as temporary:
        log, path = Path(temporary, "log.json"), Path(temporary, "recording")
        ticks = round(60 * (arguments.seconds + 2))
        with OpenGame("dlsteps.agents.teacher", "--seed", 5, "--ticks", ticks, "--log", log) as source:
            cpu, wall = time.process_time(), time.monotonic()
            record(source, KEYS, path, arguments.seconds, fps=120, progress=False)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            source.process.wait(30)
        recording = load_recording(path)
        game, used, tick_of = Catch(5), {}, {Catch(5).frame().tobytes(): 0}
        for tick, action, *_ in json.loads(log.read_text())["log"]:
            used[tick] = action
            game.step(action)
            tick_of[game.frame().tobytes()] = tick
        ticks = [tick_of.get(frame.tobytes()) for frame in recording.frames]
    known = [tick for tick in ticks if tick is not None]
    pairs = [(a, used[t + 1]) for t, a in zip(ticks, recording.actions, strict=True) if t is not None and t + 1 in used]
    right = sum(recorded == true for recorded, true in pairs)
    print(f"\nrecorder, 256 x 256, 120 captures/s for {wall:.1f} s of a game at 60 ticks/s, every frame stored in full")
    print(f"  share of one core       {cpu / wall:7.1%}")
    print(f"  frames of the game      {len(known)} of {known[-1] - known[0] + 1}, {len(ticks) - len(known)} torn")
    print(f"  labels right            {right / len(pairs):7.2%}  ({right} of {len(pairs)}, by the game's own log)")


CORES = os.sched_getaffinity(0)
server = start_display()
try:
    for one_core in (False, True):
        for size in ((256, 256), (640, 480), (1920, 1080)):
            table = race(*size, one_core)
            if arguments.csv and (size, one_core) == ((256, 256), False):
                rows = [(name, *(f"{figure:.0f}" for figure in figures)) for name, *figures in table[1:]]
                with open(arguments.csv, "w", encoding="utf8", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows([table[0], *rows])
    for process in (0, server.pid):
        os.sched_setaffinity(process, CORES)
    check_recorder()
finally:
    server.terminate()
    server.wait()
