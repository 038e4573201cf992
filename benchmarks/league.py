"""The league table: trains the agent of each lesson's step from several seeds; writes data/league.csv.

Lesson 00: its fifteen lines, as they stand in the notebook's source, on the episode that comes with the course. Lesson
02: the same lines on the same frames, with the labels that its simulation gives for a player who needs 5 ms: captured
once a frame, and four times with the keys of the first capture. Each agent plays ten games at level 1; a figure is the
mean over the seeds, with the standard deviation between them. A quarter of an hour on one core.
"""

import contextlib
import csv
import io

import numpy as np

from dlsteps.agents.imitation import Agent
from dlsteps.authoring.source import read_lesson
from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import Score, score

SEEDS, GAMES = range(5), range(10)
SOURCES = CHECKOUT.parent / "notebooks/source"
LESSON_00, LESSON_02 = (
    {cell.id: cell.source for cell in read_lesson(SOURCES / name)}
    for name in ("00_start_here.py", "02_screen_to_data.py")
)


def train_and_play(labels, seed):
    """The mean score over `GAMES` of an agent trained by lesson 00's fifteen lines on other labels."""
    names = {}
    exec(LESSON_00["imports"], names)
    names["dataset"] = names["FrameDataset"](data_path("catch_level1_night.npz"))
    names["dataset"].actions = labels
    with contextlib.redirect_stdout(io.StringIO()):
        exec(LESSON_00["balance"], names)
        exec(LESSON_00["train"].replace("torch.manual_seed(0)", f"torch.manual_seed({seed})"), names)
    return score(Agent(names["model"]), 1, GAMES).mean


def captured(actions, rate, which, delay=5):
    """The labels that lesson 02's simulation gives for these actions."""
    names = {}
    exec(LESSON_02["imports"], names)
    exec(LESSON_02["simulate"], names)
    _, frames, keys = names["capture"](rate, delay, len(actions))
    changes = frames[1:] != frames[:-1]
    chosen = np.append(True, changes) if which == "first" else np.append(changes, True)
    labels = actions.copy()
    labels[frames[chosen]] = keys[chosen]
    return labels


def main():
    actions = load_recording(data_path("catch_level1_night.npz")).actions
    steps = {
        ("00", "fifteen lines, one minute of play"): actions,
        ("02", "labels captured once a frame"): captured(actions, 60, "last"),
        ("02", "labels of the first of four captures"): captured(actions, 240, "first"),
    }
    rows = []
    for (lesson, step), labels in steps.items():
        scores = [train_and_play(labels, seed) for seed in SEEDS]
        mean, spread = Score.over(scores)
        right = (labels == actions).mean()
        print(f"{lesson}  {step} ({right:.1%} right): {mean:.2f} ± {spread:.2f}  {np.round(scores, 2)}", flush=True)
        rows.append((lesson, step, f"{right:.1%}", f"{mean:.2f} ± {spread:.2f}"))
    rows.insert(1, ("01", "a checked environment", rows[0][2], "no change"))
    rows.insert(2, ("02", "labels of the last of two captures", rows[0][2], "no change"))
    with open(CHECKOUT / "league.csv", "w", encoding="utf8", newline="") as file:
        heading = ("lesson", "step", "labels right", f"score at level 1, {len(SEEDS)} trainings")
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


if __name__ == "__main__":
    main()
