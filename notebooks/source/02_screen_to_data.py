# %% [markdown] id="title"
# # 02 · From screen to data
#
# **Which key belongs to which picture?**
#
# You will be able to
#
# * find a window, watch it, and read the keys that are held while it has the focus;
# * record any game as pictures paired with the keys that go with them;
# * tell a good recording from one that would teach a network nonsense.
#
# *25 minutes to read, an hour with the exercises, 30 seconds to run. You need lesson 00. On a desktop this page opens a
# game for a few seconds, five times, and presses keys in it: keep your hands off the keyboard meanwhile. Without one it
# uses the same game without a window.*

# %% id="imports" tags=["setup"]
import tempfile
import time
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider, interact
from PIL import Image

from dlsteps.agents.learn import OpenGame, no_window
from dlsteps.capture import (
    EnvSource,
    FolderSource,
    Frame,
    FrameSource,
    Keys,
    VideoSource,
    find_window,
    list_windows,
    record,
)
from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import CatchEnv, ScriptedPlayer
from dlsteps.league import league

# %% [markdown] id="why"
# Your network will learn by watching. What it watches must be pictures, each with the key that a good player held when
# it was on the screen. For half of this lesson that is as simple as it sounds. Then you will see that the obvious way
# to pair the two gives one picture in fourteen a wrong key, that is a wrong label.
#
# ## A frame
#
# Everything that delivers pictures is a **source** here, and a picture with its time is a **frame**. The simplest
# source is the game itself, without a window, with the scripted player at the controls.

# %% id="frame"
source = EnvSource(CatchEnv(), ScriptedPlayer(), seed=7)
for _ in range(31):
    frame = source.read()
print("pixels:", frame.pixels.shape, frame.pixels.dtype)
print("time:  ", frame.time, "s")
print("action:", frame.action)

# %% [markdown] id="frame-notice"
# `pixels` has 256 rows of 256 pixels, each with its red, green and blue, from 0 to 255: that is what a `uint8` can
# hold. `time` is half a second, since frame 31 is 30 ticks after the first. `action` is what the player did on seeing
# it: 0, left.
#
# ## A window
#
# A window does not tell you the action, and first you have to find it. Here is a desktop with two windows. (It is a
# picture that comes with the course, so that you see the same as we do.)

# %% id="desktop"
desktop = Image.open(data_path("desktop.png"))
left, top, width, height = (int(number) for number in desktop.text["client"].split())
fig, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
ax.imshow(desktop.convert("RGB"))
ax.add_patch(plt.Rectangle((left, top), width, height, fill=False, color="#F0E442", linewidth=2))
ax.set(title=f"The client rectangle: {width} × {height} at ({left}, {top})", xlabel="x, pixels", ylabel="y, pixels")
plt.show()

# %% [markdown] id="desktop-notice"
# The yellow frame is the **client rectangle**: what the game itself draws, without title bar and border. Only that is
# worth watching; with the title bar in it, every picture would be shifted down by a bar whose height differs from
# desktop to desktop. Positions count from the top left corner of the screen, y downwards.
#
# Now yours. `list_windows` gives the windows that are open, `find_window` one of them by its title, or by a part of it
# that no other has. If there is no desktop, `no_window` says why.

# %% id="windows" tags=["nbval-ignore-output"]
why_not = no_window()
if why_not is None:
    with OpenGame("dlsteps.agents.teacher", "--seed", 7):
        print("open windows:", len(list_windows()))
        print(find_window("catch"))
else:
    print(f"No window here ({why_not}): the game without one takes its place.")

# %% [markdown] id="windows-notice"
# With a desktop you saw the game's window for a moment, and its title and rectangle were printed. On ours:
#
# ```
# open windows: 1
# WindowInfo(title='Catch (dlsteps)', left=513, top=252, width=256, height=256, id=8388616)
# ```
#
# (Other titles are nobody's business, so only their number is printed.) From here on, one function opens whichever
# source this machine has:


# %% id="open-source"
def open_source():
    """The scripted player at work: in the game's real window, or without one. Use it in a `with` block."""
    if no_window() is None:
        return OpenGame("dlsteps.agents.teacher", "--seed", 7)
    return EnvSource(CatchEnv(), ScriptedPlayer(), seed=7)


# %% id="read-source"
with open_source() as source:
    frame = source.read()
print("pixels:", frame.pixels.shape, frame.pixels.dtype)

# %% [markdown] id="pairing"
# The same shape and type, from a real window or not. That is why the rest of the course need not care.
#
# The keyboard is asked separately. `Keys(["left", "right"])` watches those two keys and never looks at others; `held()`
# says which of them are down at this moment. Five looks at the scripted player's fingers, and at the **focus**, which
# is the desktop's word for the window that gets the keys:

# %% id="keys" tags=["nbval-ignore-output"]
if why_not is None:
    with OpenGame("dlsteps.agents.teacher", "--seed", 7) as source, Keys(["left", "right"]) as keys:
        for _ in range(5):
            time.sleep(0.3)
            print("held:", sorted(keys.held()), "the game has the focus:", source.focused())
else:
    print("No keys to read here: without a window, the game says itself what its player does.")

# %% [markdown] id="pairing-rule"
# On our desktop the first two lines were
#
# ```
# held: ['left'] the game has the focus: True
# held: [] the game has the focus: True
# ```
#
# ## Which key belongs to which picture?
#
# So we take a picture, ask for the keys, and write down both. When is that wrong? Look at the order of things:
#
# 1. The game shows frame *k*.
# 2. The player sees it, and a moment later presses a key.
# 3. The game reads the keys, moves the paddle, and shows frame *k* + 1.
#
# The key that answers frame *k* comes *after* the frame. Whoever looks too early writes down the answer to the frame
# before. We play that through with the actions of the recorded minute. A frame is on the screen for 16.7 ms; say the
# player needs 5 ms.

# %% id="simulate"
TICK = 1000 / 60  # ms that a frame is on the screen
actions = load_recording(data_path("catch_level1_night.npz")).actions


def capture(rate, delay, count):
    """Look at the screen `rate` times a second, for `count` frames: (times, frames, keys), an entry a capture."""
    times = np.arange(2.0, count * TICK, 1000.7 / rate)  # ms; no two clocks run quite alike, hence the 0.7
    frames = (times // TICK).astype(int)  # which frame is on the screen
    answered = times % TICK >= delay  # has the player reacted to it yet?
    keys = np.where(answered, actions[frames], actions[np.maximum(frames - 1, 0)])
    return times, frames, keys


# %% [markdown] id="simulate-intro"
# With one capture for each frame, at the game's own rate, there is only one way to pair them. With more there are two:
# take the keys at a frame's **first** capture, or at its **last**.


# %% id="first-last"
def share_right(rate, delay, which):
    """How many frames of the minute get the right key, as a share."""
    _, frames, keys = capture(rate, delay, len(actions))
    changes = frames[1:] != frames[:-1]
    chosen = np.append(True, changes) if which == "first" else np.append(changes, True)
    return (keys == actions[frames])[chosen].mean()


print("captures/s   first   last")
for rate in (60, 90, 120, 240):
    print(f"{rate:10}  {share_right(rate, 5, 'first'):6.1%} {share_right(rate, 5, 'last'):6.1%}")

# %% [markdown] id="first-last-notice"
# At 60 captures a second, some frames are labelled wrongly, and they are the important ones: a label can only be wrong
# where the action *changes*. Looking more often and keeping the first capture makes it worse. Looking **twice as often
# as the game draws, and keeping the last capture**, gets all of them right. (So does 90 here, but only just, as you
# will see.) Why does twice help? Here are eight frames in which the player goes from right to stay to left.

# %% id="timeline"
COLOURS = np.array(["#0072B2", "#BBBBBB", "#D55E00"])  # left, stay, right


def draw_timeline(rate=120, delay=5, start=82, count=8):
    """Frames, keys held, and captures on one line of time; each capture that is kept is judged."""
    times, frames, keys = capture(rate, delay, start + count)
    here = frames >= start
    times, frames, keys = times[here], frames[here], keys[here]
    last = np.append(frames[1:] != frames[:-1], True)
    right = keys == actions[frames]
    fig, ax = plt.subplots(figsize=(9, 1.9), layout="constrained")
    for frame in range(start, start + count):
        ax.barh(2, TICK, left=frame * TICK, color=COLOURS[actions[frame]], edgecolor="white")
        ax.barh(1, TICK, left=frame * TICK + delay, color=COLOURS[actions[frame]], height=0.4)
    ax.plot(times[~last], 0 * times[~last], "|", color="black", markersize=10)
    ax.plot(times[last & right], 0 * times[last & right], "o", color="#009E73", label="kept, right")
    ax.plot(times[last & ~right], 0 * times[last & ~right], "X", color="black", markersize=10, label="kept, wrong")
    ax.set(
        yticks=[0, 1, 2],
        yticklabels=["captures", "key held", "right action"],
        xlabel="time in ms",
        ylim=(-0.6, 2.6),
        xlim=(start * TICK, (start + count) * TICK),
        title=f"{rate} captures a second, keys {delay} ms after the frame",
    )
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plt.show()


draw_timeline(rate=60)
draw_timeline(rate=120)

# %% [markdown] id="timeline-notice"
# Orange is right, grey is no key, blue is left. The middle row is the upper one, moved by the player's 5 ms. With one
# capture a frame, a capture may fall into those 5 ms: it sees the frame, but still the old key. Both frames in which
# the action has just changed get a wrong label. With two captures, the last one of each frame falls into its second
# half, and by then the key is there.
#
# So the rule has a limit. Find it: how slow may the player be at 120 captures a second, until wrong labels appear? Drag
# the delay, and look at other frames, too: the captures drift along the frames, because no two clocks run quite alike,
# and in some stretches they are lucky.

# %% id="timeline-widget" tags=["nbval-ignore-output"]
_ = interact(
    draw_timeline,
    rate=IntSlider(120, min=30, max=240, step=30, description="captures/s"),
    delay=IntSlider(5, min=0, max=16, description="delay, ms"),
    start=IntSlider(82, min=0, max=600, description="frame"),
    count=IntSlider(8, min=4, max=16, description="frames"),
)

# %% [markdown] id="quiz-1"
# **A question in between.** Two recordings are made at 60 captures a second: in one the paddle moves all the time, in
# the other it stands still for the second half. Which of the two has fewer wrong labels?
#
# * **a** The one that stands still for half of the time.
# * **b** Neither: both were captured at the same rate.
# * **c** The one that moves: a still paddle gives wrong labels.

# %% id="quiz-1-choices"
quiz("2.a")

# %% [markdown] id="limit-intro"
# (Sliders need a running notebook; above are two of their pictures.) Here is the answer for the whole minute.

# %% id="limit"
print("delay, ms    90/s   120/s   240/s")
for delay in range(5, 14):
    print(f"{delay:9}", *(f"{share_right(rate, delay, 'last'):7.1%}" for rate in (90, 120, 240)))

# %% [markdown] id="record-intro"
# The last of two captures comes in the second half of a frame, so it is late enough for a player who needs up to half a
# frame, 8.3 ms. At 9 ms the first wrong labels appear. A slower player needs more captures for each frame: with four,
# 12 ms are early enough.
#
# A person takes 200 ms, many frames, and not always the same. Then the key answers something that was seen a while ago,
# and no number of captures helps. A scripted player answers at once, which makes it a good teacher.
#
# ## Record
#
# `record` does all that: it captures, drops pictures that repeat the one before, keeps the keys of each frame's last
# capture, makes the pictures smaller (`size`), and writes everything to a folder. For a window, you say which keys mean
# which action. The game without a window knows its player's actions already.

# %% id="record"
folder = Path(tempfile.mkdtemp())  # give a folder of your own to keep what you record
with open_source() as source:
    keys = None if isinstance(source, EnvSource) else {"left": 0, "": 1, "right": 2}
    path = record(source, keys, folder / "episode", seconds=4, fps=120, size=128, progress=False)
episode = load_recording(path)

# %% id="record-look"
print("files: ", sorted(file.name for file in path.iterdir()))
print("frames:", episode.frames.shape[1:], episode.frames.dtype)
print("enough:", len(episode.frames) > 150)
print("every action known:", bool((episode.actions >= 0).all()))

# %% [markdown] id="record-notice"
# A recording is a folder: `frames.bin` holds the pixels, `index.csv` a row for each frame, `meta.json` what it is.
# `load_recording` gives four arrays with one entry for each frame: `frames`, `times`, `actions`, `keys`. Look before
# you train: a recording that nobody has looked at is not one to learn from.

# %% id="look"
names = ["left", "stay", "right"]
fig, axes = plt.subplots(1, 6, figsize=(9, 1.9), layout="constrained")
for ax, i in zip(axes, np.linspace(20, len(episode.frames) - 20, 6).astype(int), strict=True):
    ax.imshow(episode.frames[i])
    ax.set(title=names[episode.actions[i]], xticks=[], yticks=[])
fig.suptitle("The recording: what was seen, and what was done about it")
plt.show()

# %% [markdown] id="yourself"
# To record **yourself**, open the game with `OpenGame("dlsteps.game.window")` in place of the scripted player, record
# for a minute, and play with the arrow keys. Expect a weaker agent: your keys come late, as said, and your network will
# learn your mistakes, too.
#
# The minute that comes with the course was made in just this way, with a real window at 120 captures a second. It is
# packed into one file, which `load_recording` reads as well. How even is its time?

# %% id="stored"
stored = load_recording(data_path("catch_level1_night.npz"))
gaps = np.diff(stored.times) * 1000  # ms from each frame to the next
print("frames:", len(stored.frames), "in", round(stored.times[-1]), "s")
print(f"between two frames: {np.median(gaps):.1f} ms; the longest gap {gaps.max():.0f} ms")

# %% [markdown] id="stored-notice"
# 60 s × 60 frames would be 3,600. The 15 that are missing were all lost in that one gap. One gap in a minute does no
# harm; if there were many, you would want to know before you train. (Where it is, and what happened there, comes out in
# lesson 05.)
#
# ## Other sources
#
# Not every game is on your screen. Frames can come from a video, or from a folder of pictures, and it is the same
# interface. We write a second of the minute as pictures and as a video, and read both back.

# %% id="write-files"
second = stored.frames[600:660]
(folder / "pictures").mkdir()
video = cv2.VideoWriter(str(folder / "second.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 60, (128, 128))
for number, pixels in enumerate(second):
    Image.fromarray(pixels).save(folder / "pictures" / f"frame{number}.png")
    video.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))  # OpenCV wants blue first
video.release()

# %% id="read-files"
from_pictures = np.stack([frame.pixels for frame in FolderSource(folder / "pictures", fps=60)])
from_video = np.stack([frame.pixels for frame in VideoSource(folder / "second.avi")])
print("pictures:", from_pictures.shape, "identical:", np.array_equal(from_pictures, second))
print("video:   ", from_video.shape, "identical:", np.array_equal(from_video, second))

# %% id="compare-files"
fig, axes = plt.subplots(1, 3, figsize=(8, 3), layout="constrained")
difference = np.abs(from_video[0].astype(int) - second[0]).max(axis=2)
axes[0].imshow(second[0])
axes[1].imshow(from_video[0])
axes[2].imshow(difference, cmap="magma")
for ax, title in zip(axes, ["recorded", "from the video", "difference"], strict=True):
    ax.set(title=title, xticks=[], yticks=[])
fig.suptitle("A video alters most at edges")
plt.show()

# %% [markdown] id="files-notice"
# PNG pictures come back bit by bit. A video is compressed, which throws away what the eye does not need, but a network
# trained on clean frames may. So record frames as they are, and take videos only where there is nothing else. Neither
# tells you what was pressed: `frame.action` is `None`.
#
# ## What goes wrong, and how you notice
#
# The worst recording is one that looks finished. Some systems (Wayland, protected windows, a Mac without the permission
# *Screen Recording*) hand out black pictures and no error. Here is a source that does the same, and what `record` makes
# of it: an error, on purpose. Read its last line.


# %% id="black" tags=["raises-exception"]
class BlackSource(FrameSource):
    """A second and more of nothing."""

    time = 0.0

    def read(self):
        self.time += 1 / 60
        return Frame(np.zeros((256, 256, 3), np.uint8), self.time)


record(BlackSource(), None, folder / "black", progress=False)

# %% [markdown] id="black-notice"
# After a second of black the recorder gives up, and the last line of the error says what it may be. An hour of black
# frames would have been worse.
#
# The second trouble is the **focus**. Keys go to whichever window has it. Suppose that you answer a message in the
# middle of a recording: the keys that you type there are no answers to the game, and nobody's business. So a window is
# recorded only while it has the focus, lies wholly on the screen, and nothing covers it. We act that out with a
# stand-in for a window, which loses the focus for half a second. (One capture a frame will do: this source says itself
# what its player does.)


# %% id="focus"
class BusyWindow(EnvSource):
    """A game whose player looks away after half a second, for half a second."""

    def __init__(self):
        super().__init__(CatchEnv(), ScriptedPlayer(), seed=7)
        self.start = time.monotonic()

    def focused(self):
        return not 0.5 < time.monotonic() - self.start < 1.0

    def covered(self):
        return None


path = record(BusyWindow(), None, folder / "busy", seconds=1.5, fps=60, progress=False)
busy = load_recording(path)
print("left out:", list(busy.meta["dropped"]))
print("segments:", sorted(set(busy.segments.tolist())))

# %% [markdown] id="focus-notice"
# The captures without focus were left out, and counted in `meta.json`. What came after is a new **segment**. A network
# sees two frames that follow each other at once (a *stack*, as in lesson 00), and the two never come from different
# segments, because what lay between is missing.
#
# ## Another game
#
# Nothing in the recorder knows Catch. Here it watches a game that nobody here wrote: *Aliens*, which comes with pygame.
# Two arrow keys drive, space shoots, and keys can be held together. It draws 40 pictures a second, so we capture 80. On
# a desktop we open it and hold the space key for three seconds; without one there is a stored recording, in which the
# tank drives, too.

# %% id="aliens"
ALIENS_KEYS = {"": 0, "left": 1, "right": 2, "space": 3, "left+space": 4, "right+space": 5}
path = data_path("aliens.npz")
if no_window() is None:
    with OpenGame("pygame.examples.aliens", title="Pygame Aliens") as source, Keys(["left", "right", "space"]) as keys:
        keys.press("space")
        path = record(source, ALIENS_KEYS, folder / "aliens", seconds=3, fps=80, size=(160, 120), progress=False)
aliens = load_recording(path)
print("frames:", aliens.frames.shape[1:], "enough:", len(aliens.frames) > 50)
print("space was held:", any("space" in held for held in aliens.keys))

# %% id="aliens-look"
fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
for ax, i in zip(axes, np.linspace(10, len(aliens.frames) - 10, 3).astype(int), strict=True):
    ax.imshow(aliens.frames[i])
    ax.set(title=aliens.keys[i] or "no key", xticks=[], yticks=[])
fig.suptitle("The same recorder, another game")
plt.show()

# %% [markdown] id="aliens-notice"
# What changed is the module that opens the game, its title, its keys, its rate and the size of the pictures; `record`
# and what it writes are the same. For a game of your own, find a part of its title that no other window has, write down
# its keys, and capture at twice its rate.
#
# **Before you record anything:** only the chosen window is captured and only the named keys are read, but what is in
# that window is in the recording. Look at it before you give it to anybody. And ask before you let a program play where
# other people play: most online games forbid it.
#
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 2.1 · Keys to action (easy, 3 minutes)
#
# Write `action_of(keys)`: `keys` is the set of keys that are held, such as `{"left"}` or `{"right", "space"}`. Return 0
# for left, 2 for right, and 1 for neither of them or both. Other keys do not matter.


# %% id="ex-1-answer"
def action_of(keys):
    """0, 1 or 2: left, stay or right."""
    ### BEGIN SOLUTION
    return 1 + ("right" in keys) - ("left" in keys)
    ### END SOLUTION


# %% id="ex-1-check"
check("2.1", action_of)
# hint("2.1")

# %% [markdown] id="ex-1-why"
# `True` counts as 1, so the two cancel out if both are held. The game does the same. Four `if`s are as right.

# %% [markdown] id="ex-2"
# ### Exercise 2.2 · Which window is meant? (medium, 8 minutes)
#
# Write `pick_title(titles, wanted)`: from a list of window titles, return the one that is exactly `wanted`, letter for
# letter; if none is, the one that contains `wanted`, upper and lower case alike. If no title contains it, or more than
# one does, return `None`: better no window than the wrong one.


# %% id="ex-2-answer"
def pick_title(titles, wanted):
    """The title that is meant, or None."""
    ### BEGIN SOLUTION
    if wanted in titles:
        return wanted
    hits = [title for title in titles if wanted.lower() in title.lower()]
    return hits[0] if len(hits) == 1 else None
    ### END SOLUTION


# %% id="ex-2-check"
check("2.2", pick_title)
# hint("2.2")

# %% [markdown] id="ex-2-why"
# The exact title comes first, or you could never ask for `Catch` while `Catch (dlsteps)` is open. `find_window` works
# by the same rule, and raises an error that names the open windows where this returns `None`.

# %% [markdown] id="ex-3"
# ### Exercise 2.3 · The last capture (medium, 10 minutes)
#
# Write `pair(captures)`: `captures` is a list of pairs (frame number, keys held) in the order of time, such as `[(1,
# ""), (1, "left"), (2, "left"), (2, "")]`. Return a list with one pair for each frame, in order: its number, and the
# keys at its **last** capture. For the example that is `[(1, "left"), (2, "")]`, for no captures an empty list.


# %% id="ex-3-answer"
def pair(captures):
    """Each frame with the keys of its last capture."""
    ### BEGIN SOLUTION
    last = {}
    for frame, keys in captures:
        last[frame] = keys
    return list(last.items())
    ### END SOLUTION


# %% id="ex-3-check"
check("2.3", pair)
# hint("2.3")

# %% [markdown] id="ex-3-why"
# Later captures overwrite earlier ones, and a dictionary keeps its entries in the order in which they were first made.
# In one line: `list(dict(captures).items())`.

# %% [markdown] id="ex-4"
# ### Exercise 2.4 · Where is something missing? (medium, 10 minutes)
#
# Write `number_segments(times, limit)`: `times` are those of the frames, in seconds, in order. Return a list with the
# segment of each frame. The first segment is 0, and a new one begins where a frame comes **more than** `limit` seconds
# after the one before. For `[0.0, 0.1, 0.9]` and the limit 0.5 that is `[0, 0, 1]`, for no times an empty list.


# %% id="ex-4-answer"
def number_segments(times, limit):
    """The segment of each frame."""
    ### BEGIN SOLUTION
    gaps = np.diff(times, prepend=times[:1])
    return np.cumsum(gaps > limit).tolist()
    ### END SOLUTION


# %% id="ex-4-check"
check("2.4", number_segments)
# hint("2.4")

# %% [markdown] id="ex-4-why"
# Each gap that is too long adds 1 to the number of all frames after it, and that is what `cumsum`, the running sum,
# does. `prepend` gives the first frame a gap of 0, so that there are as many gaps as frames.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | the agent reacts a moment late | keys were taken at the first capture | keep the last; capture at twice the game's rate |
# | `no window 'Catch'. Open windows: …` | the game is not open, or has another title | pick a part of a title that the message names |
# | `the window gives only black frames` | Wayland, a protected window, a missing permission | `python course.py doctor` says which |
# | far fewer frames than expected | the window was covered or had no focus | look at `meta["dropped"]` |
# | `'episode' exists already` | nothing is ever overwritten | another name, or delete the folder first |
# | a key stays down after your program | it ended without letting go | `with Keys(…) as keys:` releases what it pressed |
# | colours look wrong, skies are orange | OpenCV gives blue first, matplotlib wants red first | `cv2.cvtColor(x, cv2.COLOR_BGR2RGB)` |
#
# ## Summary
#
# * A source gives frames: from a window, the game itself, a video or a folder, all alike.
# * The key that answers a frame comes after it: capture at twice the game's rate, keep the keys of the last capture.
# * Record only what has the focus and is uncovered; count what you leave out; look at what you got.

# %% [markdown] id="league-intro"
# ## The league table
#
# What do wrong labels cost? We trained lesson 00's agent again on the same frames, from five seeds each time, with the
# labels that the simulation above gives: captured once a frame, and four times a frame, keeping the first
# (`benchmarks/league.py`). Remember the scale: 0 is random play, 1 the scripted player.

# %% id="league"
league("02")

# %% [markdown] id="next"
# One label in fourteen wrong, and half of the score is gone; with a quarter of them wrong, the agent plays like chance.
# The frames were the same, the network, the training. And afterwards nobody can tell from a recording which of its
# labels are the wrong ones.
#
# **Next:** 03 · Datasets, samplers and loaders, where recordings become batches.
