# %% [markdown] id="title"
# # 05 · Visualising data
#
# **What would you have seen if you had looked?**
#
# You will be able to
#
# * lay out pictures so that they show the data, and not what the drawing made of it;
# * run through any data set with five looks that find most of what is wrong with it;
# * find wrong labels among thousands in a few minutes.
#
# *25 minutes to read, an hour with the exercises, 25 seconds to run. You need lessons 00 to 03.*

# %% id="imports" tags=["setup"]
import matplotlib.cbook as cbook
import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import IntSlider, Play, VBox, interactive_output, jslink
from matplotlib.patches import Circle
from sklearn.manifold import TSNE

from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path, load_digits5k, load_fashion_mnist
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league

# %% [markdown] id="why"
# You have trained on the same minute of frames since lesson 00, and seen perhaps twenty of its 3,585. Something is
# wrong with that minute; it was there all the time. We will find it in this lesson, but first we need the tools to look
# with.
#
# ## A picture of numbers
#
# `imshow` draws an array as a picture. What does it do when the picture is larger than the array? Here are 25 random
# numbers, drawn in three ways.

# %% id="interpolation"
A = np.random.default_rng(0).random((5, 5))
fig, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
for ax, how in zip(axes, ["nearest", "bilinear", "bicubic"], strict=True):
    ax.imshow(A, interpolation=how)
    ax.set(title=how, xticks=range(5), yticks=range(5))
fig.suptitle("The same 25 numbers")
plt.show()

# %% [markdown] id="interpolation-notice"
# Only the first shows what there is. *Bilinear* invents slopes between the numbers, and *bicubic* flattens them: the
# two dark cells in row 2 have faded. That makes photographs pleasant and data untrue. Left alone, `imshow` chooses for
# itself, and may smooth. From here on it shall not:

# %% id="nearest"
plt.rcParams["image.interpolation"] = "nearest"

# %% [markdown] id="several-intro"
# (One more trap: `ax.grid(True)` draws its lines through the *middles* of the cells, since that is where the numbers 0,
# 1, 2 are.)
#
# ## Several pictures at once
#
# `plt.subplots(rows, columns)` gives a figure and an array of axes, one for each place:

# %% id="subplots"
fig, axes = plt.subplots(2, 3)
print("axes:", axes.shape)
print("one row only:", plt.subplots(1, 3)[1].shape)
print("a single one:", type(plt.subplots()[1]).__name__)
plt.close("all")

# %% [markdown] id="subplots-notice"
# Two rows give a 2-D array, one row a 1-D array, a single place no array at all. That is handy until your code gets its
# number of rows from somewhere. Here it gets 1, and the error is on purpose:

# %% id="squeezed" tags=["raises-exception"]
rows = 1
fig, axes = plt.subplots(rows, 3)
plt.close()
axes[0, 2].imshow(A)

# %% [markdown] id="squeezed-notice"
# `plt.subplots(rows, 3, squeeze=False)` gives a 2-D array always, and `axes.flat` goes through all places in any case.
#
# Where the places are is told by six numbers: `fig.subplots_adjust(left=…, right=…, …)`. They are easier drawn than
# said:


# %% id="anatomy"
left, right, bottom, top, wspace, hspace = 0.2, 0.85, 0.2, 0.85, 0.5, 0.6
fig, axes = plt.subplots(2, 2, figsize=(7, 4.6), facecolor="#EEEEEE")
fig.subplots_adjust(left, bottom, right, top, wspace, hspace)
(a, b), (c, _) = [[ax.get_position() for ax in row] for row in axes]  # boxes, in shares of the figure
canvas = fig.add_axes((0, 0, 1, 1))  # one more plot, over everything, to draw the arrows on
canvas.axis("off")
for start, end, text, colour in [
    ((0, 0.68), (left, 0.68), f"left={left}", "#0072B2"),
    ((0, 0.04), (right, 0.04), f"right={right}", "#0072B2"),
    ((0.1, 0), (0.1, bottom), f"bottom={bottom}", "#D55E00"),
    ((0.93, 0), (0.93, top), f"top={top}", "#D55E00"),
    ((a.x1, 0.75), (b.x0, 0.75), f"wspace={wspace}", "#009E73"),
    ((0.34, c.y1), (0.34, a.y0), f"hspace={hspace}", "#009E73"),
]:
    ends = {"arrowstyle": "<->", "color": colour, "shrinkA": 0, "shrinkB": 0, "linewidth": 2}
    canvas.annotate("", end, start, arrowprops=ends)
    middle, beside = (np.array(start) + end) / 2, start[0] == end[0]  # of a vertical arrow
    canvas.text(
        *middle,
        f" {text} \n" if not beside else f"  {text}",
        color=colour,
        fontsize=9,
        ha="left" if beside else "center",
        va="center",
    )
fig.suptitle("left, right, bottom, top: shares of the figure. wspace, hspace: shares of one plot", fontsize=10)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown] id="anatomy-notice"
# `right` and `top` count from the left and the bottom edge, like the other two: `right=0.85` leaves 0.15 free.
# `wspace=0.5` is a gap of half a plot's width. You will rarely set them by hand: `layout="constrained"`, as everywhere
# in this course, finds values at which no label touches another.
#
# To point at a part of a picture, or to cut it out, there are **patches**:

# %% id="portrait"
with cbook.get_sample_data("grace_hopper.jpg") as file:
    portrait = plt.imread(file)
fig, (whole, clipped) = plt.subplots(1, 2, figsize=(6, 3.4), layout="constrained")
whole.imshow(portrait)
whole.set_title("a circle on it")
whole.add_patch(Circle((260, 200), radius=200, fill=False, color="#F0E442", linewidth=3))
picture = clipped.imshow(portrait)
picture.set_clip_path(Circle((260, 200), radius=200, transform=clipped.transData))
clipped.set_title("clipped by it")
clipped.axis("off")
plt.show()

# %% [markdown] id="portrait-notice"
# Rear Admiral Grace Hopper, who led the making of the first compilers. `transform=clipped.transData` says that 260, 200
# and 200 are meant in pixels of the picture (not of the screen). The picture itself is whole; only what is drawn is
# clipped.
#
# ## Five looks
#
# Now the minute. Five questions find most of what is wrong with a data set:
#
# 1. How often is each answer?
# 2. In which order do they come?
# 3. What are the extremes?
# 4. What does the average look like?
# 5. What do you see if you go through it?
#
# The first costs one line, and you did it in lesson 00. The second:

# %% id="timeline"
episode = load_recording(data_path("catch_level1_night.npz"))
COLOURS = np.array(["#0072B2", "#BBBBBB", "#D55E00"])  # left, stay, right
fig, ax = plt.subplots(figsize=(9, 1.3), layout="constrained")
ax.bar(range(300, 420), 1, width=1, color=COLOURS[episode.actions[300:420]])
ax.set(
    yticks=[], xlim=(299.5, 419.5), xlabel="frame", title="Two seconds of answers: left blue, stay grey, right orange"
)
plt.show()
changes = (np.diff(episode.actions) != 0).mean()
print(f"frames whose answer differs from the one before: {changes:.0%}")

# %% [markdown] id="timeline-notice"
# The answers flicker. Here are two frames in a row.

# %% id="alike"
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8), layout="constrained")
for ax, i in zip(axes, (370, 371), strict=True):
    ax.imshow(episode.frames[i])
    ax.set(title=f"frame {i}: {['left', 'stay', 'right'][episode.actions[i]]}", xticks=[], yticks=[])
plt.show()

# %% [markdown] id="alike-notice"
# Can you tell why the answer to one is *stay* and to the other *right*? The paddle moves six pixels a tick, the ball
# drifts at most two and a half. So the player takes a step, then waits until the ball has drifted six pixels on, then
# takes the next. When exactly is decided by a pixel. No network can get all of these right, and now you know why the
# accuracies of lesson 03 stayed where they were. It does not matter for the game: a step now or a tick later catches
# the same ball. **Know what your labels can promise before you chase the last percent.**
#
# The third look, the extremes: sort the samples by anything that is a number, and look at both ends. Here by
# brightness.

# %% id="extremes"
brightness = episode.frames.mean(axis=(1, 2, 3))  # (3585,)
order = brightness.argsort(kind="stable")
fig, axes = plt.subplots(1, 6, figsize=(9, 1.9), layout="constrained")
for ax, i in zip(axes, [*order[:3], *order[-3:]], strict=True):
    ax.imshow(episode.frames[i])
    ax.set(title=f"frame {i}", xlabel=f"brightness {brightness[i]:.0f}", xticks=[], yticks=[])
fig.suptitle("The three darkest frames, and the three brightest")
plt.show()

# %% [markdown] id="extremes-notice"
# The bright end is as it should be: nothing to see. The dark end is not. Frame 0 is black. Is that an accident?

# %% id="black"
for name in ("level1_night", "level1_day", "level3_night"):
    other = load_recording(data_path(f"catch_{name}.npz"))
    dark = np.flatnonzero(other.frames.max(axis=(1, 2, 3)) == 0)
    print(f"{name:13} black frames: {dark.tolist()}  time to the next frame: {other.times[1] - other.times[0]:.2f} s")

# %% [markdown] id="black-notice"
# All three recordings of Catch begin with it. The window was open, and captured, before the game had drawn its first
# picture. Lesson 02 left open where the one long gap of the minute was, 0.28 s: here. (Its recorder refuses a whole
# second of black; this lasted less.) We did not plant that. We found it when we wrote this lesson, and have left it in.
# One frame of 3,585 does no harm, but it has a label, *stay*, it has been trained on in every lesson, and nobody knew.
# In your recordings it may be a loading screen, a pause menu, the desktop.
#
# The fourth look, the average: the mean picture of all frames with the same answer shows what they have in common; the
# difference of two, what tells them apart.

# %% id="means"
means = np.stack([episode.frames[episode.actions == action].mean(axis=0) for action in range(3)])  # (3, H, W, 3)
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
for ax, mean, title in zip(axes, means, ["left", "stay", "right"], strict=False):
    ax.imshow(mean.astype(np.uint8))
    ax.set(title=title, xticks=[], yticks=[])
difference = (means[2] - means[0]).mean(axis=2)  # (H, W)
image = axes[3].imshow(difference, cmap="RdBu_r", vmin=-25, vmax=25)
axes[3].set(title="right minus left", xticks=[], yticks=[])
fig.colorbar(image, ax=axes[3], label="brightness")
fig.suptitle("The mean frame of each answer, and where right differs from left")
plt.show()

# %% [markdown] id="means-notice"
# In the first three pictures the ball is smeared out to nothing, since it is everywhere, and so is the score on the
# left. The fourth is worth a long look. Faintly, on the left and the right: where the ball was. And strongly, at the
# bottom: where the paddle was. But the wrong way round! Where *right* is the answer, the paddle is on the *right*, at
# the wall. Should it not be far from there, with a way to go? We count the frames in which the pixel just inside the
# right wall, at the paddle's height, is bright.

# %% id="wall"
at_wall = episode.frames[:, 116, 125, 0] > 150  # (3585,): row, column, red
print("left, stay, right, all frames:        ", np.bincount(episode.actions).tolist())
print("left, stay, right, paddle at the wall:", np.bincount(episode.actions[at_wall]).tolist())

# %% id="wall-frame"
pushing = np.flatnonzero(at_wall & (episode.actions == 2))
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
for ax, i in zip(axes, pushing[:: len(pushing) // 4], strict=False):
    ax.imshow(episode.frames[i])
    ax.set(title=f"frame {i}: right", xticks=[], yticks=[])
fig.suptitle("At the wall, and still pushing")
plt.show()

# %% [markdown] id="wall-notice"
# A quarter of all *rights* are pushed against the wall: the ball is so far out that the paddle's middle cannot get
# below it, and the scripted player keeps trying. That does the game no harm. But at the wall, more than half of the
# answers are *right*, elsewhere a sixth, so a network may learn "paddle at the wall: push" and be rewarded for it in
# training, with nothing gained for catching. We would not have guessed that. The mean picture showed it. (Twins, equal
# frames, are the other thing to look for here:)

# %% id="twins"
seen = {frame.tobytes() for frame in episode.frames}
print("frames:", len(episode.frames), " different ones:", len(seen))

# %% [markdown] id="twins-notice"
# No two are equal, byte for byte: the recorder leaves out repetitions. *Nearly* equal are many, as lesson 03 showed. In
# data from the web, exact twins are common, and worst if one is in training and its twin in validation.
#
# The fifth look is the oldest: go through it. Drag the slider, or press ▶ and watch. (Click on the slider, and the
# arrow keys step frame by frame.)


# %% id="browser"
def browse(frame):
    """One frame of the episode with the keys that were held, and the answers around it."""
    fig, (picture, time) = plt.subplots(1, 2, figsize=(9, 3), width_ratios=[1, 2], layout="constrained")
    picture.imshow(episode.frames[frame])
    picture.set(title=f"frame {frame}, {episode.times[frame]:.2f} s", xticks=[], yticks=[])
    first, last = max(frame - 45, 0), min(frame + 46, len(episode.frames))
    time.bar(range(first, last), 1, width=1, color=COLOURS[episode.actions[first:last]])
    time.axvline(frame, color="black")
    keys = episode.keys[frame] or "none"
    time.set(yticks=[], xlim=(frame - 45, frame + 45), ylim=(0, 1), xlabel="frame", title=f"keys held: {keys}")
    plt.show()


browse(370)

# %% id="browser-widget" tags=["nbval-ignore-output"]
slider = IntSlider(370, min=0, max=len(episode.frames) - 1, description="frame")
play = Play(370, min=0, max=len(episode.frames) - 1, interval=200)
_ = jslink((play, "value"), (slider, "value"))
VBox([play, slider, interactive_output(browse, {"frame": slider})])

# %% [markdown] id="labels-intro"
# ## Wrong labels
#
# A network believes what you tell it. So does the accuracy: when a label is wrong, the network that gets the picture
# right is marked wrong. How do you find a handful of wrong labels among thousands? Not by going through all of them.
#
# The course's second data set is good for trying: 5,000 handwritten digits. We spoil 50 labels, and then look for them
# as if we did not know which.

# %% id="spoil"
images, labels = load_digits5k()  # (5000, 1, 28, 28) uint8, (5000,)
generator = torch.Generator().manual_seed(0)
spoiled = torch.randperm(5000, generator=generator)[:50]
given = labels.clone()
given[spoiled] = (labels[spoiled] + torch.randint(1, 10, (50,), generator=generator)) % 10  # any other digit
print("labels:", len(given), " wrong:", (given != labels).sum().item())

# %% [markdown] id="suspicion-intro"
# The idea: pictures that look alike should have the same label. For each picture, take the ten others that are nearest
# to it, pixel by pixel, and count how many of them have its label. Few is suspicious. (`topk` with `largest=False`
# gives the smallest of each row, and `indices` where they are.)

# %% id="suspicion"
points = images.flatten(1).float()  # (5000, 784)
distances = torch.cdist(points, points).fill_diagonal_(torch.inf)  # a picture is not its own neighbour
neighbours = distances.topk(10, largest=False).indices  # (5000, 10)


def suspicious_first(given, generator):
    """Numbers of all pictures: those with the fewest agreeing neighbours first, equal ones in random order."""
    agreeing = (given[neighbours] == given[:, None]).sum(dim=1)  # (N,), 0 … 10
    mixed = torch.randperm(len(given), generator=generator)
    return mixed[agreeing[mixed].argsort(stable=True)]


suspects = suspicious_first(given, generator)
print("wrong labels among the first 100:", torch.isin(suspects[:100], spoiled).sum().item(), "of 50")

# %% id="suspicion-plot"
fig, axes = plt.subplots(2, 8, figsize=(9, 2.9), layout="constrained")
for ax, i in zip(axes.flat, suspects, strict=False):
    ax.imshow(images[i, 0].numpy(), cmap="gray")
    common = given[neighbours[i]].mode().values  # the most frequent label among the ten
    ax.set_title(f"{given[i]}, or {common}?", color="#D55E00" if i in spoiled else "black", fontsize=10)
    ax.set(xticks=[], yticks=[])
fig.suptitle("The first suspects: given label, or the neighbours'? (orange: spoiled by us)")
plt.show()

# %% [markdown] id="suspicion-notice"
# A hundred pictures looked at, out of 5,000, and 48 of the 50 are found. Orange titles are ours. The others are
# suspects, too, with the label that came with the data: a 9 that is nearly a 0, a 4 as thin as a 1, a 5 that you might
# not have called one. About half of what comes up is of this kind, right but unusual, or not so right, decide for
# yourself.
#
# Were the 48 luck? Ten times, each time another 50, and beside it the baseline, to look in random order.

# %% id="search-curve"
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
counts = []
for seed in range(10):
    generator = torch.Generator().manual_seed(seed)
    wrong = torch.randperm(5000, generator=generator)[:50]
    given = labels.clone()
    given[wrong] = (labels[wrong] + torch.randint(1, 10, (50,), generator=generator)) % 10
    orders = [suspicious_first(given, generator), torch.randperm(5000, generator=generator)]
    curves = [torch.isin(order, wrong).cumsum(dim=0).numpy() for order in orders]  # found after 1, 2, 3 … pictures
    counts.append([int(curve[99]) for curve in curves])
    for curve, colour, name in zip(curves, ["#0072B2", "#999999"], ["suspicious first", "random order"], strict=True):
        ax.plot(curve[:300], color=colour, alpha=0.6, label=name if seed == 0 else None)
ax.set(xlabel="pictures looked at", ylabel="wrong labels found, of 50", title="Ten times 50 wrong labels among 5,000")
ax.legend()
plt.show()

# %% id="search-counts"
for name, values in zip(["suspicious first", "random order"], np.array(counts).T, strict=True):
    print(f"{name:16} found after 100 pictures: {values.mean():.1f} ± {values.std():.1f} of 50")

# %% [markdown] id="search-notice"
# Forty-five of fifty, give or take two, for a hundred pictures looked at; in random order, one. Looking works, if you
# first let the machine say where. One caution: labels that are wrong at random, as ours, are the easy case. When people
# label, a 4 becomes a 9 and not a 0, and such a label finds neighbours that agree.

# %% [markdown] id="quiz-1"
# **A question in between.** All ten nearest neighbours of a picture have another label than it has. What do you know?
#
# * **a** Its label is wrong.
# * **b** It is worth looking at.
# * **c** It is a duplicate.

# %% id="quiz-1-choices"
quiz("5.a")

# %% [markdown] id="map-intro"
# ## A map of the data
#
# A digit is a point with 784 coordinates. To see all of them at once, we want two that keep what matters. **PCA** turns
# the cloud so that we see it from its broadest side; **t-SNE** moves points about on the paper until those that were
# close are close.

# %% id="map"
chosen = torch.arange(0, 5000, 10)  # every tenth, 50 of each digit
centred = points[chosen] - points[chosen].mean(dim=0)
_, _, directions = torch.linalg.svd(centred, full_matrices=False)  # rows: directions, the broadest first
pca = (centred @ directions[:2].T).numpy()  # (500, 2)
tsne = TSNE(random_state=0, init="pca", perplexity=30).fit_transform(points[chosen].numpy())  # (500, 2)

# %% id="map-plot"
fig, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, places, title in zip(axes, [pca, tsne], ["PCA", "t-SNE"], strict=True):
    ax.plot(*places.T, alpha=0)  # sets the limits
    for (across, up), digit in zip(places.tolist(), labels[chosen].tolist(), strict=True):
        ax.text(across, up, digit, color=plt.cm.tab10(digit), fontsize=8, ha="center", va="center")
    ax.set(title=title, xticks=[], yticks=[])
fig.suptitle("Five hundred digits, each at its place; which digit it is was not used to place it")
plt.show()

# %% [markdown] id="map-notice"
# The same digits, twice. PCA shows that the 0s are far from the 1s, and the rest is a heap: two of 784 directions are
# few. t-SNE shows islands, among them one of 4s, 9s and 7s mixed, and those are what a network will mix up, too.
#
# Take t-SNE's islands as a hint and no more. It cares about who is next to whom, so who shares an island is mostly to
# be trusted; its size, and how far it lies from another, mean nothing. PCA is dull and honest: what is far apart on it
# is far apart in the data. (What is close on it need not be: we look from one side only.)

# %% [markdown] id="fashion-intro"
# ## Other pictures
#
# Everything here works on other data. FashionMNIST has ten kinds of clothes in the same format; `load_fashion_mnist`
# downloads it once. Without a network it says so, and the digits take its place, so that the cell runs. Look four, the
# average:

# %% id="fashion" tags=["nbval-ignore-output"]
fashion = load_fashion_mnist(train=False)
fig, axes = plt.subplots(1, 10, figsize=(10, 1.7), layout="constrained")
for label, (ax, name) in enumerate(zip(axes, fashion.classes, strict=True)):
    ax.imshow(fashion.data[fashion.targets == label].float().mean(dim=0).numpy(), cmap="gray")
    ax.set_title(name, fontsize=8)
    ax.set(xticks=[], yticks=[])
fig.suptitle("The mean picture of each class")
plt.show()

# %% [markdown] id="exercises"
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 5.1 · Shares (easy, 4 minutes)
#
# Write `shares(labels, num_classes)`: `labels` is a list of ints from 0 to num_classes - 1. Return a list of
# num_classes floats: the share of each class among the labels, not rounded. A class that never occurs has 0.0; without
# any labels all shares are 0.0.


# %% id="ex-1-answer"
def shares(labels, num_classes):
    """The share of each class."""
    ### BEGIN SOLUTION
    return [labels.count(k) / max(len(labels), 1) for k in range(num_classes)]
    ### END SOLUTION


# %% id="ex-1-check"
check("5.1", shares)
# hint("5.1")

# %% [markdown] id="ex-1-why"
# `max(…, 1)` avoids dividing by zero, and 0 / 1 is 0. Asking `num_classes` rather than the labels which classes there
# are is what makes a missing class visible: 0.0 in the list, instead of no entry.

# %% [markdown] id="ex-2"
# ### Exercise 5.2 · Mean images (medium, 8 minutes)
#
# Write `mean_images(images, labels, num_classes)`: images (N, H, W) uint8 tensor, labels (N,) int64 tensor. Return a
# float32 tensor (num_classes, H, W): the mean of the images of each class, on the scale 0 … 255. A class without images
# gets zeros, not `nan`.


# %% id="ex-2-answer"
def mean_images(images, labels, num_classes):
    """(num_classes, H, W) float32"""
    ### BEGIN SOLUTION
    means = torch.zeros(num_classes, *images.shape[1:])
    for k in labels.unique():
        means[k] = images[labels == k].float().mean(dim=0)
    return means
    ### END SOLUTION


# %% id="ex-2-check"
check("5.2", mean_images)
# hint("5.2")

# %% [markdown] id="ex-2-why"
# Going through the labels that occur leaves the others at zero. Without `.float()`, torch refuses to take the mean of
# whole numbers; NumPy would do it.

# %% [markdown] id="ex-3"
# ### Exercise 5.3 · One large picture (medium, 12 minutes)
#
# A hundred axes are slow to draw; one large picture is not. Write `tile(images, columns)`: images (N, H, W) tensor. Lay
# them out row by row, `columns` in a row, and return the one picture, (rows * H, columns * W), of the same dtype, with
# as many rows as are needed. Places that stay free at the end are 0. Three images of 1 × 1, `[[[1]], [[2]], [[3]]]`, in
# 2 columns are `[[1, 2], [3, 0]]`.


# %% id="ex-3-answer"
def tile(images, columns):
    """(rows * H, columns * W)"""
    ### BEGIN SOLUTION
    count, height, width = images.shape
    rows = -(-count // columns)
    picture = torch.zeros(rows * height, columns * width, dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * height, i % columns * width
        picture[top : top + height, left : left + width] = image
    return picture
    ### END SOLUTION


# %% id="ex-3-check"
check("5.3", tile)
# hint("5.3")

# %% [markdown] id="ex-3-why"
# `//` rounds down, also for negative numbers, so `-(-count // columns)` rounds up. A `reshape` to the final shape has
# the right size and scrambles everything: it fills row of pixels after row of pixels, and not image after image. Try
# `plt.imshow(tile(images[:200, 0], 20))`.

# %% [markdown] id="ex-4"
# ### Exercise 5.4 · Seen before (medium, 10 minutes)
#
# Write `duplicates(images)`: images (N, H, W) uint8 tensor. Return a list of pairs of numbers `(i, j)`: one for each
# image j that is equal, pixel by pixel, to an earlier one, and i is the number of the first image that it is equal to.
# In the order of j. For four images A, B, A, A it is `[(0, 2), (0, 3)]`.


# %% id="ex-4-answer"
def duplicates(images):
    """Pairs of numbers (first, later)."""
    ### BEGIN SOLUTION
    first, pairs = {}, []
    for j, image in enumerate(images):
        key = image.numpy().tobytes()
        if key in first:
            pairs.append((first[key], j))
        first.setdefault(key, j)
    return pairs
    ### END SOLUTION


# %% id="ex-4-check"
check("5.4", duplicates)
# hint("5.4")

# %% [markdown] id="ex-4-why"
# A dictionary finds an image among thousands at once. Comparing each with each, by `torch.equal`, is as right, and
# needs 12 million comparisons for the digits. A tensor itself is no good as a key: two equal ones count as different.

# %% [markdown] id="ex-5"
# ### Exercise 5.5 · Suspects (hard, 15 minutes)
#
# Write `suspects(features, labels, k)`: features (N, D) float tensor, labels (N,) int64 tensor. For each sample look at
# its k nearest other samples (Euclidean distance; a sample is not its own neighbour, but another one may be at distance
# 0). Return a list of the numbers of those samples, in ascending order, whose label **none** of their k neighbours has.
# k is smaller than N. No two others are equally far from a sample.


# %% id="ex-5-answer"
def suspects(features, labels, k):
    """Numbers of samples."""
    ### BEGIN SOLUTION
    distances = torch.cdist(features, features)
    distances.fill_diagonal_(float("inf"))
    neighbours = distances.topk(k, largest=False).indices
    alone = (labels[neighbours] != labels[:, None]).all(dim=1)
    return alone.nonzero().flatten().tolist()
    ### END SOLUTION


# %% id="ex-5-check"
check("5.5", suspects)
# hint("5.5")

# %% [markdown] id="ex-5-why"
# The diagonal is the distance of each sample to itself, 0: without the infinity there, every sample would be its own
# nearest neighbour, agree with itself, and nobody would be suspected. Taking `topk(k + 1)` and dropping the first is
# the popular shortcut; it fails for twins, where the first of two zeros may be the twin.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | a smooth picture of a few pixels | `imshow` interpolates | `interpolation="nearest"` |
# | `'Axes' object is not subscriptable` | `subplots()` gave a single one | `squeeze=False`, or no index |
# | an all-white or noisy picture | floats outside 0 … 1, or uint8 expected | `x.min()`, `x.max()`; clip or scale |
# | `Invalid shape (3, 64, 64) for image data` | channels first | `.permute(1, 2, 0)` |
# | labels overlap | fixed margins | `layout="constrained"` |
# | two pictures with the same colours, other values | each scaled by itself | the same `vmin` and `vmax` for both |
# | training accuracy stops below 100 % | some labels are wrong, or a matter of taste | look at the samples that it gets wrong |
# | t-SNE shows groups that nobody can explain | it likes to make some | check with PCA, another seed, the labels |
#
# ## Summary
#
# * Draw numbers with *nearest*; give pictures that are compared the same scale.
# * Five looks: how often, in which order, the extremes, the average, and once through by hand.
# * Let the machine sort, then look yourself: the first hundred suspects held nine in ten of the wrong labels.
# * What you find is not always an error. But now you know.

# %% [markdown] id="league-intro"
# ## The league table
#
# Does what we found matter? We trained lesson 00's agent again, with *stay* as the answer wherever the player pushed
# against a wall, from five seeds.

# %% id="league"
league("05")

# %% [markdown] id="next"
# 0.88 ± 0.06 against 0.91 ± 0.09: no difference that five trainings could show. The habit was real, and it did not
# matter. Most of what you find by looking is like that, and you look for the one that is not: the first of four
# captures, in lesson 02, cost everything.
#
# **Next:** 06 · Building models. The data is in order; time to look inside the network.
