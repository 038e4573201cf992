# %% [markdown] id="title"
# # 11 · Early stopping and regularisation
#
# **How do you keep a network from learning by heart?**
#
# You will be able to
#
# * see from two curves when a network begins to learn by heart, and stop it there;
# * say what the best of many results is worth, and report a number that holds;
# * choose between weight decay, dropout, label smoothing and augmentation by measuring.
#
# *30 minutes to read, an hour and a half with the exercises, 45 seconds to run. You need lessons 03, 04 and 08.*

# %% id="imports" tags=["setup"]
import copy
import csv
import inspect
import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import IntSlider, SelectionSlider, VBox, interactive_output
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import v2

from dlsteps.agents.imitation import Agent
from dlsteps.data import FrameDataset, data_path
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import score
from dlsteps.league import league
from dlsteps.models import ConvNet
from dlsteps.training import EarlyStopping, History, Trainer, accuracy
from dlsteps.training.callbacks import Best

# %% [markdown] id="why"
# Whoever has ten questions to prepare for an exam can understand the subject, or learn ten answers. A network takes
# whatever is easier. With a minute of play it had to find out about balls and paddles; with ten seconds, it need not.
# So today we take ten seconds, on purpose, and look at what can be done.
#
# ## By heart
#
# Six hundred frames to learn from, in which five balls fall. The next six hundred validate, and a second lies between
# them, as in lesson 03. From the end of the recording we keep another 1,200 frames, and will not touch them for a
# while.

# %% id="data"
recording = data_path("catch_level1_night.npz")
frames = FrameDataset(recording)
train_part, valid_part, third_part = range(600), range(660, 1260), range(2385, 3585)
train_loader = DataLoader(Subset(frames, train_part), batch_size=32, shuffle=True)
valid_loader = DataLoader(Subset(frames, valid_part), batch_size=200)
for name, part in [("train", train_part), ("valid", valid_part), ("third", third_part)]:
    share = np.bincount(frames.actions[part]).max() / len(part)
    print(f"{name}: {len(part):4} frames; always the commonest action is right in {share:.0%}")


# %% [markdown] id="train-intro"
# The plainest training there is: a constant rate, nothing that holds back. 32 epochs, 608 steps in all. After each
# epoch we keep a copy of the weights (`fit` counts the epochs that were before).


# %% id="train"
def new_trainer(callbacks=()):
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    more = {"metrics": {"accuracy": accuracy}, "callbacks": callbacks}
    return Trainer(model, optimizer, nn.CrossEntropyLoss(), **more, device="cpu")


trainer, states = new_trainer(), []
for epoch in range(1, 33):
    history = trainer.fit(train_loader, valid_loader, epochs=epoch)
    states.append(copy.deepcopy(trainer.model.state_dict()))
lowest = int(np.argmin(history["valid_loss"])) + 1
print(f"training accuracy at the end: {history['train_accuracy'][-1]:.0%}")


# %% id="train-plot"
def draw_curves(axes, history, title):
    for ax, what in zip(axes, ("loss", "accuracy"), strict=True):
        for part, style in [("train", "--"), ("valid", "-")]:
            ax.plot(range(1, len(history) + 1), history[f"{part}_{what}"], style, label=part)
        ax.set(xlabel="epoch", ylim=(0, None))
    axes[0].set(title=title, ylabel="loss (nats)")
    axes[1].set(ylabel="accuracy", ylim=(0, 1))
    axes[0].legend()


fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
draw_curves(axes, history, "Plain frames: better and better, and worse and worse")
axes[0].set_ylim(0, 4)
axes[0].axvline(lowest, color="0.5", linestyle=":")
plt.show()

# %% [markdown] id="train-notice"
# Every training frame is right in the end. The validation loss falls a little in the second epoch, and then rises, to
# several times what a network would get that says *one third each* (1.1). This is **overfitting**: what is still being
# learned is true of these 600 frames, and of no others. What is true of others was hardly learned at all: on the right,
# the validation accuracy hardly gets beyond the 64 % of *always the commonest action*.
#
# Now compare the two validation curves. From the lowest point to the end, the share of wrong answers grows by less than
# a half, and the loss to more than three times what it was. How can that be?


# %% id="sure" tags=["nbval-ignore-output"]
valid_x, valid_y = (torch.cat(parts) for parts in zip(*valid_loader, strict=True))  # (600, 6, 64, 64), (600,)
for epoch in (lowest, 32):
    trainer.model.load_state_dict(states[epoch - 1])
    with torch.no_grad():
        probabilities = trainer.model.eval()(valid_x).softmax(dim=1)  # (600, 3)
    sure, answer = probabilities.max(dim=1)
    wrong = answer != valid_y
    print(f"epoch {epoch:2}: wrong in {wrong.sum()} frames, and there sure to {sure[wrong].mean():.0%}")

# %% [markdown] id="sure-notice"
# It has become sure of itself, and in the wrong answers, too. The loss is minus the logarithm of the probability given
# to the truth: to be wrong with 60 % is a mistake, to be wrong with 99.9 % a disaster. (Whether a network's 99 % mean
# anything is the subject of **calibration**, lesson 15.)

# %% [markdown] id="quiz-1"
# **A question in between.** The training loss still falls. The validation loss has been rising for ten epochs, the
# validation accuracy has hardly changed. What is going on?
#
# * **a** The validation loss must be computed wrongly: it cannot rise while the accuracy stays.
# * **b** The network becomes surer of all its answers, of the wrong ones, too.
# * **c** The learning rate is too small.
# * **d** The training set and the validation set have frames in common.

# %% id="quiz-1-choices"
quiz("11.a")

# %% [markdown] id="patience-intro"
# ## Patience
#
# So stop at the lowest point. The trouble is that you only know that it was the lowest when it is over; a curve that
# has risen once may fall again. **Early stopping** waits: it ends the run when there has been no new lowest loss for so
# many epochs, the **patience**. A new lowest by less than `min_delta` does not count. In the trainer it is the callback
# `EarlyStopping`; with `restore_best=True` it also puts the weights of the best epoch back when the run is over. This
# is the heart of it (`self.best` is a `Best`, whose `value` begins with infinity):


# %% id="source"
print(inspect.getsource(Best.better))
print(inspect.getsource(EarlyStopping.on_epoch_end))

# %% [markdown] id="source-notice"
# (`self.sign` turns accuracies round, for which more is better. `trainer.stop or …` leaves it to other callbacks to
# stop, too.) One word in it is easily forgotten: `deepcopy`. What happens without?

# %% id="no-copy"
kept, copied = trainer.model.state_dict(), copy.deepcopy(trainer.model.state_dict())
trainer.fit(train_loader, epochs=33)
now = trainer.model.state_dict()
for name, weights in [("kept", kept), ("copied", copied)]:
    print(f"{name:6} is what the model has now:", all(torch.equal(weights[key], now[key]) for key in now))

# %% [markdown] id="no-copy-notice"
# `state_dict()` gives you the tensors themselves, not their values at that time. You would wait for eight epochs, then
# load the "best" weights, and have those of the last epoch, with no error anywhere. (Exercise 11.5 will see to it that
# you do not.)
#
# Now with patience 3. Nothing else changes; so unless a new lowest comes after three epochs without one, the run must
# end three epochs after the lowest, and give back its weights:

# %% id="early" tags=["nbval-ignore-output"]
stopper = EarlyStopping(patience=3, restore_best=True)  # of "valid_loss", if you name nothing else
stopped = new_trainer([stopper])
stopped.fit(train_loader, valid_loader, epochs=32)
print("epochs after the lowest:", len(stopped.history) - lowest)
weights = stopped.model.state_dict()
print("the lowest epoch's weights:", all(torch.equal(weights[key], states[lowest - 1][key]) for key in weights))

# %% [markdown] id="early-notice"
# Three epochs for nothing, and more than twenty saved. So we have a network with a fraction of the validation loss, for
# a fraction of the work. Does it play?

# %% id="early-score" tags=["nbval-ignore-output"]
trainer.model.load_state_dict(states[-1])
for name, model in [("lowest epoch", stopped.model), ("last epoch", trainer.model)]:
    print(f"{name}: score {score(Agent(model), level=1, seeds=range(2)).mean:.2f}")

# %% [markdown] id="early-score-notice"
# Not at all (the scripted player has 1, random play 0), neither of them. Early stopping keeps the *loss* from getting
# worse. It cannot teach what five balls do not teach. We come back to that.
#
# ## How much patience?
#
# Real curves are restless. `regularise.csv` has 160 trainings with these frames, and of each all losses
# (`benchmarks/11_regularise.py`). Below are those with flipped and shifted frames, which overfit late and jump a lot.
# How long would you have waited? Move the patience, and `min_delta`. The thin line is the loss on those other 1,200
# frames, the **third set**. A run cannot see it, and neither should you when you choose; we show it here for once, to
# see what choosing is worth:


# %% id="stored"
with open(data_path("regularise.csv"), encoding="utf8", newline="") as file:
    rows = list(csv.DictReader(file))


def curve(row, name):
    return [float(loss) for loss in row[f"{name}_losses"].split()]


def replay(losses, patience, min_delta=0.0):
    """The epoch after which a run stops, and the epoch whose weights it keeps, from 1 on."""
    run = SimpleNamespace(history=History(), stop=False)  # as much of a trainer as EarlyStopping looks at
    stopper = EarlyStopping(patience=patience, min_delta=min_delta)
    for loss in losses:
        run.history.append({"valid_loss": loss})
        stopper.on_epoch_end(run)
        if run.stop:
            break
    return len(run.history), len(run.history) - stopper.waited


restless = [row for row in rows if (row["way"], row["strength"]) == ("augmentation", "flip, shift 8")]
print(len(rows), "trainings, of which these:", len(restless))


# %% id="patience-widget" tags=["nbval-ignore-output"]
def draw_stop(ax, row, patience, min_delta=0.0):
    losses = curve(row, "valid")
    stop, best = replay(losses, patience, min_delta)
    epochs = range(1, len(losses) + 1)
    ax.plot(epochs, losses, color="0.8")  # what it would have been later
    ax.plot(epochs[:stop], losses[:stop], color="#0072B2", label="validation loss")
    ax.plot(epochs, curve(row, "third"), color="#D55E00", linewidth=0.8, label="third set (unknown while training)")
    ax.plot(best, losses[best - 1], "ko", label=f"kept: epoch {best}")
    ax.axvline(stop, color="0.4", linestyle=":", label=f"stops after epoch {stop}")
    ax.set(title=f"patience {patience}", xlabel="epoch", ylim=(0, 4))


def try_patience(training, patience, min_delta):
    fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    draw_stop(ax, restless[training], patience, min_delta)
    ax.set_ylabel("loss (nats)")
    ax.legend(fontsize=8)
    plt.show()


controls = {
    "training": IntSlider(value=0, min=0, max=len(restless) - 1),
    "patience": IntSlider(value=3, min=1, max=15),
    "min_delta": SelectionSlider(options=[0.0, 0.01, 0.03, 0.1, 0.3]),
}
VBox([*controls.values(), interactive_output(try_patience, controls)])

# %% [markdown] id="patience-static-intro"
# The first of them with three kinds of patience, for those without a kernel:

# %% id="patience-static"
fig, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True, layout="constrained")
for ax, patience in zip(axes, (1, 4, 12), strict=True):
    draw_stop(ax, restless[0], patience)
    ax.legend(fontsize=7, loc="upper left")
axes[0].set_ylabel("loss (nats)")
plt.show()


# %% [markdown] id="patience-table-intro"
# With a patience of 1 the first bump ends the run. With 4 and with 12 the same weights are kept here, so the longer
# wait was for nothing; in another training it may not be. One training is an anecdote. All ten, and what counts in the
# end: how long it took, and the loss of the kept weights on the third set.


# %% id="patience-table"
print("patience  epochs made  loss on the third set (mean ± standard deviation)")
for patience in (1, 2, 4, 8, 16, 32):
    stops = [replay(curve(row, "valid"), patience) for row in restless]
    kept = [curve(row, "third")[best - 1] for row, (_, best) in zip(restless, stops, strict=True)]
    made = np.mean([stop for stop, _ in stops])
    print(f"{patience:8}  {made:11.1f}  {np.mean(kept):.2f} ± {np.std(kept, ddof=1):.2f}")

# %% [markdown] id="patience-table-notice"
# More patience costs epochs, and from 4 on it gains less than what one training differs from the next. With 32 nothing
# ever stops early. What is right depends on what an epoch costs you: here less than a second, elsewhere an hour. A
# useful start: longer than the bumps last that you have seen in your first run.
#
# ## The best of many flatters itself
#
# The kept epoch is the one that looked best on the validation set. Did it look best because it was, or because it had
# luck there? Throw dice: fifty networks, *all equally good*, each right with probability 0.87; a hundred samples
# validate.


# %% id="dice"
generator = np.random.default_rng(0)
found = generator.binomial(100, 0.87, size=(1000, 50)) / 100  # a thousand times: the accuracies of fifty networks
print(f"the mean of all: {found.mean():.3f}   the best of fifty, on average: {found.max(axis=1).mean():.3f}")

# %% [markdown] id="dice-notice"
# The best of fifty looks seven points better, and is not. Choosing the largest of many noisy numbers picks the noise
# along with it. Epochs of one run are no fifty independent networks, but they are noisy numbers, too. How bad is it
# there? That takes a third set, which had no part in choosing, and many repeats. We took a task whose parts differ by
# chance only: 400 digits to learn from, 100 or 1,000 to validate, 3,600 for the third set, split anew a hundred times
# (`benchmarks/11_best_epoch.py`, twenty minutes). Of thirty epochs we keep the one with the best validation accuracy.
# (± is now half of a 95 % interval of the mean, no longer a standard deviation.)


# %% id="flatter"
with open(data_path("best_epoch.csv"), encoding="utf8", newline="") as file:
    splits = [row for row in csv.DictReader(file) if row["what"] == "accuracy"]


def mean_and_margin(values):
    """The mean, and half of the interval in which the true mean lies with 95 %."""
    return np.mean(values), 1.96 * np.std(values, ddof=1) / len(values) ** 0.5


measured = {}
for size in ("100", "1000"):
    some = [row for row in splits if row["size"] == size]
    columns = ("valid_best", "third_best", "third_last")
    measured[size] = {name: np.array([float(row[name]) for row in some]) for name in columns}
    gap = mean_and_margin(measured[size]["valid_best"] - measured[size]["third_best"])
    print(f"{size:>4} to validate, {len(some)} splits: flattered by {gap[0]:.3f} ± {gap[1]:.3f}")

# %% id="flatter-plot"
names = {
    "valid_best": "best epoch,\nas it says itself",
    "third_best": "best epoch,\non the third set",
    "third_last": "last epoch,\non the third set",
}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for ax, (size, columns) in zip(axes, measured.items(), strict=True):
    means, margins = zip(*(mean_and_margin(columns[name]) for name in names), strict=True)
    ax.errorbar(range(3), means, margins, fmt="o", color="#0072B2", capsize=4)
    ax.set_xticks(range(3), names.values(), fontsize=8)
    ax.set(title=f"{size} digits validate", xlim=(-0.5, 2.5))
axes[0].set_ylabel("accuracy, mean of 100 splits")
plt.show()

# %% [markdown] id="flatter-notice"
# With a hundred digits to choose by, the best epoch claims 2.5 points too many. And more: on the third set it is
# *worse* than simply taking the last epoch. It was chosen for its luck. With a thousand, half a point is left of the
# first, and hardly anything of the second. So:
#
# * The number by which you chose is no number to report. Take one from samples that had no part in it.
# * The more you choose from (epochs, settings, lessons 13 and 14) and the fewer samples you choose by, the worse it
#   gets.
# * The third set is used up in the same way. Look at it once.

# %% [markdown] id="quiz-2"
# **A question in between.** You train twenty settings. Of each you keep the best epoch on the validation set, then of
# the twenty the best setting. It was right in 91 % of the validation samples. What do you expect of it on new samples
# of the same kind?
#
# * **a** 91 %: it has never trained on the validation samples.
# * **b** Less than 91 %.
# * **c** More than 91 %: the best setting was chosen.
# * **d** Nothing: only the training accuracy says what it has learned.

# %% id="quiz-2-choices"
quiz("11.b")

# %% [markdown] id="ways-intro"
# ## Four ways to hold back
#
# Early stopping takes what there is, in time. **Regularisation** is whatever makes learning by heart harder. Four are
# in every recipe. Each is a line or two:
#
# * **Weight decay**: each step also shrinks each weight, by `lr * weight_decay` of its value, so that only those that
#   are used stay large. `AdamW(parameters, lr=0.001, weight_decay=1.0)`; without asking, AdamW takes 0.01, as in all
#   our lessons so far.
# * **Dropout** (Srivastava et al., 2014): in training, each value is set to 0 with probability *p*, so that no unit can
#   rely on another one. `nn.Dropout(0.5)`; in `ConvNet`, before the linear layer that has most of the weights:
#   `model.feature_extractor.insert(10, nn.Dropout(0.5))`.
# * **Label smoothing** (Szegedy et al., 2016): the target is not *100 % left*, but a little less, and the rest for all.
#   `nn.CrossEntropyLoss(label_smoothing=0.1)`.
# * **Augmentation** (lesson 04): no frame comes twice. `RandomFlip`, `RandomShift`.
#
# Two of them can be seen in one line of numbers:

# %% id="see"
torch.manual_seed(0)
layer, ones = nn.Dropout(0.5), torch.ones(8)
print("dropout, training:  ", layer(ones).tolist())
print("dropout, evaluating:", layer.eval()(ones).tolist())
logits = torch.tensor([[math.log(8.0), 0.0, 0.0]])  # says: 80 % left, 10 % stay, 10 % right
for smoothing in (0.0, 0.3):
    loss = F.cross_entropy(logits.requires_grad_(), torch.tensor([0]), label_smoothing=smoothing)
    (gradient,) = torch.autograd.grad(loss, logits)
    print(f"label smoothing {smoothing}: gradient of the logits", [f"{value:+z.1f}" for value in gradient[0]])

# %% [markdown] id="see-notice"
# Dropout doubles what it leaves, so that the sum stays what it was, on average, and does nothing in eval mode: one more
# reason for the two modes of lesson 08. With plain labels, the gradient wants more *left*, although the network is
# right with 80 %; with a smoothing of 0.3 the target is 80 %, and there is nothing left to want.
#
# Which is best? Such a question is often answered unfairly: the favourite gets tuned, the others their default. Here
# each way had the same **budget**: three strengths, ten seeds each, 608 steps. So had a fifth, dropout on top of
# flipped and shifted frames. The strength is chosen by the lowest validation loss (plain cross-entropy for all, label
# smoothing included):


# %% id="ways"
def numbers(way, strength, column):
    """One number for each seed."""
    return np.array([float(row[column]) for row in rows if (row["way"], row["strength"]) == (way, strength)])


settings = list(dict.fromkeys((row["way"], row["strength"]) for row in rows))  # each once, in their order
lowest_loss = {setting: [] for setting in settings}
for row in rows:
    lowest_loss[row["way"], row["strength"]].append(min(curve(row, "valid")))
chosen = {}
for way, strength in sorted(settings, key=lambda setting: np.mean(lowest_loss[setting])):
    chosen.setdefault(way, strength)  # the first is the best
chosen = {way: chosen[way] for way, _ in settings}
for way, strength in settings:
    star = "*" if chosen[way] == strength else " "
    print(f"{star} {way:25} {strength:14} {np.mean(lowest_loss[way, strength]):.2f}")


# %% [markdown] id="ways-plot-intro"
# Then, for the chosen ones, the third set and the game. Bars are 95 % intervals over the ten seeds; dotted is *always
# the commonest action*.

# %% id="ways-plot"
panels = {
    "third_loss": "loss on the third set (nats)",
    "third_accuracy": "accuracy on the third set",
    "score": "score in the game",
}
fig, axes = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True, layout="constrained")
for ax, (column, label) in zip(axes, panels.items(), strict=True):
    for shift, which, style in [(-0.12, "last", "s"), (0.12, "best", "o")]:
        values = [numbers(way, strength, f"{column}_{which}") for way, strength in chosen.items()]
        margins = [2.26 * value.std(ddof=1) / len(value) ** 0.5 for value in values]  # Student's t for ten values
        places = np.arange(len(chosen)) + shift
        ax.errorbar([v.mean() for v in values], places, xerr=margins, fmt=style, capsize=3, label=f"{which} epoch")
    ax.set(xlabel=label, yticks=range(len(chosen)), yticklabels=chosen)
axes[0].invert_yaxis()
axes[0].legend()
axes[1].axvline(0.59, color="0.5", linestyle=":")
plt.show()

# %% [markdown] id="ways-notice"
# Squares are the weights of the last epoch, circles those of the epoch with the lowest validation loss.
#
# On the left, with the strength that was chosen, everything helps: label smoothing brings the loss of the last epoch
# from three down to one. In the middle you see what that is worth: after the last epoch, the label-smoothed networks
# are no more often right than *always the commonest action*. They are only less sure. And in the game, on the right,
# nobody scores more than 0.15 who has seen plain frames, whatever held it back.
#
# Only augmentation gets beyond that, to about 0.2, and it is one half of it that does. The script has a setting with
# shifted frames alone: it scores like *nothing*. The flip does not hold the network back, it *tells* it something: a
# mirrored frame wants the mirrored key. In five balls that is as good as five more.
#
# Three warnings. In nearly every way the strongest setting was chosen: our list ended too soon (lesson 13). The epoch
# with the lowest validation loss need not be the one that plays best; here the two can hardly be told apart. And all
# this is one small network on one small task. On yours another way may win: `benchmarks/11_regularise.py` is not much
# more than a hundred lines, copy it.


# %% id="augmented"
augment = v2.Compose([RandomFlip(mirror=[2, 1, 0]), RandomShift(vertical=0, horizontal=8)])
varied = Subset(FrameDataset(recording, transform=augment), train_part)
augmented = new_trainer()
augmented.fit(DataLoader(varied, batch_size=32, shuffle=True), valid_loader, epochs=32)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
draw_curves(axes, augmented.history, "Flipped and shifted frames: not by heart")
axes[0].set_ylim(0, 4)
plt.show()

# %% [markdown] id="augmented-notice"
# The same network, the same 600 frames, the same number of steps, and now it learns something: its validation accuracy
# climbs above what the plain run ever had, and apart from spikes the loss stays near its lowest. Yet this is no good
# player either: ten seconds are ten seconds. With the whole minute, and with balanced batches and a schedule, lesson 08
# scored 0.99. If you can have more data, that is the best regularisation there is.


# %% [markdown] id="exercises"
# ## Exercises
#
# Each needs only the imports at the top. `hint("11.1")` gives a hint; ask again for a stronger one.

# %% [markdown] id="ex-1"
# ### Exercise 11.1 · When it stops (easy, 6 minutes)
#
# Write `stop_and_best(losses, patience)`: `losses` are the validation losses of all the epochs that a run might have.
# Return two numbers as a tuple, both counted from 1: the epoch after which a run with this `patience` ends, and the
# epoch whose weights are the best until then. It ends as soon as `patience` epochs in a row have brought no loss below
# the lowest before them (an equal one is none); if that never happens, with the last epoch. `stop_and_best([3.0, 2.0,
# 2.5, 2.2, 1.0], 2)` is `(4, 2)`. `patience` is 1 or more. There is at least one loss, and the first is a finite
# number; a later one may be `nan`, which is no improvement.


# %% id="ex-1-answer"
def stop_and_best(losses, patience):
    ### BEGIN SOLUTION
    lowest, best = math.inf, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(losses), best
    ### END SOLUTION


# %% id="ex-1-check"
check("11.1", stop_and_best)
# hint("11.1")

# %% [markdown] id="ex-1-why"
# `epoch - best` is how many epochs in a row have brought nothing: no counter is needed. A comparison with `nan` is
# false, so `nan` never is an improvement.

# %% [markdown] id="ex-2"
# ### Exercise 11.2 · Less sure of itself (easy, 5 minutes)
#
# Write `smooth_labels(y, classes, smoothing)`: from labels, (B,) int64, to targets, (B, classes) float32. Each class
# gets `smoothing / classes`, and the right one `1 - smoothing` on top. `smooth_labels(torch.tensor([1]), 2, 0.2)` is
# `tensor([[0.1000, 0.9000]])`.


# %% id="ex-2-answer"
def smooth_labels(y, classes, smoothing):
    ### BEGIN SOLUTION
    targets = torch.full((len(y), classes), smoothing / classes)
    targets[torch.arange(len(y)), y] += 1 - smoothing
    return targets
    ### END SOLUTION


# %% id="ex-2-check"
check("11.2", smooth_labels)
# hint("11.2")

# %% [markdown] id="ex-2-why"
# Rows of numbers that sum up to 1. `targets[torch.arange(len(y)), y]` picks one place in each row; `targets[:, y]`
# would pick whole columns.

# %% [markdown] id="ex-3"
# ### Exercise 11.3 · Dropout (medium, 8 minutes)
#
# Write `dropout(x, p, training)`. While training, each value of `x` becomes 0 with probability `p`, each by its own
# chance, and those that stay are divided by `1 - p`, so that the mean stays what it was. Otherwise it returns `x` as it
# is. `p` is 0 or more and less than 1. `x` (any shape, float) is not changed. Draw from torch's own generator, as
# `torch.rand` does.


# %% id="ex-3-answer"
def dropout(x, p, training):
    ### BEGIN SOLUTION
    if not training:
        return x
    stays = torch.rand_like(x) >= p
    return x * stays / (1 - p)
    ### END SOLUTION


# %% id="ex-3-check"
check("11.3", dropout)
# hint("11.3")

# %% [markdown] id="ex-3-why"
# `torch.rand_like(x) >= p` is true with probability 1 - p. Dividing while training is called *inverted* dropout: it
# leaves nothing to do when the network is used.

# %% [markdown] id="ex-4"
# ### Exercise 11.4 · What should not shrink (medium, 8 minutes)
#
# Weight decay is meant for weights that are multiplied with many inputs: matrices and convolution kernels. Biases, and
# the scales of batch normalisation, should be left alone. Write `decay_groups(model, decay)`: the list of two groups
# that an optimizer takes in place of parameters: first `{"params": …, "weight_decay": decay}` with the parameters of
# two or more dimensions (`ndim`), then `{"params": …, "weight_decay": 0.0}` with all others. `params` are lists, in the
# model's order. Parameters that do not train (`requires_grad` is False) are in neither; one that is used in two places
# is there once.


# %% id="ex-4-answer"
def decay_groups(model, decay):
    ### BEGIN SOLUTION
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    ### END SOLUTION


# %% id="ex-4-check"
check("11.4", decay_groups)
# hint("11.4")

# %% [markdown] id="ex-4-why"
# By the number of dimensions, and not by the name: the scale of a batch normalisation is called `weight`, too.

# %% [markdown] id="ex-5"
# ### Exercise 11.5 · With patience (hard, 15 minutes)
#
# Write `train_with_patience(model, train_epoch, evaluate, epochs, patience)`. `train_epoch()` trains `model` for one
# epoch; `evaluate()` returns its validation loss, a float; call it once an epoch. Train and evaluate for at most
# `epochs` epochs, and stop as soon as `patience` epochs in a row have brought no loss below the lowest before them. At
# the end, however it ended, the model has the weights (its whole state, averages of batch normalisation included) of
# the epoch with the lowest loss (of equal ones the first); until then, leave the training alone. Return the list of all
# losses. The first loss is a finite number, a later one may be `nan`. `epochs` and `patience` are 1 or more. (`copy` is
# imported.)


# %% id="ex-5-answer"
def train_with_patience(model, train_epoch, evaluate, epochs, patience):
    ### BEGIN SOLUTION
    losses, lowest, waited = [], math.inf, 0
    while len(losses) < epochs and waited < patience:
        train_epoch()
        losses.append(evaluate())
        if losses[-1] < lowest:
            lowest, waited, best = losses[-1], 0, copy.deepcopy(model.state_dict())
        else:
            waited += 1
    model.load_state_dict(best)
    return losses
    ### END SOLUTION


# %% id="ex-5-check"
check("11.5", train_with_patience)
# hint("11.5")

# %% [markdown] id="ex-5-why"
# `deepcopy`, or the kept weights change with the training. `best` needs no value before the loop: the first loss is
# lower than infinity.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | the "best" weights are those of the last epoch | `best = model.state_dict()` are the live tensors | `copy.deepcopy(model.state_dict())` |
# | `KeyError: no 'val_loss' in the history` | another name; it says which there are, after the first epoch | `EarlyStopping("valid_loss")` |
# | it stops early although the accuracy rises | `mode="min"` is for losses | `EarlyStopping("valid_accuracy", mode="max")` |
# | it stops in the warm-up of the schedule | the loss hardly moves while the rate is small | more patience than the warm-up is long |
# | the rate is still high when it stops | a schedule such as one cycle gets its best only at its end | no early stopping with it: choose the number of epochs instead, and keep the best weights |
# | great in validation, disappointing outside | chosen by that number, or neighbours on both sides of the split | a third set; split by time (lesson 03) |
# | validation loss with label smoothing is not comparable | it is smoothed, too | plain `F.cross_entropy` as a metric, and stop by that |
# | weight decay does nothing with `Adam` | there it is added to the gradient, and divided away | `AdamW` (Loshchilov and Hutter, 2019) |

# %% [markdown] id="league-intro"
# ## The league table
#
# What does all this do for the agent of lesson 08, which has a whole minute to learn from, flipped and shifted, and one
# cycle?

# %% id="league"
league("11")

# %% [markdown] id="league-notice"
# The lowest validation loss and the last epoch are equally good here: with one cycle the rate has come down, and the
# curve is calm. A smoothed loss changes nothing that five trainings could show. And dropout *harms*: what helps to pass
# one exam may be in the way at the next. (We have not looked for the reason; ten epochs may be too few for it.)

# %% [markdown] id="next"
# ## In short
#
# * Overfitting shows as a validation loss that rises while the training loss falls.
# * Early stopping is patience and a copy of the best weights. A real copy.
# * The number by which you chose is too good. Report one from a set that had no part in choosing.
# * Compare under equal budgets, with intervals. Here, what brought new information helped in the game, and nothing
#   else.
#
# **Next:** 12 · Saving and loading: the run that has taken all night, and how not to lose it.
