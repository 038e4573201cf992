"""The league table: trains the agent of each lesson's step from several seeds; writes data/league.csv.

Lesson 00: its fifteen lines, as they stand in the notebook's source, on the episode that comes with the course. Lesson
02: the same lines on a minute of the same game, recorded from the real window once for each frame, and twice with the
keys of the last capture; how many labels are right is told by the game's own log. Needs Xvfb or a display. Each agent
plays ten games at level 1; a figure is the mean over the seeds, with the standard deviation between them. Half an hour.
"""

import argparse
import contextlib
import csv
import io
import json
import tempfile
from pathlib import Path

from dlsteps.agents.imitation import Agent
from dlsteps.agents.learn import KEYS, OpenGame
from dlsteps.authoring.source import read_lesson
from dlsteps.capture import record
from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import Catch, Score, score

SEEDS, GAMES, SECONDS = range(5), range(10), 60
CODE = {cell.id: cell.source for cell in read_lesson(CHECKOUT.parent / "notebooks/source/00_start_here.py")}


def train_and_play(recording, seed):
    """The mean score over `GAMES` of an agent trained on a recording by lesson 00's fifteen lines."""
    names = {}
    lines = CODE["train"].replace("torch.manual_seed(0)", f"torch.manual_seed({seed})")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(CODE["imports"], names)
        names["dataset"] = names["FrameDataset"](recording)
        exec(CODE["balance"], names)
        exec(lines, names)
    return score(Agent(names["model"]), 1, GAMES).mean


def record_at(fps, path):
    """Record the scripted player's real window `fps` times a second; the share of labels that are right."""
    log = path.with_suffix(".json")
    game = ["--seed", 1000, "--ticks", 60 * (SECONDS + 3), "--log", log]
    with OpenGame("dlsteps.agents.teacher", *game) as source:
        record(source, KEYS, path, SECONDS, fps=fps)
        source.process.wait(30)
    used = {tick: action for tick, action, *_ in json.loads(log.read_text())["log"]}
    replayed = Catch(1000)
    tick_of = {replayed.frame().tobytes(): 0}
    for tick in sorted(used):
        replayed.step(used[tick])
        tick_of[replayed.frame().tobytes()] = tick
    recording = load_recording(path)
    ticks = [tick_of.get(frame.tobytes()) for frame in recording.frames]
    pairs = [(used[tick + 1], action) for tick, action in zip(ticks, recording.actions, strict=True) if tick in used]
    return sum(true == action for true, action in pairs) / len(pairs)


def show(scores):
    mean, spread = Score.over(scores)
    return f"{mean:.2f} ± {spread:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        once, twice = Path(temporary, "once"), Path(temporary, "twice")
        right = {path: record_at(fps, path) for path, fps in ((once, 60), (twice, 120))}
        print({path.name: f"{share:.1%} of the labels right" for path, share in right.items()}, flush=True)
        trainings = {}
        for path in (data_path("catch_level1_night.npz"), once, twice):
            trainings[path] = [train_and_play(path, seed) for seed in SEEDS]
            print(path.name, [round(value, 2) for value in trainings[path]], flush=True)
        first, *others = map(show, trainings.values())
    rows = [
        ("lesson", "step", f"score at level 1 (mean ± spread of {len(SEEDS)} trainings)"),
        ("00", "fifteen lines, one minute of play", first),
        ("01", "a checked environment", "no change"),
        ("02", f"recorded once a frame: {right[once]:.1%} of the labels right", others[0]),
        ("02", f"recorded twice a frame, last capture: {right[twice]:.1%} right", others[1]),
    ]
    with open(CHECKOUT / "league.csv", "w", encoding="utf8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
