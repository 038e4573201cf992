# %% [markdown] id="title"
# # 00 · Start here
#
# **How far do fifteen lines get you?**
#
# You will be able to
#
# * train a network that plays a small game by looking at its picture;
# * say what each of those lines is for;
# * find your way through the course, check your own answers, and see what you have done.
#
# *15 minutes to read, half an hour with the exercises, 30 seconds to run. You need Python; nothing else.*

# %% id="imports" tags=["setup"]
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from dlsteps.agents.imitation import Agent, flip_half, shift_sideways
from dlsteps.data import FrameDataset, data_path
from dlsteps.exercises import check, hint, progress, quiz
from dlsteps.game import LEFT, RIGHT, STAY, Catch, RandomPlayer, ScriptedPlayer, score
from dlsteps.league import league
from dlsteps.models import ConvNet

# %% [markdown] id="how-to-run"
# This page is a notebook: text, and cells with code that you can run. Click on a cell and press **Shift + Enter**; it
# runs, shows what it printed below, and the next one is selected. While `[*]` stands beside a cell, it is still at
# work. The cell above imported what this page needs; `dlsteps` is the package that comes with the course, and in later
# lessons you will write the heart of it yourself. Every cell builds on the ones before it, so go from top to bottom.
# What you see printed is from our run; yours replaces it.
#
# ## The game
#
# Balls fall, a paddle catches them. At level 1 there is one ball in the air, at level 3 there are two, and two stones
# that the paddle had better not touch. Here is level 3 in the game's three themes, each at the same moment of the same
# game. (`seed` decides what falls, when and where: the same seed, the same game.)

# %% id="game"
fig, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for ax, theme in zip(axes, ["night", "day", "paper"], strict=True):
    game = Catch(seed=3, level=3, theme=theme)
    for _ in range(45):
        game.step(game.expert())
    ax.imshow(game.frame())
    ax.set(title=theme, xticks=[], yticks=[])
fig.suptitle("Catch at level 3: two balls to catch, two stones to dodge")
plt.show()

# %% [markdown] id="action-intro"
# Sixty times a second (each time is a **tick**) the game takes one of three actions: `LEFT`, `STAY` or `RIGHT`. To
# Python these are the numbers 0, 1 and 2. It answers with a **reward**: +1 for a ball caught, -1 for a ball missed or a
# stone touched, 0 when nothing has landed. Let us leave the paddle where it is and wait for the first ball.

# %% id="action"
game = Catch(seed=3)
reward = 0
while reward == 0:
    reward = game.step(STAY)
print("ticks until the first ball landed:", game.tick)
print("reward:", reward)

# %% [markdown] id="action-notice"
# Missed. So a player has to move. How well a player does is what we call its **score**: 0 is as good as pressing keys
# at random, 1 as good as a scripted player that reads the position of the ball straight from the game's memory.

# %% id="score"
print("random player:  ", score(RandomPlayer(), level=1, seeds=range(3)))
print("scripted player:", score(ScriptedPlayer(), level=1, seeds=range(3)))

# %% [markdown] id="score-notice"
# Each played three games of 30 seconds. Before the ± is their mean, after it their spread, that is how far the three
# lie apart. (The random player is not exactly at 0: the scale was set with a hundred games.) Our network may not look
# into the game's memory. It gets what you would get, the picture. Where between 0 and 1 will it end up?
#
# ## The data
#
# Nobody will write down rules for it. It learns from examples: pictures, each with the action that a good player took
# when it was on the screen. We recorded a minute of the scripted player from the game's window. (You make a recording
# of your own in lesson 02.)

# %% id="episode"
dataset = FrameDataset(data_path("catch_level1_night.npz"))
x, y = dataset[100]
print("samples:", len(dataset))
print("x, what the network sees:", tuple(x.shape), x.dtype)
print("y, what it should answer:", y.item())

# %% [markdown] id="episode-notice"
# `x` is a **tensor**, a block of numbers, here with 6 × 64 × 64 of them. Why six? A picture has three channels, red,
# green and blue, and one sample holds two pictures that follow each other: from one alone you cannot tell which way a
# ball is moving. `y` is the action, as a number, and is called the **label** of `x`. Here are six samples, the newer
# picture of each, with its action.

# %% id="samples"
names = {LEFT: "left", STAY: "stay", RIGHT: "right"}
fig, axes = plt.subplots(1, 6, figsize=(9, 1.9), layout="constrained")
for ax, i in zip(axes, range(108, 439, 66), strict=True):
    x, y = dataset[i]
    ax.imshow(x[3:].permute(1, 2, 0).numpy())  # (3, H, W) to (H, W, 3), which matplotlib wants
    ax.set(title=names[y.item()], xticks=[], yticks=[])
fig.suptitle("What the network sees, and what it should answer")
plt.show()

# %% [markdown] id="balance-intro"
# One more look before we train. How often is each action the answer?

# %% id="balance"
counts = torch.bincount(torch.tensor(dataset.actions))
weight = len(dataset) / (3 * counts)
print("left, stay, right:", counts.tolist())
print("weight of each:   ", [round(w, 2) for w in weight.tolist()])

# %% [markdown] id="balance-notice"
# `bincount` counted: mostly *stay*. A network that always answered *stay* would be right more often than not, and catch
# hardly anything. So each of the three actions will count by its `weight`: the rarer it is, the more. (If all were
# equally frequent, the weights would be 1.) Looking at data before training finds such things; lesson 05 does nothing
# else.
#
# ## Fifteen lines
#
# Now all of it: a network, its training, and three games. Run the cell. It takes about twenty seconds; we go through it
# line by line meanwhile.

# %% id="train" tags=["nbval-ignore-output"]
torch.manual_seed(0)
loader = DataLoader(dataset, batch_size=64, shuffle=True)
model = ConvNet(in_channels=6, num_actions=3)
optimizer = torch.optim.AdamW(model.parameters())
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=10 * len(loader))
for epoch in range(10):
    for x, y in loader:
        x, y = flip_half(x, y, torch.tensor([RIGHT, STAY, LEFT]))
        x = shift_sideways(x, pixels=8)
        loss = F.cross_entropy(model(x), y, weight=weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
print(first := score(Agent(model), level=1, seeds=range(3)))

# %% [markdown] id="lines"
# | line | what it does |
# |---|---|
# | `torch.manual_seed(0)` | makes chance repeatable: a network begins with random numbers |
# | `DataLoader(…)` | hands out the samples in random order, 64 at a time; such a portion is a **batch** |
# | `ConvNet(…)` | the network, or **model**: 6 channels in, 3 numbers out, one for each action |
# | `AdamW(…)` | the **optimizer**, which will change the network's numbers |
# | `OneCycleLR(…)` | says how much: the **learning rate** begins small, rises to 0.003, and falls to almost 0 |
# | `for epoch in range(10)` | go through all samples ten times; each time is an **epoch** |
# | `for x, y in loader` | batch by batch; now `x` holds 64 samples and `y` their 64 actions |
# | `flip_half(…)` | mirror half of the pictures; in a mirror *left* is *right*, so the actions change too |
# | `shift_sideways(…)` | move each picture a little: what to do stays the same, and one minute gives more examples |
# | `F.cross_entropy(…)` | the **loss**: one number for how wrong the answers are, 0 when all are right and certain; `weight` makes rare actions count more |
# | `optimizer.zero_grad()` | clear what the last batch left behind (the next row says what) |
# | `loss.backward()` | find out, for every number in the network, in which direction it would lower the loss |
# | `optimizer.step()` | go a small step in that direction |
# | `scheduler.step()` | set the learning rate for the next step |
# | `score(Agent(model), …)` | let it play three games that it has never seen: picture in, most likely action out; a network that plays is an **agent** |
#
# From `cross_entropy` to `optimizer.step` these lines are the same in almost every deep-learning program that you will
# read. The rest of the course is about everything around them.
#
# And the score? (`first :=` keeps it under that name while it is printed.) Yours may be a little different from ours:
# processors add up numbers in different orders, and in training such small differences can grow. (More of that in
# lesson 01.) What holds on every machine is this:

# %% id="train-holds"
print("much better than random play:", first.mean > 0.5)

# %% [markdown] id="strip-intro"
# ## Watch it play
#
# A number is good, seeing is better. Here your agent plays a game that was not in the recording.


# %% id="strip"
def play_strip(player, game, start, every, title):
    """Let `player` play, and show six pictures, one `every` so many ticks from tick `start`."""
    fig, axes = plt.subplots(1, 6, figsize=(9, 1.9), layout="constrained")
    for ax, tick in zip(axes, range(start, start + 6 * every, every), strict=True):
        while game.tick < tick:
            game.step(player(game.frame()))
        ax.imshow(game.frame())
        ax.set(title=f"{game.tick / 60:.1f} s", xticks=[], yticks=[])
    fig.suptitle(title)
    plt.show()


title = "Your agent, which watched one minute of level 1"
play_strip(Agent(model), Catch(seed=5), start=6, every=10, title=title)

# %% [markdown] id="strip-notice"
# Compare the first picture and the last: the paddle has gone to meet the ball. Nobody told the network what a ball is,
# or a paddle. It got 6 × 64 × 64 numbers and found in them what decides.
#
# Now the same agent at level 3. It has never seen two balls at once, nor a stone.

# %% id="level3" tags=["nbval-ignore-output"]
print(third := score(Agent(model), level=3, seeds=range(3)))

# %% id="level3-holds"
print("as good as at level 1:", third.mean > first.mean)

# %% [markdown] id="level3-notice"
# A network is good at what it was shown, and this one was shown a single ball. Next, one that was shown what it has to
# play: twelve minutes of level 3 instead of one of level 1, but the same network, trained in the same way. Training it
# takes ten minutes, so `benchmarks/00_later_agent.py` did it beforehand and kept the keys that it pressed in one game.
# Seed and keys decide everything in a game, so we can replay it.

# %% id="later"
keys = [int(line) for line in data_path("later_agent.csv").read_text().split()[1:]]
pressed = iter(keys)
print(f"score: {score(lambda frame: next(pressed), level=3, seeds=[0]).mean:.2f}")

game = Catch(seed=0, level=3)
for key in keys:
    game.step(key)
print("caught", game.caught, "missed", game.missed, "stones touched", game.hit)

# %% id="later-strip"
pressed = iter(keys)
title = "A later agent, which watched twelve minutes of level 3"
play_strip(lambda frame: next(pressed), Catch(seed=0, level=3), start=60, every=14, title=title)

# %% [markdown] id="quiz-1"
# **A question in between.** Why did your agent do so much worse at level 3 than this one?
#
# * **a** This one has a larger network.
# * **b** Yours was never shown what it had to do there.
# * **c** Yours was trained for too short a time on its minute.
#
# (Each button says why. So does the page of solutions, for readers without a kernel.)

# %% id="quiz-1-choices"
quiz("0.a")

# %% [markdown] id="map"
# So this agent was a little better in this game than the scripted player is on average: it missed two balls of 48,
# though it still touched nine stones. Getting from the first strip to the second, and on to an agent that plays in a
# real window, against you, is what this course is about.
#
# ## The map
#
# Every deep-learning project takes the same steps, and so do the lessons. The middle column says what each of them was
# on this page.
#
# | step | here, it was | lessons |
# |---|---|---|
# | collect | `catch_level1_night.npz`, recorded before | 01 environment, 02 from screen to data |
# | prepare | `DataLoader`, `flip_half`, `shift_sideways` | 03 datasets, 04 transforms |
# | visualise | six samples, and the count of actions | 05 visualising data |
# | build | `ConvNet` | 06 building models, 07 pretrained models |
# | train | the loop | 08 training |
# | check | three games, no more | 09 the clinic, 10 watching, 11 early stopping |
# | keep | nothing was saved | 12 saving and loading |
# | tune | 0.003, 64, 10: guessed | 13 searching, 14 searching smarter |
# | ensemble | one network | 15 ensembles |
# | speed up | twenty seconds was short enough | 16 performance |
# | play | without a window | 17 play live |
#
# Go in order the first time. Each lesson says at its head what it needs, and ends with a table of common mistakes, so
# that you can also come back for just one thing.
#
# ## A first error
#
# You will see many errors in this course, some on purpose. Here is the commonest of all. The network was built for six
# channels; we hand it a picture with three. Run the cell and read **the last line**, always first.

# %% id="shape-error" tags=["raises-exception"]
x, y = dataset[100]
model(x[3:][None])  # (1, 3, 64, 64)

# %% [markdown] id="shape-error-notice"
# `expected input[1, 3, 64, 64] to have 6 channels, but got 3 channels instead`. Of all that is above that line, the
# first arrow points at your own code; the rest is the way from there to the error, through files that are not yours. An
# error about shapes says what was expected and what came. Print `x.shape` just before, and you usually see it at once.
# (`[None]` puts a 1 in front: a network wants batches, here one of a single sample.)
#
# ## Exercises
#
# An exercise is a function with a hole. Replace `raise NotImplementedError` by your lines, run the cell, then the cell
# with `check` below it. `○` means not attempted yet, `✓` right, `✗` wrong, with the smallest example that shows why. If
# you are stuck, take away the `#` before `hint` and run the cell again: it helps three times, each time with more. The
# solutions are in the folder `solutions`.

# %% [markdown] id="ex-1"
# ### Exercise 0.1 · How many steps? (easy, 3 minutes)
#
# Each batch makes the optimizer go one step. Write `count_steps(samples, batch_size, epochs)`: the number of steps in a
# training. If the samples do not fill the last batch of an epoch, that batch is smaller, but it counts. An example:
# `count_steps(100, 10, 3)` is `30`.


# %% id="ex-1-answer"
def count_steps(samples, batch_size, epochs):
    """How many steps the optimizer goes."""
    ### BEGIN SOLUTION
    batches = -(-samples // batch_size)  # rounded up
    return batches * epochs
    ### END SOLUTION


# %% id="ex-1-check"
check("0.1", count_steps)
# hint("0.1")

# %% [markdown] id="ex-1-why"
# `//` rounds down, towards minus infinity; with a minus before and after it rounds up, without a detour through
# fractions. `math.ceil(samples / batch_size)` does as well. In the lesson, `len(loader)` knew the number.

# %% [markdown] id="ex-2"
# ### Exercise 0.2 · Be the scripted player (medium, 10 minutes)
#
# Before training a network, find out how well plain rules do; else you will not know what your network is worth. Write
# `follow(ball_x, paddle_x)`. It is called sixty times a second, and returns `LEFT`, `STAY` or `RIGHT`. The two numbers
# say how far the middle of the ball and the middle of the paddle are from the left edge of the game's picture, which is
# 256 pixels wide. The paddle is 52 pixels wide and moves 6 at a time; where a step would carry it away from the ball,
# it has to stay. There is always a ball. The check lets `follow` play three games at level 1; a score above 0.9 is
# right.


# %% id="ex-2-answer"
def follow(ball_x, paddle_x):
    """LEFT, STAY or RIGHT."""
    ### BEGIN SOLUTION
    if abs(ball_x - paddle_x) < 6:
        return STAY
    return RIGHT if ball_x > paddle_x else LEFT
    ### END SOLUTION


# %% id="ex-2-check"
check("0.2", follow)
# hint("0.2")

# %% [markdown] id="ex-2-why"
# Run to where the ball is, and stay when a step would carry you past it. This is the scripted player of level 1, and
# the teacher of our network. It has an advantage that no network has: it is told where the ball is.

# %% [markdown] id="progress-intro"
# What have you solved so far, in all the lessons there are?

# %% id="progress" tags=["nbval-ignore-output"]
progress()

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `NameError: name 'dataset' is not defined` | a cell above has not been run since the notebook was opened | menu *Run › Run All Above Selected Cell* |
# | `[*]` does not go away | the cell is still running, or waits for the one before | wait; *Kernel › Interrupt* stops it |
# | results that you cannot explain | cells were run in another order than they stand | *Kernel › Restart Kernel and Run All Cells* |
# | `expected input[…] to have 6 channels` | the shape is not what the network was built for | print `x.shape`; compare with the model |
# | `NotImplementedError` | you called an exercise whose hole is still there | write your lines in its place |
#
# ## Summary
#
# * Fifteen lines and a minute of examples get you close to the scripted player at level 1, and not far at level 3.
# * The network learned to play from pictures and keys: nobody wrote down rules.
# * The core of training is four lines: loss, `zero_grad`, `backward`, `step`.
# * A score needs a scale. Ours: 0 is random play, 1 the scripted player; and always several games, with their spread.
# * It plays what it was shown. What to show it, and how to find out what it lacks, is most of the work.

# %% [markdown] id="league-intro"
# ## The league table
#
# Each lesson ends with what its step did to the agent's score. The first row is today's: trained five times, each time
# from another seed, and here the ± is the spread between the five. *Labels right* says how many of the recorded labels
# are what the player really did; that will matter in lesson 02.

# %% id="league"
league("00")

# %% [markdown] id="next"
# **Next:** [01 · Environment](01_environment.ipynb), where you find out what your machine can do, and what it can
# promise.
