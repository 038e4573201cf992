# %% [markdown] id="title"
# # 12 · Saving and loading
#
# **What must a checkpoint hold so that a run can continue as if nothing had happened?**
#
# You will be able to
#
# * save a run so that a crash costs you minutes, not days, and prove that it does;
# * tell, for any file you are handed, what it will forget and what it may do to you;
# * move a network: to another machine, into another network, out of Python.
#
# *30 minutes to read, an hour and a half with the exercises, 20 seconds to run. You need lessons 06 and 08.*

# %% id="imports" tags=["setup"]
import copy
import inspect
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

from dlsteps.data import load_digits5k
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league
from dlsteps.models import ConvNet, copy_submodule
from dlsteps.training import Callback, Trainer, accuracy, resume, save_checkpoint
from dlsteps.training.checkpoint import write_whole

# %% [markdown] id="why"
# Your agent has trained for two hours when the laptop's battery dies. You saved the weights after every epoch, so
# nothing is lost. Or is it? We train for four epochs in one go, then again with a 'crash' in the middle, and compare
# every weight. A tiny network shows the same thing as a large one, and in a second.


# %% id="run"
def new_run():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return model, optimizer


def train_epoch(model, optimizer):
    x = torch.randn(64, 8)  # (B, features): new data every epoch
    y = x[:, :3].argmax(dim=1)  # (B,): a rule the network can learn
    for batch_x, batch_y in zip(x.split(16), y.split(16), strict=True):
        loss = F.cross_entropy(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# %% [markdown] id="straight-intro"
# First the run that nothing disturbs. It is the truth that every resumed run has to match.

# %% id="straight"
model, optimizer = new_run()
for _ in range(4):
    train_epoch(model, optimizer)
truth = copy.deepcopy(model.state_dict())

# %% [markdown] id="weights-only-intro"
# Now the run with a crash after epoch 2, saving what most people save first: the weights.


# %% id="weights-only"
def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


model, optimizer = new_run()
for _ in range(2):
    train_epoch(model, optimizer)
saved = {"model": copy.deepcopy(model.state_dict())}

model, optimizer = new_run()  # the laptop is back
model.load_state_dict(saved["model"])
for _ in range(2):
    train_epoch(model, optimizer)
print("same as the straight run:", same(truth, model.state_dict()))

# %% [markdown] id="weights-only-notice"
# `False`. Every weight was restored, and still another network came out. So a run is more than its weights. What else
# did the crash take?
#
# Look at the optimizer. SGD with momentum remembers a running direction for every weight; a fresh optimizer starts from
# none.

# %% id="momentum"
state = optimizer.state_dict()["state"]
print("tensors the optimizer remembers:", len(state))
print("shape of the first:", tuple(state[0]["momentum_buffer"].shape))

# %% [markdown] id="momentum-notice"
# Four tensors, one for each weight matrix and bias, together as large as the network itself. (Adam keeps two of each.)
# We add them to the checkpoint, and the position of the random number generator, because it draws the data and what
# dropout throws away.


# %% id="complete"
def checkpoint_of(model, optimizer):
    return {
        "model": copy.deepcopy(model.state_dict()),
        "optimizer": copy.deepcopy(optimizer.state_dict()),
        "random": torch.get_rng_state(),
    }


model, optimizer = new_run()
for _ in range(2):
    train_epoch(model, optimizer)
saved = checkpoint_of(model, optimizer)

model, optimizer = new_run()
model.load_state_dict(saved["model"])
optimizer.load_state_dict(saved["optimizer"])
torch.set_rng_state(saved["random"])
for _ in range(2):
    train_epoch(model, optimizer)
print("same as the straight run:", same(truth, model.state_dict()))

# %% [markdown] id="complete-notice"
# `True`, to the last bit of every weight. That comparison is the test to write for your own training code: **a
# checkpoint is complete when a resumed run equals the straight one.** Anything else is an opinion.
#
# (Three things to know. `state_dict()` hands out the very tensors that the next step changes, so we took a `deepcopy`;
# in a file they are safe. One thing our loop still knew by itself: that two epochs were left. After a real crash nobody
# knows, so the number of the epoch has to go in, too. And this random generator is the CPU's: NumPy, Python's `random`
# and each GPU have one of their own, and a GPU repeats its sums to the last bit only if told to, see lesson 01.)
#
# ## What it costs to forget
#
# Does it matter? The network would have gone on learning somehow. Here is a real run, 4,000 digits and the trainer of
# lesson 08, with a one-cycle schedule. It crashes after epoch 3 of 6. Four runs:
#
# * *straight*: nothing happens. (It is saved after epoch 3, which disturbs nothing.)
# * *resumed with all*: a new trainer reads what `save_checkpoint` has written.
# * *without the optimizer's state*: the same, but what AdamW remembers is thrown away.
# * *with the weights alone*: a new run of three epochs that begins with the saved weights.

# %% id="digits-run"
images, labels = load_digits5k()
digits = TensorDataset(images.float() / 255, labels)  # (5000, 1, 28, 28), (5000,)
test = list(range(0, 5000, 5))
train_set, test_set = Subset(digits, sorted(set(range(5000)) - set(test))), Subset(digits, test)


class Losses(Callback):
    def __init__(self):
        self.values = []

    def on_batch_end(self, trainer):
        self.values.append(trainer.loss.item())


# %% id="digits-trainer"
def new_trainer():
    """A run of six epochs, 32 steps each."""
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2)
    model = nn.Sequential(*layers, nn.Linear(8 * 12 * 12, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=6 * 32)
    more = {"scheduler": scheduler, "metrics": {"accuracy": accuracy}, "callbacks": [Losses()]}
    return Trainer(model, optimizer, F.cross_entropy, **more, device="cpu")


# %% id="digits"
loader = DataLoader(train_set, batch_size=125, shuffle=True)
temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
folder = Path(temporary.name)

straight, resumed, no_optimizer, weights_alone = (new_trainer() for _ in range(4))
straight.fit(loader, epochs=3)
save_checkpoint(straight, folder / "run.pt")
torch.save(straight.model.state_dict(), folder / "weights.pt")
straight.fit(loader, epochs=6)  # six in all: `fit` counts those that were before

resume(resumed, folder / "run.pt")
resumed.fit(loader, epochs=6)

resume(no_optimizer, folder / "run.pt")
no_optimizer.optimizer.state.clear()
no_optimizer.fit(loader, epochs=6)

weights_alone.model.load_state_dict(torch.load(folder / "weights.pt", map_location="cpu"))
_ = weights_alone.fit(loader, epochs=3)


# %% id="digits-plot"
def draw(trainer, first_step, style, **more):
    """The training loss, the mean of eight steps a point."""
    losses = np.array(trainer.callbacks[0].values).reshape(-1, 8).mean(axis=1)
    ax.plot(first_step + 8 * np.arange(len(losses)) + 4, losses, style, **more)


fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
draw(straight, 0, "-", color="0.75", linewidth=5, label="straight")
draw(resumed, 96, "k.", label="resumed with all")
draw(no_optimizer, 96, "-", color="#0072B2", label="without the optimizer's state")
draw(weights_alone, 96, "-", color="#D55E00", label="with the weights alone")
ax.axvline(96, color="0.3", linestyle=":", label="crash")
ax.set(yscale="log", xlabel="step", ylabel="training loss, mean of 8 steps (nats)")
ax.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
ax.set_title("Only the complete checkpoint goes on where the run was")
ax.legend()
plt.show()

# %% [markdown] id="digits-notice"
# The black dots lie on the grey line, every one. The blue run has lost what AdamW remembers: averages of each weight's
# gradients, by which it scales the steps. Its loss jumps up, the new averages form, and after some forty steps it is
# back. The orange run starts no worse, but its schedule has begun anew: the learning rate is small, rises, and has not
# come down when the time is up. (It also sees the batches of epochs 0 to 2 a second time, as it counts from 0.) So
# different things get lost in different ways. What does it mean for the thousand digits that none of them has seen?

# %% id="digits-test" tags=["nbval-ignore-output"]
test_loader = DataLoader(test_set, batch_size=500)
trainers = {"straight": straight, "all": resumed, "no optimizer": no_optimizer, "weights alone": weights_alone}
for name, trainer in trainers.items():
    print(f"{name:14} accuracy {trainer.evaluate(test_loader, 'test')['test_accuracy']:.3f}")

# %% [markdown] id="digits-test-notice"
# A few digits of a thousand: nothing that one run could prove. The reason to save everything is another one. The
# complete checkpoint gives *the* straight run, and you need not ask what the crash has done to your result; with each
# of the others you do. Dots on a line convince the eye, so here is every number:

# %% id="proof"
ours, theirs = resumed.model.state_dict(), straight.model.state_dict()
print("tensors of the model:", len(ours), "  all equal:", same(ours, theirs))
ours, theirs = (trainer.optimizer.state_dict()["state"] for trainer in (resumed, straight))
print("of the optimizer:    ", sum(map(len, ours.values())), " all equal:", all(same(ours[i], theirs[i]) for i in ours))
print("the history, too:", list(resumed.history) == list(straight.history))
print("in the file:", ", ".join(torch.load(folder / "run.pt")))

# %% [markdown] id="proof-notice"
# Nine of the model: six weights and biases, and three of the batch normalisation, its averages and a counter, which no
# optimizer knows of. Eighteen of AdamW: for each of the six, two averages and the number of its steps. The last line
# shows what else `save_checkpoint` writes. Two things are worth a word. There is no position of a random number
# generator: the trainer seeds each epoch anew from `seed` and `epoch` (lesson 08), so a run can go on from the end of
# any epoch, in another process and on another day (the course's tests do that). And `callbacks` holds what each
# callback's own `state_dict` gives: `EarlyStopping` has one, our `Losses` has none, so it began with an empty list.
#
# In your own runs you need not call it. The callback `Checkpoint(folder)` writes `last.pt` after each epoch, and
# `best.pt` whenever the validation loss is the best so far. After a crash, make everything as before, call
# `resume(trainer, folder)`, which takes `last.pt`, and then `fit` with the same `epochs`.

# %% [markdown] id="quiz-1"
# **A question in between.** A run goes on from a checkpoint. Its loss jumps up, comes down again after a while, and at
# the end the run is as good as the straight one. What was most likely lost?
#
# * **a** The state of the optimizer.
# * **b** The schedule: the learning rate began anew.
# * **c** Some of the weights.
# * **d** The number of the epoch.

# %% id="quiz-1-choices"
quiz("12.b")

# %% [markdown] id="three-intro"
# ## Three ways to save
#
# The study note that this course grew from knows three: the whole model, its parameters, a checkpoint.
#
# ```python
# #整个模型 (the whole model)
# torch.save(nnw, model_path)
# #参数 (parameters)
# torch.save(nnw.state_dict(), model_parameters_path)
# #checkpoints
# torch.save({
#     'epoches':epoches,
#     'learn_rate':learn_rate,
#     'opt':opt,
#     'model':nnw,
# }, ck_path)
# ```
#
# The first is the shortest, one line to save and one to load. Let us save a network that way, and load it in another
# program:


# %% id="whole"
class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)


torch.save(MyNet(), folder / "MyNet.pth")


def in_another_program(code):
    """Run Python code in a process of its own, in the lesson's folder; returns what it printed."""
    plain = {**os.environ, "PYTHON_COLORS": "0"}  # from 3.13 on, Python colours its error messages
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, env=plain, capture_output=True, text=True)
    return (run.stdout + run.stderr).strip()


told = in_another_program("import torch; torch.load('MyNet.pth', weights_only=False)")
print(told.splitlines()[-1].split(" on ")[0])  # the error, up to where it names the module

# %% [markdown] id="whole-notice"
# The file does not hold the network. It holds a note that says: *make a `MyNet`, as found in `__main__`*, and the
# values to put into it. Move the class to another file, rename it, or load from another program, and there is no such
# thing. (This way of storing objects is Python's `pickle`.)
#
# It gets worse. *Make a …* may name anything that can be called, with any arguments. Whoever writes the file decides
# what your machine calls when it loads. Here is a "model" that is none. To be safe, we load it in another program:


# %% id="surprise"
class Surprise:
    def __reduce__(self):  # what pickle asks for: a function to call when loading, and its arguments
        return print, ("this was printed by the file, and not by you",)


torch.save({"model": Surprise()}, folder / "agent.pt")
print(in_another_program("import torch; torch.load('agent.pt', weights_only=False)"))

# %% [markdown] id="surprise-notice"
# `print` is harmless. In its place could stand a function that deletes your files or sends them away, and the file
# would still load as if nothing had happened. **To load a pickled file is to run a program**, written by whoever made
# the file. Since version 2.6, `torch.load` reads weights only, unless you tell it otherwise:

# %% id="refused"
told = in_another_program("import torch; torch.load('agent.pt')")
print("printed by the file:", "not by you" in told)
print(next(line for line in told.splitlines() if line.startswith("_pickle")).split(". ")[0])

# %% [markdown] id="refused-notice"
# When you meet that error, you will find the advice to set `weights_only=False`. Now you know what that means: it is
# right for your own files, and for nobody else's.

# %% [markdown] id="parameters-intro"
# The second way, parameters only, is the right one for a network that is finished. A state dict holds names and
# tensors, and no code. That of the small network from the beginning:

# %% id="parameters"
tiny, _ = new_run()
torch.save(tiny.state_dict(), folder / "parameters.pt")
loaded = torch.load(folder / "parameters.pt", weights_only=True, map_location="cpu")
print({name: tuple(value.shape) for name, value in loaded.items()})
print(tiny.load_state_dict(loaded))

# %% [markdown] id="parameters-notice"
# (Layers 1 and 2, ReLU and dropout, have no weights.) `map_location` says where the tensors go. Each remembers the
# device that it was saved from; without it, a file from a GPU fails on a laptop that has none. Load to the CPU, and let
# `model.to(device)` do the rest.
#
# ## The note's checkpoint
#
# The third way is the checkpoint. Above you see what the note saves. And this is how it reads it back:
#
# ```python
# ck_dict = torch.load(ck_path)
# epoches, learn_rate, momentum = ck_dict['epoches'], ck_dict['learn_rate'], ck_dict['momentum']
# nnw, opt = ck_dict['model'], ck_dict['opt']
# ```
#
# Four things saved, five read. Run it, without a file in between, and read the error before you read on:

# %% id="note-bug" tags=["raises-exception"]
epoches, learn_rate, momentum = 20, 0.01, 0.5
ck_dict = {"epoches": epoches, "learn_rate": learn_rate, "opt": optimizer, "model": model}
epoches, learn_rate, momentum = ck_dict["epoches"], ck_dict["learn_rate"], ck_dict["momentum"]

# %% [markdown] id="note-notice"
# `momentum` was never saved. You notice that on the day you need the checkpoint, not on the day you write it; unless a
# trial run of a minute saves *and loads* first. The rest of the block has more such days in store:
#
# | in the note | what goes wrong | instead |
# |---|---|---|
# | `momentum` read, not saved | KeyError on the day of the crash | save and load in a trial run |
# | `'opt': opt, 'model': nnw` | whole objects: tied to the code, unsafe, and refused by `torch.load` since 2.6 | `.state_dict()` of each |
# | `'epoches': epoches` | the number planned, not the number reached: it starts over | the epoch that comes next |
# | no scheduler, no random state | another learning rate, other batches: another run | save them, or seed each epoch |
# | `torch.save(…, ck_path)` over the old file | a crash in the middle destroys old and new | write beside it, then swap: see below |
# | `torch.load(ck_path)` | a file from a GPU fails on a CPU | `map_location="cpu"` |
#
# Repaired, all but the row about the crash in the middle, it is not much longer:


# %% id="repaired"
def save_run(path, model, optimizer, scheduler, epoch):
    """`epoch`: the one that comes next."""
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "epoch": epoch, "random": torch.get_rng_state()}, path)


def load_run(path, model, optimizer, scheduler):
    """Put all of it back; returns the epoch that comes next."""
    saved = torch.load(path, weights_only=True, map_location="cpu")
    for name, part in {"model": model, "optimizer": optimizer, "scheduler": scheduler}.items():
        part.load_state_dict(saved[name])
    torch.set_rng_state(saved["random"])
    return saved["epoch"]


# %% [markdown] id="repaired-intro"
# And the proof, in the trial run that the note lacked:

# %% id="repaired-proof"
model, optimizer = new_run()
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
for epoch in range(4):
    train_epoch(model, optimizer)
    scheduler.step()
    if epoch == 1:
        save_run(folder / "repaired.pt", model, optimizer, scheduler, epoch + 1)
truth = copy.deepcopy(model.state_dict())

model, optimizer = new_run()
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
for _ in range(load_run(folder / "repaired.pt", model, optimizer, scheduler), 4):
    train_epoch(model, optimizer)
    scheduler.step()
print("same as the straight run:", same(truth, model.state_dict()))

# %% [markdown] id="atomic-intro"
# ## Killed while saving
#
# The battery does not wait until a file is written. Of all moments, the one in which you save is the worst: the old
# checkpoint is already overwritten, the new one is half there. This is what it leaves:

# %% id="half"
whole = (folder / "run.pt").read_bytes()
(folder / "half.pt").write_bytes(whole[: len(whole) // 2])
try:
    torch.load(folder / "half.pt", weights_only=True)
except RuntimeError as error:
    print(str(error).split(". ")[0])

# %% [markdown] id="half-notice"
# That is torch's way to say: half a file. (A file of torch is a zip archive, and its table of contents comes last.) The
# remedy is old and simple. Write the new file **beside** the old one, under another name; see to it that it is on the
# disk; and then let it take the old one's name. That last step is *one* step for the operating system: at any moment
# there is either the old file or the new one, and never half of one. The package's way to write:

# %% id="write-whole"
print(inspect.getsource(write_whole))

# %% [markdown] id="write-whole-notice"
# `os.fsync` waits until the disk has everything, `os.replace` is the swap, and `_keep` gives the old file a second name
# before, `run.previous.pt`, so that there is one to go back to. (`_sync_folder` sees to it that the new name lasts,
# too.) We killed a saving program 200 times at random moments; 154 times it was just writing a file. No checkpoint was
# lost (`benchmarks/results/kills.md`). A killed program is not yet a power cut: against that stands `fsync`, and no
# test of ours can show it.
#
# And when a file is damaged all the same, `resume` says so, and what to take instead:

# %% id="damaged"
save_checkpoint(resumed, folder / "run.pt")  # the second time: the first is kept as run.previous.pt
(folder / "run.pt").write_bytes(whole[: len(whole) // 2])


def complaint(trainer, path):
    """What `resume` says, without the name of the folder."""
    try:
        resume(trainer, path)
    except ValueError as error:
        return str(error).replace(f"{folder}{os.sep}", "")


print(complaint(new_trainer(), folder / "run.pt"))
resume(new_trainer(), folder / "run.previous.pt")

# %% [markdown] id="other-intro"
# A whole file can be the wrong one. Six months later the network has a layer more, and somebody has changed optimizer,
# schedule and seed:


# %% id="other"
def other_run():
    layers = *new_trainer().model, nn.ReLU(), nn.Linear(10, 10)
    model = nn.Sequential(*layers)
    return Trainer(model, torch.optim.SGD(model.parameters(), lr=0.01), F.cross_entropy, seed=1)


other = other_run()
before = copy.deepcopy(other.model.state_dict())
print(complaint(other, folder / "run.previous.pt").replace("; ", "\n  ").replace("run: ", "run:\n  "))
print("nothing was changed:", same(before, other.model.state_dict()))

# %% [markdown] id="other-notice"
# It names all the differences that it knows of. (Of the data and the loss function the file knows nothing.) A loop that
# went on with whatever fits would have told you nothing.
#
# ## Into another network
#
# In lesson 17 the agent goes on to learn from its own games. It needs another network for that, one that sees with the
# same eyes and has another head. The note copies a submodule like this:
#
# ```python
# dq_net.feature_extractor.load_state_dict(
#     conv_net.feature_extractor.state_dict()
# )
# ```
#
# That works, and `copy_submodule` does the same and says clearly if they do not fit. What it does *not* do is tie the
# two together:

# %% id="copy"
conv_net, dq_net = ConvNet(in_channels=6, num_actions=3), ConvNet(in_channels=6, num_actions=5)
copy_submodule(conv_net, dq_net, "feature_extractor")
theirs, ours = (network.feature_extractor[0].weight for network in (conv_net, dq_net))
print("after copying:  same values:", torch.equal(theirs, ours), "  same tensor:", theirs is ours)
with torch.no_grad():
    theirs += 1  # the first network learns something
print("after learning: same values:", torch.equal(theirs, ours))

# %% [markdown] id="copy-notice"
# A **copy** has the values of that moment, and then each goes its own way. To **share**, assign the module itself:

# %% id="share"
dq_net.feature_extractor = conv_net.feature_extractor
theirs, ours = (network.feature_extractor[0].weight for network in (conv_net, dq_net))
print("same tensor:", theirs is ours)

# %% [markdown] id="share-notice"
# Now there is one feature extractor with two heads. What one network learns, the other knows, wanted or not. An
# optimizer that was made for `dq_net` before still holds its old parameters, and trains something that nobody uses any
# more. Exercise 12.2 finds out which of the two you have before you.
#
# ## Out of Python
#
# A state dict needs your class, and `torch.load`. Two other formats need less. **safetensors** holds names, tensors and
# nothing else. It cannot run anything, and many programs read it:

# %% id="safetensors"
from safetensors.torch import load_file, save_file

agent = ConvNet(in_channels=6, num_actions=3).eval()
save_file(agent.state_dict(), folder / "agent.safetensors")
print("all equal:", same(agent.state_dict(), load_file(folder / "agent.safetensors")))

# %% [markdown] id="quiz-2"
# **A question in between.** A stranger sends you a file, and you have torch 2.6 or newer. Which of these may run their
# code on your machine?
#
# * **a** `torch.load("agent.pt")`
# * **b** `safetensors.torch.load_file("agent.safetensors")`
# * **c** `torch.load("agent.pt", weights_only=False)`
# * **d** `torch.load("agent.pt", map_location="cpu", weights_only=True)`

# %% id="quiz-2-choices"
quiz("12.a")


# %% [markdown] id="onnx-intro"
# **ONNX** holds the computation as well: which operation follows which. A program in C++ or a browser can run it,
# without Python, torch or your class. Torch finds the operations by following an example through the network. `Dim`
# says that the number of samples may be another one:

# %% id="onnx"
x = torch.rand(2, 6, 64, 64)
batch = torch.export.Dim("batch")
program = torch.onnx.export(agent, (x,), dynamic_shapes=({0: batch},), input_names=["x"], dynamo=True, verbose=False)
program.save(folder / "agent.onnx")
print("operations:", sorted({node.op_type for node in program.model.graph}))

# %% [markdown] id="onnx-run-intro"
# Does it compute the same? ONNX Runtime is one of the programs that run such files:

# %% id="onnx-run"
import onnxruntime

session = onnxruntime.InferenceSession(folder / "agent.onnx")
x = torch.rand(5, 6, 64, 64)  # five instead of two
(logits,) = session.run(None, {"x": x.numpy()})  # (5, 3)
print("same logits, within 0.00001:", np.allclose(logits, agent(x).detach().numpy(), atol=1e-5))

# %% [markdown] id="onnx-notice"
# Not to the last bit: another program adds up in another order. (`Gemm` is a linear layer.) No batch normalisation is
# left among the operations: in eval mode it only multiplies and adds, so it was merged into the convolutions. That also
# means: **export in eval mode**, and do not try to train what comes out. What fits where:
#
# | you want to | save | because |
# |---|---|---|
# | go on training after a crash | a checkpoint, `save_checkpoint(trainer, path)` | only it is complete |
# | use the network in your own code | `model.state_dict()` | small, and safe to read |
# | give the weights to others | safetensors | cannot run anything, read by many programs |
# | run it without Python | ONNX | holds the computation, too |
# | anything with `torch.save(model)` | do not | tied to today's code, and unsafe |

# %% [markdown] id="exercises"
# ## Exercises
#
# Each needs only the imports at the top. `hint("12.1")` gives a hint; ask again for a stronger one.

# %% [markdown] id="ex-1"
# ### Exercise 12.1 · What will it forget? (easy, 5 minutes)
#
# Write `forgotten(checkpoint)`: given a checkpoint dictionary, return the sorted list of those of `"model"`,
# `"optimizer"`, `"random"` and `"epoch"` that it lacks. A key whose value is `None` counts as lacking. (Epoch 0 is an
# epoch.)


# %% id="ex-1-answer"
def forgotten(checkpoint):
    ### BEGIN SOLUTION
    needed = ("model", "optimizer", "random", "epoch")
    return sorted(key for key in needed if checkpoint.get(key) is None)
    ### END SOLUTION


# %% id="ex-1-check"
check("12.1", forgotten)
# hint("12.1")

# %% [markdown] id="ex-1-why"
# `if not checkpoint.get(key)` would count epoch 0 as forgotten, and it does not know what to do with a tensor. `is
# None` asks just what the task asks.

# %% [markdown] id="ex-2"
# ### Exercise 12.2 · Copy or share? (easy, 6 minutes)
#
# Write `shared(a, b)`: the sorted list of the names of those parameters of module `a` that module `b` has, too: the
# very same parameter, under whatever name, not merely one with equal values.


# %% id="ex-2-answer"
def shared(a, b):
    ### BEGIN SOLUTION
    theirs = {id(value) for value in b.parameters()}
    return sorted(name for name, value in a.named_parameters() if id(value) in theirs)
    ### END SOLUTION


# %% id="ex-2-check"
check("12.2", shared)
# hint("12.2")

# %% [markdown] id="ex-2-why"
# `is` asks whether two names stand for one object, `==` compares tensors number by number. `value in
# list(b.parameters())` uses `==`, and with tensors that goes wrong. `id` is the object's number: equal for one object.

# %% [markdown] id="ex-3"
# ### Exercise 12.3 · All or nothing (medium, 12 minutes)
#
# Write `write_beside(parts, path)`: write the pieces of bytes that the iterator `parts` gives into the file `path` (a
# `pathlib.Path`), so that at any moment `path` is either the old file or the new one, whole. If something goes wrong in
# the middle (`parts` raises an error, somebody presses Ctrl-C), that error goes on to the caller, the old file is as it
# was, and no other file is left. Write beside it, in the same folder; `os.replace(temporary, path)` swaps in one step.


# %% id="ex-3-answer"
def write_beside(parts, path):
    ### BEGIN SOLUTION
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())  # onto the disk, before the name points to it
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    ### END SOLUTION


# %% id="ex-3-check"
check("12.3", write_beside)
# hint("12.3")

# %% [markdown] id="ex-3-why"
# `BaseException`, as Ctrl-C is no `Exception`. The temporary file stands in the same folder: a swap in one step is
# possible only within one disk. (The check cannot see whether you call `fsync`; a power cut can.)

# %% [markdown] id="ex-4"
# ### Exercise 12.4 · The newest that can be read (medium, 10 minutes)
#
# Write `newest_whole(folder)`: of the files `*.pt` in `folder` (a `pathlib.Path`), some may be damaged, and some no
# checkpoints. Read each with `weights_only=True`. Of those that hold a dictionary with an `"epoch"`, return the
# dictionary with the largest one; if there is none, `None`. Skip what cannot be read. (`torch.load` raises errors of
# many kinds: `except Exception` is right here.)


# %% id="ex-4-answer"
def newest_whole(folder):
    ### BEGIN SOLUTION
    found = []
    for path in folder.glob("*.pt"):
        try:
            saved = torch.load(path, weights_only=True)
        except Exception:
            continue
        if isinstance(saved, dict) and "epoch" in saved:
            found.append(saved)
    return max(found, key=lambda saved: saved["epoch"], default=None)
    ### END SOLUTION


# %% id="ex-4-check"
check("12.4", newest_whole)
# hint("12.4")

# %% [markdown] id="ex-4-why"
# Sorting by name puts `epoch_10.pt` before `epoch_9.pt`, and the time of a file changes when it is copied. What the
# file says of itself is what counts.

# %% [markdown] id="ex-5"
# ### Exercise 12.5 · What differs? (hard, 20 minutes)
#
# To prove that a resumed run equals the straight one, compare two checkpoints. Write `different(a, b)`: both are made
# of dictionaries, lists, tensors, numbers, strings and `None`, nested to any depth. Return the sorted list of the
# places where they differ: the keys and positions on the way there, joined by dots, such as
# `"optimizer.state.0.exp_avg"`. Tensors are the same if shape, dtype and all values are. A key or position that only
# one of them has is a difference at that place; so is another type. Equal ones give `[]`; if `a` and `b` themselves
# differ, the place is `""`. (`place` is for calling the function from inside itself: the way so far. There are no
# tuples.)


# %% id="ex-5-answer"
def different(a, b, place=""):
    ### BEGIN SOLUTION
    if type(a) is not type(b):
        return [place]
    if isinstance(a, torch.Tensor):
        return [] if a.dtype == b.dtype and torch.equal(a, b) else [place]
    if isinstance(a, list):
        a, b = dict(enumerate(a)), dict(enumerate(b))
    if not isinstance(a, dict):
        return [] if a == b else [place]
    found = []
    for key in a.keys() | b.keys():
        inner = f"{place}.{key}" if place else str(key)
        found += different(a[key], b[key], inner) if key in a and key in b else [inner]
    return sorted(found)
    ### END SOLUTION


# %% id="ex-5-check"
check("12.5", different)
# hint("12.5")

# %% [markdown] id="ex-5-why"
# A function that calls itself for each part goes to any depth. Turning lists into dictionaries of their positions saves
# a second branch. Try it: `different(torch.load("a.pt"), torch.load("b.pt"))` on two checkpoints of your own.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | the loss jumps after resuming, then recovers | the state of the optimizer was not restored | `optimizer.state_dict()` |
# | the resumed run ends worse than the straight one | the schedule began anew | `scheduler.state_dict()` |
# | the resumed run trains as many epochs as the whole | the number planned was saved, not the one reached | save the epoch that comes next |
# | `KeyError` on the day of the crash | what is saved and what is loaded were never compared | save *and load* in a trial run |
# | `Attempting to deserialize object on a CUDA device` | saved on a GPU, loaded without one | `map_location="cpu"` |
# | `Weights only load failed` | the file holds whole objects | save state dicts; never unpickle a stranger's file |
# | `Can't get attribute 'MyNet'` | a whole model, and its class has moved | state dicts |
# | `failed finding central directory` | half a file | write beside it, then swap; take the one before |
# | `Missing key(s)` with `module.` or `_orig_mod.` | saved from a wrapper (`DataParallel`, `torch.compile`) | save the inner model; lesson 07 |
# | two networks change together | the submodule is shared | copy: `copy_submodule` |
# | the exported network answers otherwise | exported in train mode | `model.eval()` before |

# %% [markdown] id="league-intro"
# ## The league table
#
# What does a crash cost the agent's score, now?

# %% id="league"
league("12")

# %% [markdown] id="next"
# Nothing. We trained lesson 08's agent for five epochs, saved, and let a new trainer resume for the other five: every
# weight is the one of the run without a crash (`benchmarks/league.py` compares them), so it plays the same games.
#
# ## In short
#
# * A run is weights, optimizer, schedule, randomness and the number of the next epoch.
# * A checkpoint is complete when a resumed run equals the straight one, to the last bit. Prove it in a trial run.
# * Write beside, then swap: a kill at any moment leaves a whole file.
# * Loading a pickled file runs a program. Save state dicts, and read with `weights_only=True`.
# * A copied submodule has the values of one moment; a shared one is one thing with two names.
#
# **Next:** 13 · Searching. You can lose no run any more; so now make many of them, and let the machine choose.
