# %% [markdown] id="title"
# # 10 · Watching training
#
# **What goes on in a network while its loss falls?**
#
# You will be able to
#
# * follow a run in TensorBoard, and know what to do when it shows nothing;
# * record with a few hooks what every layer does, and find units that have died and steps that were too long;
# * ask a network what it looks at, and tell whether the answer can be trusted.
#
# *45 minutes to read, an hour and a half with the exercises, 45 seconds to run. You need lessons 06 and 08.*

# %% id="imports" tags=["setup"]
import copy
import tempfile
import warnings
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import Image
from ipywidgets import Dropdown, IntSlider, VBox, interactive_output
from tensorboardX import SummaryWriter
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Subset, WeightedRandomSampler
from torchvision.transforms import v2

from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.data.transforms import RandomFlip, RandomShift
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league
from dlsteps.models import ConvNet
from dlsteps.training import Callback, TensorBoard, Trainer, accuracy, show_tensorboard
from dlsteps.training.tensorboard import dashboards, event_files, start_tensorboard

# %% [markdown] id="why"
# The agent has 279,043 weights, and so far you have followed its training by one number, the loss. If your pulse is
# normal, you are alive; whether you are well, it does not say. Today we look into the network while it trains: at its
# gradients, at its steps, at what its layers give, and in the end at what it looks at. We will find something that no
# loss has told us.
#
# ## Two runs
#
# The minute of play again, prepared as in lesson 08: batches balanced, flipped and shifted; the last fifth validates.

# %% id="data"
recording = data_path("catch_level1_night.npz")
frames = FrameDataset(recording)
train_part, valid_set = split_by_time(frames)
augment = v2.Compose([RandomFlip(mirror=[2, 1, 0]), RandomShift(vertical=0, horizontal=8)])
varied = Subset(FrameDataset(recording, transform=augment), train_part.indices)
actions = torch.from_numpy(frames.actions[train_part.indices])
sampler = WeightedRandomSampler(1 / actions.bincount()[actions], num_samples=len(actions))
train_loader = DataLoader(varied, batch_size=64, sampler=sampler)
valid_loader = DataLoader(valid_set, batch_size=64)
valid_x, valid_y = next(iter(DataLoader(valid_set, batch_size=len(valid_set))))  # (717, 6, 64, 64), (717,)

# %% [markdown] id="train-intro"
# We train the network twice, four epochs each: *calm*, with a learning rate of 0.001, and *hasty*, with 0.01. Nothing
# else is different. The callback `TensorBoard` writes down what happens; more of it in a moment.

# %% id="train"
runs = {"calm": 0.001, "hasty": 0.01}
temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
folder = Path(temporary.name)


def new_trainer(rate, callbacks=(), seed=0, warmup=1):
    """A run at a constant rate, which is reached after `warmup` steps."""
    torch.manual_seed(seed)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warmup))
    more = {"metrics": {"accuracy": accuracy}, "scheduler": scheduler, "callbacks": callbacks, "seed": seed}
    return Trainer(model, optimizer, nn.CrossEntropyLoss(), **more, device="cpu")


trainers = {name: new_trainer(rate, [TensorBoard(folder / name, histograms=True)]) for name, rate in runs.items()}
for trainer in trainers.values():
    trainer.fit(train_loader, valid_loader, epochs=4)

# %% id="losses" tags=["nbval-ignore-output"]
for name, trainer in trainers.items():
    pairs = zip(trainer.history["train_loss"], trainer.history["valid_loss"], strict=True)
    print(
        f"{name:5}  loss, training / validation: ", "   ".join(f"{train:.2f} / {valid:.2f}" for train, valid in pairs)
    )

# %% [markdown] id="losses-notice"
# Calm is ahead, and hasty follows, with a validation loss that has turned up in its last epoch; but validation curves
# are restless (lesson 08). You would say: the smaller rate is a little better, give both some more epochs. Lesson 08
# did. After ten epochs its agents scored 0.80 ± 0.33 at a constant 0.001 and 0.90 ± 0.09 at 0.01, a difference that
# five trainings cannot prove. Keep that in mind while we look inside.
#
# ## TensorBoard
#
# **TensorBoard** is a page in the browser that draws what runs write into log files. The files come from a
# `SummaryWriter`: this one is from the package tensorboardX (the one in `torch.utils.tensorboard` has the same
# methods). By hand it goes like this:


# %% id="by-hand"
writer = SummaryWriter(str(folder / "by hand"))
for step in range(100):
    writer.add_scalar("cosine", np.cos(step / 10), step)  # a name, a number, and when
writer.close()
print([path.parent.name for path in event_files(folder)])

# %% [markdown] id="by-hand-notice"
# A folder for each run, and in it a file to which numbers are added. Our callback did the same with *calm* and *hasty*:
# the loss and the learning rate at every tenth step, the numbers of each epoch, and **histograms** of all weights and
# gradients. Three more things that we use are the network as a **graph**, drawn from what one input passes through;
# **images**; and **embeddings**: what `feature_extractor` makes of validation frames, 128 numbers each, as points in
# space that you can turn, with the frames as their pictures.


# %% id="more"
model, some = trainers["calm"].model.eval(), range(0, len(valid_x), 5)  # 144: add_embedding wants a square number
with torch.no_grad():
    features = model.feature_extractor(valid_x[some])  # (144, 128)
names = [["left", "stay", "right"][y] for y in valid_y[some]]
thumbnails = F.interpolate(valid_x[some, 3:], size=32)  # (144, 3, 32, 32)

writer = SummaryWriter(str(folder / "calm"), filename_suffix=".more")
with warnings.catch_warnings(action="ignore"):  # torch.jit.trace, which it uses, is on its way out
    writer.add_graph(model, valid_x[:1])
writer.add_images("frames", valid_x[:8, 3:], 0)  # (B, 3, H, W), from 0 to 1
writer.add_embedding(features, metadata=names, label_img=thumbnails)
writer.close()
print("under 5 MB in all:", sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 5e6)

# %% [markdown] id="show-intro"
# Now the page. `show_tensorboard` starts TensorBoard inside this kernel, with which it ends, and puts it under the
# cell. Open *Scalars* in the bar at the top; then *Histograms*, *Graphs*, *Images* and *Projector* (some of them may
# hide in the menu that says *Inactive*).


# %% id="show" tags=["nbval-ignore-output"]
show_tensorboard(folder)

# %% [markdown] id="show-notice"
# If you read this without a kernel, this is *Scalars*. The pale lines are the numbers as they were written, the others
# are smoothed (exercise 10.1 does that by hand):


# %% id="screenshot"
Image(data_path("tensorboard.png"), width=900)

# %% [markdown] id="elsewhere"
# Elsewhere you will read `%load_ext tensorboard` and `%tensorboard --logdir runs`: the same page, in a process of its
# own that stays when the kernel is gone. And in a terminal it is `tensorboard --logdir runs`.
#
# ## *No dashboards are active for the current data set*
#
# Sooner or later TensorBoard will tell you this. It means: *below the folder that I was given, I have found no
# numbers.* Let us provoke it. `start_tensorboard` is `show_tensorboard` without the frame, and `dashboards` asks a
# running TensorBoard for which of its pages it has something to show:

# %% id="dashboards"
print("our folder:", "scalars" in dashboards(start_tensorboard(folder)))

early = SummaryWriter(str(folder / "just begun"), flush_secs=120)  # two minutes, as is usual
early.add_scalar("loss", 1.1, 0)
print("just begun:", dashboards(start_tensorboard(folder / "just begun")))
early.close()

# %% [markdown] id="dashboards-notice"
# An empty list: that is when the page says *No dashboards*. The numbers were given to the writer, but nothing is in the
# file. So there are three reasons, to be checked in this order:
#
# * **The wrong folder.** A relative path counts from where TensorBoard was started, which is hardly ever where you
#   think. Give it the whole path. (`show_tensorboard` does, and says so if there are no log files.)
# * **Nothing written yet.** A writer keeps numbers back, and writes every two minutes, like `early` above. Wait, or ask
#   for `flush_secs=2`, as our callback does. (tensorboardX's own `flush()` does not wait for what was added last.)
# * **Nothing read yet.** TensorBoard looks for news every few seconds, but the page does not ask for it by itself.
#   Press the round arrow, or tick *Reload data* in its settings.
#
# One thing it cannot know: when a *new* run writes into the folder of an old one, both become one curve, which zigzags.
# Our callback refuses that:


# %% id="same-folder"
try:
    new_trainer(0.001, [TensorBoard(folder / "calm")]).fit(train_loader)
except FileExistsError as error:
    print(str(error).replace(str(folder), "…"))

# %% [markdown] id="quiz-1"
# **A question in between.** TensorBoard says *No dashboards are active for the current data set.* Which of these can
# *not* be the reason?
#
# * **a** It was started for another folder than the one that the run writes to.
# * **b** The run has begun just now, and its writer still keeps the first numbers back.
# * **c** The loss is `nan`.
# * **d** The path was relative, and TensorBoard was started somewhere else.

# %% id="quiz-1-choices"
quiz("10.a")

# %% [markdown] id="hooks-intro"
# ## Listening to the layers
#
# TensorBoard draws what you give it. What is worth giving? Here are four things that we look at when a run will not
# learn. Two of them are about weights, and can be read from them after a step. The other two are about what layers
# give; for that we need **hooks** (lesson 06): functions that a layer calls each time it has done its work. A callback
# that records all four, whole. (`partial(self.listen, name)` is the method `listen` with its first argument filled in,
# so that it knows which layer called.)


# %% id="histories"
class Histories(Callback):
    """`values[what][name]`: a number for each of `steps`. "gradient" is the norm of a weight's gradient; "update", how
    far the step moved the weight, divided by its norm; "output", the root mean square of what a ReLU gave; "dead", the
    share of its units that gave 0 for a whole batch.
    """

    def __init__(self, every=1):
        self.every, self.steps, self.values = every, [], {}

    def on_fit_start(self, trainer):
        layers = [(name, module) for name, module in trainer.model.named_modules() if isinstance(module, nn.ReLU)]
        self.hooks = [layer.register_forward_hook(partial(self.listen, name)) for name, layer in layers]

    def on_batch_start(self, trainer):
        self.now = trainer.step % self.every == 0

    def listen(self, name, module, inputs, output):  # (B, units, …)
        if self.now and module.training:
            self.add("output", name, output.norm() / output.numel() ** 0.5)
            self.add("dead", name, (output.amax(dim=[0, *range(2, output.ndim)]) == 0).float().mean())

    def on_backward_end(self, trainer):
        if self.now:
            trained = [(name, p) for name, p in trainer.model.named_parameters() if p.grad is not None]
            self.before = {name: p.detach().clone() for name, p in trained if p.ndim > 1}

    def on_batch_end(self, trainer):
        if self.now:
            self.steps.append(trainer.step - 1)  # it has been counted already
            for name, before in self.before.items():
                p = trainer.model.get_parameter(name)
                self.add("gradient", name, p.grad.norm())
                self.add("update", name, (p.detach() - before).norm() / before.norm())

    def add(self, what, name, value):
        self.values.setdefault(what, {}).setdefault(name, []).append(value.item())

    def on_fit_end(self, trainer):
        for hook in self.hooks:
            hook.remove()


# %% [markdown] id="histories-notice"
# Read it along the life of a step. Before the batch, it decides whether this step counts. As the batch goes through,
# each ReLU reports what it gives (`listen`): how large it is (the root of the mean square), and how many of its
# **units** (channels, or features) give 0 for all 64 samples and at every place. Such a unit is **dead**, at least for
# this batch. (A hook that returns something *replaces* the layer's output; `listen` returns nothing.) After `backward`
# the weights are put aside, and after the step compared: how far did they go, measured by their own length?
#
# A picture of all that is short; `axes` are four, and each layer is a line:


# %% id="draw"
HISTORIES = {
    "gradient": "norm of the gradient",
    "update": "update / weight",
    "output": "output (root mean square)",
    "dead": "share of dead units",
}


def draw_histories(axes, histories):
    """Four histories on four axes, a line for each layer: from dark, the first, to light, the last."""
    for ax, (what, label) in zip(axes, HISTORIES.items(), strict=True):
        layers = histories.values[what]
        for i, (name, values) in enumerate(layers.items()):
            ax.plot(histories.steps, values, color=plt.cm.viridis(i / len(layers)), label=name)
        ax.set(xlabel="step", ylabel=label, yscale="linear" if what == "dead" else "log")
    axes[-1].set_ylim(0, 1)


# %% [markdown] id="again-intro"
# Now the two runs once more, watched. One more callback, of two short methods, keeps the network before the first epoch
# and after each, for later. If watching disturbs nothing, the same weights must come out:


# %% id="snapshots"
class Snapshots(Callback):
    def on_fit_start(self, trainer):
        self.states = [copy.deepcopy(trainer.model.state_dict())]

    def on_epoch_end(self, trainer):
        self.states.append(copy.deepcopy(trainer.model.state_dict()))


def network_after(name, epoch):
    """A run's network after so many epochs; 0 is before the first."""
    model = ConvNet(in_channels=6, num_actions=3)
    model.load_state_dict(snapshots[name].states[epoch])
    return model.eval()


# %% id="again"
histories, snapshots = {}, {}
for name, rate in runs.items():
    histories[name], snapshots[name] = Histories(every=2), Snapshots()
    watched = new_trainer(rate, [histories[name], snapshots[name]])
    watched.fit(train_loader, valid_loader, epochs=4)
    pairs = zip(watched.model.state_dict().values(), trainers[name].model.state_dict().values(), strict=True)
    print(name, "again, to the last bit:", all(torch.equal(ours, theirs) for ours, theirs in pairs))

# %% id="histories-plot"
fig, axes = plt.subplots(2, 4, figsize=(12, 5.6), layout="constrained", sharey="col")
for row, name in zip(axes, runs, strict=True):
    draw_histories(row, histories[name])
    row[0].set_title(f"{name}: learning rate {runs[name]}", loc="left")
    row[3].set_title(f"{histories[name].values['dead']['feature_extractor.11'][-1]:.0%} of the features dead")
axes[0, 0].legend(fontsize=6, loc="lower left")
axes[0, 3].legend(fontsize=6)
plt.show()

# %% [markdown] id="histories-plot-notice"
# On the right is what no loss has told us. The green line is `feature_extractor.11`, the ReLU behind the linear layer,
# from which the head gets its 128 features. In the hasty run nearly nine in ten of them give nothing, and they stopped
# within the first few steps. In the calm run it is four in ten. The other layers have no dead channel.
#
# The rest of the hasty row fits. In the first steps, what the features give leaps up and collapses (third column), and
# the gradient that reaches the first layers falls to a tenth of what it was (first column): it has to come through the
# few features that are left. In the calm row nothing leaps.
#
# Are they dead, or were they only silent for 64 frames? We ask the finished networks about all 717 validation frames,
# once in train mode, as above, and once in eval mode, as they play:


# %% id="dead" tags=["nbval-ignore-output"]
for name in runs:
    for mode in ("train", "eval"):
        model = network_after(name, 4).train(mode == "train")  # each time a new one: train mode changes it
        with torch.no_grad():
            features = model.feature_extractor(valid_x)  # (717, 128)
        silent = (features == 0).all(dim=0)
        print(
            f"{name:5} in {mode:5} mode: {silent.sum()} of 128 features give 0 for each of the {len(features)} frames"
        )


# %% [markdown] id="dead-notice"
# Nearly all of them are silent for every frame; in eval mode, where the averages of many batches take the place of the
# batch's own, there are more of them. And it is hard to come back: where a ReLU gives 0, its gradient is 0. No gradient
# pulls such a unit back; only AdamW's memory of earlier gradients and its weight decay still move it, and changes in
# the layers below. A few do wake up, as the slow fall of the hasty line shows.
#
# Is that bad? Here, not visibly. Three actions can be told apart with less than twenty features, and lesson 08's agents
# at 0.01 played well. In a harder task you would have paid for 128 features and got twenty, and the loss would not
# mention it.
#
# ## The first step
#
# Why does it happen, and why at once? Look at the second column: how far a step moves a weight, by the weight's own
# length. A thousandth is an old rule of thumb for a healthy run; both of ours end near a hundredth, which is lively.
# What tells them apart is the beginning. The hasty run's first step moves the weights of the linear layer
# (`feature_extractor.10`) by three quarters of their length. A layer starts with small random weights, chosen so that
# what it gives is neither too large nor too small; one step, and that start is gone. It is no accident either:


# %% id="first-step"
start = network_after("hasty", 0).feature_extractor[10].weight  # (128, 2048), before the first step
measured = histories["hasty"].values["update"]["feature_extractor.10.weight"][0]
print(f"a typical weight: {start.square().mean().sqrt():.3f}   the rate: {runs['hasty']}")
print(f"rate / weight: {runs['hasty'] / start.square().mean().sqrt():.1f}   first step, measured: {measured:.1f}")

# %% [markdown] id="first-step-notice"
# Adam (and AdamW) divides each gradient by an average of its own size. At the first step that average *is* its size. So
# every weight that has a gradient at all moves by the learning rate, up or down, however small the gradient is. (One in
# eight had none, which makes 0.7 out of 0.8.) Where weights are as small as the rate, one step is enough to replace
# them.
#
# We think that the rest goes like this. The inputs of this layer come from ReLUs, so they are never negative, and most
# are much the same in every frame. If all weights of a unit move by 0.01 at once in a direction that suits the batch,
# the unit's sum moves a long way up, or a long way down, for *all* frames. Down means dead.
#
# Is that explanation true? If it is, a **warm-up** must help: the same rate, but reached in small steps. For the first
# twenty steps the rate rises in a straight line, then it is 0.01 as before. Three seeds each:


# %% id="warmup" tags=["nbval-ignore-output"]
for warmup in (1, 20):
    dead = []
    for seed in range(3):
        watcher = Histories(every=5)
        new_trainer(0.01, [watcher], seed, warmup).fit(train_loader, epochs=1, max_steps=41)
        dead.append(watcher.values["dead"]["feature_extractor.11"][-1])
    print(f"warm-up of {warmup:2} steps: dead after 40 steps", [f"{share:.0%}" for share in dead])

# %% [markdown] id="warmup-notice"
# Fewer in each of the three pairs, though not few. Perhaps this is one reason why the *one cycle* of lesson 08, which
# begins at a twenty-fifth of its highest rate, forgave a rate that was too large; we have not counted there. (Other
# cures: normalise before the ReLU, as the three other layers do; or take an activation that is never quite flat, such
# as `nn.LeakyReLU` or `nn.GELU`.)
#
# So which of our two runs is well? Calm is the healthier one, and still loses four features in ten, in its first ten
# steps: a warm-up would not hurt it. Hasty works, with what it has left. You would know neither from the loss.


# %% [markdown] id="quiz-2"
# **A question in between.** Nine tenths of a layer's ReLU units are dead from the second epoch on. What helps most?
#
# * **a** Train for longer: they will wake up.
# * **b** Lower the learning rate from here on.
# * **c** Begin again, with a smaller rate or with a warm-up.
# * **d** Take larger batches from here on.


# %% id="quiz-2-choices"
quiz("10.b")

# %% [markdown] id="filters-intro"
# ## What a filter sees
#
# Numbers tell whether layers are alive. What do they do? The first layer has sixteen filters, 5 × 5 pixels for each of
# the six channels (three colours of the frame before, three of the frame now). They can be shown as small pictures:


# %% id="filters"
def as_picture(weight):  # (3, 5, 5)
    return ((weight - weight.min()) / (weight.max() - weight.min())).permute(1, 2, 0).numpy()


model = network_after("calm", 4)
filters = model.feature_extractor[0].weight.detach()  # (16, 6, 5, 5)
fig, axes = plt.subplots(2, 16, figsize=(12, 1.9), layout="constrained")
for column, weight in zip(axes.T, filters, strict=True):
    for ax, part in zip(column, (weight[:3], weight[3:]), strict=True):
        ax.imshow(as_picture(part))
        ax.axis("off")
fig.suptitle("Sixteen filters: what they weigh in the frame before (above) and now (below)")
plt.show()

start = network_after("calm", 0).feature_extractor[0].weight.detach()
likeness = F.cosine_similarity(filters.flatten(1), start.flatten(1))  # (16,)
print("still much like their random start:", f"{(likeness > 0.8).sum()} of 16")

# %% [markdown] id="filters-notice"
# Colourful noise. You may have seen pictures of first layers in which edges and spots of colour appear; they were of
# networks trained on a million photographs. Ours has hardly moved from where it began. Apparently the layers behind can
# work with random filters. A filter's picture is worth something only if the filter was learned.
#
# So ask the other way round: which pieces of the frames excite a unit most? A unit of the third layer looks at 17 × 17
# pixels (its receptive field, lesson 06), enough for a ball. Below, each row is a channel, and shows cuttings of ten
# frames around the place where that channel answered most strongly. (Of the two frames of a sample, the later one.
# Every twelfth of the best, as neighbours in time look alike. A unit at the edge looks 8 pixels beyond it, hence the
# padding.) The upper four rows are the calm network's. For the lower four we take the same network before its training,
# because *interesting pictures* are no proof that anything was learned:


# %% id="favourites"
padded = F.pad(valid_x[:, 3:], (8, 8, 8, 8), mode="replicate")  # (717, 3, 80, 80)
fronts = {"trained": network_after("calm", 4), "untrained": network_after("calm", 0).train()}  # see below for .train()
with torch.no_grad():
    answers = {name: front.feature_extractor[:9](valid_x) for name, front in fronts.items()}  # (717, 32, 8, 8) each


def favourites(answers, channel, count=10):
    """Where a channel of the third layer answers most strongly: (count, 17, 17, 3)."""
    strength, place = answers[:, channel].flatten(1).max(dim=1)  # of each frame
    best = strength.argsort(descending=True)[: 12 * count : 12]
    corners = [(8 * (place[i] // 8), 8 * (place[i] % 8)) for i in best]  # from one unit to the next it is 8 pixels
    cuts = [padded[i, :, top : top + 17, left : left + 17] for i, (top, left) in zip(best, corners, strict=True)]
    return torch.stack(cuts).permute(0, 2, 3, 1).numpy()


# %% id="patches"
fig, axes = plt.subplots(8, 10, figsize=(8, 6.6), layout="constrained")
for i, row in enumerate(axes):
    name, channel = list(answers)[i // 4], 8 * (i % 4)
    for ax, patch in zip(row, favourites(answers[name], channel), strict=True):
        ax.imshow(patch)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(f"{name}\n{channel}", fontsize=7)
fig.suptitle("What excites four channels of the third layer, after and before training")
plt.show()


# %% [markdown] id="patches-notice"
# Balls and paddles, in all rows. Random filters answer to whatever is bright. But there is a difference: before
# training it may also be the moon, or the score in a corner, which have nothing to do with catching. Is that so for all
# 32 channels? Count: in each frame, at the place where a channel answers most strongly, is there something that
# *moves*, a ball or the paddle?


# %% id="taste" tags=["nbval-ignore-output"]
still = valid_x.median(dim=0).values  # the picture without what moves
moves = ((valid_x - still).abs().amax(dim=1) > 0.15).float()  # (717, 64, 64)
moves[:, :6, :8] = moves[:, :6, -8:] = 0  # the score, in the corners, changes too
near = F.max_pool2d(F.pad(moves, (8, 8, 8, 8)), 17, stride=8)[:, :8, :8].flatten(1)  # (717, 64): within a unit's view?
print(f"any place: {near.mean():.0%}")
for name, given in answers.items():
    place = given.flatten(2).argmax(dim=2)  # (717, 32)
    print(f"{name}: {near.gather(1, place).mean():.0%}")

# %% [markdown] id="taste-notice"
# That is what training has done. Nobody has told the network that balls matter and the moon does not. It was told which
# key was pressed. (`.train()` for the untrained network: before training, the averages that batch normalisation uses in
# eval mode are worth nothing.)
#
# ## What it looks at
#
# And for *this* frame, why *this* key? The usual first answer is a **saliency map** (Simonyan et al., 2013): the
# gradient, not of the loss with respect to the weights, but of one logit with respect to the **pixels**. Where it is
# large, a small change of the pixel changes the decision. For that the input has to ask for gradients:

# %% id="moment"
moment = valid_x[333]  # (6, 64, 64): a ball is falling
model = network_after("calm", 4)

# %% id="not-a-number" tags=["raises-exception"]
x = moment[None].clone().requires_grad_()
model(x).backward()

# %% [markdown] id="not-a-number-notice"
# *grad can be implicitly created only for scalar outputs*: `backward` needs one number, and we gave it three, a logit
# for each action. Which one are we asking about? The one of the action that it takes:


# %% id="saliency"
def saliency(model, x, action):
    """How much each pixel matters to an action's logit, by its gradient: (C, H, W) to (H, W)."""
    x = x[None].clone().requires_grad_()
    model(x)[0, action].backward()
    return x.grad[0].abs().amax(dim=0)  # of a pixel's six values, the one that matters most


def decide(model, x):
    with torch.no_grad():
        return model(x[None]).argmax().item()


# %% id="occlusion"
def occlusion(model, x, action, size=4):
    """How far the logit falls when a square is covered by the picture's mean: (C, H, W) to (H / size, W / size)."""
    count, covered = x.shape[-1] // size, []
    for top in range(0, x.shape[1], size):
        for left in range(0, x.shape[2], size):
            covered.append(x.clone())
            covered[-1][:, top : top + size, left : left + size] = x.mean(dim=(1, 2))[:, None, None]
    with torch.no_grad():
        logits = model(torch.stack([x, *covered]))[:, action]  # (1 + count²,)
    return (logits[0] - logits[1:]).view(count, count)


# %% [markdown] id="saliency-notice"
# We have written a second one beside it, **occlusion** (Zeiler and Fergus, 2013), which needs no gradient: cover a
# small square of the picture, and see by how much the logit falls. Slower, and hard to misunderstand.
#
# Which one is right? A picture that looks good proves nothing: most people would believe any map with a bright spot on
# the ball. The test is the one from above (for saliency maps it is by Adebayo et al., 2018): **do the same with a
# network that has learned nothing.** In the maps of occlusion, red means that the logit falls when the square is
# covered, blue that it rises; each map has its own scale.


# %% id="maps"
networks = {"untrained": network_after("calm", 0), **{name: network_after(name, 4) for name in runs}}
fig, axes = plt.subplots(2, 4, figsize=(10, 5.2), layout="constrained")
axes[0, 0].imshow(moment[3:].permute(1, 2, 0).numpy())
axes[0, 0].set_title("the frame")
for column, (name, network) in zip(axes.T[1:], networks.items(), strict=True):
    action = decide(network, moment)
    column[0].imshow(saliency(network, moment, action).numpy(), cmap="magma")
    column[0].set_title(f"{name}: gradient")
    falls = occlusion(network, moment, action).numpy()
    column[1].imshow(falls, cmap="RdBu_r", vmin=-abs(falls).max(), vmax=abs(falls).max())
    column[1].set_title(f"{name}: occlusion")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %% [markdown] id="maps-notice"
# The gradients of the calm network are hardly to be told from those of the untrained one: had you seen only its map,
# you would have found some story for it. The occlusion maps have spots on the ball and the paddle. So does the
# untrained one, among many others: to cover something bright is a large change for any network. And both trained ones
# also mind the moon, which they should not. One frame is an anecdote, so count again. How much of each map lies on
# squares in which something moves, over thirty frames?


# %% id="shares" tags=["nbval-ignore-output"]
def share_on_what_moves(network, method):
    """The mean share of a map that lies on squares of 4 × 4 pixels in which something moves."""
    shares = []
    for i in range(5, len(valid_x), 24):
        squares = F.max_pool2d(moves[i][None], 4)[0]  # (16, 16), 0 or 1
        found = method(network, valid_x[i], decide(network, valid_x[i])).abs()
        found = F.adaptive_avg_pool2d(found[None], 16)[0]
        shares.append(((found * squares).sum() / found.sum()).item())
    return np.mean(shares)


print(f"such squares are {F.max_pool2d(moves, 4).mean():.0%} of all")
for name, network in networks.items():
    gradient, covered = (share_on_what_moves(network, method) for method in (saliency, occlusion))
    print(f"{name:9}  of the gradient: {gradient:4.0%}   of the occlusion: {covered:4.0%}")


# %% [markdown] id="shares-notice"
# The gradients of an untrained network do not care where something moves, as is to be expected; and those of the calm
# network hardly do, although it has learned. Occlusion sees more, and more after training than before. So in this task
# we would believe occlusion, and only by how much it differs from the untrained map.
#
# The hasty network has the clearest maps of all, with less than twenty features to make them. We think that large steps
# have erased the random start, whose noise the gradient of the calm network still shows; clear is not the same as good.
#
# ## Epoch by epoch
#
# We have kept the networks of all epochs, so you can watch how looking is learned. On the left, how much each feature
# gives on average over the validation frames, sorted; then the gradient, and the occlusion.


# %% id="draw-epoch"
def draw_epoch(axes, name, epoch):
    with torch.no_grad():  # in train mode, to compare with what comes before training
        features = network_after(name, epoch).train().feature_extractor(valid_x[::4])  # (180, 128)
    strength = features.mean(dim=0).sort(descending=True).values
    axes[0].bar(range(128), strength.numpy(), width=1)
    axes[0].set(title=f"{name}, epoch {epoch}: {(strength > 0).sum()} features", xlabel="feature", ylabel="mean")
    network = network_after(name, epoch)
    action = decide(network, moment)
    axes[1].imshow(saliency(network, moment, action).numpy(), cmap="magma")
    falls = occlusion(network, moment, action).numpy()
    axes[2].imshow(falls, cmap="RdBu_r", vmin=-abs(falls).max(), vmax=abs(falls).max())
    for ax, title in zip(axes[1:], ("gradient", "occlusion"), strict=True):
        ax.set(title=title, xticks=[], yticks=[])


# %% id="epoch" tags=["nbval-ignore-output"]
def scrub(run, epoch):
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
    draw_epoch(axes, run, epoch)
    plt.show()


controls = {"run": Dropdown(options=list(runs)), "epoch": IntSlider(value=0, min=0, max=4)}
VBox([*controls.values(), interactive_output(scrub, controls)])


# %% [markdown] id="epoch-static-intro"
# For those without a kernel, the hasty run before training, after one epoch, and at the end:

# %% id="epoch-static"
fig, axes = plt.subplots(3, 3, figsize=(9, 6.6), layout="constrained")
for row, epoch in zip(axes, (0, 1, 4), strict=True):
    draw_epoch(row, "hasty", epoch)
plt.show()

# %% [markdown] id="epoch-notice"
# Nearly all features work at the start, and a dozen after one epoch. The gradient begins as noise, has a large spot
# where nothing is after the first epoch, and one on the ball at the end. In between the loss has fallen by a few
# tenths, and would not have told you.


# %% [markdown] id="exercises"
# ## Exercises
#
# Each needs only the imports at the top. `hint("10.1")` gives a hint; ask again for a stronger one.

# %% [markdown] id="ex-1"
# ### Exercise 10.1 · The smoothing slider (easy, 5 minutes)
#
# TensorBoard smooths a curve with a running average. Write `smooth(values, weight)`: an average that begins at 0 takes
# up each value by `average = weight * average + (1 - weight) * value`; what is shown is this average divided by `1 -
# weight ** n`, where n is the number of values so far, counted from 1 (without that, the first points would lie near
# 0). `weight` is 0 or more, and less than 1. Return a list of floats, one for each value. `smooth([2.0, 4.0], 0.5)` is
# `[2.0, 3.333…]`.


# %% id="ex-1-answer"
def smooth(values, weight):
    ### BEGIN SOLUTION
    average, smoothed = 0.0, []
    for n, value in enumerate(values, 1):
        average = weight * average + (1 - weight) * value
        smoothed.append(average / (1 - weight**n))
    return smoothed
    ### END SOLUTION


# %% id="ex-1-check"
check("10.1", smooth)
# hint("10.1")

# %% [markdown] id="ex-1-why"
# What is shown is a mean of all values so far, of which each counts `weight` times as much as the next. Without the
# division those weights would not add up to 1, and the curve would begin near 0.

# %% [markdown] id="ex-2"
# ### Exercise 10.2 · Dead units (easy, 5 minutes)
#
# Write `dead_share(outputs)`: `outputs` is what a ReLU gave for a batch, (B, F) or (B, C, H, W). A unit is one of the F
# features, or one of the C channels. It is dead in this batch if it is 0 for every sample, and at every place of the
# picture. Return the share of dead units, a float from 0 to 1.


# %% id="ex-2-answer"
def dead_share(outputs):
    ### BEGIN SOLUTION
    units = outputs.transpose(0, 1).flatten(1)  # (units, everything that they gave)
    return (units == 0).all(dim=1).float().mean().item()
    ### END SOLUTION


# %% id="ex-2-check"
check("10.2", dead_share)
# hint("10.2")

# %% [markdown] id="ex-2-why"
# `transpose` brings the units to the front, and `flatten(1)` makes one long row of whatever is left, with or without
# places in a picture.

# %% [markdown] id="ex-3"
# ### Exercise 10.3 · How far did it go? (medium, 8 minutes)
#
# The gradients are there; the step has not been made. Write `update_ratios(model, optimizer)`: make one step of the
# optimizer, and return a dictionary: for each parameter of the model with two or more dimensions, by its name, how far
# the step has moved it, divided by how long it was before: both as norms (the root of the sum of all squares), as a
# float. (None of them is all zeros. One that does not move gets 0.0.)


# %% id="ex-3-answer"
def update_ratios(model, optimizer):
    ### BEGIN SOLUTION
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim > 1}
    optimizer.step()
    now = dict(model.named_parameters())
    return {name: ((now[name] - old).norm() / old.norm()).item() for name, old in before.items()}
    ### END SOLUTION


# %% id="ex-3-check"
check("10.3", update_ratios)
# hint("10.3")

# %% [markdown] id="ex-3-why"
# The optimizer changes the very tensors that the model has: without `clone` you would compare the new weights with
# themselves.

# %% [markdown] id="ex-4"
# ### Exercise 10.4 · Listen in (medium, 15 minutes)
#
# Write `outputs_of(model, x)`: show the model `x` once, without gradients, and return a dictionary: for each module
# that has no modules inside, by its name and in the order of `named_modules()`, what it gave. Take copies: a later
# layer may write into an earlier one's output (`nn.ReLU(inplace=True)` does). No hook of yours may be left behind, even
# if the model raises an error (which goes on to the caller). Leave the model's mode (`training`) as it is. (No module
# is used twice; each gives a tensor.)


# %% id="ex-4-answer"
def outputs_of(model, x):
    ### BEGIN SOLUTION
    outputs = {}

    def listen(name):
        return lambda module, inputs, output: outputs.update({name: output.clone()})

    leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(listen(name)) for name, module in leaves]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: outputs[name] for name, _ in leaves}
    ### END SOLUTION


# %% id="ex-4-check"
check("10.4", outputs_of)
# hint("10.4")

# %% [markdown] id="ex-4-why"
# `lambda` inside of `listen`, and not in the loop, because a function made in a loop looks up `name` when it is called,
# and by then it is the last one. `try … finally` removes the hooks whatever happens.

# %% [markdown] id="ex-5"
# ### Exercise 10.5 · An average of gradients (hard, 15 minutes)
#
# The gradient's map flickers: change the frame a little, and you get another one. SmoothGrad (Smilkov et al., 2017)
# takes a mean of many. Write `smooth_saliency(model, x, action, noises)`: `x` is one input, (C, H, W), and `noises` are
# N of its size, (N, C, H, W). For each of them, take the gradient of the logit of `action` with respect to the input,
# at `x` plus that noise. Of the mean of these N gradients, return for each pixel the largest absolute value among its
# channels: (H, W). The model is in eval mode, takes batches, and must be left without a trace: `backward()` would add
# to the gradients of all its weights, `torch.autograd.grad` does not. `x` and `noises` stay as they are.


# %% id="ex-5-answer"
def smooth_saliency(model, x, action, noises):
    ### BEGIN SOLUTION
    inputs = (x + noises).detach().requires_grad_()
    logits = model(inputs)[:, action]  # (N,)
    (gradients,) = torch.autograd.grad(logits.sum(), inputs)
    return gradients.mean(dim=0).abs().amax(dim=0)
    ### END SOLUTION


# %% id="ex-5-check"
check("10.5", smooth_saliency)
# hint("10.5")

# %% [markdown] id="ex-5-why"
# The sum over the batch is one number, and its gradient with respect to each input is that input's own: the inputs do
# not know of each other (the model is in eval mode). So all N take one pass.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | *No dashboards are active for the current data set.* | the wrong folder, or nothing written or read yet | give the whole path; `flush_secs=2`; press the round arrow |
# | a curve that zigzags | two runs have written into one folder | a folder for each run |
# | the frame in the notebook stays empty | the notebook's server is another machine (JupyterHub, a container): its `localhost` is not yours | forward the port, or install `jupyter-server-proxy` |
# | *Data could not be loaded* in the frame, and not behind the link above it | JupyterLab was opened at 127.0.0.1, and the browser blocks what it takes for another site | open it at `localhost`, or use the link |
# | *port 6006 … already in use* | an earlier TensorBoard still runs | another `--port`; `show_tensorboard(folder)` takes a free one by itself |
# | `weight.grad` is `None` | before `backward()`, or `zero_grad()` has set it to `None` | look between `backward()` and the next `zero_grad()` |
# | *The .grad attribute of a Tensor that is not a leaf Tensor is being accessed* | gradients are kept only for weights and inputs | a hook; or `retain_grad()` on that tensor before `backward()` |
# | a copied or saved model drags a recorder along | hooks belong to the module, and `copy.deepcopy` copies them, with all they refer to | copy `model.state_dict()`; remove hooks when you are done |
# | the hook's list takes all memory | it keeps outputs with their graphs | keep numbers (`.item()`), or `output.detach()` |
# | each update is near 1 % of the weight or more, for long | the rate is large | a third of it, or a warm-up; not wrong by itself |

# %% [markdown] id="league-intro"
# ## The league table
#
# Watching changes no score: the same weights, to the last bit, as you have seen above.


# %% id="league"
league("10")

# %% [markdown] id="next"
# ## In short
#
# * The loss says whether a run gets on, not how. Four histories say more: gradients, steps, outputs, dead units.
# * Adam's first steps are as long as the learning rate, whatever the gradient. Compare the rate with your weights, and
#   warm up.
# * A map of what a network looks at is a claim. Hold it against an untrained network, and against another method.
# * TensorBoard shows what is below the folder that you name: whole paths, a folder for each run.
#
# **Next:** 11 · Early stopping and regularisation: what to do when the validation loss turns round.
