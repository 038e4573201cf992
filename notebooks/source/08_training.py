# %% [markdown] id="title"
# # 08 · Training
#
# **When is a training loop right?**
#
# You will be able to
#
# * write the loop by hand, and say of each line what breaks without it;
# * choose a learning rate by looking instead of by luck;
# * hand the loop to a `Trainer`, add to it without touching it, and try a long run out in seconds.
#
# *30 minutes to read, an hour and a quarter with the exercises, 50 seconds to run. You need lessons 00 to 06.*

# %% id="imports" tags=["setup"]
import copy
import csv
import inspect
import math
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Dropdown, SelectionSlider, VBox, interactive_output
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, Subset, WeightedRandomSampler
from torchvision.transforms import v2

from dlsteps.agents.imitation import Agent
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import score
from dlsteps.league import league
from dlsteps.models import ConvNet
from dlsteps.seed import seed_everything
from dlsteps.training import Callback, Checkpoint, Trainer, accuracy

# %% [markdown] id="why"
# A wrong training loop seldom crashes. It trains something, a little worse than it should be, and reports a loss that
# is a little off; and you look for the fault in your data for a week. So today we take the loop of lesson 00 apart, and
# look at what happens without each of its lines. Then we put it together again, so that it never has to be written a
# second time.
#
# ## One step
#
# The minute of play from lesson 00 again, split by time as in lesson 03:

# %% id="data"
recording = data_path("catch_level1_night.npz")
frames = FrameDataset(recording)
train_set, valid_set = split_by_time(frames)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
valid_loader = DataLoader(valid_set, batch_size=64)
print("for training: ", len(train_set), "samples,", len(train_loader), "batches")
print("for validating:", len(valid_set), "samples, in batches of", [len(y) for _, y in valid_loader])
labels = torch.cat([y for _, y in valid_loader])
print(f"always the commonest action would be right in {labels.bincount().max() / len(labels):.0%} of these")

# %% [markdown] id="step-intro"
# Everything in training is a repetition of one **step** with one batch. It has five lines (lesson 00 had the first two
# in one):

# %% id="step"
torch.manual_seed(0)
model = ConvNet(in_channels=6, num_actions=3)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

x, y = next(iter(train_loader))  # (64, 6, 64, 64), (64,)
logits = model(x)  # (64, 3): a score for each action
loss = loss_fn(logits, y)  # (): how wrong, as one number
optimizer.zero_grad()  # forget the gradients of the step before
loss.backward()  # a gradient for each weight: which way does the loss grow?
optimizer.step()  # each weight goes a little way against it
print("on the same batch, the loss is lower now:", loss_fn(model(x), y).item() < loss.item())
print("weights in the model:", f"{sum(p.numel() for p in model.parameters()):,}")

# %% [markdown] id="step-notice"
# A **gradient** says for one weight how the loss would change if that weight grew a little. `backward` computes it for
# all 279,043 weights, and leaves it in `weight.grad`. `step` then moves each weight against its gradient, more or less:
# AdamW also takes earlier gradients into account. How far it goes is a matter of the **learning rate**, `lr`, which
# gets a section of its own below.
#
# The line that is forgotten most easily is `zero_grad`.

# %% [markdown] id="quiz-1"
# **A question in between.** You forget `optimizer.zero_grad()`. What happens?
#
# * **a** There is an error at the second batch.
# * **b** Each step uses the sum of all gradients so far.
# * **c** Nothing, `backward()` overwrites the old gradients.
# * **d** The learning rate is halved at every step.

# %% id="quiz-1-choices"
quiz("8.a")

# %% [markdown] id="add-up-intro"
# Try it. Three times the same batch, three times `backward`, no step in between. How long is the gradient of the last
# layer's weights?

# %% id="add-up"
optimizer.zero_grad()
lengths = []
for _ in range(3):
    loss_fn(model(x), y).backward()
    lengths.append(model.head.weight.grad.norm().item())
print("times as long as the first:", [f"{length / lengths[0]:.2f}" for length in lengths])

# %% [markdown] id="add-up-notice"
# They add up. That is on purpose (exercise 8.5 makes good use of it), and it means: a loop without `zero_grad` steps in
# the direction of everything it has ever seen. What comes of it? One **epoch**, a pass over all samples, with one of
# the lines left out, from the same weights each time:


# %% id="left-out" tags=["nbval-ignore-output"]
def one_epoch(without):
    """The mean loss of the last twenty steps, with one of the lines left out."""
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for x, y in train_loader:
        loss = loss_fn(model(x), y)
        if without != "zero_grad":
            optimizer.zero_grad()
        if without != "backward":
            loss.backward()
        if without != "step":
            optimizer.step()
        losses.append(loss.item())
    return np.mean(losses[-20:])


for line in ("nothing", "zero_grad", "backward", "step"):
    print(f"without {line:10} loss {one_epoch(line):.2f}")

# %% [markdown] id="left-out-notice"
# No error, in any of them. Without `backward` or `step` nothing is learned at all, which one notices. Without
# `zero_grad` it runs, moves every weight, and learns hardly anything; that looks like hard data, or like a bad learning
# rate.
#
# ## One number for an epoch
#
# You want to report one loss for an epoch. Each batch has its own, so: take the mean? First the truth, all 717
# validation frames in a single batch, and then two ways to average:

# %% id="mean"
model.eval()
with torch.no_grad():
    batches = [(loss_fn(model(x), y).item(), len(y)) for x, y in valid_loader]
    all_x, all_y = next(iter(DataLoader(valid_set, batch_size=len(valid_set))))  # (717, 6, 64, 64), (717,)
    truth = loss_fn(model(all_x), all_y).item()
by_batch = sum(loss for loss, _ in batches) / len(batches)
by_sample = sum(loss * size for loss, size in batches) / sum(size for _, size in batches)
print(f"all at once {truth:.2f}   mean of the batches {by_batch:.2f}   weighed by their sizes {by_sample:.2f}")

# %% [markdown] id="mean-notice"
# The last batch has 13 samples, and in the plain mean it counted as much as 64 others. Each batch has to be weighed by
# its size. Here the error is small; with 65 samples in batches of 64, a single one would make half of the result, and a
# model would look good or bad by its luck with that one.
#
# ## Two modes
#
# Two lines in that cell were about something else: `model.eval()` and `torch.no_grad()`. The second only saves time and
# memory, as nobody wants gradients here. The first one matters. Watch the average that the first batch normalisation
# keeps, while we do nothing but show it validation frames (to a copy; you will see why):

# %% id="modes"
looked_at = copy.deepcopy(model)
average = looked_at.feature_extractor[1].running_mean  # the tensor itself: it changes when the network does
for mode in ("eval", "train"):
    looked_at.train(mode == "train")
    before = average.clone()
    with torch.no_grad():
        alone, together = (looked_at(all_x[:n])[0] for n in (2, 64))  # the first sample, beside 1 and 63 others
    print(f"{mode:5} mode: same logits beside others: {torch.allclose(alone, together, atol=1e-5)}")
    print("            the network has changed: ", not torch.equal(before, average))

# %% [markdown] id="modes-notice"
# In train mode, `BatchNorm` compares each sample with the others of its batch, and moves its averages towards them.
# (Dropout, which this network does not have, throws a random part of the values away.) Fine for training, and wrong for
# measuring: the answer depends on the other samples of the batch, and *measuring changes the network*, with validation
# data. That is what `model.eval()` turns off. And `model.train()` turns it on again; whoever forgets that trains all
# epochs but the first in eval mode. So the function that evaluates should leave the model as it found it:


# %% id="evaluate"
@torch.no_grad()
def evaluate(model, loader, loss_fn):
    """Mean loss over all samples of a loader, in eval mode."""
    was_training = model.training
    model.eval()
    total = samples = 0
    for x, y in loader:
        total += loss_fn(model(x), y).item() * len(y)
        samples += len(y)
    model.train(was_training)
    return total / samples


print("the truth again:", math.isclose(evaluate(model, valid_loader, loss_fn), truth, rel_tol=1e-4))

# %% [markdown] id="rate-intro"
# ## How far is a step?
#
# The gradient says which way is down. It does not say how far. We trained the agent with eight learning rates (batches
# balanced, flipped and shifted, as at the end of this lesson), each about three times the one before, ten epochs, five
# times each (`benchmarks/08_learning_rate.py`, forty minutes). Once with the rate **constant**, once with **one
# cycle**: it rises in the first 30 % of the steps up to the given rate, and then falls to almost nothing. Such a plan
# for the rate is called a **schedule**. (**Nats** in the figure are the unit of the loss, as it is made of natural
# logarithms; a network that says *one third each* has ln 3 = 1.1. On the left one training each, on the right means of
# five, and bars for their spread.)

# %% id="runs"
with open(data_path("learning_rate.csv"), encoding="utf8", newline="") as file:
    runs = list(csv.DictReader(file))
rates = sorted({float(run["rate"]) for run in runs})
print(len(runs), "trainings with rates", rates)


def find(schedule, rate):
    """The trainings with this schedule and rate, one for each seed."""
    return [run for run in runs if run["schedule"] == schedule and float(run["rate"]) == rate]


# %% id="rate-plot"
def draw_curve(ax, run, **style):
    """The training loss over the epochs, a point for each tenth of an epoch."""
    losses = [float(loss) for loss in run["train_losses"].split()]
    ax.plot(np.arange(1, len(losses) + 1) / 10, losses, **style)


fig, (curves, valley, scores) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for rate, colour in [(3e-5, "#56B4E9"), (3e-3, "#009E73"), (1e-1, "#D55E00")]:
    draw_curve(curves, find("constant", rate)[0], color=colour, label=f"{rate:g}")
curves.set(title="Constant: too slow, right, too fast", xlabel="epoch", ylabel="training loss (nats)", ylim=(0, 1.5))
curves.legend(title="learning rate")
for ax, what in [(valley, "valid_loss"), (scores, "score")]:
    for schedule, style in [("constant", "o--"), ("one cycle", "s-")]:
        values = np.array([[float(run[what]) for run in find(schedule, rate)] for rate in rates])  # (8, 5)
        ax.errorbar(rates, values.mean(axis=1), values.std(axis=1, ddof=1), fmt=style, capsize=3, label=schedule)
    ax.set(xscale="log", xlabel="learning rate")
valley.set(title="One cycle has a valley …", ylabel="validation loss at the end (nats)")
scores.set(title="… and a wide ridge", ylabel="score (1: the scripted player)")
scores.legend()
plt.show()

# %% id="rate-scores"
for rate in rates:
    print(f"rate {rate:<7g}", end="")
    for schedule in ("constant", "one cycle"):
        played = [float(run["score"]) for run in find(schedule, rate)]
        print(f"{schedule:>12} {np.mean(played):.2f} ± {np.std(played, ddof=1):.2f}", end="")
    print()
print("constant 0.1, loss in the first tenth of an epoch:", find("constant", 1e-1)[0]["train_losses"].split()[0])
print("constant 0.001, the five:", *sorted(f"{float(run['score']):.2f}" for run in find("constant", 1e-3)))

# %% [markdown] id="rate-notice"
# With a small rate ten epochs are over before much is learned. With the largest, the first steps throw the network far
# beyond the top of the plot (a loss around 50), and it never recovers. One pictures it like this: the loss is a
# landscape, each step goes downhill, and a step that is too long jumps over the valley and lands higher up on the other
# side.
#
# In between it works, and here the two schedules part. With a constant rate the steps are as long at the end as at the
# start, and where the training stops is luck: at 0.001, one agent scores 0.24 and two 1.00. One cycle makes the last
# steps tiny. From 0.003 to 0.03 it is good, and at 0.01 all five agents play as well as the scripted player. So a
# schedule does not replace the choice of a rate; it forgives you one that is rather large. (Not one that is small: most
# of its steps are smaller still, and below 0.001 it does a little worse than the constant one.)
#
# Loss and score do not quite agree: of the constant rates, 0.001 has the lowest loss and 0.003 the best score. We want
# to win, so we go by the score. To find a rate for something new: go up in steps of three until it gets worse, and take
# one step back.

# %% [markdown] id="slider-intro"
# Drag the rate from left to right and watch the curve. (Without a kernel: the plot above has three of them.) The grey
# ones are the other rates.


# %% id="slider" tags=["nbval-ignore-output"]
def show_rate(rate, schedule):
    """Draw the curve of one rate over those of all others."""
    _, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for other in rates:
        draw_curve(ax, find(schedule, other)[0], color="0.85")
    draw_curve(ax, find(schedule, rate)[0], color="#0072B2", linewidth=2)
    played = [float(run["score"]) for run in find(schedule, rate)]
    title = f"learning rate {rate:g}, {schedule}: score {np.mean(played):.2f} ± {np.std(played, ddof=1):.2f}"
    ax.set(title=title, xlabel="epoch", ylabel="training loss (nats)", ylim=(0, 1.5))
    plt.show()


controls = {"rate": SelectionSlider(options=rates, value=3e-3), "schedule": Dropdown(options=["constant", "one cycle"])}
VBox([*controls.values(), interactive_output(show_rate, controls)])

# %% [markdown] id="loop-intro"
# ## A trainer, grown from what hurts
#
# Now the whole loop. It needs the model, the optimizer and the loss function in every line, so we make it a class:


# %% id="loop"
class Loop:
    """Trains a model, epoch by epoch, and remembers the losses."""

    def __init__(self, model, optimizer, loss_fn):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.history = []

    def fit(self, train_loader, valid_loader, epochs):
        for _ in range(epochs):
            train_loss = self.train_epoch(train_loader)
            self.history.append((train_loss, evaluate(self.model, valid_loader, self.loss_fn)))

    def train_epoch(self, loader):
        self.model.train()
        total = samples = 0
        for x, y in loader:
            loss = self.loss_fn(self.model(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(y)
            samples += len(y)
        return total / samples


# %% id="loop-run"
def new_parts():
    """A network, the same each time, and its optimizer."""
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3)


loop = Loop(*new_parts(), loss_fn)
loop.fit(train_loader, valid_loader, epochs=2)
print("(train, valid) of two epochs; both fell:", all(np.diff(loop.history, axis=0)[0] < 0))

# %% [markdown] id="loop-notice"
# Every line of it we have looked at: five for a step, a mean over samples, the right mode for each part. It is right.
# And then come the wishes. You want a progress bar. You want to stop when it gets no better, and to save after each
# epoch. You want to stop at once if the loss is *nan*. Each wish is a line or two, at another place in the loop, and an
# `if` around it, since not every run wants it. After the fifth wish nobody can read the loop any more, and it is no
# longer certain that it is right.
#
# So let the loop say *when*, and others say *what*. At certain moments it calls whoever wants to be called. Such a
# helper is a **callback**: an object with methods like `on_epoch_end(trainer)`. We collect these methods once, at the
# start, and are strict about their names. You will see why.

# %% id="hooks"
EVENTS = ("fit_start", "epoch_start", "batch_start", "backward_end", "batch_end", "epoch_end", "checkpoint", "fit_end")


def hooks_of(callbacks):
    """{event: [methods of the callbacks]}. Raises TypeError for a method `on_…` that is no event."""
    for callback in callbacks:
        for name in dir(callback):
            if name.startswith("on_") and name[3:] not in EVENTS:
                choices = ", ".join(f"on_{event}" for event in EVENTS)
                raise TypeError(f"{type(callback).__name__}.{name} would never be called: choose from {choices}")
    return {event: [getattr(c, f"on_{event}") for c in callbacks if hasattr(c, f"on_{event}")] for event in EVENTS}


# %% [markdown] id="notify-intro"
# The loop gets one method more, `notify`, and calls it at each of these moments. To be seen by a callback, what was a
# variable (`loss`) becomes an attribute (`self.loss`). Two of the eight moments are enough to show it:


# %% id="notify"
class LoopWithCallbacks(Loop):
    """The same, and it calls `on_batch_end` and `on_epoch_end` of its callbacks."""

    def __init__(self, model, optimizer, loss_fn, callbacks=()):
        super().__init__(model, optimizer, loss_fn)
        self.hooks = hooks_of(callbacks)
        self.stop = False

    def notify(self, event):
        """Call `on_<event>(trainer)` of each callback that has it."""
        for hook in self.hooks[event]:
            hook(self)

    def fit(self, train_loader, valid_loader, epochs):
        while len(self.history) < epochs and not self.stop:
            train_loss = self.train_epoch(train_loader)
            self.history.append((train_loss, evaluate(self.model, valid_loader, self.loss_fn)))
            self.notify("epoch_end")

    def train_epoch(self, loader):
        self.model.train()
        total = samples = 0
        for x, y in loader:
            self.loss = self.loss_fn(self.model(x), y)
            self.optimizer.zero_grad()
            self.loss.backward()
            self.optimizer.step()
            total += self.loss.item() * len(y)
            samples += len(y)
            self.notify("batch_end")
        return total / samples


# %% [markdown] id="callback-intro"
# A callback that counts, and ends the training when it has seen enough. The loop knows nothing of it:


# %% id="callback"
class StopAfter:
    """Ends the training after an epoch in which `steps` steps have been reached."""

    def __init__(self, steps):
        self.steps, self.seen = steps, 0

    def on_batch_end(self, trainer):
        self.seen += 1

    def on_epoch_end(self, trainer):
        if self.seen >= self.steps:
            trainer.stop = True


loop = LoopWithCallbacks(*new_parts(), loss_fn, callbacks=[StopAfter(steps=60)])
loop.fit(train_loader, valid_loader, epochs=100)
print("epochs done:", len(loop.history))

# %% [markdown] id="typo-intro"
# And here is why `hooks_of` is strict. The error is on purpose:


# %% id="typo" tags=["raises-exception"]
class SaveEachEpoch:
    def on_epoch_ended(self, trainer):
        torch.save(trainer.model.state_dict(), "model.pt")


LoopWithCallbacks(*new_parts(), loss_fn, callbacks=[SaveEachEpoch()])

# %% [markdown] id="typo-notice"
# `on_epoch_ended` instead of `on_epoch_end`. Python would not have minded: a method that nobody calls is no error. You
# would have found out after two hours of training, looking for a file that was never written.
#
# ## The real one
#
# The package's `Trainer` is this loop, with three more things that hurt sooner or later: other kinds of batches and
# devices, mixed precision, several processes. All of it fits on one screen. This is the method that you have just
# written, in its final form, and the one that makes the step:

# %% id="real"
print(inspect.getsource(Trainer.train_epoch))
print(inspect.getsource(Trainer.update))

# %% [markdown] id="real-notice"
# Point at the five lines of a step: `forward` is two of them, then `zero_grad`, `backward`, `update`. In `update` you
# see where a schedule takes its step: after the optimizer. (`scaler` is for numbers of 16 bits, lesson 16;
# `distributed` for several processes; here both do nothing.) `Averages` weighs by sample, and it keeps its sums on the
# device: asking a GPU for a number at each step (`.item()`) makes it wait.
#
# Two conveniences beside that. Callbacks derive from `Callback`, and `history` is a list of dictionaries, one for each
# epoch: `history[-1]["train_loss"]` is the last epoch's, `history["train_loss"]` the list of all.
#
# Is it the loop by hand? The same batches through both, and then every weight compared:

# %% id="same"
batches = [batch for _, batch in zip(range(20), train_loader, strict=False)]  # 20, in one order for both
by_hand = Loop(*new_parts(), loss_fn)
by_hand.fit(batches, valid_loader, epochs=2)
trainer = Trainer(*new_parts(), loss_fn, device="cpu")
history = trainer.fit(batches, valid_loader, epochs=2)
pairs = zip(by_hand.model.state_dict().values(), trainer.model.state_dict().values(), strict=True)
print("all weights equal, to the last bit:", all(torch.equal(a, b) for a, b in pairs))
both = np.column_stack([history["train_loss"], history["valid_loss"]])
print("the losses agree:                   ", np.allclose(both, by_hand.history))

# %% [markdown] id="same-notice"
# To the last bit. That is the answer to this lesson's question: **a loop is right when it does exactly what the slow
# and obvious one does**, of which you have looked at every line. Write the obvious one once, keep it as a test, and
# then make the other as comfortable as you like. (Here it is one setting, on the CPU; the course's tests compare more.
# It costs next to nothing: with a tiny network 2.5 millionths of a second a step, uncertain by some ten, see
# `benchmarks/results/trainer.md`.)
#
# ## An epoch of its own
#
# One thing is in none of our loops. Batches are shuffled, pictures flipped at random. All that draws from one stream of
# random numbers, so what happens in the third epoch (number 2) depends on everything drawn before it. Start again after
# a crash, at the third epoch, and you get another third epoch. The trainer cuts the stream: before each epoch it seeds
# with (seed, number of the epoch).


# %% id="reseed"
def order(seed, epoch):
    """The first samples that an epoch takes."""
    seed_everything(seed, epoch)
    return torch.randperm(len(train_set))[:6].tolist()


print("epoch 2 after 0 and 1:", [order(0, epoch) for epoch in range(3)][2])
print("epoch 2 at once:      ", order(0, 2))
print("epoch 2, another seed:", order(1, 2))

# %% [markdown] id="reseed-notice"
# Any epoch can be had at once, the same as ever. Lesson 12 builds on it: a run that crashed goes on as if nothing had
# happened.
#
# ## First with few steps
#
# The study note that this course grew from has a good rule: *first make the training steps few, train quickly to the
# end, and see whether saving the model works.* Runs often fail at the end of the first epoch, when something is done
# for the first time: validate, record, save. `max_steps` gets you there in seconds. The epoch is cut off, and the rest
# happens as always:

# %% id="trial"
with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(*new_parts(), loss_fn, metrics={"accuracy": accuracy}, callbacks=[Checkpoint(folder)])
    history = trainer.fit(train_loader, valid_loader, epochs=10, max_steps=3)
    print("steps:", trainer.step, "  recorded:", history.names)
    print("files:", sorted(path.name for path in Path(folder).iterdir()))

# %% [markdown] id="trial-notice"
# Three steps, one validation, two files. Everything that a run does was done once. (`Checkpoint` writes `last.pt` after
# each epoch, and `best.pt` whenever the validation loss is the best so far. What is in them, lesson 12 tells.)
#
# ## The agent
#
# All together now. What do we know? Balanced batches were the best that lesson 03 found, so: a `WeightedRandomSampler`.
# Flip and shift from lesson 04, for the training set only. (That takes a second `FrameDataset`: if both parts shared
# one, the validation frames would be flipped, too.) From this lesson: one cycle, at 0.003, the left end of the good
# rates, to be on the safe side.

# %% id="agent-data"
augment = v2.Compose([RandomFlip(mirror=[2, 1, 0]), RandomShift(vertical=0, horizontal=8)])
varied = Subset(FrameDataset(recording, transform=augment), train_set.indices)
actions = torch.from_numpy(frames.actions[train_set.indices])
sampler = WeightedRandomSampler(1 / torch.bincount(actions)[actions], num_samples=len(actions))
balanced_loader = DataLoader(varied, batch_size=64, sampler=sampler)

# %% id="agent" tags=["nbval-ignore-output"]
model, _ = new_parts()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
scheduler = OneCycleLR(optimizer, max_lr=3e-3, total_steps=10 * len(balanced_loader))
trainer = Trainer(model, optimizer, loss_fn, metrics={"accuracy": accuracy}, scheduler=scheduler)
history = trainer.fit(balanced_loader, valid_loader, epochs=10)
history

# %% id="agent-plot"
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for part, style in [("train", "--"), ("valid", "-")]:
    left.plot(history["epoch"], history[f"{part}_loss"], style, label=part)
    right.plot(history["epoch"], history[f"{part}_accuracy"], style, label=part)
left.set(title="How wrong", xlabel="epoch", ylabel="loss (nats)", ylim=(0, None))
right.set(title="How often as the player did", xlabel="epoch", ylabel="accuracy", ylim=(0, 1))
left.legend()
plt.show()

# %% [markdown] id="agent-notice"
# What can be read off such a pair of curves? In the first epoch, validation looks *better* than training. Training
# frames are flipped, shifted and balanced, which makes them harder; and their loss is a mean over the epoch, taken
# while the network was still learning. Its accuracy is no great feat, though: hardly more than the 69 % of *always the
# commonest action*. In the end the order is reversed. The network knows the frames that it trains on better than
# others, and that is what validation is for. In between the validation curve is restless, and it settles in the last
# epochs, in which the rate is small.

# %% [markdown] id="quiz-2"
# **A question in between.** In another run, the validation loss is a little *lower* than the training loss, from the
# first epoch to the last. Which of these can *not* be the reason?
#
# * **a** Augmentation makes the task harder, and only in training.
# * **b** The training loss is a mean over the epoch, while the network was still getting better. The validation loss is
#   taken after it.
# * **c** The validation frames happen to be easier.
# * **d** The network has learned the training set by heart.

# %% id="quiz-2-choices"
quiz("8.b")

# %% [markdown] id="score-intro"
# Right in about eight of ten frames: is that any good? Accuracy is not what we want; the game is. (Random play is 0,
# the scripted player 1.)

# %% id="score"
played = score(Agent(trainer.model.to("cpu")), level=1, seeds=range(3))
print("score above 0.9:", played.mean > 0.9)

# %% [markdown] id="score-notice"
# So frames in which it does not do what the player did need not cost a ball. (We think: whether one begins to move a
# frame sooner or later counts as an error in the table, and as nothing in the game.) Whatever number you train by, look
# at the one that you want, too.

# %% [markdown] id="exercises"
# ## Exercises
#
# Each needs only the imports at the top. `hint("8.1")` gives a hint; ask again for a stronger one.

# %% [markdown] id="ex-1"
# ### Exercise 8.1 · The loss of an epoch (easy, 3 minutes)
#
# Write `epoch_mean(losses, sizes)`: given the loss of each batch (the mean over that batch, a float) and the number of
# samples in each batch, return the mean over all samples. `epoch_mean([1.0, 4.0], [2, 1])` is `2.0`. There is at least
# one batch.


# %% id="ex-1-answer"
def epoch_mean(losses, sizes):
    ### BEGIN SOLUTION
    total = sum(loss * size for loss, size in zip(losses, sizes, strict=True))
    return total / sum(sizes)
    ### END SOLUTION


# %% id="ex-1-check"
check("8.1", epoch_mean)
# hint("8.1")

# %% [markdown] id="ex-1-why"
# A batch's mean times its size is its sum; sums can be added, and the sum of all over the number of all is the mean.

# %% [markdown] id="ex-2"
# ### Exercise 8.2 · A callback (easy, 6 minutes)
#
# Write a callback `StopAt` that ends the training as soon as the validation accuracy of an epoch has reached
# `accuracy`. Called after each epoch, it looks at that epoch only: its record is `trainer.history[-1]`, a dictionary,
# with the accuracy under `"valid_accuracy"`; in a run without validation that key is missing, and nothing is to happen.
# To end the training, set `trainer.stop = True`. Otherwise leave `trainer.stop` as it is: another callback may have set
# it.


# %% id="ex-2-answer"
class StopAt(Callback):
    def __init__(self, accuracy):
        self.accuracy = accuracy

    def on_epoch_end(self, trainer):
        ### BEGIN SOLUTION
        if trainer.history[-1].get("valid_accuracy", 0.0) >= self.accuracy:
            trainer.stop = True
        ### END SOLUTION


# %% id="ex-2-check"
check("8.2", StopAt)
# hint("8.2")

# %% [markdown] id="ex-2-why"
# `trainer.stop = accuracy >= self.accuracy` is shorter, and takes back what another callback wanted: then the order of
# the callbacks decides. `get` with 0.0 for a missing accuracy serves runs without validation.

# %% [markdown] id="ex-3"
# ### Exercise 8.3 · Up, then down (medium, 10 minutes)
#
# Write `warmup_cosine(step, warmup, total)`: the factor, a float, by which a schedule multiplies the learning rate at a
# step, counted from 0. In the first `warmup` steps it rises in a straight line, `(step + 1) / warmup`. From step
# `warmup` on it falls like half a wave of a cosine, `(1 + cos(π · p)) / 2`, where `p` grows evenly from 0 at step
# `warmup` to 1 at step `total`. From step `total` on it is 0. `warmup` may be 0; `total` is larger than `warmup`.
# (`math` is imported.)


# %% id="ex-3-answer"
def warmup_cosine(step, warmup, total):
    ### BEGIN SOLUTION
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / (total - warmup))
    return (1 + math.cos(math.pi * progress)) / 2
    ### END SOLUTION


# %% id="ex-3-check"
check("8.3", warmup_cosine)
# hint("8.3")

# %% [markdown] id="ex-3-why"
# To train with it: `torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_cosine(step, 50, 440))`. One cycle
# is the same idea with a longer way up.

# %% [markdown] id="ex-4"
# ### Exercise 8.4 · The loop, from memory (medium, 12 minutes)
#
# Scroll so that you cannot see the loops above. Write `train_epoch(model, loader, loss_fn, optimizer)`: one pass over
# `loader`, which gives batches `(x, y)`. Each batch goes through the model once, in train mode, and makes one step of
# the optimizer. Return the mean of the loss over all samples that came (a sampler may give fewer than the dataset has),
# as a float. `loss_fn(model(x), y)` is the mean over a batch. The model may come in eval mode, and with old gradients.


# %% id="ex-4-answer"
def train_epoch(model, loader, loss_fn, optimizer):
    ### BEGIN SOLUTION
    model.train()
    total, samples = 0.0, 0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        samples += len(x)
    return total / samples
    ### END SOLUTION


# %% id="ex-4-check"
check("8.4", train_epoch)
# hint("8.4")

# %% [markdown] id="ex-4-why"
# `zero_grad` may stand anywhere between `step` and the next `backward`, but before the first `backward`, too: at the
# end of the loop only, the first step would use whatever gradients the model came with.

# %% [markdown] id="ex-5"
# ### Exercise 8.5 · A large batch in parts (hard, 15 minutes)
#
# A batch of 256 does not fit into memory; parts of it do. Write `step_in_parts(model, parts, loss_fn, optimizer)`:
# `parts` is a list of `(x, y)`, not all of the same size. Make **one** step of the optimizer, the one that all parts
# together as a single batch would have made, and return the loss of that batch, a float. `loss_fn` is the mean over
# what it is given. Call `backward` for each part before the next one goes through the model, so that only one part at a
# time takes memory. (No layer of the model mixes samples, as batch normalisation would.)


# %% id="ex-5-answer"
def step_in_parts(model, parts, loss_fn, optimizer):
    ### BEGIN SOLUTION
    samples = sum(len(x) for x, _ in parts)
    optimizer.zero_grad()
    total = 0.0
    for x, y in parts:
        loss = loss_fn(model(x), y) * len(x) / samples
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total
    ### END SOLUTION


# %% id="ex-5-check"
check("8.5", step_in_parts)
# hint("8.5")

# %% [markdown] id="ex-5-why"
# Gradients add up: here that is what we want. Each part's mean has to count by its share of the samples, as in 8.1; the
# gradient of a sum is the sum of the gradients. This is called **gradient accumulation**.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | the loss falls a little and then no further | gradients add up from step to step | `optimizer.zero_grad()` before each `backward()` |
# | the loss begins near ln K (1.1 for three classes) and falls slowly | the learning rate is too small | three times as much, and again; look at the valley |
# | the first losses are huge, then it stays near ln K; or it is *nan* | the learning rate is too large | a third of it, and again; the callback `dlsteps.training.StopOnNaN()` names the step |
# | the validation loss changes with the batch size | means of batches, or train mode | weigh by sample; `model.eval()` |
# | good in training, bad as soon as it plays | played in train mode | `model.eval()` before playing (`Agent` does it) |
# | better after each call of `evaluate`, without training | it evaluates in train mode: the averages move | `model.eval()` |
# | `RuntimeError: Trying to backward through the graph a second time` | `loss` of an earlier step is part of this one | add up `loss.item()`, not `loss` |
# | memory grows from step to step | the same: each kept `loss` keeps its whole graph | `loss.item()`, or `loss.detach()` |
# | `scheduler.step()` warns that it was called before `optimizer.step()` | the order | first the optimizer, then the scheduler |

# %% [markdown] id="league-intro"
# ## The league table
#
# Five trainings again, and ten games for each agent instead of four:

# %% id="league"
league("08")

# %% [markdown] id="league-notice"
# 0.99 ± 0.00 with one cycle, 0.90 ± 0.10 with the same rate held constant, 0.27 ± 0.05 with a thirtieth of it: the same
# network, data and number of steps. It is no new record. Lesson 03's agent had 1.00 ± 0.01 with one cycle, too, and a
# quarter more to learn from, since nothing was kept back for validation. What is new: you know that it was the
# schedule, and you could tell if it were not.

# %% [markdown] id="next"
# ## In short
#
# * A step is five lines, and `zero_grad` is the one that nobody misses until it is missing.
# * The loss of an epoch is the mean over samples, in eval mode for validation; and a function that evaluates leaves the
#   model as it was.
# * Look for the learning rate in steps of three. A schedule that rises and falls forgives a choice that is too large.
# * A callback adds to a loop without touching it; a trial run with `max_steps` finds in seconds what else would fail
#   after hours.
#
# **Next:** 09 · The clinic, where loops are examined that run and do not learn. (How runs are saved: 12 · Saving and
# loading.)
