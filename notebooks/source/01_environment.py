# %% [markdown] id="title"
# # 01 · Environment
#
# **Is this machine ready, and what can it promise you?**
#
# You will be able to
#
# * tell in a minute which package is missing or broken, and which command repairs it;
# * say what your machine has for training: device, threads, memory;
# * repeat a training run exactly, and say when that will not work.
#
# *20 minutes to read, 45 with the exercises, 20 seconds to run. It helps to have seen lesson 00.*

# %% id="imports" tags=["setup"]
import csv
import importlib
import random

import matplotlib.pyplot as plt
import torch
from torch import nn

from dlsteps.data import data_path
from dlsteps.doctor import Package, check_machine, check_package, check_packages, format_machine, format_packages
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league

# %% [markdown] id="why"
# It is 11 pm, you copy a program from a web page, and it stops on its first line. Before you search the web for an
# hour, find out where you stand. Four questions are enough: are the packages there? Do they work? What is the machine
# able to do? And will it do the same thing twice?
#
# ## Are the packages there?
#
# Importing is the test. A package can be installed and still be unable to start, and only an import shows that.

# %% id="import-test"
for module in ["numpy", "matplotlib", "torch", "torchvision"]:
    importlib.import_module(module)
    print(f"{module:11} OK")

# %% [markdown] id="import-notice"
# These four are needed for everything in this course. NumPy computes with arrays, matplotlib draws, torch (its full
# name is PyTorch) trains, torchvision knows pictures.
#
# Now one that catches many people. To read pictures and videos we use OpenCV, which you install by `pip install
# opencv-python`. So this should work. Run it, read the last line of what comes out, and go on with the cell below it.

# %% id="wrong-name" tags=["raises-exception"]
import opencv_python

# %% [markdown] id="wrong-name-notice"
# **What you install and what you import have two names.** `opencv-python` brings a module that is called `cv2`. Nothing
# is missing; we asked for the wrong thing.

# %% id="right-name"
import cv2

print("cv2 OK")

# %% [markdown] id="names"
# The course grew out of a study note that lists eight packages. These are their two names:
#
# | `pip install …` | `import …` | what it is for |
# |---|---|---|
# | numpy | `numpy` | arrays |
# | matplotlib | `matplotlib` | pictures |
# | torch | `torch` | training |
# | torchvision | `torchvision` | pictures for torch |
# | pywin32 | `win32gui` (and more) | the windows of a Windows desktop |
# | opencv-python | `cv2` | pictures and videos, very fast |
# | pyautogui | `pyautogui` | screenshots, and pressing keys |
# | keyboard | `keyboard` | reading keys |
#
# ## Do they work?
#
# The same test now for every package of the course, with its version, in a few seconds. `check_packages` imports each
# in a Python of its own, so that one that crashes does not take this notebook along.

# %% id="packages" tags=["nbval-ignore-output"]
print(format_packages(check_packages()))

# %% [markdown] id="packages-notice"
# (`import as` is empty where the two names are the same.) Read the column `status`. **OK** needs nothing. **not for
# this system** is right as it is: `pywin32` exists on Windows only, and the note beside it says what does its work
# here. **optional** is not needed. If you see only these three, your machine is ready. Under **missing** or **broken**
# stands the command that repairs it: copy that line into a terminal. What does such a repair look like? We ask for a
# package that does not exist.

# %% id="missing"
result = check_package(Package("no-such-package", "no_such_package"))
print("status:", result.status)
print("repair:", result.repair.split("-m ")[-1])

# %% [markdown] id="missing-notice"
# Yours begins with a path, which we have cut off: it is that of the Python that runs this notebook. That matters more
# than it looks. The commonest of all installation troubles is a `pip` that belongs to another Python than the one you
# use. `python -m pip install …`, with the right `python`, cannot go wrong in that way.
#
# ## What takes the place of the desktop packages
#
# The last four of the note's eight packages are there to watch the screen and press keys. `cv2` works everywhere; each
# of the other three fails somewhere. `win32gui` is for Windows only, `keyboard` wants to be root on Linux, and
# `pyautogui` is slow: it takes a picture of the whole screen and cuts the window out. How slow is too slow? Catch draws
# 60 pictures a second, and we need to look twice as often (lesson 02 says why).
#
# So we measured how many pictures of a window of 256 × 256 pixels each way gives in a second (`benchmarks/capture.py`;
# Linux, two cores, the median of seven rounds). `PIL.ImageGrab` and `mss` are two other packages that take pictures;
# the first takes the whole screen, too. *raw* means as it comes, *RGB* that the colours were also brought into the
# usual order. `WindowSource.read()` is the course's own way, of which more below. A bare memory copy of as many bytes
# is the limit that nothing can beat.

# %% id="rates"
with open(data_path("capture_rates.csv"), newline="") as file:
    rates = {row["name"]: float(row["median"]) for row in csv.DictReader(file)}
rates = dict(sorted(rates.items(), key=lambda item: -item[1]))
for name, rate in rates.items():
    print(f"{name:22} {rate:7,.0f} pictures a second")

# %% id="rates-plot"
needed = 120  # pictures a second, twice the game's rate
fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
ax.barh(list(rates), list(rates.values()), color=["#0072B2" if rate > needed else "#D55E00" for rate in rates.values()])
ax.axvline(needed, color="black", linestyle="--")
ax.text(needed * 1.1, 5.5, "what the game needs", va="center")
ax.set(
    xscale="log",
    xlabel="pictures a second (log scale)",
    title="Screenshots of the whole screen are too slow to play by",
)
ax.invert_yaxis()
plt.show()

# %% [markdown] id="rates-notice"
# So the course uses `mss`, with OpenCV to bring the colours into order, behind one interface, `WindowSource`, that
# finds the window by the system's own means:
#
# | | finds windows | takes pictures | reads and presses keys |
# |---|---|---|---|
# | Windows | pywin32 | mss | pynput |
# | macOS | Quartz | mss | pynput |
# | Linux (X11) | python-xlib | mss | python-xlib |
# | no display | — | the game itself draws (`EnvSource`) | — |
#
# ## What is the machine able to do?

# %% id="machine" tags=["nbval-ignore-output"]
print(format_machine(check_machine()))

# %% [markdown] id="machine-notice"
# (`+cu…` behind torch's version says only that this torch could use an NVIDIA GPU, not that there is one.) Three of
# these lines matter for training.
#
# **The device** is where the computing is done: `cuda` is a graphics processor (GPU) by NVIDIA or AMD, `mps` that of a
# Mac, `cpu` the processor that every machine has. This is how to choose, best first. (The same function is in
# `dlsteps.doctor`. Its `import` is inside because `doctor` has to start even where torch is missing.)


# %% id="device" tags=["setup"]
def pick_device():
    """The `torch.device` to train on: an NVIDIA or AMD GPU ("cuda"), a Mac's ("mps"), else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


device = pick_device()

# %% [markdown] id="device-intro"
# Torch keeps its numbers in **tensors**: blocks of numbers, all of one type, with a shape, as NumPy's arrays are.
# `.to(device)` moves a tensor to a device, and what is computed from it stays there. (Every lesson runs on a CPU in
# under a minute, so do not go and buy anything.)

# %% id="device-use"
x = torch.rand(64, 6, 64, 64).to(device)  # (B, C, H, W): a batch as in lesson 00
print("a result is where its input is:", (x * 2).device == x.device)

# %% [markdown] id="threads-intro"
# **Threads** are how many cores torch computes with at once. Left alone it takes them all, which is right for you; on a
# machine that you share, `torch.set_num_threads(2)` leaves some to the others.
#
# **Memory** is what a program runs out of without a warning. How much does the batch above take? One MiB is 2²⁰ bytes,
# about a million.

# %% id="memory"
print("numbers in the batch:", x.numel())
print("bytes for each:", x.element_size(), f"({x.dtype})")
print(f"together: {x.numel() * x.element_size() / 2**20:.0f} MiB")

# %% [markdown] id="memory-notice"
# Small. And a whole episode? Our minute of Catch has 3,585 pictures, 256 × 256 pixels each, with three colours. For
# each colour of each pixel the window gives a `uint8`, a whole number from 0 to 255 that fits into one byte; torch
# computes with `float32`, numbers with a fraction. A type knows its bytes: `dtype.itemsize`. (One GiB is 2³⁰ bytes.)

# %% id="memory-episode"
pictures, height, width, channels = 3585, 256, 256, 3
for dtype in (torch.float32, torch.uint8):
    size = pictures * height * width * channels * dtype.itemsize
    print(f"{dtype}: {size / 2**30:.2f} GiB")

# %% [markdown] id="memory-episode-notice"
# As `float32` one minute would fill a third of the memory of a laptop with 8 GiB, as bytes a quarter of that. So
# recordings stay bytes, and become `float32` batch by batch.

# %% [markdown] id="seeds-intro"
# ## Will it do the same thing twice?
#
# A network begins with random numbers, and sees its samples in random order. If every run is different, how do you know
# whether your change or chance made it better? Computers draw from a **generator**, which computes each number from the
# one before. Where it begins is the **seed**.

# %% id="seeds"
torch.manual_seed(7)
first = torch.rand(3)
second = torch.rand(3)
torch.manual_seed(7)
again = torch.rand(3)
print("first == second:", torch.equal(first, second))
print("first == again: ", torch.equal(first, again))

# %% [markdown] id="seeds-notice"
# Same seed, same numbers. Does that hold for a whole training? We train a tiny network three times: twice from seed 0,
# once from seed 1.


# %% id="train"
def train(seed, steps=60):
    """Learn y = x² from -1 to 1; the loss after each step."""
    torch.manual_seed(seed)
    x = torch.linspace(-1, 1, 64)[:, None]  # (B, 1)
    model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    losses = []
    for _ in range(steps):
        loss = ((model(x) - x**2) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


runs = {"seed 0": train(0), "seed 0 again": train(0), "seed 1": train(1)}
print("seed 0 twice, all losses equal: ", runs["seed 0"] == runs["seed 0 again"])
print("seed 0 and 1, all losses equal: ", runs["seed 0"] == runs["seed 1"])

# %% id="train-plot"
fig, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
ax.plot(runs["seed 0"], color="#0072B2", linewidth=6, alpha=0.35, label="seed 0")
ax.plot(runs["seed 0 again"], color="black", linewidth=1, label="seed 0 again")
ax.plot(runs["seed 1"], color="#D55E00", linestyle="--", label="seed 1")
ax.set(xlabel="step", ylabel="loss (mean squared error)", ylim=(0, None))
ax.set_title("The same seed gives the same curve")
ax.legend()
plt.show()

# %% [markdown] id="limits"
# To the last digit, at every step. So may you promise a friend the same numbers from the same program? Only on the same
# machine. This is why:


# %% id="order"
def add(numbers):
    total = 0.0
    for number in numbers:
        total += number
    return total


chance = random.Random(0)
numbers = [chance.uniform(-1, 1) for _ in range(1000)]
forwards, backwards = add(numbers), add(reversed(numbers))
print("the same sum:", forwards == backwards)
print("nearly the same:", abs(forwards - backwards) < 1e-9)

# %% [markdown] id="order-notice"
# Computers round after every addition, so the order matters, in the last digits. Another processor, another number of
# threads, another version of torch adds in another order. In a long training such differences can grow, step by step,
# until another network comes out; that is how your score in lesson 00 came to differ from ours. What you can rely on:
#
# | you change | the numbers are |
# |---|---|
# | nothing, same seed | the same, to the last digit (on a GPU only with `torch.use_deterministic_algorithms(True)`) |
# | threads, processor, version of torch, CPU or GPU | nearly the same at first, then another run |
# | the seed | another run |
#
# So give a result as a mean over several seeds, with its spread. One run is one throw of the dice. And stored outputs
# in this course say things like `better than random: True`, which hold on any machine.

# %% [markdown] id="quiz-1"
# **A question in between.** You change one line of a program. Before, with seed 0, the score was 0.91; now, with seed
# 0, it is 0.93. Is the new line better?
#
# * **a** Yes: 0.93 is more than 0.91.
# * **b** Yes: the seed was the same, so chance has no part in it.
# * **c** You cannot tell yet.

# %% id="quiz-1-choices"
quiz("1.a")

# %% [markdown] id="one-command"
# ## All of it in one command
#
# What this lesson did by hand, and a test of the desktop besides, is one command in a terminal:
#
# ```
# python course.py doctor
# ```
#
# It opens a small window for two seconds, finds it, takes its picture and presses a key in it, and ends with a verdict
# of a few lines, without your name or paths, that you can paste when you ask for help. Try it before lesson 02.
#
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 1.1 · OK, missing or broken? (easy, 5 minutes)
#
# Write `status(module)`: it imports the module of that name and returns `"OK"`; `"missing"` if there is no such module
# (`ModuleNotFoundError`); `"broken"` if the import raises anything else. The check also tries modules that raise. (What
# if a module exists, but one that it needs does not? Here that counts as missing, too.)


# %% id="ex-1-answer"
def status(module):
    """ "OK", "missing" or "broken"."""
    ### BEGIN SOLUTION
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        return "missing"
    except Exception:
        return "broken"
    return "OK"
    ### END SOLUTION


# %% id="ex-1-check"
check("1.1", status)
# hint("1.1")

# %% [markdown] id="ex-1-why"
# `ModuleNotFoundError` has to come first: it is an `Exception` too, and the first `except` that fits is taken. `except
# Exception` rather than a bare `except` lets Ctrl-C through.

# %% [markdown] id="ex-2"
# ### Exercise 1.2 · Which version is newer? (easy, 5 minutes)
#
# Torch 2.9 came before torch 2.15, but `"2.9" > "2.15"` is `True`: texts are compared letter by letter. Write `newer(a,
# b)`: the newer one of two versions, each a text of numbers with points between them, such as `"2.15.0"`. Both have the
# same number of parts.


# %% id="ex-2-answer"
def newer(a, b):
    """The newer of two versions, such as "2.9" and "2.15"."""
    ### BEGIN SOLUTION
    return max(a, b, key=lambda version: [int(number) for number in version.split(".")])
    ### END SOLUTION


# %% id="ex-2-check"
check("1.2", newer)
# hint("1.2")

# %% [markdown] id="ex-2-why"
# Python compares lists item by item, and numbers as numbers: `[2, 15] > [2, 9]`. For real versions, such as
# `2.15.0rc1`, use `packaging.version.Version`.

# %% [markdown] id="ex-3"
# ### Exercise 1.3 · Does it fit? (medium, 5 minutes)
#
# Write `mebibytes(shape, dtype)`: the memory that a tensor of this shape and type takes, in MiB (2²⁰ bytes), as a
# number with a fraction. An example: `mebibytes((64, 6, 64, 64), torch.float32)` is `6.0`. The tensor may be far too
# large to create, so compute, do not try.


# %% id="ex-3-answer"
def mebibytes(shape, dtype):
    """The memory of a tensor, in MiB."""
    ### BEGIN SOLUTION
    count = 1
    for length in shape:
        count *= length
    return count * dtype.itemsize / 2**20
    ### END SOLUTION


# %% id="ex-3-check"
check("1.3", mebibytes)
# hint("1.3")

# %% [markdown] id="ex-3-why"
# `math.prod(shape)` is the loop in one word. A `dtype` knows its `itemsize`, so nothing has to be created.

# %% [markdown] id="ex-4"
# ### Exercise 1.4 · A generator of your own (medium, 10 minutes)
#
# `torch.manual_seed` sets the one generator that everybody draws from: call it in a helper function, and you have
# changed the numbers of the whole program. `torch.Generator()` makes a generator of your own, with a `manual_seed` of
# its own, and `torch.rand(…, generator=…)` draws from it. Write `draw(seed, count)`: a tensor of `count` random numbers
# from 0 to 1, as `torch.rand` gives them, that depend on `seed` alone, without touching the generator that all share.


# %% id="ex-4-answer"
def draw(seed, count):
    """`count` random numbers that depend on `seed` alone."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, generator=generator)
    ### END SOLUTION


# %% id="ex-4-check"
check("1.4", draw)
# hint("1.4")

# %% [markdown] id="ex-4-why"
# `manual_seed` of a generator returns the generator, so one line makes and seeds it. In lesson 03 every loader gets
# one.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `ModuleNotFoundError: No module named 'opencv_python'` | install name and import name differ | `import cv2` |
# | pip says *already satisfied*, the import fails all the same | that `pip` belongs to another Python | `python -m pip install …` |
# | `operator torchvision::nms does not exist` | torch and torchvision do not match | install both in one command, as `doctor` shows it |
# | `ImportError` on `keyboard` under Linux: you must be root | it reads the devices themselves | use `dlsteps.capture.Keys` |
# | `module 'random' has no attribute 'uniform'` | a file of yours is called `random.py` | rename it; never name a file like a package |
# | training is suddenly much slower | another program is busy, and torch's threads wait for each other | end that program, or `torch.set_num_threads(1)` |
# | two runs with the same seed differ | something drew in between, or another device or thread count | seed right before; compare on one machine |
#
# ## Summary
#
# * Importing is the test. Install and import names can differ.
# * `python -m pip` installs into the Python that you mean.
# * Device, threads and memory: know the three before you train; bytes take a quarter of what `float32` takes.
# * Same seed, same machine, same versions: the same numbers. Otherwise report mean and spread over several seeds.

# %% [markdown] id="league-intro"
# ## The league table
#
# Each lesson ends with what its step did to the agent.

# %% id="league"
league("01")

# %% [markdown] id="next"
# Nothing, this time; a checked environment makes no agent better. It keeps you from looking in your network for a fault
# that is not there. **Next:** [02 · From screen to data](02_screen_to_data.ipynb), where a window and a keyboard become
# something that a network can learn from.
