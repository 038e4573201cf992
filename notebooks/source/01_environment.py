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
# *20 minutes to read, 40 with the exercises, 20 seconds to run. It helps to have seen lesson 00.*

# %% id="imports" tags=["setup"]
import csv
import importlib
import random

import matplotlib.pyplot as plt
import torch
from torch import nn

from dlsteps.data import data_path
from dlsteps.doctor import Package, check_machine, check_package, check_packages, format_machine, format_packages
from dlsteps.exercises import check, hint
from dlsteps.league import league

# %% [markdown] id="why"
# It is 11 pm, you copy a program from a web page, and it stops in its first line. Before you search the web for an
# hour, find out where you stand. Four questions do it: are the packages there? Do they work? What is the machine able
# to do? And will it do the same thing twice?
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
# opencv-python`. So this should work. Run it, and read the last line of what comes out.

# %% id="wrong-name" tags=["raises-exception"]
import opencv_python

# %% [markdown] id="wrong-name-notice"
# **What you install and what you import have two names.** `opencv-python` brings a module that is called `cv2`. Nothing
# is missing; we asked for the wrong thing.

# %% id="right-name"
import cv2

print("a picture of zeros has shape", cv2.cvtColor(torch.zeros(4, 6, 3).numpy(), cv2.COLOR_RGB2GRAY).shape)

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
# `check_packages` imports each package in a Python of its own, so that one that crashes does not take this notebook
# along. It takes a few seconds.

# %% id="packages" tags=["nbval-ignore-output"]
print(format_packages(check_packages()))

# %% [markdown] id="packages-notice"
# Read the column `status`. **OK** needs nothing. **not for this system** is right as it is: `pywin32` exists on Windows
# only, and the note beside it says what does its work here. **optional** is not needed. Under **missing** or **broken**
# stands the command that repairs it: copy that line into a terminal. What does such a repair look like? We ask for a
# package that nobody has.

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
# Four of the note's eight packages watch the screen and press keys, and each of them fails somewhere: `win32gui` is for
# Windows only, `keyboard` wants to be root on Linux, `pyautogui` takes a picture of the whole screen and cuts it. For a
# network that plays at 60 pictures a second, that last one decides. We measured how many pictures of a window of 256 ×
# 256 pixels each way gives in a second (`benchmarks/capture.py`; Linux, two cores, the median of seven rounds).

# %% id="rates"
with open(data_path("capture_rates.csv"), newline="") as file:
    rates = {row["name"]: float(row["median"]) for row in csv.DictReader(file)}
for name, rate in rates.items():
    print(f"{name:22} {rate:7,.0f} pictures a second")

# %% id="rates-plot"
needed = 120  # pictures a second: twice the game's rate, lesson 02 says why
fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
ax.barh(list(rates), list(rates.values()), color=["#0072B2" if rate > needed else "#D55E00" for rate in rates.values()])
ax.axvline(needed, color="black", linestyle="--")
ax.text(needed * 1.1, 0.5, "what the game needs", va="center")
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
# Three of these lines matter for training.
#
# **The device** is where the computing is done: `cuda` is a graphics processor (GPU) by NVIDIA or AMD, `mps` that of a
# Mac, `cpu` the processor that every machine has. This is how to choose, best first:


# %% id="device" tags=["setup"]
def pick_device():
    """The `torch.device` to train on: an NVIDIA or AMD GPU ("cuda"), a Mac's ("mps"), else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


device = pick_device()

# %% [markdown] id="device-intro"
# `.to(device)` moves a tensor there, and what is computed from it stays there. (Every lesson runs on a CPU in under a
# minute, so do not go and buy anything.)

# %% id="device-use"
x = torch.rand(64, 6, 64, 64).to(device)  # (B, C, H, W): a batch as in lesson 00
print("a result is where its input is:", (x * 2).device == x.device)

# %% [markdown] id="threads-intro"
# **Threads** are how many cores torch computes with at once. It takes them all, which is right for you; on a machine
# that you share, `torch.set_num_threads(2)` leaves some to the others.
#
# **Memory** is what a program runs out of without a warning. How much does the batch above take?

# %% id="memory"
print("numbers in the batch:", x.numel())
print("bytes for each:", x.element_size(), f"({x.dtype})")
print(f"together: {x.numel() * x.element_size() / 2**20:.0f} MiB")

# %% [markdown] id="memory-notice"
# 6 MiB, small. But an episode of a minute has 3,585 pictures, and as `float32` those at 256 × 256 would take 2.6 GiB,
# as the bytes (`uint8`) that a screen delivers a quarter. That is why recordings stay bytes, and become `float32` batch
# by batch.

# %% id="memory-episode"
pictures, height, width, channels = 3585, 256, 256, 3
for dtype in (torch.float32, torch.uint8):
    size = pictures * height * width * channels * torch.empty(0, dtype=dtype).element_size()
    print(f"{dtype}: {size / 2**30:.2f} GiB")

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
ax.set(
    xlabel="step", ylabel="loss (mean squared error)", ylim=(0, None), title="The same seed runs along the same line"
)
ax.legend()
plt.show()

# %% [markdown] id="limits"
# To the last digit, at every step. So may you promise a friend the same numbers from the same program? Only on the same
# machine. This is why:

# %% id="order"
chance = random.Random(0)
numbers = [chance.uniform(-1, 1) for _ in range(1000)]
forwards, backwards = sum(numbers), sum(reversed(numbers))
print("the same sum:", forwards == backwards)
print("nearly the same:", abs(forwards - backwards) < 1e-9)

# %% [markdown] id="order-notice"
# Computers round after every addition, so the order matters, in the last digits. Another processor, another number of
# threads, another version of torch adds in another order. Training then makes small differences larger, step by step.
# What you can rely on:
#
# | you change | the numbers are |
# |---|---|
# | nothing, same seed | the same, to the last digit (on a GPU only with `torch.use_deterministic_algorithms(True)`) |
# | threads, processor, version of torch, CPU or GPU | nearly the same at first, then another run |
# | the seed | another run |
#
# So give a result as a mean over several seeds, with its spread. One run is one throw of the dice. And stored outputs
# in this course say things like `better than random: True`, which hold on any machine.
#
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
# (`ModuleNotFoundError`); `"broken"` if the import raises anything else. The check also tries a module that raises.


# %% id="ex-1-answer"
def status(module):
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

# %% [markdown] id="ex-1-why"
# `ModuleNotFoundError` has to come first: it is an `Exception` too, and the first `except` that fits is taken. `except
# Exception` rather than a bare `except` lets Ctrl-C through.

# %% [markdown] id="ex-2"
# ### Exercise 1.2 · Which version is newer? (easy, 5 minutes)
#
# Torch 2.9 came before torch 2.15, but `"2.9" > "2.15"` is `True`: texts are compared letter by letter. Write `newer(a,
# b)`: the newer one of two versions, each a text of numbers with points between them, as `"2.15.0"`. You may rely on
# both having as many numbers.


# %% id="ex-2-answer"
def newer(a, b):
    ### BEGIN SOLUTION
    return max(a, b, key=lambda version: [int(number) for number in version.split(".")])
    ### END SOLUTION


# %% id="ex-2-check"
check("1.2", newer)

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
    ### BEGIN SOLUTION
    count = 1
    for length in shape:
        count *= length
    return count * dtype.itemsize / 2**20
    ### END SOLUTION


# %% id="ex-3-check"
check("1.3", mebibytes)

# %% [markdown] id="ex-3-why"
# `math.prod(shape)` is the loop in one word. A `dtype` knows its `itemsize`, so nothing has to be created.

# %% [markdown] id="ex-4"
# ### Exercise 1.4 · Chance of one's own (medium, 10 minutes)
#
# `torch.manual_seed` sets the one generator that everybody draws from: call it in a helper function, and you have
# changed the numbers of the whole program. `torch.Generator` is a generator of your own; `torch.rand(…, generator=…)`
# draws from it. Write `draw(seed, count)`: a tensor of `count` random numbers that depend on `seed` alone, without
# touching the generator that all share.


# %% id="ex-4-answer"
def draw(seed, count):
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, generator=generator)
    ### END SOLUTION


# %% id="ex-4-check"
check("1.4", draw)

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
# Nothing, this time; a checked environment makes no agent better. It keeps you from looking for a fault in your network
# that is none. **Next:** [02 · From screen to data](02_screen_to_data.ipynb), where a window and a keyboard become
# something that a network can learn from.
