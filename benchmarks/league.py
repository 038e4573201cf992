"""The league table: trains the agent of each lesson's step from several seeds; writes data/league.csv.

Lesson 00: its fifteen lines, as they stand in the notebook's source, on the episode that comes with the course. Later
lessons: the same lines with something changed. 02: the labels that its simulation gives for a player who needs 5 ms,
captured once a frame, and four times with the keys of the first capture. 03: balanced batches in place of weights in
the loss. 04: what `04_augment.py` measured. 05: *stay* where the paddle is pushed against a wall. 06: the mean over all
places in place of the flattened picture. 07: EfficientNet-Lite0 with its ImageNet weights in place of `ConvNet`. 08:
the `Trainer`, one cycle and balanced batches, as in `08_learning_rate.py`. 09: what `09_one_bug.py` measured. 10: the
same, watched; compared weight by weight. 11: the same with the weights of the best epoch, with a smoothed loss, and
with dropout before the linear layer. 12: as 08, saved after half of its epochs and resumed by another trainer; compared
weight by weight.
Each agent plays ten games at level 1; a figure is the mean over the seeds, with the standard deviation between them.
Two hours on one core, most of them for lesson 07.
"""

import contextlib
import csv
import importlib
import io
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dlsteps.agents.imitation import Agent
from dlsteps.authoring.source import read_lesson
from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import LEFT, RIGHT, STAY, Score, score
from dlsteps.models import load_matching
from dlsteps.models.efficientnet_lite import EfficientNetLite, imagenet_weights
from dlsteps.training import EarlyStopping, TensorBoard, resume, save_checkpoint
from dlsteps.training.histories import Histories

lesson_08 = importlib.import_module("08_learning_rate")
SEEDS, GAMES = range(5), range(10)
SOURCES = CHECKOUT.parent / "notebooks/source"
LESSON_00, LESSON_02 = (
    {cell.id: cell.source for cell in read_lesson(SOURCES / name)}
    for name in ("00_start_here.py", "02_screen_to_data.py")
)
BALANCED = {
    "loader = ": "import torch.utils.data as data\n"
    "sampler = data.WeightedRandomSampler(1 / counts[dataset.actions], len(dataset))\n"
    "loader = ",
    "shuffle=True": "sampler=sampler",
    ", weight=weight": "",
}


AVERAGED = {
    "num_actions=3)\n": "num_actions=3)\n"
    "layers = model.feature_extractor\n"
    "layers[9] = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), layers[9])\n"
    "layers[10] = torch.nn.Linear(32, 128)\n"
}
LITE0 = {"ConvNet(in_channels=6, num_actions=3)": "Lite0()"}


class Lite0(nn.Module):
    """EfficientNet-Lite0 and its ImageNet weights for two frames: (B, 6, H, W) float, 0 … 1, to (B, 3) logits."""

    def __init__(self):
        super().__init__()
        self.network = EfficientNetLite(num_classes=3)
        load_matching(self.network, imagenet_weights())  # all but the head
        stem = self.network.feature_extractor.stem[0]
        stem.weight = nn.Parameter(stem.weight.repeat(1, 2, 1, 1) / 2)  # the same look at both frames
        self.to(memory_format=torch.channels_last)  # half as fast again

    def forward(self, x):
        return self.network((x * 2 - 1).contiguous(memory_format=torch.channels_last))  # the scale of the weights


def train_lesson_00(seed, labels=None, edits=(), episodes=("level1_night",)):
    """An agent trained by lesson 00's fifteen lines; with other labels, parts of the text replaced, other episodes."""
    names = {"Lite0": Lite0}
    exec(LESSON_00["imports"], names)
    names["dataset"] = names["FrameDataset"]([data_path(f"catch_{name}.npz") for name in episodes])
    if labels is not None:
        names["dataset"].actions = labels
    text = LESSON_00["train"]
    for old, new in {"torch.manual_seed(0)": f"torch.manual_seed({seed})", **dict(edits)}.items():
        if old not in text:
            raise ValueError(f"lesson 00 no longer says {old!r}")
        text = text.replace(old, new, 1)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(LESSON_00["balance"], names)
        exec(text, names)
    return Agent(names["model"])


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


def without_pushing(recording):
    """The labels with *stay* in place of keys that push the paddle against a wall."""
    left, right = (recording.frames[:, 116, column, 0] > 150 for column in (2, 125))  # where lesson 05 looks
    labels = recording.actions.copy()
    labels[(left & (labels == LEFT)) | (right & (labels == RIGHT))] = STAY
    return labels


def measured_in_lesson_04():
    """(step, scores) for each row of data/augment.csv that was played in the theme of the recording."""
    with open(CHECKOUT / "augment.csv", encoding="utf8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["theme"] == "night"]
    for step in dict.fromkeys(row["augmentation"] for row in rows):
        yield step, [float(row["score"]) for row in rows if row["augmentation"] == step]


def played_in_lesson_08(schedule, rate):
    """The scores of lesson 08's agents."""
    return [score(Agent(lesson_08.train(schedule, rate, seed).model), 1, GAMES).mean for seed in SEEDS]


def measured_in_lesson_09():
    """(step, scores) for three of the bugs in data/one_bug.csv."""
    with open(CHECKOUT / "one_bug.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    for bug in ("softmax before the loss", "mean of the batch subtracted", "trained in eval mode"):
        yield bug, [float(row["score"]) for row in rows if row["bug"] == bug]


def watched_in_lesson_10():
    """Whether lesson 08's run comes out the same with everything of lesson 10 looking on; two epochs of it."""
    train_loader, valid_loader = lesson_08.loaders()
    with tempfile.TemporaryDirectory() as folder:
        watchers = Histories(), TensorBoard(folder, every=1, histograms=True)
        plain, watched = (lesson_08.new_trainer("one cycle", 3e-3, 0, 440, more) for more in ((), watchers))
        for trainer in (plain, watched):
            trainer.fit(train_loader, valid_loader, epochs=2)
    return same_weights(plain, watched)


def regularised_in_lesson_11(way):
    """The scores of lesson 08's agents, held back in one of three ways."""
    scores = []
    for seed in SEEDS:
        train_loader, valid_loader = lesson_08.loaders()
        keeper = [EarlyStopping(patience=lesson_08.EPOCHS, restore_best=True)] if way == "best epoch kept" else []
        trainer = lesson_08.new_trainer("one cycle", 3e-3, seed, lesson_08.EPOCHS * len(train_loader), keeper)
        if way == "label smoothing 0.1":
            trainer.loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
        elif way == "dropout 0.5":
            trainer.model.feature_extractor.insert(10, nn.Dropout(0.5))
        trainer.fit(train_loader, valid_loader, epochs=lesson_08.EPOCHS)
        scores.append(score(Agent(trainer.model), 1, GAMES).mean)
    return scores


def resumed_in_lesson_12():
    """Whether lesson 08's run, saved after half of its epochs, goes on in another trainer as it would have here."""
    train_loader, valid_loader = lesson_08.loaders()
    steps = lesson_08.EPOCHS * len(train_loader)
    straight, resumed = (lesson_08.new_trainer("one cycle", 3e-3, 0, steps) for _ in range(2))
    straight.fit(train_loader, valid_loader, epochs=lesson_08.EPOCHS // 2)
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(straight, Path(folder, "run.pt"))
        resume(resumed, Path(folder, "run.pt"))
    for trainer in (straight, resumed):
        trainer.fit(train_loader, valid_loader, epochs=lesson_08.EPOCHS)
    return same_weights(straight, resumed)


def same_weights(ours, theirs):
    """Whether two trainers' models agree to the last bit."""
    weights = zip(ours.model.state_dict().values(), theirs.model.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in weights)


def main():
    recording = load_recording(data_path("catch_level1_night.npz"))
    actions = recording.actions
    steps = {
        ("00", "fifteen lines, one minute of play"): {},
        ("02", "labels captured once a frame"): {"labels": captured(actions, 60, "last")},
        ("02", "labels of the first of four captures"): {"labels": captured(actions, 240, "first")},
        ("03", "balanced batches, no weights"): {"edits": BALANCED},
        ("05", "no pushing against walls"): {"labels": without_pushing(recording)},
        ("06", "mean over all places"): {"edits": AVERAGED},
        ("07", "EfficientNet-Lite0, ImageNet weights"): {"edits": LITE0},
    }
    rows = []
    for (lesson, step), changes in steps.items():
        scores = [score(train_lesson_00(seed, **changes), 1, GAMES).mean for seed in SEEDS]
        right = (changes.get("labels", actions) == actions).mean()
        rows.append((lesson, step, f"{right:.1%}", show(scores)))
        print(*rows[-1], np.round(scores, 2), flush=True)
    rows.insert(1, ("01", "a checked environment", "100.0%", "no change"))
    rows.insert(2, ("02", "labels of the last of two captures", "100.0%", "no change"))
    rows[-3:-3] = [("04", step, "100.0%", show(scores)) for step, scores in measured_in_lesson_04()]
    for schedule, rate in [("one cycle", 3e-3), ("one cycle", 1e-4), ("constant", 3e-3)]:
        step = f"{schedule}, learning rate {rate:g}"
        rows.append(("08", step, "100.0%", show(played_in_lesson_08(schedule, rate))))
    rows += [("09", step, "100.0%", show(scores)) for step, scores in measured_in_lesson_09()]
    rows.append(("10", "watched", "100.0%", "no change" if watched_in_lesson_10() else "changed"))
    for way in ("best epoch kept", "label smoothing 0.1", "dropout 0.5"):
        rows.append(("11", way, "100.0%", show(regularised_in_lesson_11(way))))
    rows.append(("12", "a crash, and a resume", "100.0%", "no change" if resumed_in_lesson_12() else "changed"))
    with open(CHECKOUT / "league.csv", "w", encoding="utf8", newline="") as file:
        heading = ("lesson", "step", "labels right", f"score at level 1, {len(SEEDS)} trainings")
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


def show(scores):
    return "{:.2f} ± {:.2f}".format(*Score.over(scores))


if __name__ == "__main__":
    main()
