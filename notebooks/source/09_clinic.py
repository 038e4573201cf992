# %% [markdown] id="title"
# # 09 · The clinic
#
# **A run does not crash, and does not learn. Where do you look?**
#
# You will be able to
#
# * find out with a handful of tests, each a few lines, what keeps a network from learning;
# * let `preflight`, `check_loop` and `Monitor` run these tests and more on your own program, and know what they miss;
# * name many a bug by what each layer does, before you have seen the program;
# * say what a number is worth, and what a bug can cost.
#
# *50 minutes to read, two hours with the exercises, 45 seconds to run. You need lessons 06 and 08.*

# %% id="imports" tags=["setup"]
import csv
import io
import math
from statistics import mean, stdev

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

from dlsteps.agents.imitation import Agent
from dlsteps.clinic import Monitor, check_loop, preflight
from dlsteps.clinic.gallery import CASES, deal, draw, sound, stored
from dlsteps.data import FrameDataset, data_path, split_by_time
from dlsteps.exercises import check, hint, quiz
from dlsteps.game import score
from dlsteps.league import league
from dlsteps.models import ConvNet

# %% [markdown] id="why"
# A program that crashes tells you where. A program that trains badly tells you nothing: the loss goes down a little, a
# number comes out, and it may be your data, your network, your loop, or a task that is simply hard. Most of the time it
# is a bug. This lesson is about finding it in minutes, by tests whose outcome you know beforehand.
#
# ## The patient
#
# Somebody sends you this program. It is the agent of the last lessons, written anew, and "it learns, but it plays
# badly". The data are as always:

# %% id="data"
frames = FrameDataset(data_path("catch_level1_night.npz"))
train_set, valid_set = split_by_time(frames)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
valid_loader = DataLoader(valid_set, batch_size=64)
print(len(train_set), "samples for training,", len(valid_set), "for validating")

# %% [markdown] id="patient-intro"
# The network has the layers of `ConvNet`, and a `forward` of its own:


# %% id="patient"
class Patient(ConvNet):
    def forward(self, x):  # (B, 6, 64, 64)
        x = x - x.mean(dim=0)  # what moves stands out
        with torch.no_grad():
            features = self.feature_extractor(x)  # (B, 128)
        return self.head(features).softmax(dim=1)  # (B, 3), probabilities


def make_model():
    return Patient(in_channels=6, num_actions=3)


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=1e-3)


# %% [markdown] id="patient-loop-intro"
# And this is its loop:

# %% id="patient-loop"
loss_fn = nn.CrossEntropyLoss()


def train_one_epoch(model, loader, loss_fn, optimizer):
    total = 0.0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def evaluate(model, loader, loss_fn):
    total = right = count = 0
    for x, y in loader:
        logits = model(x)
        total += loss_fn(logits, y)
        right += (logits.argmax(dim=1) == y).sum().item()
        count += len(y)
    return {"loss": total.item() / len(loader), "accuracy": right / count}


# %% [markdown] id="read-first"
# There are seven bugs in these two cells, and none of them raises an error. Read them once more before you go on. How
# many do you find?
#
# Four epochs, and three games:

# %% id="patient-trains"
torch.manual_seed(0)
model = make_model()
optimizer = make_optimizer(model)
losses, reported = [], {}
for epoch in range(4):
    losses.append(train_one_epoch(model, train_loader, loss_fn, optimizer))
    reported = evaluate(model, valid_loader, loss_fn)
print("the loss falls:", losses[-1] < losses[0])
print(f"right in {reported['accuracy']:.0%} of the validation set")
print("score:", score(Agent(model), level=1, seeds=range(3)))

# %% [markdown] id="patient-curve-intro"
# The loss falls, and more than two thirds of the answers are right. As a picture, it looks like many a first run:

# %% id="patient-curve"
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(range(1, 5), losses, "o-", color="#0072B2")
ax.set(xlabel="epoch", ylabel="training loss", xticks=range(1, 5), title="It falls, and levels off")
plt.show()

# %% [markdown] id="patient-curve-notice"
# A curve like this is a thermometer: it can tell you that somebody is ill, seldom of what. So put it away, and ask the
# patient questions to which you know the answer.
#
# ## What should an untrained network lose?
#
# A network that knows nothing should say about the same for each of K classes, 1/K. Its cross-entropy is then −ln(1/K)
# = ln K, whatever the labels are. For three actions:

# %% id="start"
torch.manual_seed(0)
model = make_model()
x, y = next(iter(train_loader))  # (64, 6, 64, 64), (64,)
print(f"loss at the start: {loss_fn(model(x), y).item():.1f}")
print(f"ln 3:              {math.log(3):.1f}")

# %% [markdown] id="start-notice"
# Passed. A test that passes tells you where the bug is not; this one would have spoken up for inputs or initial weights
# of a wrong size. Here is what it looks like if the last layer's weights are thirty times too large:

# %% id="start-large"
torch.manual_seed(0)
large = ConvNet(in_channels=6, num_actions=3)
large.head.weight.data *= 30
print("more than twice ln 3:", loss_fn(large(x), y).item() > 2 * math.log(3))

# %% [markdown] id="start-large-notice"
# Such a network is sure of itself, and wrong. It spends its first epochs on unlearning that.

# %% [markdown] id="quiz-1"
# **A question in between.** Ten classes, an untrained network, and the loss of the first batch is 11.8. What is most
# likely?
#
# * **a** The learning rate is too high.
# * **b** The inputs or the last layer's weights are far too large.
# * **c** The labels are shuffled.
# * **d** Nothing: the loss of an untrained network can be anything.

# %% id="quiz-1-choices"
quiz("9.a")

# %% [markdown] id="blind-intro"
# ## Does it look at its input?
#
# The opposite of knowing nothing is not knowing something: a network can learn how often each answer comes, without
# ever looking. So train it again on black frames, where there is nothing to see. This is called an **input-independent
# baseline**; a sound run has to be clearly better.


# %% id="blind"
class Black:
    """A loader whose frames are all black; the labels are as they were."""

    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        return ((torch.zeros_like(x), y) for x, y in self.loader)

    def __len__(self):
        return len(self.loader)


torch.manual_seed(0)
blind = make_model()
train_one_epoch(blind, Black(train_loader), loss_fn, make_optimizer(blind))
print(f"black frames: {evaluate(blind, Black(valid_loader), loss_fn)['accuracy']:.0%} right")
print(f"real frames:  {reported['accuracy']:.0%} right")

# %% [markdown] id="blind-notice"
# Not one answer better than a network in the dark. What does it say, then?

# %% id="answers"
said = torch.cat([model(x).argmax(dim=1) for x, _ in valid_loader]).unique().tolist()
print("its answers:", [["left", "stay", "right"][number] for number in said])

# %% [markdown] id="answers-notice"
# The same, every time. 69% are right because *stay* is the commonest action. And the falling loss? It was the patient
# finding out just that.
#
# So whenever you report a number, report beside it what it is worth not to look. For accuracy that is the share of the
# commonest class. For the cross-entropy you compute it yourself:

# %% [markdown] id="ex-1"
# ### Exercise 9.1 · A loss without looking (easy, 8 minutes)
#
# How low can the cross-entropy get for a network that does not look at its input? It can do no better than to say, for
# every sample, the share that each class has in the labels. Write `loss_without_looking(labels)`: from class numbers,
# (N,) int64, the loss of that answer, as a Python float. Some class numbers may not occur.


# %% id="ex-1-answer"
def loss_without_looking(labels):
    ### BEGIN SOLUTION
    counts = labels.bincount()
    shares = counts[counts > 0] / len(labels)
    return -(shares * shares.log()).sum().item()
    ### END SOLUTION


# %% id="ex-1-check"
check("9.1", loss_without_looking)
# hint("9.1")

# %% [markdown] id="ex-1-why"
# A sample of class k loses −ln(share of k), and that class has that share of all samples. This is the **entropy** of
# the labels. With equal shares it is ln K; the more uneven they are, the lower it is, and the less a low loss means.

# %% [markdown] id="heart-intro"
# ## Can it learn sixteen samples by heart?
#
# Sixteen frames, 279,043 weights. A network that cannot learn these by heart cannot learn anything, and you know how it
# has to end: with a loss near 0.


# %% id="heart"
def learn_by_heart(model, x, y, steps=150):
    """The loss of a few samples after so many steps with nothing else, and how many of them are right."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), (model(x).argmax(dim=1) == y).sum().item()


torch.manual_seed(0)
loss, right = learn_by_heart(make_model(), x[:16], y[:16])
print(f"{right} of 16 right, and the loss is {loss:.1f}")

# %% [markdown] id="heart-notice"
# All sixteen right, and still a loss of 0.6. A floor like that is a trace. What is the lowest loss that this network
# could ever reach? Its outputs are probabilities, so the best it can say is 1 for the right action and 0 for the
# others:

# %% id="floor"
perfect = torch.tensor([[1.0, 0.0, 0.0]])
print(f"{loss_fn(perfect, torch.tensor([0])).item():.2f}")

# %% [markdown] id="floor-notice"
# `CrossEntropyLoss` takes **logits**, any numbers, and applies the softmax itself. It has taken the probabilities for
# logits, and even a perfect answer then costs 0.55. That is the first bug: softmax twice. Its gradients are weak, and
# vanish just where the network is wrong and sure of it. Mended:


# %% id="without-softmax"
class WithLogits(Patient):
    def forward(self, x):
        x = x - x.mean(dim=0)
        with torch.no_grad():
            features = self.feature_extractor(x)
        return self.head(features)


torch.manual_seed(0)
loss, right = learn_by_heart(WithLogits(in_channels=6, num_actions=3), x[:16], y[:16])
print(f"{right} of 16 right, and the loss is {loss:.1f}")

# %% [markdown] id="heart-passed"
# Now it passes. Note what has *not* been found by this test: there is more wrong with this network, and it could learn
# sixteen samples all the same.

# %% [markdown] id="quiz-2"
# **A question in between.** A network learns sixteen samples by heart, down to a loss of almost 0. On the whole
# training set, its loss stays at ln K. Which of these fits?
#
# * **a** No gradient reaches the network's weights.
# * **b** There is a softmax before the cross-entropy.
# * **c** The inputs were shuffled, and the labels were not.
# * **d** The loss broadcasts: it compares each output with the labels of all samples.

# %% id="quiz-2-choices"
quiz("9.b")

# %% [markdown] id="reach-intro"
# ## Does a gradient reach every weight?
#
# After one `backward`, every parameter that is to learn should have a gradient, and not one of zeros:

# %% id="reach"
torch.manual_seed(0)
model = WithLogits(in_channels=6, num_actions=3)
loss_fn(model(x), y).backward()
reached = {name: p.grad is not None and bool(p.grad.any()) for name, p in model.named_parameters()}
print([name for name, yes in reached.items() if yes], "and", list(reached.values()).count(False), "without")

# %% [markdown] id="reach-notice"
# Only the head learns. It works with 128 features that nobody has trained, which is enough for sixteen samples, and not
# for the game. The second bug is `torch.no_grad()` in `forward`: the graph ends there. (Somebody may have taken
# that line from a program with pretrained layers; lesson 07 freezes them properly.)


# %% id="with-gradient"
class WithGradient(WithLogits):
    def forward(self, x):
        x = x - x.mean(dim=0)
        return self.head(self.feature_extractor(x))


torch.manual_seed(0)
model = WithGradient(in_channels=6, num_actions=3)
loss_fn(model(x), y).backward()
print("all reached:", all(p.grad is not None and bool(p.grad.any()) for p in model.parameters()))

# %% [markdown] id="ex-2"
# ### Exercise 9.2 · Left behind (medium, 10 minutes)
#
# A gradient is half of it. The optimizer moves what it was given, and a head that you replaced afterwards is not among
# that. Write `left_behind(model, optimizer)`: the names, as in `named_parameters()` and in that order, of all
# parameters that should train (`requires_grad`) and that the optimizer does not hold. What it holds is in
# `optimizer.param_groups`, a list of dicts; each has a list under `"params"`.


# %% id="ex-2-answer"
def left_behind(model, optimizer):
    ### BEGIN SOLUTION
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]
    ### END SOLUTION


# %% id="ex-2-check"
check("9.2", left_behind)
# hint("9.2")

# %% [markdown] id="ex-2-why"
# The question is whether it is the same object, not whether it has the same values: `p in list_of_tensors` compares
# values, and fails. `id` names the object.

# %% [markdown] id="ex-3"
# ### Exercise 9.3 · Columns that nobody reads (hard, 20 minutes)
#
# The same question from the other end: does every input matter? A model takes x, (B, F) floats, and gives (B, K). Write
# `unread(model, x)`: a list of the columns of x on which no output of any sample depends, found by gradients; all of
# them, if the outputs depend on nothing. The model comes in eval mode; it, its gradients and x stay as they were.


# %% id="ex-3-answer"
def unread(model, x):
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    out = model(x) + 0 * x.sum()
    read = torch.zeros(x.shape[1], dtype=torch.bool)
    for k in range(out.shape[1]):
        (grad,) = torch.autograd.grad(out[:, k].sum(), x, retain_graph=True)
        read |= (grad != 0).any(dim=0)
    return [j for j, seen in enumerate(read.tolist()) if not seen]
    ### END SOLUTION


# %% id="ex-3-check"
check("9.3", unread)
# hint("9.3")

# %% [markdown] id="ex-3-why"
# One `out.sum().backward()` would be shorter, and wrong for a network that ends in a softmax: its outputs always add up
# to 1, so the sum depends on nothing. Hence one output at a time. `torch.autograd.grad` returns the gradient and leaves
# none in the parameters.

# %% [markdown] id="leak-intro"
# ## Does every sample keep to itself?
#
# What the network says of one frame must not depend on the other frames that happen to be in its batch. Gradients can
# tell that, too: take *one* output of sample 0, and ask which samples it depends on. (In eval mode. In train mode
# BatchNorm mixes the samples of a batch, and that is on purpose.)


# %% id="leak"
def depends_on(model, x):
    """The samples on which the first output for sample 0 depends."""
    x = x.clone().requires_grad_()
    model.eval()
    model(x)[0, 0].backward()
    return x.grad.flatten(1).any(dim=1).nonzero().flatten().tolist()


print(depends_on(model, x[:8]))

# %% [markdown] id="leak-notice"
# On all eight. It is `x - x.mean(dim=0)`, the mean over the batch: dimension 0 holds the samples. What does that cost?
# Train this network, otherwise mended, with a loop that is right:


# %% id="sound-loop"
def sound_train(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


@torch.no_grad()
def sound_evaluate(model, loader, loss_fn):
    model.eval()
    total = right = count = 0
    for x, y in loader:
        logits = model(x)
        total += loss_fn(logits, y).item() * len(y)
        right += (logits.argmax(dim=1) == y).sum().item()
        count += len(y)
    return {"loss": total / count, "accuracy": right / count}


# %% id="leak-costs"
torch.manual_seed(0)
model = WithGradient(in_channels=6, num_actions=3)
optimizer = make_optimizer(model)
for epoch in range(5):
    sound_train(model, train_loader, loss_fn, optimizer)
leaky = sound_evaluate(model, valid_loader, loss_fn)
print("better than always the commonest action:", leaky["accuracy"] > reported["accuracy"] + 0.02)
print("score:", score(Agent(model), level=1, seeds=range(3)))

# %% [markdown] id="leak-costs-notice"
# It has learned something, validation says so, and yet the score is what it was. In the game there is one frame at a
# time, a batch of one; that frame less its own mean is black. The agent is blind whenever it counts. This is the worst
# kind of bug: all the numbers are good until the day it is used.
#
# Without that line, `forward` is `ConvNet`'s own, and the network is cured:

# %% id="cured"
torch.manual_seed(0)
model = ConvNet(in_channels=6, num_actions=3)
print(depends_on(model, x[:8]))

# %% [markdown] id="loop-intro"
# ## The loop
#
# Four bugs are left, in the patient's loop. You know two of them from lesson 08: there is no `zero_grad`, so that the
# gradients of all steps add up; and `total / len(loader)` is the mean over batches, where a short last one counts as
# much as a full one. For the third, ask the model in which mode it was called. A **hook** (lesson 06) is a function that
# the model calls at each use:


# %% id="modes"
def modes(function, *args):
    """The modes in which the model was called, while a function ran."""
    seen = []
    hook = model.register_forward_pre_hook(lambda module, inputs: seen.append(module.training))
    function(model, *args)
    hook.remove()
    return set(seen)


few = [batch for _, batch in zip(range(3), valid_loader, strict=False)]
model.train()
print("patient:", modes(evaluate, few, loss_fn), "  sound:", modes(sound_evaluate, few, loss_fn))

# %% [markdown] id="modes-notice"
# It is evaluated in train mode. Every evaluation then moves BatchNorm's running averages, by data that should only
# measure. The other way round is as common: `evaluate` calls `model.eval()`, nobody calls `model.train()` again, and
# from the second epoch on the network trains in eval mode.
#
# The fourth is only a waste: there is no `torch.no_grad()`, so each batch keeps its graph, and `total` holds on to all
# of them.

# %% [markdown] id="ex-4"
# ### Exercise 9.4 · Does it survive? (medium, 12 minutes)
#
# A run of hours is worth what you can load afterwards. So train for a few steps, save, load into a *new* model, and
# compare what both say, before you start the long one. Write `survives(model, fresh, x)`: save `model`'s state dict
# (`torch.save`; `io.BytesIO()` will do for a file, after writing `file.seek(0)`), load it into `fresh`, a new model of
# the same kind, and return whether both give the same output for x in eval mode. Both are left in the mode they came
# in.


# %% id="ex-4-answer"
def survives(model, fresh, x):
    ### BEGIN SOLUTION
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file))
    modes = model.training, fresh.training
    model.eval(), fresh.eval()
    with torch.no_grad():
        same = torch.equal(model(x), fresh(x))
    model.train(modes[0]), fresh.train(modes[1])
    return same
    ### END SOLUTION


# %% id="ex-4-check"
check("9.4", survives)
# hint("9.4")

# %% [markdown] id="ex-4-why"
# Compare outputs, not state dicts: what is missing from a state dict, such as a layer in a plain list, is missing from
# both. In train mode dropout would make any two outputs differ.

# %% [markdown] id="ex-5"
# ### Exercise 9.5 · Measuring without touching (hard, 20 minutes)
#
# Write `leaves_alone(evaluate, model, loader, loss_fn)`: call `evaluate(model, loader, loss_fn)` once, and say whether
# it left the model as it was: parameters, buffers, gradients, and the mode of every module (`model.modules()`). An
# `evaluate` that was called in train mode and ends in eval mode counts as touching, and so does a gradient of zeros
# where there was none. Nothing has to be put back.


# %% id="ex-5-answer"
def leaves_alone(evaluate, model, loader, loss_fn):
    ### BEGIN SOLUTION
    def state():
        values = [value.tolist() for value in (*model.parameters(), *model.buffers())]
        grads = [None if p.grad is None else p.grad.tolist() for p in model.parameters()]
        return values, grads, [module.training for module in model.modules()]

    before = state()
    evaluate(model, loader, loss_fn)
    return state() == before
    ### END SOLUTION


# %% id="ex-5-check"
check("9.5", leaves_alone)
# hint("9.5")

# %% [markdown] id="ex-5-why"
# The trap is `state_dict()`: it holds the tensors themselves, no copies. Compared with itself, the model is always as
# it was. `tolist()` makes copies that `==` can compare; `clone()` and `torch.equal` do as well.

# %% [markdown] id="size-intro"
# ## Is the step the right size?
#
# The last test is for a network that is sound and may still learn too slowly or too wildly: how long is a step,
# compared with the weights that it changes? For the cured network, after twenty steps at five learning rates:


# %% id="size"
def update_to_weight(rate, steps=20):
    """{layer's weight: length of the last step, over the length of the weight}"""
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for (x, y), _ in zip(train_loader, range(steps), strict=False):
        before = {name: p.detach().clone() for name, p in model.named_parameters() if p.dim() > 1}
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    after = dict(model.named_parameters())
    return {name: ((after[name] - old).norm() / old.norm()).item() for name, old in before.items()}


rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
ratios = [update_to_weight(rate) for rate in rates]

# %% id="size-plot"
fig, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
for name, colour in zip(ratios[0], ["#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00"], strict=True):
    ax.loglog(rates, [ratio[name] for ratio in ratios], "o-", color=colour, label=name.removesuffix(".weight"))
ax.axhspan(1e-3, 1e-2, color="#999999", alpha=0.2)
ax.set(xlabel="learning rate", ylabel="length of step / length of weight")
ax.set_title("A higher rate makes longer steps, until the weights run away")
ax.legend(fontsize=8)
plt.show()

# %% [markdown] id="size-notice"
# The grey band, a thousandth to a hundredth of the weight, is a rule of thumb for Adam. Below a ten-thousandth a network
# hardly moves. At the right end the ratio stops growing for a bad reason: the weights have become so large that the
# same step is a smaller part of them.

# %% [markdown] id="package-intro"
# ## All of this, and more, in one line
#
# `preflight` looks at model, loss, loaders and optimizer before a run. Here is the patient as it came, all bugs in it:

# %% id="as-it-came"
torch.manual_seed(0)
model = make_model()
before = preflight(model, loss_fn, train_loader, valid_loader, make_optimizer(model))
print([finding.code for finding in before.findings], before.ok)

# %% [markdown] id="before-intro"
# A report shows itself as a table: what was seen, why it matters, what to do. (Below it stands what could not be
# checked, and why.)

# %% id="before" tags=["nbval-ignore-output"]
before

# %% [markdown] id="before-notice"
# The three bugs of the network, and nothing else. For the loop, `check_loop` takes your own two functions and runs them
# on a handful of small batches:

# %% id="loop"
loop = check_loop(train_one_epoch, evaluate, make_model, make_optimizer, train_loader, valid_loader, loss_fn)
print([finding.code for finding in loop.findings])

# %% id="loop-report" tags=["nbval-ignore-output"]
loop

# %% [markdown] id="loop-notice"
# Five findings for four bugs: what is evaluated in train mode is changed by it, and the report says both. An **error**
# means that the run will not do what it should; **advice** means: look at it. Both functions work on copies: your model,
# optimizer, random numbers and the order of your data are afterwards what they were before. And the cured patient?

# %% id="healthy"
torch.manual_seed(0)
model = ConvNet(in_channels=6, num_actions=3)
parts = train_loader, valid_loader
before = preflight(model, loss_fn, *parts, make_optimizer(model))
loop = check_loop(sound_train, sound_evaluate, lambda: ConvNet(6, 3), make_optimizer, *parts, loss_fn)
print((before + loop).ok)

# %% [markdown] id="monitor-intro"
# Some bugs do not show before a run has gone on for a while. `Monitor` watches it: as a callback of `Trainer`, or by
# hand, as here. Something is wrong with this schedule:

# %% id="monitor" tags=["nbval-ignore-output"]
torch.manual_seed(0)
model = ConvNet(in_channels=6, num_actions=3)
optimizer = make_optimizer(model)
scheduler = OneCycleLR(optimizer, max_lr=1e-3, total_steps=2 * len(train_loader))
with Monitor().watch(model, optimizer, scheduler) as monitor:
    for epoch in range(2):
        for x, y in train_loader:
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            monitor.step(loss)
        scheduler.step()
        monitor.epoch()

# %% id="monitor-report"
print([finding.code for finding in monitor.report.findings])

# %% [markdown] id="monitor-notice"
# The schedule has one step for each batch, and the loop takes one each epoch: all epochs run at the very low rate with
# which one cycle begins. `scheduler.step()` belongs two lines further up and one level further in. With a `Trainer`,
# the whole thing would be `callbacks=[Monitor()]`.

# %% [markdown] id="cost-intro"
# ## What a bug costs
#
# Lesson 08's best training, 45 times: as it was, and with one of eight bugs in it, five seeds each, ten games for each
# agent. (`benchmarks/09_one_bug.py`; half an hour, so only its result is here.) First what the program reports of
# itself, then how its agent plays; means over five seeds, and the standard deviation between them.

# %% id="cost"
with open(data_path("one_bug.csv"), encoding="utf8", newline="") as file:
    rows = list(csv.DictReader(file))
bugs = list(dict.fromkeys(row["bug"] for row in rows))
values = {(row["bug"], column): [] for row in rows for column in ("reported", "score")}
for row in rows:
    for column in ("reported", "score"):
        values[row["bug"], column].append(float(row[column]))
print(f"{'bug':30}accuracy reported   score")
for bug in bugs:
    shown = [f"{mean(v):.2f} ± {stdev(v):.2f}" for v in (values[bug, "reported"], values[bug, "score"])]
    print(f"{bug:30}{shown[0]:20}{shown[1]}")

# %% id="cost-plot"
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, column, label in zip(axes, ["reported", "score"], ["accuracy reported", "score in the game"], strict=True):
    for number, bug in enumerate(bugs):
        colour = "#0072B2" if bug == "none" else "#D55E00"
        ax.plot(values[bug, column], [number] * 5, "o", color=colour, alpha=0.6)
    ax.set(xlabel=label, yticks=range(len(bugs)), yticklabels=bugs)
axes[0].invert_yaxis()
fig.suptitle("The numbers that a program reports do not tell which bug will hurt")
plt.show()

# %% [markdown] id="cost-notice"
# Look at *softmax before the loss*. It reports 0.76 ± 0.01, as good as the sound program's 0.77 ± 0.01; and it scores
# 0.16 ± 0.05 where the sound one scores 0.96 ± 0.07. Without `zero_grad`, with labels in another order or with the
# batch's mean subtracted, nothing is left of the agent. And two bugs happen to do no harm here: evaluated in train
# mode, or trained in eval mode, the agents are as good as the sound ones. That is luck, and you would find out only by
# comparing.

# %% [markdown] id="gallery-intro"
# ## Thirty-one more patients
#
# Practice helps, and one patient is not much of it. `dlsteps.clinic.gallery` has 31 small programs with one bug each:
# most read digits, some look at frames of the game or predict how a disease goes on. Here are the losses of all of
# them: training dashed, validation solid, and in grey the validation of the same program without its bug.

# %% id="gallery-losses"
fig, axes = plt.subplots(4, 8, figsize=(12, 5.5), layout="constrained")
for case, ax in zip(CASES, axes.flat, strict=False):
    run, healthy = stored(case.number).history, sound(case.program).history
    ax.plot([epoch["valid_loss"] for epoch in healthy], color="0.7", linewidth=2)
    ax.plot([epoch["train_loss"] for epoch in run], "--", color="#D55E00")
    ax.plot([epoch["valid_loss"] for epoch in run], color="#0072B2")
    ax.set(ylim=(0, 2.7 if "digits" in case.program else 1.2), xticks=[], yticks=[])
    ax.set_title(case.number, fontsize=8, pad=2)
axes.flat[-1].axis("off")
plt.show()

# %% id="gallery-flat"
ends = {case.number: stored(case.number).history[-1]["valid_loss"] for case in CASES if "digits" in case.program}
asleep = [case for case in CASES if abs(ends.get(case.number, 0) - math.log(10)) < 0.1]
print(len(asleep), "end at ln 10, for", len({case.code for case in asleep}), "different reasons")

# %% [markdown] id="gallery-notice"
# Ten runs that ended where they could have stayed at home, and nine different bugs; no eye can tell these apart by
# their losses. (Where a curve is missing, it ran off the top, or into nan.) So look further. This is number 18, a
# recurrent network that reads digits row by row:

# %% id="gallery-case"
draw(stored(18), sound("digits_rnn"))
plt.show()

# %% [markdown] id="gallery-case-notice"
# What you see, from the top left: the losses; the accuracy; how often each class is said. The diamonds are a second
# opinion: the finished model, measured without the program's own `evaluate`, in eval mode and one sample at a time. If
# they are not where the curve ends, the program measures wrongly.
#
# Below, each layer by itself: how far a step changes its weights (grey band: the usual range), its gradient, and how
# large the numbers are that it gives. A cross means none at all, a thin line is the sound run.
#
# Now it is not hard. The head learns; the recurrent layer has neither gradient nor step. So the graph is cut between
# the two. The program has `last = torch.tensor(hidden[:, -1].tolist())` there: a tensor made of a list of numbers knows
# nothing of where they came from.
#
# Your turn. Each `deal()` gives you a patient. Name the bug by the picture; then its program appears, to be mended and
# run. `deal(18)` gives you a certain one.

# %% id="gallery-deal" tags=["nbval-ignore-output"]
deal()

# %% [markdown] id="limits"
# ## What the clinic misses
#
# A report without an error means that no check found one. It is no proof. How good are the checks? Somebody wrote
# programs and bugs for them without knowing how they work. (`python course.py bench clinic`)

# %% id="limits-figures"
with open(data_path("clinic.csv"), encoding="utf8", newline="") as file:
    tally = [row for row in csv.DictReader(file) if row["set"] == "unseen"]
planted = [row for row in tally if row["code"]]
programs, named, first = (sum(int(row[column]) for row in planted) for column in ("programs", "named", "first"))
print(f"{programs} programs with a bug: {named / programs:.0%} named, {first / programs:.0%} named first of all")
for row in tally:
    if not row["code"]:
        print(f"{row['programs']} sound programs: a false error in {row['named']}")
print("seldom named:", [row["code"] for row in planted if int(row["named"]) < 0.8 * int(row["programs"])])

# %% [markdown] id="limits-kinds"
# Some of that is a matter of degree: how small is too small a rate, how uneven are uneven classes? And some things no
# check can see:
#
# * **What you want.** In lesson 02, some keys were stored with a frame to which they did not belong. Such a pair looks
#   like any other; only you know when a key was pressed.
# * **Whether the recipe is good.** The cured patient, trained as it was, plays badly too: unbalanced batches, no
#   augmentation, a constant rate (lessons 03, 04, 08). Nothing of this is a bug.
# * **What it could not run.** If a check says *not checked*, nothing is known about its code.
#
# And some checks can be wrong. If you train only a head and freeze nothing, or evaluate in train mode on purpose, you
# know better than the clinic.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | the loss falls at first, then stays near the entropy of the labels | the network does not look at its input | train on black inputs, compare; `preflight` |
# | a floor at 0.55 (three classes) or 1.46 (ten), with everything right | softmax before the cross-entropy | return logits |
# | the loss of the first batch is many times ln K | inputs or last weights are far too large | normalise; the default initialisation |
# | good in validation, useless one sample at a time | a mean, softmax or reshape over dimension 0 | `preflight` names the leak |
# | only the last layers change | `no_grad`, `.detach()` or frozen layers in between | print which parameters have a gradient |
# | a new head does not learn | the optimizer was made before it | make it last; `left_behind` |
# | better after loading than you remember, or worse | layers in a plain list are not saved; train mode | `nn.ModuleList`; `survives`; `model.eval()` |
# | *not checked: …* below a report | that check could not run here | read the reason; nothing is said about this code |

# %% [markdown] id="league-intro"
# ## The league table
#
# Three of the trainings above:

# %% id="league"
league("09")

# %% [markdown] id="league-notice"
# 0.16 ± 0.05 with a softmax too many, −0.07 ± 0.00 with the batch's mean subtracted, and 0.98 ± 0.01 in eval mode:
# less, nothing at all, and as good as any. Seven lessons of improvements, undone by half a line.

# %% [markdown] id="next"
# ## In short
#
# * A curve tells that something is wrong, a test tells what. Ask questions to which you know the answer.
# * Before a long run: the loss at the start, black inputs, a batch by heart, a gradient for every weight, each sample
#   for itself, the mode, a save and a load. Or `preflight` and `check_loop`.
# * A number is worth what it is better than: say what it is worth not to look.
# * No test knows what you want. That the labels are late, or the data too few, it cannot see.
#
# **Next:** 10 · Watching training, where you look into a network that is well.
