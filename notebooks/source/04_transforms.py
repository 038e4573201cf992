# %% [markdown] id="title"
# # 04 · Transforms
#
# **What may change in a picture while its answer stays true?**
#
# You will be able to
#
# * turn pictures into tensors that a network can use, with statistics computed and not guessed;
# * vary a whole batch so that each sample draws its own chance;
# * tell a helpful augmentation from one that teaches lies, before you train.
#
# *25 minutes to read, an hour with the exercises, 40 seconds to run. You need lessons 00 and 03.*

# %% id="imports" tags=["setup"]
import csv
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from ipywidgets import Dropdown, FloatSlider, IntSlider, interact
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from dlsteps.capture import EnvSource, record
from dlsteps.data import FrameDataset, PictureFolder, data_path, load_photos
from dlsteps.data.transforms import RandomFlip, RandomShift, RandomTheme
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import LEFT, RIGHT, STAY, Catch, CatchEnv, ScriptedPlayer
from dlsteps.game.catch import PADDLE_TOP, SIZE
from dlsteps.league import league
from dlsteps.models import ConvNet

# %% [markdown] id="why"
# A minute of play is 3,585 pictures, and a network wants more. Mirror a picture, move it, make it darker: that is
# another picture, for nothing. But is the old answer still the right one? This lesson is about the operations, and
# about that question.
#
# ## From a picture to a tensor
#
# The operations are in `torchvision.transforms.v2`. (There is an older set without the v2; you will meet it in old
# code.) They take both kinds of pictures that you will have, PIL's and tensors.

# %% id="cat"
cat = load_photos()["cat"]
x = v2.functional.to_image(cat)
print("PIL:   ", cat.size, cat.mode)
print("tensor:", tuple(x.shape), x.dtype)
print("values:", x.min().item(), "to", x.max().item())

# %% [markdown] id="cat-notice"
# Mind the order. PIL says width × height; a tensor has channels, then height, then width. Neither is wrong, and mixing
# them up gives no error for square pictures. Here are eight operations on the cat, one each. The names are what you
# write; `v2.Compose([…])` puts several in a row.

# %% id="gallery"
torch.manual_seed(0)
operations = {
    "Resize(48)": v2.Resize(48),
    "CenterCrop(200)": v2.CenterCrop(200),
    "RandomResizedCrop(300)": v2.RandomResizedCrop(300),
    "RandomHorizontalFlip(p=1)": v2.RandomHorizontalFlip(p=1),
    "RandomRotation(30)": v2.RandomRotation(30),
    "ColorJitter(hue=0.2)": v2.ColorJitter(hue=0.2),
    "GaussianBlur(21, sigma=6)": v2.GaussianBlur(21, sigma=6),
    "RandomErasing(p=1)": v2.RandomErasing(p=1),
}
fig, axes = plt.subplots(2, 4, figsize=(9, 4.2), layout="constrained")
for ax, (name, operation) in zip(axes.flat, operations.items(), strict=True):
    changed = operation(x)
    ax.imshow(changed.permute(1, 2, 0).numpy())
    ax.set(xlabel=f"{changed.shape[2]} × {changed.shape[1]}", xticks=[], yticks=[])
    ax.set_title(name, fontsize=9)
fig.suptitle("One picture, one operation each")
plt.show()

# %% [markdown] id="gallery-notice"
# All of them still say *cat*, to you. Those that begin with *Random* draw anew at each call, and so does `ColorJitter`:
# here a hue up to 0.2 away. `RandomResizedCrop` cuts out a part of random size and makes it 300 × 300. `Resize(48)`
# makes the shorter side 48; write `Resize((48, 48))` if you want a square.
#
# ## Numbers that suit a network
#
# Networks want floats, around 0 and not far from it. There is an operation that subtracts a mean and divides by a
# standard deviation. Here it is on our cat; the error is on purpose, read its last line.

# %% id="normalize-error" tags=["raises-exception"]
v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])(x)

# %% [markdown] id="normalize-error-notice"
# A `uint8` can only hold whole numbers from 0 to 255, so first comes a float. Twice, to see the trap:

# %% id="scale"
print("ToDtype(float32):            ", v2.ToDtype(torch.float32)(x).max().item())
print("ToDtype(float32, scale=True):", round(v2.ToDtype(torch.float32, scale=True)(x).max().item(), 3))

# %% [markdown] id="scale-notice"
# Without `scale=True` only the type changes, and a picture that runs up to 231 goes into a network that wants small
# numbers. That is no error either. Many silent bugs with pictures are of this kind: shapes fit, types fit, values do
# not.
#
# Which mean, which deviation? You find `[0.485, 0.456, 0.406]` in a thousand programs. It comes from ImageNet, a
# million photographs, and is right for networks that were trained with it (lesson 07). For frames of your own, compute
# it: over all pictures, rows and columns, one number for each channel.

# %% id="stats"
dataset = FrameDataset(data_path("catch_level1_night.npz"), stack=1)
frames, actions = dataset[range(1, 2868, 4)]  # from the first four fifths: what validates is not looked at
mean, std = frames.mean(dim=(0, 2, 3)), frames.std(dim=(0, 2, 3))  # (3,), (3,)
print("mean:", [round(value, 2) for value in mean.tolist()])
print("std: ", [round(value, 2) for value in std.tolist()])

# %% id="stats-apply"
imagenet = v2.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])(frames)
ours = v2.Normalize(mean.tolist(), std.tolist())(frames)
for name, after in {"ImageNet's numbers": imagenet, "our own": ours}.items():
    means, deviations = after.mean(dim=(0, 2, 3)).tolist(), after.std(dim=(0, 2, 3)).tolist()
    means, deviations = (" ".join(f"{round(value, 2) + 0.0:5.2f}" for value in row) for row in (means, deviations))
    print(f"{name:18}  mean {means}   std {deviations}")

# %% [markdown] id="stats-notice"
# Red, green, blue. A night sky is darker than the world's photographs: with their numbers, red and green would enter
# the network one and a half below zero, and all three with less than half of the contrast. With our own it is 0 and 1.
#
# ## One chance for all
#
# Now chance. A batch of 64 frames, and `RandomHorizontalFlip`, which mirrors with probability one half. How many of the
# 64 does it mirror? We try eight times.

# %% id="flip-batch"
batch = frames[64:128]
flip = v2.RandomHorizontalFlip(p=0.5)
torch.manual_seed(0)
for _ in range(8):
    changed = (flip(batch) != batch).flatten(1).any(dim=1)  # (64,), one a sample
    print(changed.sum().item(), end=" ")

# %% [markdown] id="flip-batch-notice"
# All or none. To torchvision, a tensor (B, C, H, W) is one thing to be treated alike, which is what you want for the
# frames of a video, and not for a batch. So the usual way is to apply transforms before there is a batch, in the
# dataset, sample by sample. The other way is to let each sample of a batch draw its own number:


# %% id="flip-each"
def flip_each(x, p=0.5):
    """Mirror each picture of a batch (B, C, H, W) with probability p."""
    chosen = torch.rand(len(x)) < p  # (B,), one draw a sample
    return torch.where(chosen[:, None, None, None], x.flip(3), x)


torch.manual_seed(0)
for _ in range(8):
    changed = (flip_each(batch) != batch).flatten(1).any(dim=1)
    print(changed.sum().item(), end=" ")

# %% [markdown] id="flip-each-notice"
# `chosen[:, None, None, None]` has the shape (B, 1, 1, 1), so one answer counts for a whole picture; `where` takes from
# the mirrored batch or from the old one. How much faster is that? The same frames, from stored pixels to a batch of
# floats, in three ways; each the best of three.

# %% id="speed-ways"
stored = (frames * 255).round().to(torch.uint8)  # (717, 3, 64, 64)
pictures = [v2.functional.to_pil_image(frame) for frame in stored]
to_float = v2.ToDtype(torch.float32, scale=True)
from_picture = v2.Compose([v2.RandomHorizontalFlip(), v2.PILToTensor(), to_float])
from_tensor = v2.Compose([v2.RandomHorizontalFlip(), to_float])
ways = {
    "PIL, one by one": lambda: torch.stack([from_picture(picture) for picture in pictures]),
    "tensors, one by one": lambda: torch.stack([from_tensor(frame) for frame in stored]),
    "batches of 64": lambda: [to_float(flip_each(batch)) for batch in stored.split(64)],
}

# %% id="speed" tags=["nbval-ignore-output"]
for name, way in ways.items():
    times = []
    for _ in range(3):
        start = time.perf_counter()
        way()
        times.append(time.perf_counter() - start)
    print(f"{name:20} {1000 * min(times):6.1f} ms for {len(stored)} frames")

# %% [markdown] id="speed-notice"
# A batch needs 64 times fewer calls. It is not 64 times as fast, since the pixels have to be moved all the same; what
# it saves is the cost of the calls. `dlsteps.data.transforms` has four operations of this kind, and `FrameDataset`
# takes them as its `transform`: `RandomFlip`, `RandomShift`, `RandomColour`, `RandomTheme`. Photographs of different
# sizes are no batch before they are resized; stay with one by one there, and let workers do it.
#
# For pictures of your own, in a folder with a sub-folder for each class, there is `PictureFolder`: torchvision's
# `ImageFolder`, which also names files that cannot be read and pictures that differ in size.

# %% id="folder"
folder = Path(tempfile.mkdtemp())
for name, photo in load_photos().items():
    kind = "animals" if name == "cat" else "others"
    (folder / kind).mkdir(exist_ok=True)
    photo.save(folder / kind / f"{name}.png")
photos = PictureFolder(folder, size=(64, 64))
x, y = photos[0]
print(len(photos), "pictures of", photos.classes, "first:", tuple(x.shape), x.dtype, photos.classes[y])

# %% [markdown] id="truth-intro"
# ## Is the answer still true?
#
# Mirror a cat, and it is a cat. Mirror a frame of Catch in which the answer is *left*, and the ball is on the right.
# Whether a transform is allowed is not a property of the transform; it depends on the question that you ask about the
# picture.
#
# In Catch we need not argue, we can compute. The scripted player's rule is short: below the ball, stay; else go to
# where it is. So take a thousand moments of a game, apply an operation to the *positions* of ball and paddle, and ask
# the rule again. (It compares two positions, so what moves both alike cannot change its answer.)


# %% id="rule"
def rule(ball, paddle):
    """The scripted player's answers: ball and paddle (N, 2), x and y of their centres in pixels."""
    distance = ball[:, 0] - paddle[:, 0]  # (N,)
    return np.where(abs(distance) < 6, STAY, np.where(distance < 0, LEFT, RIGHT))


game, ball, paddle, truth = Catch(seed=3), [], [], []
for _ in range(1000):
    ball.append((game.fallers[0].x, game.fallers[0].y))
    paddle.append((game.paddle, PADDLE_TOP))
    truth.append(game.expert())
    game.step(truth[-1])
ball, paddle, truth = np.array(ball), np.array(paddle), np.array(truth)
print("the rule gives the player's answers:", bool((rule(ball, paddle) == truth).all()))


# %% id="rule-table"
def rotate(points, degrees):
    """Points (N, 2), turned around the centre of the picture."""
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (points - SIZE / 2) @ matrix.T + SIZE / 2


mirror = np.array([RIGHT, STAY, LEFT])  # the mirrored answer of each
moved = rule(ball + [32, 0], paddle + [32, 0])
flipped = rule([SIZE, 0] + ball * [-1, 1], [SIZE, 0] + paddle * [-1, 1])
outside = ball[:, 0] + 32 > SIZE
print(f"moved by 32 pixels:            {(moved == truth).mean():4.0%} of the answers still true")
print(f"   but the ball is outside in: {outside.mean():4.0%}")
print(f"mirrored, the answers kept:    {(flipped == truth).mean():4.0%}")
print(f"mirrored, the answers swapped: {(flipped == mirror[truth]).mean():4.0%}")
for degrees in (2, 5, 10, 20):
    turned = rule(rotate(ball, degrees), rotate(paddle, degrees))
    print(f"turned by {degrees:2} degrees:          {(turned == truth).mean():4.0%}")

# %% [markdown] id="rule-notice"
# Moving everything sideways leaves every answer true. But in about one moment of ten, nobody could give it any more,
# since the ball has left the picture. So shift a little, not a lot. Mirroring makes more than a third of the answers
# false, all but the *stays*, unless the label is swapped, and then all are true. And turning, harmless for a cat, is
# poison here. A ball may be 200 pixels above the paddle; turned by two degrees, it is then seven pixels further to the
# side, and six decide between *stay* and *go*. One answer in three becomes a lie.

# %% [markdown] id="playground-intro"
# Here is what the network would be shown. In each title stands the answer that goes with the picture in training: green
# if it is true for *this* picture, red if not.


# %% id="playground"
NAMES = ["left", "stay", "right"]
MATRICES = {  # what each operation does to a point: (strength) -> a function of points (N, 2)
    "shift": lambda s: lambda p: p + [64 * s, 0],
    "flip": lambda s: lambda p: [SIZE, 0] + p * [-1, 1],
    "flip, swap the label": lambda s: lambda p: [SIZE, 0] + p * [-1, 1],
    "rotate": lambda s: lambda p: rotate(p, -30 * s),
    "darker": lambda s: lambda p: p,
    "other colours": lambda s: lambda p: p,
}


def change(picture, operation, strength):
    """A picture (3, 256, 256) uint8 after an operation, strength from 0 to 1."""
    if operation == "shift":
        return v2.functional.affine(picture, 0, [64 * strength, 0], 1, [0, 0])
    if operation.startswith("flip"):
        return v2.functional.horizontal_flip(picture)
    if operation == "rotate":
        return v2.functional.rotate(picture, 30 * strength)
    if operation == "darker":
        return v2.functional.adjust_brightness(picture, 1 - 0.8 * strength)
    return picture[[1, 2, 0]] if strength < 0.5 else 255 - picture[[2, 0, 1]]


# %% id="playground-draw"
def moment(seed, tick):
    """A game of the scripted player at a tick."""
    game = Catch(seed)
    while game.tick < tick:
        game.step(game.expert())
    return game


def show(ax, game, operation, strength):
    """The changed picture, and the answer that it would be trained with: green if true, red if not."""
    picture = torch.from_numpy(game.frame()).permute(2, 0, 1)
    answer = game.expert()
    places = [np.array([[game.fallers[0].x, game.fallers[0].y]]), np.array([[game.paddle, PADDLE_TOP]])]
    (true,) = rule(*map(MATRICES[operation](strength), places))
    label = mirror[answer] if "swap" in operation else answer
    ax.imshow(change(picture, operation, strength).permute(1, 2, 0).numpy())
    ax.set(xticks=[], yticks=[], xlabel=operation)
    ax.set_title(NAMES[label], color="#009E73" if label == true else "#D55E00", fontweight="bold")


fig, axes = plt.subplots(1, 6, figsize=(10, 2.3), layout="constrained")
for ax, operation in zip(axes, MATRICES, strict=True):
    show(ax, moment(seed=9, tick=149), operation, strength=0.6)
fig.suptitle("Answers in green are true for their picture")
plt.show()


# %% id="playground-widget" tags=["nbval-ignore-output"]
def playground(operation, strength, seed, tick):
    """Before and after."""
    fig, (before, after) = plt.subplots(1, 2, figsize=(6, 3.2), layout="constrained")
    show(before, moment(seed, tick), "shift", 0)
    before.set_xlabel("as recorded")
    show(after, moment(seed, tick), operation, strength)
    plt.show()


_ = interact(
    playground,
    operation=Dropdown(options=list(MATRICES)),
    strength=FloatSlider(0.6, min=0, max=1, step=0.1),
    seed=IntSlider(9, min=0, max=9),
    tick=IntSlider(149, min=0, max=300),
)

# %% [markdown] id="playground-notice"
# Only positions count for the answer, so darker pictures and other colours keep it; a player who has to read the colour
# of the balls would disagree. Turn by a little more each time, and see when the title becomes red. Then *shift* with
# strength 1, go to tick 195, and look for the ball: the title is green, but would you know the answer? An augmentation
# must keep the answer true, *and* keep in the picture what it depends on.

# %% [markdown] id="quiz-1"
# **A question in between.** In which of these does mirroring pictures left to right teach something wrong, whatever you
# do with the labels?
#
# * **a** Catch, with the labels left and right swapped.
# * **b** Handwritten digits.
# * **c** Photographs of cats and dogs.

# %% id="quiz-1-choices"
quiz("4.a")

# %% [markdown] id="theme-intro"
# ## Does it help?
#
# Catch has three themes, and the recording shows the game by night. Can an agent that is trained on it play by day? We
# record a new game in each theme to see, as in lesson 02, without a window.

# %% id="theme-games"
folder, games = Path(tempfile.mkdtemp()), {}
for theme in ("night", "day", "paper"):
    source = EnvSource(CatchEnv(theme=theme, max_ticks=1200), ScriptedPlayer(), seed=2000)
    record(source, None, folder / theme, seconds=20, fps=60, size=128, progress=False)
    game = FrameDataset(folder / theme)
    games[theme] = game[range(0, len(game), 2)]  # (x, y)

# %% id="theme-look"
fig, axes = plt.subplots(1, 3, figsize=(7, 2.5), layout="constrained")
for ax, (theme, (x, _)) in zip(axes, games.items(), strict=True):
    ax.imshow(x[300, 3:].permute(1, 2, 0).numpy())
    ax.set(title=theme, xticks=[], yticks=[])
fig.suptitle("The same moment of the same game")
plt.show()

# %% [markdown] id="theme-train-intro"
# Two networks, each trained for four epochs on the night. One sees the frames flipped and shifted, by up to 8 of their
# now 64 pixels. For the other, `RandomTheme` recolours half of them as well: red, green and blue change places, and in
# half of these cases light and dark, too. `v2.Compose` hands the batch `(x, y)` from one transform to the next. First
# look at what they will see: one sample as it is, then seven times changed.

# %% id="theme-transforms"
plain = v2.Compose([RandomFlip(mirror.tolist()), RandomShift(vertical=0, horizontal=8)])
colours = v2.Compose([RandomFlip(mirror.tolist()), RandomShift(vertical=0, horizontal=8), RandomTheme(p=0.5)])
minute = data_path("catch_level1_night.npz")
as_it_is = FrameDataset(minute)[[331]]
changed = FrameDataset(minute, transform=colours, seed=4)[[331] * 7]
fig, axes = plt.subplots(1, 8, figsize=(10, 1.8), layout="constrained")
pairs = [*zip(*as_it_is, strict=True), *zip(*changed, strict=True)]  # (x (6, 64, 64), y)
for ax, (x, y) in zip(axes, pairs, strict=True):
    ax.imshow(x[3:].permute(1, 2, 0).numpy())
    ax.set(title=NAMES[y], xticks=[], yticks=[])
fig.suptitle("One sample as recorded, and seven times changed, its label with it")
plt.show()

# %% [markdown] id="theme-train-notice"
# (`model.eval()` ends training mode, and `no_grad` tells torch that nothing is to be learned from this; lesson 08 has
# both.)


# %% id="theme-train"
def train(transform, epochs=4):
    """A network trained on the recorded minute, with this transform."""
    torch.manual_seed(0)
    dataset = FrameDataset(minute, transform=transform)
    loader = DataLoader(dataset, batch_size=64, shuffle=True)
    weight = torch.tensor(len(dataset) / (3 * np.bincount(dataset.actions)), dtype=torch.float32)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x), y, weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


# %% id="theme-share"
@torch.no_grad()
def share_right(model, theme):
    """The share of right answers in a new game, as the mean of left, stay and right: 1/3 is chance."""
    x, y = games[theme]
    right = model(x).argmax(dim=1) == y
    return np.mean([right[y == answer].float().mean() for answer in (LEFT, STAY, RIGHT)])


# %% id="theme-run" tags=["nbval-ignore-output"]
shares = {}
for name, transform in {"flip, shift": plain, "flip, shift, other colours": colours}.items():
    model = train(transform)
    shares[name] = {theme: share_right(model, theme) for theme in games}
    print(f"{name:27}", "  ".join(f"{theme} {share:.2f}" for theme, share in shares[name].items()))

# %% id="theme-holds"
for theme, share in shares["flip, shift"].items():
    print(f"flip, shift: better than guessing in the theme {theme}: {bool(share > 0.4)}")

# %% [markdown] id="theme-holds-notice"
# By day the first network is lost, though nothing has changed that matters to you. Nobody told it that colours do not
# matter. Somebody told the second, and whether it took that in, one network cannot say.

# %% [markdown] id="augment-intro"
# One network of each kind says little. `benchmarks/04_augment.py` trained the agent of lesson 00 in six ways, ten
# epochs, from five seeds each, and let each agent play ten games in each theme. *Brightness* is `RandomColour`, which
# changes brightness and contrast; *other colours* is `RandomTheme`. The last way adds no further augmentation, but half
# a minute of the game by day, recorded like the rest. Before you read on: which of them do you expect to play by day?

# %% id="augment-table"
with open(data_path("augment.csv")) as file:
    rows = list(csv.DictReader(file))
ways, themes = (list(dict.fromkeys(row[name] for row in rows)) for name in ("augmentation", "theme"))
scores = np.array([float(row["score"]) for row in rows]).reshape(len(ways), -1, len(themes))  # (ways, seeds, themes)
print(f"{'':36}" + "".join(f"{theme:15}" for theme in themes))
for way, mean, spread in zip(ways, scores.mean(axis=1), scores.std(axis=1, ddof=1), strict=True):
    print(f"{way:34}" + "".join(f"{m:6.2f} ± {s:.2f}  " for m, s in zip(mean, spread, strict=True)))

# %% id="augment-plot"
fig, ax = plt.subplots(figsize=(9, 3.2), layout="constrained")
for k, (theme, colour) in enumerate(zip(themes, ["#0072B2", "#E69F00", "#999999"], strict=True)):
    at = np.arange(len(ways)) + 0.25 * (k - 1)
    ax.bar(at, scores[:, :, k].mean(axis=1), width=0.22, color=colour, alpha=0.5, label=theme)
    ax.plot(np.repeat(at, scores.shape[1]), scores[:, :, k].ravel(), "o", color=colour, markersize=4)
names = [way.replace(", ", ",\n") for way in ways]
ax.set_xticks(range(len(ways)), names, fontsize=8)
ax.axhline(0, color="black", linewidth=0.8)
ax.set(ylabel="score", title="Six ways to train by night, three themes to play in")
ax.legend(title="theme", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown] id="augment-notice"
# Each bar is a mean over five trainings, each dot one of them. (An agent that always stays scores -0.03, one that
# always runs to one side -0.07: that is where most of them end in a theme that is strange to them.)
#
# * Flipping without swapping the labels costs 0.43 of the score, although almost two thirds of the mirrored answers,
#   the *stays*, were still true. Better no augmentation than a lying one.
# * Flip and shift help by night, where the agent learned; brightness adds nothing.
# * Other colours help on *paper*, which nobody had shown to the agent: from nothing to 0.41. By night they cost
#   something, perhaps because there was more to learn from as many batches.
# * By day they do not help. Our guess: paper is an almost empty sheet, but by day there are a sun and clouds, pale and
#   round like balls. Colours you can make up; a sun you cannot.
# * Half a minute of the real day helps by day, in one training up to 0.84, in another only to 0.18. (It is also half as
#   much data again; more of the night instead we did not try.)
#
# So augment for what you know not to matter, and record what you cannot make up. And measure: we had expected the other
# colours to be enough.

# %% [markdown] id="exercises"
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 4.1 · To float (easy, 4 minutes)
#
# Write `to_float(x)`: x is a uint8 or float32 tensor of any shape. A uint8 tensor comes back as float32, with 0 … 255
# mapped to 0 … 1; a float32 tensor with the values that it has: it has been converted already.


# %% id="ex-1-answer"
def to_float(x):
    """float32, in 0 … 1."""
    ### BEGIN SOLUTION
    return x.float() / 255 if x.dtype == torch.uint8 else x
    ### END SOLUTION


# %% id="ex-1-check"
check("4.1", to_float)
# hint("4.1")

# %% [markdown] id="ex-1-why"
# Deciding by the dtype makes it safe to call twice. Deciding by `x.max() > 1` would be a trap: a picture that is almost
# black, with no value above 1 of 255, would stay as it is.

# %% [markdown] id="ex-2"
# ### Exercise 4.2 · Statistics of each channel (easy, 6 minutes)
#
# Write `channel_stats(x)`: x (N, C, H, W) uint8. Return `(mean, std)`, both of shape (C,), float32, on the scale 0 … 1,
# over all pictures, rows and columns together. For `std` divide by the number of values, not by one less
# (`correction=0` in torch).


# %% id="ex-2-answer"
def channel_stats(x):
    """(mean (C,), std (C,))"""
    ### BEGIN SOLUTION
    x = x.float() / 255
    return x.mean(dim=(0, 2, 3)), x.std(dim=(0, 2, 3), correction=0)
    ### END SOLUTION


# %% id="ex-2-check"
check("4.2", channel_stats)
# hint("4.2")

# %% [markdown] id="ex-2-why"
# The mean of each picture's deviation would be smaller: it leaves out how much the pictures differ from one another.

# %% [markdown] id="ex-3"
# ### Exercise 4.3 · Normalise (medium, 8 minutes)
#
# Write `normalise(x, mean, std)`: x (B, C, H, W) float32, mean and std (C,). Return x with each channel's mean
# subtracted and then divided by its std, which is never 0. The shape stays, and so does x itself.


# %% id="ex-3-answer"
def normalise(x, mean, std):
    """(B, C, H, W), each channel around 0."""
    ### BEGIN SOLUTION
    return (x - mean[:, None, None]) / std[:, None, None]
    ### END SOLUTION


# %% id="ex-3-check"
check("4.3", normalise)
# hint("4.3")

# %% [markdown] id="ex-3-why"
# Without the two `None`s, shapes are matched from the right: (C,) would meet W. That is an error for most pictures; for
# pictures as wide as they have channels it runs, and is wrong.

# %% [markdown] id="ex-4"
# ### Exercise 4.4 · Flip, and swap the label (medium, 8 minutes)
#
# Write `flip(x, y, chosen, mirror)`: x (B, C, H, W) float32, y (B,) int64, chosen (B,) bool, mirror (K,) int64, where
# `mirror[k]` is the mirrored label of k, such as `tensor([2, 1, 0])`. Mirror the chosen pictures left to right and
# replace their labels by the mirrored ones. The others stay as they are. Return new `(x, y)`; the arguments stay
# unchanged.


# %% id="ex-4-answer"
def flip(x, y, chosen, mirror):
    """(x (B, C, H, W), y (B,))"""
    ### BEGIN SOLUTION
    x = torch.where(chosen[:, None, None, None], x.flip(3), x)
    return x, torch.where(chosen, mirror[y], y)
    ### END SOLUTION


# %% id="ex-4-check"
check("4.4", flip)
# hint("4.4")

# %% [markdown] id="ex-4-why"
# `mirror[y]` looks up all labels at once. `2 - y` would do for Catch, and would be wrong for *Aliens* with its six
# answers, where 0 is no key, 1 left, 2 right.

# %% [markdown] id="ex-5"
# ### Exercise 4.5 · Shift, repeating the edge (hard, 15 minutes)
#
# Write `shift(x, pixels)`: x (C, H, W) float32. Return it with the picture moved `pixels` columns to the right, or to
# the left if `pixels` is negative, in the same shape. Places that become free repeat the edge column on that side. One
# row `[1, 2, 3, 4]` moved by 1 is `[1, 1, 2, 3]`, by -1 it is `[2, 3, 4, 4]`. Moved by its width or more, only the edge
# column is left, repeated.


# %% id="ex-5-answer"
def shift(x, pixels):
    """(C, H, W)"""
    ### BEGIN SOLUTION
    columns = torch.arange(x.shape[2]) - pixels
    return x[:, :, columns.clamp(0, x.shape[2] - 1)]
    ### END SOLUTION


# %% id="ex-5-check"
check("4.5", shift)
# hint("4.5")

# %% [markdown] id="ex-5-why"
# Ask of each column where it comes *from*: column 0, moved right by one, would come from column -1, and `clamp` makes
# that 0. `torch.roll` moves, too, but what leaves on the right comes in on the left: a ball on both sides.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `Input tensor should be a float tensor` | `Normalize` on uint8 | `v2.ToDtype(torch.float32, scale=True)` before it |
# | training goes badly, no error | values up to 255 | `scale=True`; print `x.min()`, `x.max()` |
# | a picture looks turned on its side | (W, H) and (H, W) mixed up | PIL: width first; tensors: height first |
# | whole batches flip together | torchvision's transforms see one picture | transform samples, or draw one number a sample |
# | training accuracy good, game bad, flips on | the label did not flip | swap it with the picture |
# | validation accuracy changes from run to run | random transforms on the validation set, too | augment for training only |
# | colours odd after `Normalize` | you look at normalised values | show the picture before it, or undo it |
# | loading takes longer than training | transforms sample by sample | whole batches; resize once, beforehand |
#
# ## Summary
#
# * uint8 to float with a scale, then statistics computed on the training part.
# * Each sample draws its own chance; what is drawn for a whole batch can be drawn at once.
# * A transform is allowed if the answer stays true, or changes with it in a way that you know. In Catch: shift a
#   little, flip with the label, rotate not at all.
# * Look at eight changed samples before you train: is the answer still in them?

# %% [markdown] id="league-intro"
# ## The league table
# The same agents once more, in the theme in which they learned. *Flip and shift* is what lesson 00 did; it was trained
# anew here, on one thread instead of two, so its spread is another. (The labels as *recorded* are all right here;
# flipped without their labels, about a fifth of those in training were not.)

# %% id="league"
league("04")

# %% [markdown] id="next"
# Balanced batches, from lesson 03, are still ahead. Nobody stops you from combining the two.
#
# **Next:** 05 · Visualising data, in which we look at what we have been training on all along.
