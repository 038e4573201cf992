# %% [markdown] id="title"
# # 06 · Building models
#
# **Can you rebuild a published network from its table?**
#
# You will be able to
#
# * write a neuron, a block and a whole network, and say which shape each step has;
# * count what a network costs, and how much of the picture each of its numbers sees;
# * turn a table from a paper into a network, and prove that you read it right.
#
# *30 minutes to read, an hour and a half with the exercises, 25 seconds to run. You need lessons 00 to 05.*

# %% id="imports" tags=["setup"]
from collections import OrderedDict

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from ipywidgets import IntSlider, VBox, interactive_output
from matplotlib.patches import Rectangle
from torch import nn
from torchvision.transforms.v2.functional import resize

from dlsteps.capture.recording import load_recording
from dlsteps.data import data_path, load_digits5k
from dlsteps.exercises import check, hint, quiz
from dlsteps.league import league
from dlsteps.models import ConvNet, summary

# %% [markdown] id="why"
# You have trained `ConvNet` since lesson 00 and never looked inside. Today you do, and then you build something larger:
# EfficientNet-Lite0, which Google published in 2020 as a table of seven lines. It has 4.7 million parameters and takes
# 0.385 billion multiplications a picture, says one who rebuilt it
# ([d-li14/efficientnet-lite.pytorch](https://github.com/d-li14/efficientnet-lite.pytorch); Google's own table says 407
# million: there are many ways to count). If yours does, too, you are on the right way. If in lesson 07 Google's weights
# fit into it and it knows a cat from an espresso, you have arrived.
#
# ## One neuron
#
# A neuron multiplies each of its inputs by a weight, adds them up, adds a bias. If the result is negative, it says 0
# (that is ReLU).

# %% id="neuron"
x = torch.tensor([0.5, -1.0, 2.0])
weight = torch.tensor([1.0, 2.0, 1.5])
bias = torch.tensor(-0.5)
z = (x * weight).sum() + bias
print("0.5 * 1 - 1 * 2 + 2 * 1.5 - 0.5 =", z.item())
print("after ReLU:", F.relu(z).item(), " and for -x:", F.relu((-x * weight).sum() + bias).item())

# %% [markdown] id="neuron-notice"
# The weights are what the neuron looks for: of all inputs of the same size, the one that resembles them most gives the
# largest sum. That is easier to see in a picture. Here is a neuron with nine inputs, a patch of 3 × 3 pixels. Its
# weights are -1 on the left and 1 on the right, so it looks for places that are darker on the left. We move it over a
# frame of the game, one pixel at a time:

# %% id="edge"
frame = load_recording(data_path("catch_level1_night.npz")).frames[200]  # (128, 128, 3)
grey = torch.from_numpy(frame).float().mean(dim=2) / 255  # (128, 128)
looks_for = torch.tensor([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]])
patches = grey.unfold(0, 3, 1).unfold(1, 3, 1)  # (126, 126, 3, 3): a patch for each place
answer = (patches * looks_for).sum(dim=(2, 3))  # (126, 126)
print("answers:", tuple(answer.shape))
print("as torch's convolution:", torch.allclose(answer, F.conv2d(grey[None, None], looks_for[None, None]), atol=1e-5))

# %% id="edge-plot"
fig, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(grey.numpy(), cmap="gray")
axes[1].imshow(looks_for.numpy(), cmap="gray")
axes[2].imshow(F.relu(answer).numpy(), cmap="gray", vmax=0.5)
for ax, title in zip(axes, ["the frame", "what the neuron looks for", "where it finds it"], strict=True):
    ax.set(title=title, xticks=[], yticks=[])
fig.suptitle("A convolution is one neuron, moved over the picture")
plt.show()

# %% [markdown] id="edge-notice"
# It lights up at left edges, of the ball, the paddle, the moon and the stars alike, wherever they are. Nine weights did
# that for 15,876 places. (`unfold` cuts the picture into overlapping patches. There are two fewer places than pixels in
# each direction, since a patch of three does not fit around a pixel at the edge. **Padding** adds a frame of zeros, and
# then it does.) A convolutional *layer* is many such neurons side by side, each with weights of its own, and each looks
# at all channels of the layer before.
#
# ## A module
#
# In PyTorch, whatever holds weights is an `nn.Module`: `__init__` makes what it holds, `forward` says what is done with
# it. Here is our neuron, and for the sake of the argument it counts how often it was used. (`super().__init__()` comes
# first: it makes the lists in which a module keeps what it holds.)


# %% id="module"
class Neuron(nn.Module):
    def __init__(self, num_inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_inputs) * 0.1)
        self.bias = nn.Parameter(torch.zeros(()))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):  # (B, num_inputs)
        self.calls += 1
        return F.relu(x @ self.weight + self.bias)  # (B,)


neuron = Neuron(num_inputs=3)
print("output:    ", tuple(neuron(torch.zeros(5, 3)).shape))  # calls forward
print("parameters:", [name for name, _ in neuron.named_parameters()])
print("buffers:   ", [name for name, _ in neuron.named_buffers()])
print("saved:     ", list(neuron.state_dict()))

# %% [markdown] id="module-notice"
# A **parameter** is what the optimizer changes; assigning it to `self` is enough, and the module notes its name. A
# **buffer** is kept, saved and moved to the GPU with the rest, but nobody trains it; it has to be registered, since a
# plain tensor that is assigned goes unnoticed.
#
# A module inside a module is noticed as a parameter is, and all that it holds with it. Unless you hide it. The error is
# on purpose:


# %% id="forgetful" tags=["raises-exception"]
class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)]

    def forward(self, x):  # (B, 4)
        for layer in self.layers:
            x = layer(x)
        return x  # (B, 3)


print("output:", tuple(Forgetful()(torch.zeros(5, 4)).shape))
torch.optim.AdamW(Forgetful().parameters())

# %% [markdown] id="forgetful-notice"
# `optimizer got an empty parameter list`. The network computes, so it looks all right. But a plain Python list is
# opaque to a module: nothing in it would be trained, saved or moved. You were lucky to get an error. Had there been one
# more layer outside the list, training would have run, with most of the network standing still.
#
# `nn.Sequential(…)` holds layers that follow one another (and needs no `forward`); `nn.ModuleList([…])` holds layers
# that you want to call yourself.
#
# ## Shapes through a network
#
# Now `ConvNet`. What is in it?

# %% id="inside"
model = ConvNet(in_channels=6, num_actions=3).eval()
print(model)

# %% [markdown] id="shapes-intro"
# Three times a convolution, a batch normalisation and a ReLU; then two linear layers. What happens to a picture on its
# way through them? A **hook** tells: it is a function that a module calls each time after its `forward`, with its input
# and its output.


# %% id="shapes"
def print_shape(layer, inputs, output):
    print(f"{type(layer).__name__:12}{tuple(output.shape)}")


layers = [layer for layer in model.modules() if not list(layer.children())]  # not those that only hold others
hooks = [layer.register_forward_hook(print_shape) for layer in layers]
logits = model(torch.zeros(2, 6, 64, 64))  # two samples, two frames of three channels each
for hook in hooks:
    hook.remove()

# %% [markdown] id="shapes-notice"
# Read it from top to bottom. Each convolution halves height and width: 64, 32, 16, 8. `Flatten` lays the 32 × 8 × 8
# numbers of a sample in one row, and two linear layers turn them into 128, then into 3, one for each action. The batch,
# in front, stays what it was.
#
# A **batch normalisation** leaves the shape as it is. It brings each channel to mean 0 and deviation 1, then multiplies
# it by a weight and adds a bias of its own, which are learned. (That is why the convolutions have no bias: it would be
# subtracted right away.) The mean of what? In train mode, of this batch, over all its pictures and places:

# %% id="norm"
norm = nn.BatchNorm2d(2)
x = torch.rand(4, 2, 5, 5)  # 4 samples, 2 channels
mean, variance = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), keepdim=True, correction=0)
by_hand = (x - mean) / (variance + norm.eps).sqrt()  # eps: so that nothing is divided by 0
print("as torch's:", torch.allclose(by_hand, norm(x), atol=1e-5))
print("buffers:   ", [name for name, _ in norm.named_buffers()])

# %% [markdown] id="norm-notice"
# In eval mode there may be just one picture, so it takes averages from training instead. These are its buffers,
# `running_mean` and `running_var`; in train mode, each batch moves them a little. (The third counts the batches.) Keep
# them in mind: they come back at the end of this lesson.
#
# How does one know what a convolution makes of a size? Along one side it is
#
# $$\text{out} = \left\lfloor \frac{\text{size} + 2\,\text{padding} - \text{kernel}}{\text{stride}} \right\rfloor + 1$$
#
# that is, how often the kernel can step on by the **stride** (the distance from one place to the next) before it falls
# off the end, and 1 for the place where it begins. For the first layer it is (64 + 4 - 5) // 2 + 1 = 32.
#
# ## How far a number sees
#
# A number after the first layer depends on 5 × 5 pixels. One after the second depends on 3 × 3 of those, and so on more
# pixels. This is its **receptive field**. Seen from the side, one row of pixels at the bottom and a dot for each number
# above:


# %% id="field"
def draw_layers(kernel_size, stride, padding, layers, size=16):
    """Draw layers of one kind over a row of `size` pixels, and what a number in the middle of the top one sees."""
    rows = [np.arange(size)]  # where along the picture the numbers of a layer look
    for level in range(layers):
        count = (len(rows[-1]) + 2 * padding - kernel_size) // stride + 1
        if count < 1:
            break  # the kernel no longer fits
        first = rows[-1][0] + ((kernel_size - 1) / 2 - padding) * stride**level
        rows.append(first + np.arange(count) * stride ** (level + 1))
    fig, ax = plt.subplots(figsize=(9, 0.8 + 0.7 * layers), layout="constrained")
    begin = end = len(rows[-1]) // 2  # of what is seen, from the top down
    for level in range(len(rows) - 1, -1, -1):
        numbers = np.arange(len(rows[level]))
        colours = np.where((begin <= numbers) & (numbers <= end), "#D55E00", "#BBBBBB")
        ax.scatter(rows[level], 0 * numbers + level, c=colours, s=60, marker="o" if level else "s")
        if level:
            begin, end = begin * stride - padding, end * stride - padding + kernel_size - 1
    sizes = " → ".join(str(len(row)) for row in rows)
    ax.set(title=f"sizes {sizes}: the number on top sees {end - begin + 1} pixels", xticks=[], yticks=[])
    ax.margins(y=0.2)
    plt.show()


draw_layers(kernel_size=3, stride=2, padding=1, layers=2)

# %% [markdown] id="field-notice"
# With stride 2, a layer does not add two pixels to the field but two, then four, then eight: neighbours in the second
# row look two pixels apart. Drag the sliders. How many layers of stride 1 does it take to see 9 pixels, and how far do
# you get with as many of stride 2? What becomes of the sizes without padding? (Pixels that the padding adds count as
# seen, and so do gaps, where the stride is larger than the kernel.)

# %% id="explorer" tags=["nbval-ignore-output"]
sliders = {
    "kernel_size": IntSlider(3, min=1, max=5, description="kernel"),
    "stride": IntSlider(2, min=1, max=3, description="stride"),
    "padding": IntSlider(1, min=0, max=2, description="padding"),
    "layers": IntSlider(2, min=1, max=4, description="layers"),
}
VBox([*sliders.values(), interactive_output(draw_layers, sliders)])

# %% [markdown] id="trace-intro"
# (Four layers of stride 1 see 9 pixels; four of stride 2 see 31, more than there are.)
#
# And `ConvNet`? Ask it. The **gradient** of a number with respect to a pixel says how much the number changes if the
# pixel does a little; where a pixel has no influence, it is 0. We take a number in the middle of the third convolution
# (all its channels), and look which pixels have one:

# %% id="trace"
torch.manual_seed(0)
x = torch.rand(1, 6, 64, 64, requires_grad=True)
numbers = model.feature_extractor[:7](x)  # (1, 32, 8, 8), up to the third convolution
numbers[0, :, 4, 4].sum().backward()
influence = x.grad[0].abs().sum(dim=0)  # (64, 64)
rows = influence.sum(dim=1).nonzero().flatten()
print(f"rows with influence: {rows.min().item()} to {rows.max().item()}, that is {len(rows)}")

# %% id="trace-plot"
fig, axes = plt.subplots(1, 2, figsize=(7, 3.5), layout="constrained")
axes[0].imshow(influence.sqrt().numpy(), cmap="Oranges")
axes[1].imshow(F.interpolate(torch.from_numpy(frame).permute(2, 0, 1)[None], 64)[0].permute(1, 2, 0).numpy())
axes[1].add_patch(Rectangle((15.5, 36.5), 17, 17, fill=False, color="#F0E442", linewidth=2))
axes[0].set_title("where one number has a gradient")
axes[1].set_title("as much of a frame, at the ball")
for ax in axes:
    ax.set(xticks=[], yticks=[])
fig.suptitle("Three layers deep, a number sees 17 × 17 of 64 × 64 pixels")
plt.show()

# %% [markdown] id="trace-notice"
# Enough for the ball and which way it drifts; until it has nearly landed, not enough for ball and paddle at once. To
# join what is here and what is there is left to the linear layer: each of its 128 numbers sees all places.
#
# ## What it costs
#
# Two prices matter: how many numbers have to be stored (parameters), and how many multiplications one picture takes
# (**multiply-adds**, as each is followed by an addition). A layer's output tells the second: each of its numbers was
# one neuron's work, and that took as many multiplications as the neuron has weights.


# %% id="cost"
def multiply_adds(layer, output):
    """Multiplications of a convolution or linear layer for one sample, of which `output` (B, …) holds the results."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return 0
    return output[0].numel() * layer.weight[0].numel()  # each number of the output is one neuron's work


first = model.feature_extractor[0]
output = first(torch.zeros(1, 6, 64, 64))
print("numbers:", output[0].numel(), " weights of a neuron:", first.weight[0].numel())
print("multiply-adds:", multiply_adds(first, output))

# %% [markdown] id="cost-notice"
# 16 × 32 × 32 numbers, each from 6 × 5 × 5 weights. Hooks on all layers, this function, and the receptive field make a
# table, and that is what `dlsteps.models.summary` prints:

# %% id="summary"
table = summary(model, torch.zeros(1, 6, 64, 64))
print(table)

# %% [markdown] id="summary-check"
# Never trust a count that you have not checked. `torch` can count, too: it watches each convolution and each product of
# matrices as it is done (and leaves out what ours leaves out, normalisations and activations, which cost little):

# %% id="summary-check-code"
from torch.utils.flop_counter import FlopCounterMode

with FlopCounterMode(display=False) as counter:
    model(torch.zeros(1, 6, 64, 64))
print(
    "operations, two for each multiply-add:", counter.get_total_flops() == 2 * sum(row.multiply_adds for row in table)
)

# %% id="cost-plot"
rows = [row for row in table if row.multiply_adds]
shares = [np.array([getattr(row, what) for row in rows]) for what in ("parameters", "multiply_adds")]
fig, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for shift, values, name, colour in zip(
    (-0.2, 0.2), shares, ("parameters", "multiply-adds"), ("#0072B2", "#D55E00"), strict=True
):
    ax.bar(np.arange(5) + shift, values / values.sum(), width=0.4, label=name, color=colour)
ax.set_xticks(range(5), ["convolution 1", "convolution 2", "convolution 3", "linear", "head"])
ax.yaxis.set_major_formatter("{x:.0%}")
ax.set_title("One layer holds the parameters, another does the work")
ax.legend()
plt.show()

# %% [markdown] id="cost-plot-notice"
# The linear layer holds 94 % of the parameters and does 6 % of the work. The first convolution does more than half of
# the work with 1 % of the parameters, since it uses each of them at 1,024 places. So to make this network *smaller* you
# change the linear layer, and to make it *faster* the first convolution.

# %% [markdown] id="quiz-1"
# **A question in between.** You feed `ConvNet`'s convolutions pictures of 128 × 128 instead of 64 × 64. What happens to
# them?
#
# * **a** Four times the parameters and four times the multiply-adds.
# * **b** The same parameters, four times the multiply-adds.
# * **c** The same of both.

# %% id="quiz-1-choices"
quiz("6.a")

# %% [markdown] id="parts"
# ## Two parts
#
# `ConvNet` has two parts with names: `feature_extractor` turns a picture into 128 numbers that describe it, `head`
# decides from these. Only the head knows how many actions there are. For a game with five keys, change just that:

# %% id="head"
five_keys = ConvNet(in_channels=6, num_actions=3)
five_keys.head = nn.Linear(128, 5)
print("logits:", tuple(five_keys(torch.zeros(2, 6, 64, 64)).shape))

# %% [markdown] id="head-notice"
# All that the feature extractor knows stays. You will use this division in lesson 07 (other weights), 12 (copy it from
# network to network) and 17 (the agent that learns by playing starts from it).
#
# ## A block
#
# Now the large one. Photographs are 224 pixels wide, a thousand classes want many channels, and an ordinary convolution
# mixes all channels at all places: it costs kernel² × channels in × channels out at each place. Split it in two: first
# look around in each channel by itself (**depthwise**), then mix the channels at each place (**pointwise**, a kernel of
# 1 × 1).

# %% id="depthwise"
channels, side = 144, 56  # as in the block that we will build
ordinary = 9 * channels * channels * side**2
split = 9 * channels * side**2 + channels * channels * side**2
print(f"ordinary: {ordinary:,}   depthwise and pointwise: {split:,}   ratio: {ordinary / split:.1f}")

# %% [markdown] id="depthwise-notice"
# Eight times cheaper. The **inverted residual** of MobileNetV2 (2018) is built from such layers: widen six times
# (pointwise), look around (depthwise), narrow again (pointwise). Where input and output have the same shape, the input
# is added, so that the block needs to learn only what to change, and the gradient has a free way back. *Inverted*,
# because before it residual blocks were narrow in the middle.
#
# ## A trap
#
# The weights that will go into our network come from TensorFlow, and TensorFlow pads in another way than torch. Both
# want 8 pixels at stride 2 to become 4. That takes one zero. On which side? Here are the pixels 1 to 8 and a kernel of
# 1, 10, 100, so that the digits of a result tell which pixels went in (read from the right):

# %% id="same"
pixels = torch.arange(1.0, 9).view(1, 1, 1, 8)
kernel = torch.tensor([1.0, 10, 100]).view(1, 1, 1, 3)
print("torch, padding=1: ", F.conv2d(pixels, kernel, stride=2, padding=(0, 1)).flatten().tolist())
print("TensorFlow, same: ", F.conv2d(F.pad(pixels, (0, 1)), kernel, stride=2).flatten().tolist())

# %% [markdown] id="same-notice"
# Torch puts a zero on each side (and does not get to the right one): 210 is nothing, 1, 2. TensorFlow puts the zero on
# the right: 321 is 1, 2, 3, and at the end 87 is 7, 8, nothing. The shapes are the same, so the weights would load
# without a word. Here is a convolution that pads as TensorFlow does. How many zeros it takes follows from the formula
# above: for 224 pixels, kernel 3, stride 2, the last of 112 places ends at pixel 111 × 2 + 3 = 225, one too far.


# %% id="same-conv"
class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's 'same' padding: (B, in, H, W) to (B, out, H / stride, W / stride), rounded up.

    At stride 2 an even picture needs an odd number of zeros (1 for a kernel of 3). TensorFlow puts the odd one right
    and below; `padding=1` would put one on each side. The shapes are the same then, so weights from TensorFlow load
    without a word, but every layer with stride 2 looks one pixel further left and up than it learned to.
    """

    def forward(self, x):  # (B, in, H, W)
        top, bottom = self._zeros(x.shape[2])
        left, right = self._zeros(x.shape[3])
        if (top, left) == (bottom, right):  # then the convolution adds them itself, without a copy
            return F.conv2d(x, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups)
        return super().forward(F.pad(x, (left, right, top, bottom)))

    def _zeros(self, size):
        """How many zeros go before and after `size` pixels."""
        steps = (size - 1) // self.stride[0]
        total = max(steps * self.stride[0] + self.kernel_size[0] - size, 0)
        return total // 2, total - total // 2


# %% [markdown] id="convolve-intro"
# In MobileNetV2's block each convolution is followed by a batch normalisation and, with one exception, by ReLU6, a ReLU
# that stops at 6. So first this trio. `groups=1` is an ordinary convolution; with as many groups as channels each
# channel is a group by itself, and that is depthwise.


# %% id="convolve"
def convolve(in_channels, out_channels, kernel_size=1, stride=1, groups=1):
    """Convolution, batch normalisation (with TensorFlow's eps and momentum, as the weights demand), ReLU6."""
    return nn.Sequential(
        SameConv2d(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01),  # torch's own: 1e-5 and 0.1
        nn.ReLU6(),
    )


# %% [markdown] id="block-intro"
# And the block itself, which reads like its description:


# %% id="block"
class InvertedResidual(nn.Module):
    """Widen, look at each channel by itself, narrow: (B, in, H, W) to (B, out, H / stride, W / stride), rounded up.

    Where nothing changes shape, the input is added to the output. No ReLU6 after the last layer: in so few channels,
    what it cuts off would be lost (Sandler et al., 2018).
    """

    def __init__(self, in_channels, out_channels, expansion, stride, kernel_size):
        super().__init__()
        inside = expansion * in_channels
        self.expand = convolve(in_channels, inside) if expansion > 1 else nn.Identity()
        self.depthwise = convolve(inside, inside, kernel_size, stride, groups=inside)
        self.project = convolve(inside, out_channels)[:2]  # without its ReLU6
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x):  # (B, in, H, W)
        y = self.expand(x)  # (B, inside, H, W)
        y = self.depthwise(y)  # (B, inside, H / stride, W / stride)
        y = self.project(y)  # (B, out, H / stride, W / stride)
        return x + y if self.residual else y


block = InvertedResidual(in_channels=24, out_channels=24, expansion=6, stride=1, kernel_size=3)
print(summary(block, torch.zeros(1, 24, 56, 56)))

# %% [markdown] id="block-notice"
# 25.7 million multiply-adds, most of them in the two pointwise convolutions. The depthwise one, the only one that looks
# around, is the cheapest.
#
# ## From the table
#
# Here is what Google published. Each line is a stage: so many blocks, of which the first has the stride and changes the
# number of channels.

# %% id="table"
LITE0 = (  # expansion, channels, repeats, stride of the first, kernel size
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)

# %% [markdown] id="network-intro"
# Before the table a convolution that halves the picture, the **stem**; after it one that widens to 1,280 channels; then
# the mean over all places (what is in a photograph matters, where matters less), and a head.


# %% id="network"
class EfficientNetLite(nn.Module):
    """From pictures to a score (logit) for each class: (B, 3, H, W) float to (B, num_classes).

    `feature_extractor`: up to global pooling, (B, 3, H, W) to (B, 1280). `head`: dropout and a linear layer.
    Any height and width from 32 on; the weights were trained at 224, and know things at that size best.

    The running statistics of its normalisations move by 1 % a step, as in TensorFlow: a network trained anew needs
    some hundred steps before it can be trusted in eval mode.
    """

    def __init__(self, num_classes=1000, table=LITE0, dropout=0.2):
        super().__init__()
        blocks, channels = [], 32
        for expansion, out_channels, repeats, stride, kernel_size in table:
            for i in range(repeats):
                first = stride if i == 0 else 1
                blocks.append(InvertedResidual(channels, out_channels, expansion, first, kernel_size))
                channels = out_channels
        layers = OrderedDict(  # sizes for 224 x 224
            stem=convolve(3, 32, kernel_size=3, stride=2),  # (B, 32, 112, 112)
            blocks=nn.Sequential(*blocks),  # (B, 320, 7, 7)
            last=convolve(channels, 1280),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),  # (B, 1280, 1, 1)
            flatten=nn.Flatten(),  # (B, 1280)
        )
        self.feature_extractor = nn.Sequential(layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))

    def forward(self, x):  # (B, 3, H, W)
        features = self.feature_extractor(x)  # (B, 1280)
        return self.head(features)  # (B, num_classes)


torch.manual_seed(0)
lite0 = EfficientNetLite()
print(f"parameters: {sum(value.numel() for value in lite0.parameters()):,}")

# %% [markdown] id="quiz-2"
# 4.7 million. **Another question in between.** In the fourth line of the table you read the stride as 1, not 2. What
# tells you?
#
# * **a** The number of parameters.
# * **b** The number of multiply-adds.
# * **c** An error as soon as a picture goes through.

# %% id="quiz-2-choices"
quiz("6.b")

# %% [markdown] id="misread-intro"
# Try it:


# %% id="misread"
def count_both(name, network):
    rows = summary(network, torch.zeros(1, 3, 224, 224))
    parameters, work = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    print(f"{name:10} {parameters:,} parameters, {work:,} multiply-adds")


count_both("the table", lite0)
count_both("misread", EfficientNetLite(table=[*LITE0[:3], (6, 80, 3, 1, 3), *LITE0[4:]]))

# %% [markdown] id="misread-notice"
# Parameters know of channels and kernels, and nothing of strides; those the work knows. Both are as told: the table is
# read right.
#
# You get a second network for nothing. With this table and kernels of 3, the block makes MobileNetV2. We count it
# against torchvision's own:

# %% id="mobilenet"
MOBILENET_V2 = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]
count_both("ours", EfficientNetLite(table=[(*line, 3) for line in MOBILENET_V2]))
count_both("theirs", torchvision.models.mobilenet_v2())

# %% [markdown] id="print-intro"
# The same twice. (And still not the same network: theirs pads as torch does. No count sees that.)
#
# ## Look at it
#
# `print(lite0)` would tell you all there is, in how many lines?

# %% id="print"
print(len(str(lite0).splitlines()), "lines")
print(lite0.feature_extractor.blocks[1].depthwise)

# %% [markdown] id="print-notice"
# Good for one layer, too much for a network. `summary` with `depth=2` gives a row for each part, with `depth=3` one for
# each block. And here is the network drawn from it: a box for each step, as high as the picture is there, and the wider
# the more channels it has; below, what each costs.

# %% id="drawing"
x = torch.zeros(1, 3, 224, 224)
parts = {row.name.split(".")[-1]: row for row in summary(lite0, x, depth=2)}  # stem, blocks, last …
blocks = [row for row in summary(lite0, x, depth=3) if ".blocks." in row.name]
steps = {"stem": parts["stem"], **dict(enumerate(blocks)), "last": parts["last"], "head": parts["1"]}
fig, (top, bottom) = plt.subplots(2, figsize=(10, 5), height_ratios=(2, 1), sharex=True, layout="constrained")
left, middles = 0, []
for row in steps.values():
    channels, side = row.shape[1], row.shape[2] if len(row.shape) == 4 else 1
    width = 14 + channels / 12
    top.add_patch(Rectangle((left, -side / 2), width, side, facecolor="#56B4E9", edgecolor="black"))
    top.text(left + width / 2, side / 2 + 4, f"{channels}\n{side}²", ha="center", fontsize=8)
    middles.append(left + width / 2)
    left += width + 6
top.set(xlim=(-5, left), ylim=(-62, 84), yticks=[], title="The picture shrinks, its channels grow")
for shift, what, colour in ((-2, "parameters", "#0072B2"), (2, "multiply_adds", "#D55E00")):
    values = np.array([getattr(row, what) for row in steps.values()])
    bottom.bar(np.array(middles) + shift, values / values.sum(), 4, color=colour, label=what.replace("_", "-"))
bottom.set_xticks(middles, steps)
bottom.yaxis.set_major_formatter("{x:.0%}")
bottom.set(title="The work is spread over all steps, the parameters are at the end", xlabel="step (numbers: blocks)")
bottom.legend()
plt.show()

# %% [markdown] id="drawing-notice"
# This is the shape of most networks for pictures: where the picture is large there are few channels, and the other way
# round, so that no step takes more than a tenth of the work. And how far does it see?

# %% id="sees"
print("one number after the last block sees", blocks[-1].field, "pixels of 224")

# %% [markdown] id="sees-notice"
# More than there are. So with a picture of 224 pixels, each of the last 7 × 7 places can see all of it.
#
# ## Does it learn?
#
# The cheapest test that things are connected: 32 pictures, 20 steps. If a network cannot learn even these by heart,
# something is broken. (If it can, a great deal may still be wrong, such as the padding. That shows only against a
# reference.)


# %% id="batch"
images, labels = load_digits5k()
x = (resize(images[::160], [64, 64]) / 127.5 - 1).expand(-1, 3, -1, -1)  # (32, 3, 64, 64), -1 … 1
y = labels[::160]  # (32,)
torch.manual_seed(0)
network = EfficientNetLite(num_classes=10)
optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
for _ in range(20):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %% id="batch-right"
def right_answers(network, x, y):
    with torch.no_grad():
        return (network(x).argmax(dim=1) == y).sum().item()


print("train mode, at least 28 of 32 right:", right_answers(network.train(), x, y) >= 28)
print("eval mode,  at least 28 of 32 right:", right_answers(network.eval(), x, y) >= 28)
print("eval mode,  at most 8 of 32 right:  ", right_answers(network.eval(), x, y) <= 8)

# %% [markdown] id="batch-notice"
# In train mode it knows its pictures. In eval mode, with the same weights and the same pictures, it hardly does better
# than chance. What is the difference? The batch normalisations: in eval mode they use their running averages. And those
# have not arrived. With `momentum=0.01` each batch moves them by 1 % of the way:

# %% id="momentum"
print(f"of an average's start, after 20 steps there is left: {0.99**20:.0%}")

# %% [markdown] id="momentum-notice"
# They are still mostly the zeros and ones they began as. For Google's 350 epochs that was fine, for your twenty steps
# it is not. If that is the cause, right averages must be the cure, without changing one weight. We reset them and send
# the pictures through once, with `momentum=None`, which means: a plain mean of all batches.

# %% id="cure"
for layer in network.modules():
    if isinstance(layer, nn.BatchNorm2d):
        layer.reset_running_stats()
        layer.momentum = None
right_answers(network.train(), x, y)  # once through, in train mode
print("eval mode, at least 28 of 32 right:", right_answers(network.eval(), x, y) >= 28)

# %% [markdown] id="cure-notice"
# Cured. Remember the symptom, *good in training, at chance when evaluated*: it is one of the most frequent there are,
# and this is only one of its causes.

# %% [markdown] id="exercises"
# ## Exercises

# %% [markdown] id="ex-1"
# ### Exercise 6.1 · Output size (easy, 3 minutes)
#
# Write `out_size(size, kernel_size, stride, padding)`: along one side, a picture has `size` pixels and gets `padding`
# zeros at each end. Return how many places the kernel takes, an int. The kernel always fits. An example: `out_size(64,
# 5, 2, 2)` is `32`.


# %% id="ex-1-answer"
def out_size(size, kernel_size, stride, padding):
    """How many places the kernel takes."""
    ### BEGIN SOLUTION
    return (size + 2 * padding - kernel_size) // stride + 1
    ### END SOLUTION


# %% id="ex-1-check"
check("6.1", out_size)
# hint("6.1")

# %% [markdown] id="ex-1-why"
# The first place is free, and `//` counts how often the kernel can step on from there. Forgetting the `+ 1` is the
# classic: nobody notices as long as `padding` is a little too large.

# %% [markdown] id="ex-2"
# ### Exercise 6.2 · What a module holds (easy, 5 minutes)
#
# Write `count(module)`: return a tuple of three ints: how many numbers there are in its parameters that train (their
# `requires_grad` is `True`), in its parameters that do not, and in its buffers (also in those that `state_dict()`
# leaves out). Modules inside it count, too; a tensor that stands in two places counts once. For `nn.Linear(2, 3)` it is
# `(9, 0, 0)`. The module stays as it is.


# %% id="ex-2-answer"
def count(module):
    """(numbers that train, numbers that do not, numbers in buffers)"""
    ### BEGIN SOLUTION
    trained = sum(value.numel() for value in module.parameters() if value.requires_grad)
    frozen = sum(value.numel() for value in module.parameters() if not value.requires_grad)
    return trained, frozen, sum(value.numel() for value in module.buffers())
    ### END SOLUTION


# %% id="ex-2-check"
check("6.2", count)
# hint("6.2")

# %% [markdown] id="ex-2-why"
# `parameters()` goes through all modules inside, and gives a shared tensor only once; so does `buffers()`.
# `state_dict()` is not the place to count: it leaves out buffers that are not to be saved, and lists a shared tensor
# under each of its names.

# %% [markdown] id="ex-3"
# ### Exercise 6.3 · Receptive field (medium, 8 minutes)
#
# Write `receptive_field(layers)`: `layers` is a list of pairs `(kernel_size, stride)`, the first layer first. Return
# how many pixels of the input, along one side, one number of the output looks at, as if the input had no edge: from the
# first to the last of them, gaps included, an int. Without layers it is 1. For `ConvNet`'s `[(5, 2), (3, 2), (3, 2)]`
# it is `17`.


# %% id="ex-3-answer"
def receptive_field(layers):
    """Pixels of the input that one number of the output looks at."""
    ### BEGIN SOLUTION
    field = step = 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * step
        step *= stride
    return field
    ### END SOLUTION


# %% id="ex-3-check"
check("6.3", receptive_field)
# hint("6.3")

# %% [markdown] id="ex-3-why"
# `step` is how many pixels apart two neighbours of a layer look. A kernel of k reaches k - 1 neighbours further, so the
# field grows by k - 1 of these steps. A layer's own stride does not widen its own view, only that of the layers above.

# %% [markdown] id="ex-4"
# ### Exercise 6.4 · Multiply-adds (medium, 10 minutes)
#
# Write `total_cost(layers, size)`: `layers` is a list of convolutions, one after the other, each a tuple `(in_channels,
# out_channels, kernel_size, stride, groups)`. Kernel sizes are odd, and each convolution has padding `kernel_size // 2`
# on each side, and no bias. The input is `size` pixels high and wide. Return how many multiplications all of them take
# together for one picture, an int; those with the zeros of the padding count. (In `groups` groups, which divide both
# numbers of channels, a neuron looks at `in_channels // groups` channels.)


# %% id="ex-4-answer"
def total_cost(layers, size):
    """Multiplications for one picture."""
    ### BEGIN SOLUTION
    total = 0
    for in_channels, out_channels, kernel_size, stride, groups in layers:
        size = (size + 2 * (kernel_size // 2) - kernel_size) // stride + 1
        total += out_channels * size * size * kernel_size * kernel_size * (in_channels // groups)
    return total
    ### END SOLUTION


# %% id="ex-4-check"
check("6.4", total_cost)
# hint("6.4")

# %% [markdown] id="ex-4-why"
# The size *after* the stride counts: the work is done for each number of the output. That is why a stride of 2 makes a
# layer four times cheaper, and everything after it, too.

# %% [markdown] id="ex-5"
# ### Exercise 6.5 · A convolution by hand (hard, 15 minutes)
#
# Write `slide(x, weight, stride)`: x is a (C, H, W) float32 tensor, weight (O, C, K, K) float32; no padding, no bias.
# Return what a convolution gives: an (O, H', W') float32 tensor, whose number at (o, i, j) is the sum of `weight[o]`
# times the patch of x that begins at row `i * stride` and column `j * stride`. (`F.conv2d` would pass the check; the
# loops are the exercise.)


# %% id="ex-5-answer"
def slide(x, weight, stride):
    """(O, H', W')"""
    ### BEGIN SOLUTION
    out_channels, _, kernel_size, _ = weight.shape
    height = (x.shape[1] - kernel_size) // stride + 1
    width = (x.shape[2] - kernel_size) // stride + 1
    answer = torch.zeros(out_channels, height, width)
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            patch = x[:, top : top + kernel_size, left : left + kernel_size]  # (C, K, K)
            answer[:, i, j] = (weight * patch).sum(dim=(1, 2, 3))
    return answer
    ### END SOLUTION


# %% id="ex-5-check"
check("6.5", slide)
# hint("6.5")

# %% [markdown] id="ex-5-why"
# `weight * patch` multiplies all O neurons with the same patch at once (broadcasting), and the sum runs over channels,
# rows and columns: a neuron sees all channels, and gives one number. Mathematicians turn the kernel around first; deep
# learning does not, since the weights are learned anyway.

# %% [markdown] id="ex-6"
# ### Exercise 6.6 · A way around (medium, 10 minutes)
#
# Write the class `Residual`: `Residual(inner)` holds a module; calling it with `x` gives `x + inner(x)` if both have
# exactly the same shape, else `inner(x)` alone. `inner` is called once each time, and `x` is not changed. As with every
# module, the parameters of `inner` are among those of the whole, and `train()` and `eval()` reach it.


# %% id="ex-6-answer"
class Residual(nn.Module):
    """Adds its input to what `inner` makes of it, where the shapes are the same."""

    def __init__(self, inner):
        ### BEGIN SOLUTION
        super().__init__()
        self.inner = inner
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = self.inner(x)
        return x + y if x.shape == y.shape else y
        ### END SOLUTION


# %% id="ex-6-check"
check("6.6", Residual)
# hint("6.6")

# %% [markdown] id="ex-6-why"
# Assigning a module to `self` is all it takes to register it, after `super().__init__()`. The shapes must be compared:
# (2, 3) + (2, 1) would broadcast, and quietly give something else. And `x += y` would change the caller's `x`.

# %% [markdown] id="mistakes"
# ## Common mistakes
#
# | you see | because | do |
# |---|---|---|
# | `optimizer got an empty parameter list` | layers in a plain list | `nn.Sequential`, `nn.ModuleList` |
# | some weights never change | the same, or made in `forward` | compare `len(list(model.parameters()))` with what you expect |
# | `cannot assign module before Module.__init__() call` | no `super().__init__()` | make it the first line |
# | `mat1 and mat2 shapes cannot be multiplied` | the picture's size is not what the linear layer was built for | print shapes with hooks; average over places only if where does not matter |
# | `expected input … to have 3 channels` | channels last, or two frames | `x.shape`; `permute(0, 3, 1, 2)` |
# | a table from a paper gives other counts | a bias too many, another expansion, a stride | count block by block, parameters and work |
# | loads without a word, answers nonsense | other padding, other `eps`, other scale of the input | compare with a reference, layer by layer |
# | good in train mode, at chance in eval mode | running averages that have not arrived | train longer, or compute them anew |
#
# ## Summary
#
# * A convolution is a neuron moved over the picture; a network is modules in modules.
# * Parameters are trained, buffers only kept. A module finds what is assigned or registered, and not what is in a list.
# * Where the parameters are is not where the work is. Count both, and check the count.
# * One block and a table of seven lines, with a stem before and a few layers after, are EfficientNet-Lite0. Counts
#   prove much, not all.

# %% [markdown] id="league-intro"
# ## The league table
#
# EfficientNet-Lite0 takes the mean over all places before it decides. `ConvNet` does not: it flattens, and its linear
# layer can tell one place from another. What if it averaged, too? It would need less than a tenth of its parameters.
# Lesson 00's agent, trained so from five seeds:

# %% id="league"
league("06")

# %% [markdown] id="next"
# No better than random play. Each number before the mean sees 17 pixels, a ball or a paddle and not both; and the mean
# over all places says *that* there are a ball and a paddle, which is true of every frame, and not where. For *cat or
# coffee?* that is just right, here it is fatal. **Do not throw away what the answer depends on.** (Must a network that
# averages fail at Catch? Wait for lesson 07.)
#
# **Next:** [07 · Pretrained models](07_pretrained.ipynb), where the network that you built gets weights that took
# Google's computers days to find.
