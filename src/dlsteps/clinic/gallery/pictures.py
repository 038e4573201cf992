"""The picture of a run: what a learner sees before the program."""

import matplotlib.pyplot as plt
import numpy as np

from dlsteps.clinic.gallery.observe import BINS

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.7"  # as in the lessons


def draw(record, reference=None):
    """Six panels of a `Record`: losses, accuracy, what is said, steps, gradients, activations.

    reference: another record, in grey: the sound run. Returns the figure.
    """
    fig, axes = plt.subplots(2, 3, figsize=(13, 6.4), layout="constrained")
    for panel, ax in zip((losses, scores, answers, updates, gradients, activations), axes.flat, strict=True):
        panel(ax, record, reference)
    if record.error:
        fig.suptitle(record.error)
    return fig


def curve(ax, record, name, color, label=None, **style):
    values = [row.get(name, np.nan) for row in record.history]
    ax.plot(range(1, len(values) + 1), values, color=color, label=label, **style)


def mark(ax, record, part, name, color, label):
    """The number measured apart, at the last epoch."""
    value = (getattr(record, part) or {}).get(name)
    if value is not None:
        ax.plot(len(record.history), value, "D", markersize=7, markerfacecolor="none", color=color, label=label)


def losses(ax, record, reference):
    if reference:
        curve(ax, reference, "train_loss", GREY, linestyle=":")
        curve(ax, reference, "valid_loss", GREY, label="sound run")
    curve(ax, record, "train_loss", ORANGE, "training", linestyle="--")
    curve(ax, record, "valid_loss", BLUE, "validation")
    mark(ax, record, "train", "loss", ORANGE, "training, measured apart")
    mark(ax, record, "valid", "loss", BLUE, "validation, measured apart")
    finish_losses(ax, record, reference)


def finish_losses(ax, record, reference):
    values = [row[name] for row in record.history for name in ("train_loss", "valid_loss") if name in row]
    values = [value for value in values if np.isfinite(value)]
    wide = values and min(values) > 0 and max(values) > 30 * min(values) and max(values) > 10
    ax.set(title="Loss", xlabel="epoch", ylabel="loss", yscale="log" if wide else "linear")
    if not wide:
        ax.set_ylim(bottom=0)
    ax.legend(fontsize=8)


def scores(ax, record, reference):
    name = "accuracy" if any("accuracy" in row for row in record.history) else None
    if reference and name:
        curve(ax, reference, name, GREY, label="sound run")
    if name:
        curve(ax, record, name, BLUE, "validation, as the program says")
        mark(ax, record, "train", name, ORANGE, "training, measured apart")
        mark(ax, record, "valid", name, BLUE, "validation, measured apart")
        ax.set(title="Accuracy", xlabel="epoch", ylabel="share of right answers", ylim=(0, 1.02))
    else:
        scatter(ax, record, reference)
    ax.legend(fontsize=8)


def scatter(ax, record, reference):
    for run, color, label in ((reference, GREY, "sound run"), (record, BLUE, "validation samples")):
        if run and run.valid:
            said, true = run.valid["pairs"]
            ax.plot(true, said, ".", color=color, label=label)
            ax.plot([min(true), max(true)], [min(true), max(true)], color="0.4", linewidth=0.8)
    ax.set(title="Each sample: said and true", xlabel="target", ylabel="what the model says")


def answers(ax, record, reference):
    """How often each class is said, and is true; for numbers, how they are spread."""
    if record.valid and "said" in record.valid:
        classes = np.arange(len(record.valid["true"]))
        ax.bar(classes - 0.2, record.valid["true"], 0.4, color="0.55", label="is true")
        ax.bar(classes + 0.2, record.valid["said"], 0.4, color=BLUE, label="is said")
        ax.bar(classes + 0.2, record.valid["right"], 0.4, color=GREEN, label="is said, and true")
        ax.set(xlabel="class", ylabel="validation samples", xticks=classes)
        ax.legend(fontsize=8)
    elif record.valid:
        said, true = record.valid["pairs"]
        bins = np.linspace(min(true) - 0.5, max(true) + 0.5, 25)
        ax.hist(true, bins, color="0.55", label="is true")
        ax.hist(np.clip(said, bins[0], bins[-1]), bins, color=BLUE, alpha=0.7, label="is said")
        ax.set(xlabel="target", ylabel="validation samples")
        ax.legend(fontsize=8)
    ax.set_title("What the model says in the end")


def bars(ax, record, reference, what, floor):
    """The middle of the later looks as a bar for each layer, the first look as a dot; 0 as a cross."""
    names = [row["name"] for row in record.layers]
    for place, row in enumerate(record.layers):
        later = float(np.median(row[what][1:] or row[what] or [0]))
        if later > 0:
            ax.barh(place, later, color=BLUE, height=0.6)
        else:
            ax.plot(floor, place, "x", color=ORANGE, clip_on=False)
        if row[what] and row[what][0] > 0:
            ax.plot(row[what][0], place, "o", color="0.2", markersize=4)
    before = {row["name"]: row[what] for row in reference.layers} if reference else {}
    for place, name in enumerate(names):
        if name in before:
            ax.plot(np.median(before[name][1:]), place, "|", color="0.4", markersize=16)
    ax.set(xscale="log", yticks=range(len(names)), yticklabels=names)
    ax.invert_yaxis()


def updates(ax, record, reference):
    bars(ax, record, reference, "update", 1e-7)
    ax.axvspan(3e-4, 3e-2, color="0.93", zorder=0)
    ax.set(title="Steps (bar: typical; dot: first; ×: none)", xlabel="change of the weights in a step / weights")
    ax.set_xlim(left=1e-7)


def gradients(ax, record, reference):
    bars(ax, record, reference, "gradient", 1e-9)
    ax.set(title="Gradients (bar: typical; dot: first; ×: 0)", xlabel="root mean square of the gradient")
    ax.set_xlim(left=1e-9)


def activations(ax, record, reference):
    """A row for each layer: how large what it gives is; beside it, what share of its units is 0 for every sample."""
    rows = record.activations
    if rows:
        shares = np.array([row["sizes"] for row in rows])
        ax.imshow(
            shares, aspect="auto", cmap="Blues", vmin=0, vmax=0.5, extent=(BINS[0], BINS[-1], len(rows) - 0.5, -0.5)
        )
    for place, row in enumerate(rows):
        dead = f", {row['dead']:.0%} of units always" if "ReLU" in row["name"] and row["dead"] >= 0.05 else ""
        if row["zero"] >= 0.005:
            ax.text(BINS[0] + 0.1, place, f"{row['zero']:.0%} are 0{dead}", fontsize=7, va="center", color=ORANGE)
    ax.set(title="Outputs of the layers in the end", xlabel="log10 of the size of a number",
           yticks=range(len(rows)), yticklabels=[row["name"] for row in rows])  # fmt: skip
