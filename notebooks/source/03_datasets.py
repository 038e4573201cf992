# %% [markdown] id="title"
# # 03 · Datasets, samplers and loaders
#
# **Who decides what a network sees next?**
#
# You will be able to
#
# * say what each part of a `DataLoader` does, because you have built one;
# * draw batches in which rare answers are not rare, and use worker processes without their traps;
# * split a recording so that the validation score means something.
#
# *25 minutes to read, an hour with the exercises, 30 seconds to run. You need lessons 00 and 02.*

# %% id="imports" tags=["setup"]
import inspect
import tempfile
import time
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Checkbox, IntSlider, interact
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, WeightedRandomSampler

from dlsteps.capture import EnvSource, record
from dlsteps.capture.recording import load_recording
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.examples import Dice, GameStream, WhoFetches
from dlsteps.data.transforms import RandomFlip
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import CatchEnv, ScriptedPlayer
from dlsteps.league import league

# %% [markdown] id="why"
# In lesson 00 one line, `DataLoader(dataset, batch_size=64, shuffle=True)`, stood between a recording and the network.
# It looks like one thing, and is four. We build all four by hand, a few lines each, put them together, and check that
# torch's does the same.
#
# ## A dataset: number in, sample out
#
# A dataset answers two questions: how many samples are there, and what is sample number *i*? In Python these are the
# methods `__len__` and `__getitem__`; a class that has both can be used with `len(…)` and `[i]`.


# %% id="frames"
class Frames(Dataset):
    """The frames of a recording, one by one: x (3, H, W) float32 in 0 … 1, y the action."""

    def __init__(self, recording):
        self.recording = recording

    def __len__(self):
        return len(self.recording.frames)

    def __getitem__(self, i):
        x = torch.from_numpy(self.recording.frames[i])  # (H, W, 3) uint8
        return x.permute(2, 0, 1) / 255, int(self.recording.actions[i])  # (3, H, W)


frames = Frames(load_recording(data_path("catch_level1_night.npz")))

# %% id="frames-use"
x, y = frames[100]
print("samples:", len(frames))
print("x:", tuple(x.shape), x.dtype)
print("y:", y)

# %% [markdown] id="frames-notice"
# `permute` changes the order of the axes: pictures store the colours last, networks want them first. Note when the work
# is done: not when the dataset is made, but when somebody asks for sample 100, and for that one only. Here the pixels
# were in memory already. A dataset whose `__getitem__` opens a file can be larger than any memory.
#
# ## A sampler: in which order
#
# Neighbouring frames look alike. A network that sees them in order sees the same picture for a second, and then another
# for a second. So somebody has to shuffle, and that somebody is the **sampler**: it gives out sample numbers, nothing
# else. `randperm` is a random order of the numbers from 0, and the generator with its seed makes it repeatable.


# %% id="sampler"
def random_order(count, seed):
    """The numbers from 0 to count - 1 in random order."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator).tolist()


print(random_order(8, seed=0))
print(random_order(8, seed=1))

# %% [markdown] id="batches-intro"
# ## A batch sampler: how many at once
#
# Networks are fed in batches. The **batch sampler** cuts the order into pieces.


# %% id="batches"
def cut(order, size):
    """Lists of `size` numbers; the last may be shorter."""
    for start in range(0, len(order), size):
        yield order[start : start + size]


print(list(cut(random_order(8, seed=0), size=3)))

# %% [markdown] id="collate-intro"
# ## A collate function: samples to batch
#
# The dataset gives one sample at a time: for a batch of three, a list of three pairs. The **collate function** makes
# two tensors of it, by giving them one more axis in front, the batch.


# %% id="collate"
def collate(samples):
    """A list of B pairs (x (C, H, W), y) to x (B, C, H, W) and y (B,)."""
    return torch.stack([x for x, _ in samples]), torch.tensor([y for _, y in samples])


x, y = collate([frames[i] for i in (3, 1, 7)])
print("x:", tuple(x.shape))
print("y:", y)

# %% [markdown] id="loader-intro"
# ## The loader
#
# Now the four go together.


# %% id="loader"
def load(dataset, order, batch_size):
    """Batch by batch: (x (B, C, H, W), y (B,))."""
    for numbers in cut(order, batch_size):
        yield collate([dataset[i] for i in numbers])


order = random_order(len(frames), seed=0)[:650]
ours = load(frames, order, batch_size=64)
theirs = DataLoader(frames, batch_size=64, sampler=order)

# %% [markdown] id="loader-check"
# A `sampler` may be any list of numbers, so we hand torch's the same order as ours (650 numbers, to be quick). Do we
# get the same?

# %% id="loader-compare"
same = [torch.equal(x, a) and torch.equal(y, b) for (x, y), (a, b) in zip(ours, theirs, strict=True)]
print("batches:", len(same))
print("all the same:", all(same))

# %% [markdown] id="loader-notice"
# The same, in all eleven batches. (The last one is shorter: 650 is ten times 64, and 10.) So this is what the arguments
# of a `DataLoader` are about:
#
# | part | by hand | as an argument |
# |---|---|---|
# | sampler | `random_order` | `shuffle=True` for a random order, or `sampler=` any iterable of numbers |
# | batch sampler | `cut` | `batch_size=`, and `drop_last=True` to leave out a short last batch; or `batch_sampler=` |
# | dataset | `Frames` | the first argument |
# | collate function | `collate` | `collate_fn=`; without it torch's own, which also does dictionaries, tuples and strings |
#
# ## When samples do not fit together
#
# Pictures of your own rarely have one size. Here are two samples of different sizes. Run it, and read the last line of
# the error; it is one that you will meet again.

# %% id="sizes" tags=["raises-exception"]
pictures = [(torch.zeros(3, 64, 64), 0), (torch.zeros(3, 48, 64), 1)]
next(iter(DataLoader(pictures, batch_size=2)))

# %% [markdown] id="sizes-notice"
# Two things to learn from it. First, a plain list is a dataset, too: it has `len` and `[i]`. Second, a batch is one
# block of numbers, so its samples must have one shape; "at entry 1" is the position in the batch, not in the dataset.
# Either the dataset resizes each picture, or a collate function of your own says what to do. In exercise 3.2 you write
# one that pads.
#
# ## Workers
#
# With `num_workers=2` two more processes fetch samples while your training step runs. Which of them fetches which?
# `WhoFetches` is a dataset that knows:

# %% id="who-text"
print(inspect.getsource(WhoFetches))

# %% [markdown] id="who-intro"
# (`get_worker_info()` is `None` in the main process, and tells a worker its number.) Let us ask for 24 samples, in
# order, in batches of four.

# %% id="who"
for numbers, workers in DataLoader(WhoFetches(24), batch_size=4, num_workers=2):
    print("samples", numbers.tolist(), "from workers", workers.tolist())

# %% [markdown] id="quiz-1"
# **A question in between.** A loader with two workers and `batch_size=4` goes through samples 0, 1, 2, … in order.
# Which worker fetches sample 5?
#
# * **a** Worker 1: it gets the whole second batch, samples 4 to 7.
# * **b** Worker 1: odd samples are its share.
# * **c** Whichever worker is free first.

# %% id="quiz-1-choices"
quiz("3.a")

# %% [markdown] id="who-notice"
# Batches are dealt out whole, like cards, and come back in the order in which they were dealt, even if a later one is
# ready first. So workers change how fast the batches come, not which batches. Draw it, with shuffling:

# %% id="explorer"
WORKERS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7"]


def draw_fetching(batch_size=6, num_workers=2, shuffle=True, drop_last=False, count=40, seed=0):
    """One row a batch: the sample numbers, coloured by the worker that fetched them."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(
        WhoFetches(count), batch_size, shuffle, num_workers=num_workers, drop_last=drop_last, generator=generator
    )
    fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for row, (numbers, workers) in enumerate(loader):
        for column, (number, worker) in enumerate(zip(numbers.tolist(), workers.tolist(), strict=True)):
            ax.add_patch(plt.Rectangle((column, row), 0.94, 0.9, color=WORKERS[worker] if worker >= 0 else "#BBBBBB"))
            ax.text(column + 0.47, row + 0.45, number, ha="center", va="center", color="white" if worker >= 0 else "k")
    title = "no workers" if num_workers == 0 else f"{num_workers} workers, a colour each"
    ax.set(
        xlim=(0, max(batch_size, 6)), ylim=(len(loader), 0), xlabel="place in the batch", ylabel="batch", title=title
    )
    ax.set(xticks=[], yticks=np.arange(len(loader)) + 0.45, yticklabels=range(len(loader)))
    plt.show()


draw_fetching()

# %% [markdown] id="explorer-notice"
# Each row is a batch and has one colour. Now play with it. Set the workers to 0, to 3, change the seed: which of them
# changes the numbers, which only the colours? What does `drop_last` take away? (Each change starts real processes, so
# on Windows it takes some seconds.)

# %% id="explorer-widget" tags=["nbval-ignore-output"]
_ = interact(
    draw_fetching,
    batch_size=IntSlider(6, min=1, max=12, description="batch_size", continuous_update=False),
    num_workers=IntSlider(2, min=0, max=4, description="num_workers", continuous_update=False),
    shuffle=Checkbox(True, description="shuffle"),
    drop_last=Checkbox(False, description="drop_last"),
    count=IntSlider(40, min=1, max=60, description="samples", continuous_update=False),
    seed=IntSlider(0, min=0, max=9, description="seed", continuous_update=False),
)

# %% [markdown] id="spawn"
# The numbers change with `shuffle` and `seed`, never with the workers; `drop_last` takes the short last row away.
#
# Workers have three traps, and none of them shows in small tests.
#
# ### A worker has to import your dataset
#
# On Linux a worker is a copy of your process and knows all that you know. On Windows and macOS (and on Linux from
# Python 3.14) it is a fresh Python that imports what it needs. A class that you typed into a notebook cannot be
# imported, and the loader dies with *Can't get attribute 'Frames'*, or waits forever. So datasets for workers live in a
# `.py` file; the examples of this lesson are in `dlsteps/data/examples.py`. In a script, the fresh Python runs the
# script itself again; what must not run twice, such as the training, belongs under `if __name__ == "__main__":`.
#
# ### A worker copies your random numbers
#
# `Dice` is a dataset whose samples are throws of a die: by a NumPy generator of its own, made in `__init__`, or by
# torch's.

# %% id="dice-text"
print(inspect.getsource(Dice.__getitem__))

# %% id="dice"
for own in (True, False):
    loader = DataLoader(Dice(16, own), batch_size=8, num_workers=2, generator=torch.Generator().manual_seed(0))
    for epoch in range(2):
        print("own generator" if own else "torch's      ", "epoch", epoch, *[batch.tolist() for batch in loader])

# %% [markdown] id="dice-notice"
# Two batches an epoch, one from each worker. With a generator of its own, both workers throw the same eight numbers,
# and the same again in the next epoch: each started with a copy of the one generator. If your dataset varies its
# pictures at random (lesson 04), half of the variations are twins, and no error tells you. Torch's own generator is
# seeded anew in each worker and each epoch (Python's and NumPy's global ones, too), so the rule is: **draw from
# torch**.
#
# The course's `FrameDataset` goes one step further. What it draws depends on its seed and on which samples are in the
# batch, and not on who fetches them. `RandomFlip` mirrors each frame with probability one half:

# %% id="same-batches"
path, batches = data_path("catch_level1_night.npz"), []
for num_workers in (0, 1, 2):
    flipped = FrameDataset(path, size=32, transform=RandomFlip(mirror=[2, 1, 0]), seed=0)
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(flipped, batch_size=64, shuffle=True, num_workers=num_workers, generator=generator)
    batches.append(next(iter(loader))[0])
print("the same first batch with 0, 1 and 2 workers:", all(torch.equal(batches[0], x) for x in batches))

# %% [markdown] id="same-batches-notice"
# So a run can be repeated on a machine with more cores. (The next epoch is shuffled anew, so its batches, and its
# flips, are others.)
#
# ### A stream does not divide itself
#
# Not every dataset can be asked for sample *i*. A running game gives what comes next. That is an `IterableDataset`: it
# has `__iter__` in place of `__getitem__`, no length, and no sampler can choose from it.

# %% id="stream-text"
print(inspect.getsource(GameStream))

# %% [markdown] id="stream-intro"
# A function with `yield` gives its values one by one, whenever the loop that uses it asks for the next. Four games of
# 50 ticks, two workers: how often does each game come?

# %% id="stream"
for share in (False, True):
    stream = DataLoader(GameStream([7, 8, 9, 10], ticks=50, share=share), batch_size=50, num_workers=2)
    games = Counter(seed for _, _, seeds in stream for seed in seeds.tolist())
    print("shared:    " if share else "not shared:", dict(games))

# %% [markdown] id="stream-notice"
# Each game should come 50 times, once a tick. Without sharing it comes 100 times, since each worker runs the whole
# loop. The line with `worker.num_workers` mends that: of the list of seeds, worker 0 takes every second one from the
# first on, worker 1 every second one from the second on.
#
# ## Whole batches at once
#
# Workers are not the first thing to reach for. Our samples are small, and what costs time is doing everything 64 times:
# 64 calls, 64 conversions, then the collating. `FrameDataset` can be asked for many samples in one go:

# %% id="whole"
dataset = FrameDataset(data_path("catch_level1_night.npz"))
x, y = dataset[[3, 1, 7]]
print("x:", tuple(x.shape), "y:", tuple(y.shape))

# %% [markdown] id="whole-notice"
# That is a batch already, and nothing needs to be collated. (Six channels, because each sample of `FrameDataset` is two
# frames, as in lesson 00.) A loader can ask in three ways:
#
# * number by number, `dataset[i]`, 64 times;
# * all 64 numbers at once, if the dataset has a method `__getitems__` (mind the s), which returns a list of samples;
# * whatever its sampler gives, if `batch_size=None`. With a `BatchSampler` in that place it gives lists of 64 numbers,
#   and what the dataset returns is the batch.
#
# How long does one pass take? `OneByOne` hides the second and third way from the loader.


# %% id="whole-loaders"
class OneByOne(Dataset):
    """The same samples, but only by `dataset[i]`."""

    def __len__(self):
        return len(dataset)

    def __getitem__(self, i):
        return dataset[i]


loaders = {
    "one by one": DataLoader(OneByOne(), batch_size=64, shuffle=True),
    "__getitems__": DataLoader(dataset, batch_size=64, shuffle=True),
    "whole batches": DataLoader(dataset, batch_size=None, sampler=BatchSampler(RandomSampler(dataset), 64, False)),
}

# %% id="whole-time" tags=["nbval-ignore-output"]
times = {name: [] for name in loaders}
for _ in range(3):
    for name, loader in loaders.items():
        start = time.perf_counter()
        count = sum(len(x) for x, y in loader)
        times[name].append(time.perf_counter() - start)
for name, seconds in times.items():
    print(f"{name:14} {count} samples in {1000 * min(seconds):5.0f} ms, the best of three")

# %% [markdown] id="whole-time-notice"
# Times differ from machine to machine, and a busy one can turn the order round; that is why the cell takes turns, and
# the best of three. `benchmarks/results/loader.md` compares more ways, with random changes and with workers. On the
# machine that tests this course, one worker made whole batches *slower*, since sending a batch from process to process
# cost more than preparing it. Workers pay where a sample takes long: large photographs, files to decode, slow disks.
# Measure before you add them.
#
# ## When some answers are rare
#
# Back to the order. What is in a batch of the recorded minute?

# %% id="counts"
counts = np.bincount(dataset.actions)  # how often each action occurs
shuffled = random_order(len(dataset), seed=0)
print("left, stay, right in the minute:   ", counts.tolist())
print("left, stay, right in the 1st batch:", np.bincount(dataset.actions[shuffled[:64]]).tolist())

# %% [markdown] id="counts-notice"
# The player mostly stays, so most of each batch says *stay*. Lesson 00 gave the rare answers a larger weight in the
# loss. The other way is to draw them more often: `WeightedRandomSampler` draws sample numbers with the probabilities
# that you give it, with replacement, that is, the same sample may come twice. If each sample has the weight 1 / (how
# often its action occurs), each action gets the same share.

# %% id="weighted"
weights = 1 / counts[dataset.actions]  # (N,), one a sample
generator = torch.Generator().manual_seed(0)
balanced = WeightedRandomSampler(weights, num_samples=len(dataset), generator=generator)
drawn = list(balanced)
print("samples drawn:", len(drawn))
print(f"different ones among them: {len(set(drawn)) / len(drawn):.0%}")

# %% id="weighted-plot"
fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True, layout="constrained")
for ax, order, title in zip(axes, [shuffled, drawn], ["shuffled", "balanced"], strict=True):
    actions = dataset.actions[order[: 25 * 64]].reshape(25, 64)
    below = np.zeros(25)
    for action, (name, colour) in enumerate({"left": "#0072B2", "stay": "#BBBBBB", "right": "#D55E00"}.items()):
        number = (actions == action).sum(axis=1)
        ax.bar(range(25), number, bottom=below, color=colour, label=name)
        below += number
    ax.set(title=title, xlabel="batch", ylabel="samples")
axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
fig.suptitle("Shuffled batches are mostly stay; balanced ones have a third of each")
plt.show()

# %% [markdown] id="weighted-notice"
# The price is in the second number printed above: an epoch of as many draws sees little more than half of the minute's
# samples, and the rare ones again and again. Which of the two is better, weights in the loss or in the sampler? We
# tried, see the league table below.
#
# ## A split that tells the truth
#
# The last decision about numbers is the most dangerous. Some samples are held back for validation, to see how well the
# network does on what it has not seen. The usual way is to choose them at random. To see what that does to a recording
# we need no network, only a player that has understood nothing: it keeps all training frames, looks for the one that is
# most like the new one, and does what was done then.

# %% id="memory"
minute = FrameDataset(data_path("catch_level1_night.npz"), size=32)
x, actions = minute[range(len(minute))]
looks = x.flatten(1)  # (3585, 6 * 32 * 32)


def most_alike(new, train):
    """For each row of `new`, the number of the training sample that is nearest to it."""
    return train[torch.cdist(new, looks[train]).argmin(dim=1)]


def share_right(answers, truth):
    """The share of right answers among the lefts, among the stays, among the rights; and the mean of the three."""
    right = answers == truth
    return np.mean([right[truth == action].float().mean() for action in range(3)])


always_stay = torch.ones_like(actions)
print(f"always stay: {(always_stay == actions).float().mean():.0%} of all frames right")
print(f"the mean over the three actions: {share_right(always_stay, actions):.0%}")

# %% [markdown] id="memory-intro"
# `cdist` gives the distance of every row of one tensor to every row of another, as if they were points. And since
# always saying *stay* is right on most frames, we do not count frames, but take the mean over the actions; then knowing
# nothing is a third. First the random split: a fifth of the samples validates.

# %% id="random-split"
order = torch.tensor(random_order(len(minute), seed=0))
valid, train = order[:717], order[717:]
found = most_alike(looks[valid], train)
print(f"validation, split at random: {share_right(actions[found], actions[valid]):.0%}")

# %% [markdown] id="random-split-notice"
# Not bad, without understanding anything. Will it hold? Three new games, recorded as in lesson 02, which takes a few
# seconds without a window.

# %% id="new-games"
folder, games = Path(tempfile.mkdtemp()), []
for seed in (2000, 2001, 2002):
    source = EnvSource(CatchEnv(max_ticks=3600), ScriptedPlayer(), seed=seed)
    record(source, None, folder / str(seed), seconds=60, fps=60, size=128, progress=False)
    game = FrameDataset(folder / str(seed), size=32)
    games.append(game[range(len(game))])  # (x, actions)

# %% id="new-games-score"
for x, truth in games:
    print(f"a new game: {share_right(actions[most_alike(x.flatten(1), train)], truth):.0%}")

# %% [markdown] id="new-games-notice"
# The validation promised more than the player keeps in any of them. Why? Look at what it found for some of the
# validation samples.

# %% id="neighbours"
fig, axes = plt.subplots(2, 5, figsize=(9, 3.9), layout="constrained")
for column, (i, j) in enumerate(zip(valid[:5].tolist(), found[:5].tolist(), strict=True)):
    for ax, number in zip(axes[:, column], (i, j), strict=True):
        ax.imshow(minute[number][0][3:].permute(1, 2, 0).numpy())
        ax.set(title=f"sample {number}", xticks=[], yticks=[])
axes[0, 0].set_ylabel("validation")
axes[1, 0].set_ylabel("most alike\nin training")
fig.suptitle("Split at random, a validation frame has its twin in training, one frame away")
plt.show()

# %% id="distance"
near = (found - valid).abs() <= 2
print(f"twins at most two frames away: {near.float().mean():.0%}")

# %% [markdown] id="distance-notice"
# A frame is a sixtieth of a second, in which hardly anything changes, and a random split puts a frame on one side and
# its neighbours on the other. (Why is the player not right on all of these? The answers flicker: the scripted player
# takes a step, waits, takes a step. Lesson 05 looks into that.) The proof: let it look among the same training frames,
# but not among those within a second of the one in question.

# %% id="forbid"
distances = torch.cdist(looks[valid], looks[train])
distances[(valid[:, None] - train).abs() <= 60] = torch.inf
found = train[distances.argmin(dim=1)]
print(f"the same split, without neighbours: {share_right(actions[found], actions[valid]):.0%}")

# %% [markdown] id="forbid-notice"
# That is what it really knows. So a recording is split **by time**: its last part validates, and a second in between is
# left out. `split_by_time` does that; what it returns are two `Subset`s, which know the numbers of their samples as
# `indices`.

# %% id="time-split"
train, valid = (torch.tensor(part.indices) for part in split_by_time(minute, valid=0.2, gap=60))
print("train:", train[0].item(), "to", train[-1].item(), " valid:", valid[0].item(), "to", valid[-1].item())
found = most_alike(looks[valid], train)
print(f"validation, split by time: {share_right(actions[found], actions[valid]):.0%}")

# %% [markdown] id="time-split-notice"
# Now the validation says about what a new game says, if anything a little less: this minute's last twelve seconds are
# one game among many.
#
# Does it happen to a network, too? `benchmarks/03_split.py` trained the network of lesson 00 on both splits, from five
# seeds each, without flipping or shifting, and had it answer five new minutes: after ten epochs, and after forty.

# %% id="network-split"
rows = [line.split(",") for line in data_path("split.csv").read_text().splitlines()[1:]]
print("split    epochs     training       validation      new games")
for epochs in ("10", "40"):
    for split in ("random", "by time"):
        figures = np.array([row[3:] for row in rows if row[:2] == [split, epochs]], float)  # (5 seeds, 3)
        columns = [f"{m:.0%} ± {s:.0%}" for m, s in zip(figures.mean(axis=0), figures.std(axis=0, ddof=1), strict=True)]
        print(f"{split:8} {epochs:>6}", *(f"{column:>14}" for column in columns))

# %% [markdown] id="network-split-notice"
# Means over five trainings, with the spread between them; 33 % is chance. After ten epochs the two splits hardly
# differ: the network has learned what to look for. After forty it knows its training frames by heart, 100 %, like our
# player that remembers, and now the random split promises five points more than the new games give. The split by time
# does not.
#
# The worst is the direction. From ten epochs to forty, the new games get worse, 67 to 65 %, and the random validation
# gets better, 68 to 70 %. Whoever chooses by it keeps the wrong network, and is pleased.

# %% [markdown] id="quiz-2"
# **A question in between.** A network is right on 97 % of validation frames chosen at random, and on 80 % of a
# recording of which it never saw a frame. How good will it be in the next game?
#
# * **a** Right about 97 %: more frames were measured.
# * **b** Right about 80 %.
# * **c** Somewhere between: take the mean.

# %% id="quiz-2-choices"
quiz("3.b")

# %% [markdown] id="exercises"
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 3.1 · Batches (easy, 5 minutes)
#
# Write `batches(indices, size, drop_last)`: cut the list `indices` into lists of `size`, in order, and return the list
# of them. If some are left over at the end, they form a shorter last batch, unless `drop_last` is true: then they are
# left out. For `[4, 2, 0, 1, 3]` and size 2 that is `[[4, 2], [0, 1], [3]]`, with `drop_last` it is `[[4, 2], [0, 1]]`.
# For no indices it is an empty list.


# %% id="ex-1-answer"
def batches(indices, size, drop_last):
    """A list of lists of sample numbers."""
    ### BEGIN SOLUTION
    whole = [indices[i : i + size] for i in range(0, len(indices), size)]
    return [batch for batch in whole if len(batch) == size or not drop_last]
    ### END SOLUTION


# %% id="ex-1-check"
check("3.1", batches)
# hint("3.1")

# %% [markdown] id="ex-1-why"
# Only the last batch can be shorter, so looking at every batch does no harm. Why would anybody drop samples? With batch
# normalisation (lesson 06) a batch of one sample is an error in training, and 3,585 = 56 × 64 + 1 has one.

# %% [markdown] id="ex-2"
# ### Exercise 3.2 · Collate what differs in size (medium, 12 minutes)
#
# Write `pad_collate(samples)`: `samples` is a list of pairs `(x, y)`, each x a float tensor (C, H, W) whose H and W may
# differ from sample to sample, each y an int. Return `(x, y)`: x of shape (B, C, H, W) with the largest H and the
# largest W that occur (C need not be 3), each picture in the upper left corner of its place and zeros around it; and y
# of shape (B,) and dtype int64.


# %% id="ex-2-answer"
def pad_collate(samples):
    """(x (B, C, H, W), y (B,))"""
    ### BEGIN SOLUTION
    height = max(x.shape[1] for x, _ in samples)
    width = max(x.shape[2] for x, _ in samples)
    batch = torch.zeros(len(samples), len(samples[0][0]), height, width)
    for place, (x, _) in zip(batch, samples, strict=True):
        place[:, : x.shape[1], : x.shape[2]] = x
    return batch, torch.tensor([y for _, y in samples])
    ### END SOLUTION


# %% id="ex-2-check"
check("3.2", pad_collate)
# hint("3.2")

# %% [markdown] id="ex-2-why"
# `place` is a view into `batch`: what is written to it stands in the batch. The largest height and the largest width
# may come from different pictures. `DataLoader(pictures, batch_size=2, collate_fn=pad_collate)` now works on the two
# pictures that failed above.

# %% [markdown] id="ex-3"
# ### Exercise 3.3 · A balanced sampler (medium, 12 minutes)
#
# `WeightedRandomSampler` balances on average; this one does it exactly. Write `balanced_order(labels)`: `labels` is a
# list of ints, one a sample. Return a list of sample numbers, in rounds. A round has one sample of each class that
# occurs, the class with the smallest label first. Within a class the samples come in their order; when a class has no
# more, it starts again with its first. There are as many rounds as the largest class has samples. For `[0, 1, 1, 1, 0]`
# it is `[0, 1, 4, 2, 0, 3]`: three rounds of two. For no labels it is an empty list.


# %% id="ex-3-answer"
def balanced_order(labels):
    """Sample numbers, one of each class in turn."""
    ### BEGIN SOLUTION
    classes = [[i for i, label in enumerate(labels) if label == wanted] for wanted in sorted(set(labels))]
    rounds = max(map(len, classes), default=0)
    return [samples[r % len(samples)] for r in range(rounds) for samples in classes]
    ### END SOLUTION


# %% id="ex-3-check"
check("3.3", balanced_order)
# hint("3.3")

# %% [markdown] id="ex-3-why"
# `r % len(samples)` is what starts a class again: in round 2 a class of two samples is back at its sample 0. To use it
# with a loader, shuffle within each class first, or every epoch is the same; then hand the list over as `sampler=`.

# %% [markdown] id="ex-4"
# ### Exercise 3.4 · Split by time (easy, 6 minutes)
#
# Write `split(count, valid, gap)`: of `count` samples in the order of time, numbered from 0, the last `valid` are for
# validation, the `gap` samples just before them are left out, and all earlier ones are for training. Return two lists
# of numbers, `(train, valid)`, both in order. `split(10, 3, 2)` is `([0, 1, 2, 3, 4], [7, 8, 9])`. If the gap reaches
# back to the start, nothing is left to train on: the first list is empty. `valid` can be 0, and is at most `count`.


# %% id="ex-4-answer"
def split(count, valid, gap):
    """(numbers to train on, numbers to validate on)"""
    ### BEGIN SOLUTION
    first = count - valid
    return list(range(first - gap)), list(range(first, count))
    ### END SOLUTION


# %% id="ex-4-check"
check("3.4", split)
# hint("3.4")

# %% [markdown] id="ex-4-why"
# `range` of a negative number is empty, so the last sentence of the task needs no line of its own. With several
# recordings, `split_by_time` does this for each of them.

# %% [markdown] id="ex-5"
# ### Exercise 3.5 · Stacks that stay in their segment (hard, 15 minutes)
#
# A sample of `FrameDataset` is a stack: the frame, and the one before it. But where something is missing in a recording
# (lesson 02: a new segment), the frame before is not the moment before. Write `stack_numbers(segments, depth)`:
# `segments` is a list with the segment of each frame, such as `[0, 0, 0, 1, 1]`; a segment's frames follow each other,
# and its number never comes back. Return a list with one entry for each frame: the numbers of the `depth` frames that
# end with it, oldest first. Where that would reach back into another segment, or before frame 0, repeat the first frame
# of the segment. With depth 2 the example is `[[0, 0], [0, 1], [1, 2], [3, 3], [3, 4]]`.


# %% id="ex-5-answer"
def stack_numbers(segments, depth):
    """For each frame, the numbers of the frames in its stack."""
    ### BEGIN SOLUTION
    stacks = []
    for i, segment in enumerate(segments):
        first = segments.index(segment)
        stacks.append([max(i - back, first) for back in range(depth - 1, -1, -1)])
    return stacks
    ### END SOLUTION


# %% id="ex-5-check"
check("3.5", stack_numbers)
# hint("3.5")

# %% [markdown] id="ex-5-why"
# `index` finds where the segment begins, and `max` keeps the stack from reaching further back. `index` searches from
# the start each time, which is slow for a long recording; `FrameDataset` does the same with NumPy in three lines, see
# `_samples` in `dlsteps/data/recordings.py`.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `stack expects each tensor to be equal size` | samples of different shapes in one batch | resize in the dataset, or a `collate_fn` that pads |
# | `Can't get attribute 'Frames'`, or the first batch never comes | workers cannot import a class from a notebook | put it into a `.py` file, or `num_workers=0` |
# | `An attempt has been made to start a new process before …` | a script without a main guard | training under `if __name__ == "__main__":` |
# | `sampler option is mutually exclusive with shuffle` | two ways to say the order | leave `shuffle` out |
# | augmented pictures repeat | random numbers from a generator made in `__init__` | draw from torch |
# | each sample comes twice | a stream with two workers | share it out by `get_worker_info()` |
# | workers make it slower | samples too cheap to be worth sending | whole batches, `num_workers=0` |
# | validation far better than the game | neighbouring frames on both sides | split by time |
#
# ## Summary
#
# * A sampler gives numbers, a batch sampler lists of them, a dataset samples, a collate function a batch; the loader
#   calls them in turn.
# * Workers fetch whole batches, in turn, and import what they need; random numbers come from torch.
# * Rare answers: weigh them in the loss, or draw them more often.
# * Frames of a recording are no independent samples: split by time.

# %% [markdown] id="league-intro"
# ## The league table
#
# The agent of lesson 00 once more, trained from five seeds, now with balanced batches in place of weights in the loss
# (`benchmarks/league.py`).

# %% id="league"
league("03")

# %% [markdown] id="next"
# The same frames, network and number of steps, and all five agents play as well as the scripted player, or nearly. Why
# is that better than weights, if both give each action the same say? We can only guess: with weights, the first batch
# above would have had seven *rights* speak for a third of the answers; a balanced batch has twenty or so.
#
# **Next:** 04 · Transforms, where one recording becomes many.
