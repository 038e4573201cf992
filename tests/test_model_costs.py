"""The summary of a network: against torch's own counts, and gradients that tell what a number really sees."""

import copy
import itertools
import weakref

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import mobilenet_v2, resnet18

from dlsteps.models import ConvNet, efficientnet_lite0, freeze, summary
from dlsteps.models.costs import Row, multiply_adds


@pytest.fixture(autouse=True)
def chance():
    torch.manual_seed(0)


class Small(nn.Module):
    """Groups, biases, a linear layer for each of T places, and one for all."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(4, 8, (3, 2), stride=2, padding=1, dilation=2, groups=2)
        self.each = nn.Linear(8, 5)
        self.all = nn.Linear(5, 3, bias=False)

    def forward(self, x):  # (B, 4, H, W)
        x = self.convolution(x).flatten(2).transpose(1, 2)  # (B, T, 8)
        return self.all(self.each(x).mean(dim=1))  # (B, 3)


class Frames(nn.Module):
    """B videos of T frames are B * T pictures to the convolution; and (T, B, 8) to the linear layer."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3)
        self.linear = nn.Linear(8, 5)

    def forward(self, x):  # (B, T, 3, H, W)
        features = self.convolution(x.flatten(0, 1)).mean(dim=(2, 3))  # (B * T, 8)
        return self.linear(features.unflatten(0, x.shape[:2]).transpose(0, 1))  # (T, B, 5)


class Twice(nn.Module):
    """One layer used twice, under two names; and one of its parameters in another layer, too."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = self.first
        self.tied = nn.Linear(6, 6, bias=False)
        self.tied.weight = self.first.weight

    def forward(self, x):  # (B, 6)
        return self.tied(self.second(self.first(x)))


class Own(nn.Module):
    """A parameter of its own, a layer that is never used, and attention, which uses a layer without calling it."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.unused = nn.Linear(3, 3)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.recurrent = nn.GRU(8, 4, batch_first=True)

    def forward(self, x):  # (B, T, 8)
        x = self.attention(x, x, x)[0] * self.scale
        return {"logits": self.recurrent(x)[0], "note": "no tensor"}


NETWORKS = {
    "ConvNet": (lambda: ConvNet(6, 3, size=32), (6, 32, 32)),
    "EfficientNet-Lite0": (lambda: efficientnet_lite0(num_classes=7), (3, 64, 48)),
    "MobileNetV2": (lambda: mobilenet_v2(num_classes=7), (3, 64, 48)),
    "ResNet": (lambda: resnet18(num_classes=7), (3, 64, 48)),
    "small": (Small, (4, 9, 11)),
    "frames": (Frames, (5, 3, 7, 7)),
    "twice": (Twice, (6,)),
    "tokens": (lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)), (5, 4)),
    "one layer": (lambda: nn.Linear(4, 6), (4,)),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    make, shape = NETWORKS[request.param]
    return make().eval(), torch.rand(2, *shape)


def total(table, what):
    return sum(getattr(row, what) for row in table)


# Counts


def test_multiply_adds_are_half_of_torchs_operations(network):
    model, x = network
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    assert counter.get_total_flops() == 2 * len(x) * total(summary(model, x), "multiply_adds") > 0


def test_layer_by_layer_too():
    model, x = Small().eval(), torch.rand(1, 4, 9, 11)
    with FlopCounterMode(display=False, depth=5) as counter, torch.no_grad():
        model(x)
    theirs = {name.removeprefix("Small."): sum(c.values()) for name, c in counter.get_flop_counts().items()}
    assert {row.name: 2 * row.multiply_adds for row in summary(model, x)} == {
        name: theirs[name] for name in ("convolution", "each", "all")
    }


def test_multiply_adds_of_a_layer_by_hand():
    assert multiply_adds(nn.Linear(4, 6), torch.zeros(2, 6)) == 24
    assert multiply_adds(nn.Linear(4, 6), torch.zeros(2, 5, 6)) == 5 * 24  # once for each of five places
    assert multiply_adds(nn.Conv2d(4, 6, 3, groups=2), torch.zeros(2, 6, 7, 8)) == 6 * 7 * 8 * 9 * 2
    assert multiply_adds(nn.BatchNorm2d(4), torch.zeros(2, 4, 7, 8)) == 0


def test_parameters_sum_to_those_of_the_model(network):
    model, x = network
    assert total(summary(model, x), "parameters") == sum(value.numel() for value in model.parameters())


def test_a_batch_makes_no_difference_but_to_the_shape(network):
    model, x = network
    one, two = summary(model, x[:1]), summary(model, x)
    assert [row[:2] + row[3:] for row in one] == [row[:2] + row[3:] for row in two]


def test_a_shared_layer_has_its_parameters_once_and_its_work_each_time():
    table = summary(Twice(), torch.rand(1, 6))
    assert [row[0] for row in table] == ["first", "first", "tied"]
    assert [row.parameters for row in table] == [42, 0, 0]
    assert [row.multiply_adds for row in table] == [36, 36, 36]


def test_a_parameter_without_a_row_counts_with_the_module_around_it():
    table = summary(Own(), torch.rand(2, 3, 8))
    assert table == (
        Row("attention", "MultiheadAttention", (2, 3, 8), 4 * 8 * 8 + 4 * 8, 0, 1),
        Row("recurrent", "GRU", (2, 3, 4), 3 * (8 + 4 + 2) * 4, 0, 1),
        Row("", "Own", (2, 3, 4), 8 + 3 * 3 + 3, 0, 1),
    )
    assert total(table, "parameters") == sum(value.numel() for value in Own().parameters())


def test_a_weight_that_is_computed_anew_each_time_is_still_a_layers():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 6, bias=False)))
    table = summary(model, torch.rand(2, 4))
    assert total(table, "multiply_adds") == 24
    assert total(table, "parameters") == sum(value.numel() for value in model.parameters())


def test_rows_are_in_the_order_of_the_input_with_the_shapes_that_hooks_see():
    model, x = ConvNet(6, 3, size=32).eval(), torch.rand(2, 6, 32, 32)
    shapes, hooks = [], []
    for name, layer in model.named_modules():
        if not list(layer.children()):
            hooks.append(layer.register_forward_hook(lambda m, _, y, name=name: shapes.append((name, y.shape))))
    model(x)
    for hook in hooks:
        hook.remove()
    assert [(row.name, row.shape) for row in summary(model, x)] == shapes
    assert [row.kind for row in summary(model, x)][-4:] == ["Flatten", "Linear", "ReLU", "Linear"]


# How far a number sees


def seen(model, size, channels=1):
    """First to last pixel with a gradient, of one number in the middle of the output: (rows, columns).

    Maximum pooling hands its gradient to one pixel only, another one for other pictures: hence so many of them.
    """
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.1, 1)  # positive, so that nothing cancels and no ReLU is shut
    x = torch.rand(200, channels, size, size, dtype=torch.float64, requires_grad=True)
    y = model.double()(x)
    y[:, :, y.shape[2] // 2, y.shape[3] // 2].sum().backward()
    influence = x.grad.abs().sum(dim=(0, 1))  # (H, W)
    return tuple(extent(influence.sum(dim=d)) for d in (1, 0))


def extent(influence):
    places = influence.nonzero()
    return (places.max() - places.min() + 1).item()


STACKS = {
    "one pixel": [nn.Conv2d(1, 2, 1)],
    "one": [nn.Conv2d(1, 2, 3)],
    "two": [nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 5)],
    "strides": [nn.Conv2d(1, 2, 5, stride=2, padding=2), nn.Conv2d(2, 2, 3, stride=2), nn.Conv2d(2, 1, 3, stride=2)],
    "stride beyond the kernel": [nn.Conv2d(1, 2, 2, stride=3), nn.Conv2d(2, 1, 3)],
    "dilation": [nn.Conv2d(1, 2, 3, dilation=3), nn.Conv2d(2, 1, 3, stride=2, dilation=2), nn.Conv2d(1, 1, 2)],
    "groups": [nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 1, 1)],
    "mean": [nn.Conv2d(1, 2, 3), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3)],
    "overlapping mean": [nn.AvgPool2d(3, stride=2, padding=1), nn.Conv2d(1, 1, 3)],
    "maximum": [nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Conv2d(2, 1, 3)],
    "dilated maximum": [nn.Conv2d(1, 1, 2, stride=2), nn.MaxPool2d(2, stride=1, dilation=2), nn.Conv2d(1, 1, 2)],
    "normalised": [nn.Conv2d(1, 2, 3, stride=2), nn.BatchNorm2d(2).eval(), nn.Hardtanh(0, 1e9), nn.Conv2d(2, 1, 3)],
}


@pytest.mark.parametrize("stack", STACKS)
def test_it_sees_as_far_as_gradients_reach(stack):
    model = nn.Sequential(*copy.deepcopy(STACKS[stack])).eval()
    fields = [row.field for row in summary(model, torch.rand(1, 1, 48, 48))]
    for depth in range(1, len(model) + 1):
        assert seen(model[:depth], size=48) == (fields[depth - 1],) * 2


def test_a_way_around_changes_nothing():
    block = efficientnet_lite0().feature_extractor.blocks[2].eval()  # a residual one, 24 channels
    assert block.residual
    table = summary(block, torch.rand(1, 24, 9, 9))
    assert table[-1].field == 3
    for layer in block.modules():
        if isinstance(layer, nn.ReLU6):
            layer.max_val = 1e9  # it would shut
    assert seen(block, size=9, channels=24) == (3, 3)


class PlaceByPlace(nn.Module):
    """As in ConvNeXt: a linear layer for each place of a picture."""

    def __init__(self):
        super().__init__()
        self.before, self.linear, self.after = nn.Conv2d(1, 2, 3, stride=2), nn.Linear(2, 4), nn.Conv2d(4, 1, 3)

    def forward(self, x):  # (B, 1, H, W)
        x = self.linear(self.before(x).permute(0, 2, 3, 1))  # (B, H', W', 4)
        return self.after(x.permute(0, 3, 1, 2))


def test_a_linear_layer_sees_all_unless_it_stays_in_its_place():
    model = PlaceByPlace()
    assert [row.field for row in summary(model, torch.rand(1, 1, 21, 21))] == [3, 3, 7]
    assert seen(model, size=21) == (7, 7)
    flat = summary(ConvNet(6, 3), torch.rand(1, 6, 64, 64))
    assert [row.field for row in flat] == [5] * 3 + [9] * 3 + [17] * 3 + [17] + [None] * 3


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
def test_after_pooling_over_all_places_a_number_sees_all(pool):
    model = nn.Sequential(nn.Conv2d(1, 1, 3), pool(1), nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(1, 1))
    assert [row.field for row in summary(model, torch.rand(1, 1, 9, 9))] == [3] + [None] * 4


# Depth


def test_depth_sums_up():
    model, x = efficientnet_lite0(num_classes=7), torch.rand(1, 3, 64, 64)
    full = summary(model, x)
    for depth in (1, 2, 3, 99):
        table = summary(model, x, depth=depth)
        for what in ("parameters", "multiply_adds"):
            assert total(table, what) == total(full, what)
        assert table[-1][2] == full[-1].shape
    assert summary(model, x, depth=99) == full
    parts = summary(model, x, depth=1)
    assert [row.name for row in parts] == ["feature_extractor", "head"]
    assert [row.kind for row in parts] == ["Sequential", "Sequential"]
    assert [row.parameters for row in parts] == [sum(p.numel() for p in m.parameters()) for m in model.children()]
    assert [row.shape for row in parts] == [(1, 1280), (1, 7)]


def test_a_row_for_each_block_has_its_shape_and_what_its_last_number_sees():
    model, x = efficientnet_lite0(num_classes=7), torch.rand(1, 3, 64, 64)
    blocks = [row for row in summary(model, x, depth=3) if ".blocks." in row.name]
    assert [row.name for row in blocks] == [f"feature_extractor.blocks.{i}" for i in range(16)]
    assert {row.kind for row in blocks} == {"InvertedResidual"}
    assert blocks[1].shape == (1, 24, 16, 16)
    fields = [row.field for row in blocks]
    assert fields[:3] == [7, 11, 19]  # 3 for the stem, then 2 steps of 2, 2, 4 pixels
    assert fields == sorted(fields)


# Nothing is left behind


def hooks_of(model):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_forward_hooks_with_kwargs")
    return [list(getattr(layer, kind).items()) for layer in model.modules() for kind in kinds]


def state_of(model):
    """Everything about it that `summary` might change, values copied."""
    values = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [layer.training for layer in model.modules()]
    marks = [vars(layer).get("mode_if_unfrozen") for layer in model.modules()]
    return values, modes, marks, hooks_of(model), [p.grad is None for p in model.parameters()]


def check_unchanged(model, before):
    values, *rest = state_of(model)
    assert rest == list(before[1:])
    assert list(values) == list(before[0])
    assert all(torch.equal(values[name], before[0][name]) for name in values)


def mixed():
    """In train mode, but for a frozen part and one that was put into eval mode by itself."""
    model = efficientnet_lite0(num_classes=7).train()
    freeze(model.feature_extractor.blocks[:3])
    model.feature_extractor.last.eval()
    model.head[1].register_forward_hook(keep)
    return model


def keep(layer, inputs, output):
    """Somebody else's hook."""


@pytest.mark.parametrize("make", [mixed, lambda: mixed().eval(), lambda: efficientnet_lite0(num_classes=7)])
@pytest.mark.parametrize("depth", [None, 1])
def test_the_model_is_as_before(make, depth):
    model = make()
    before, x = state_of(model), torch.rand(4, 3, 32, 32)
    given = x.clone()
    chance = torch.get_rng_state()
    summary(model, x, depth)
    check_unchanged(model, before)
    assert torch.equal(x, given)
    assert torch.equal(torch.get_rng_state(), chance)  # no dropout
    assert torch.is_grad_enabled()


def test_without_eval_mode_its_statistics_would_move():
    model = mixed()
    before = state_of(model)
    model(torch.rand(4, 3, 32, 32))
    with pytest.raises(AssertionError):
        check_unchanged(model, before)


class Fails(nn.Module):
    def forward(self, x):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("change", "x", "error"),
    [
        (lambda model: model, torch.rand(1, 6, 64, 64), ValueError),  # the check of its input
        (lambda model: setattr(model.head, "1", nn.Linear(5, 3)), torch.rand(1, 3, 32, 32), RuntimeError),
        (lambda model: setattr(model.feature_extractor, "last", Fails()), torch.rand(1, 3, 32, 32), KeyboardInterrupt),
    ],
)
def test_the_model_is_as_before_when_its_forward_fails(change, x, error):
    model = mixed()
    change(model)
    before = state_of(model)
    with pytest.raises(error):
        summary(model, x)
    check_unchanged(model, before)


def test_neither_outputs_nor_a_graph_are_kept_while_it_runs():
    """For a batch of photographs they would be gigabytes."""
    outputs, alive = [], []

    class Watched(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            outputs.append(weakref.ref(y))
            alive.append(sum(output() is not None for output in outputs))
            assert not y.requires_grad
            return y

    summary(nn.Sequential(*(Watched(2, 2) for _ in range(9))), torch.rand(1, 2))
    assert alive == [1] + [2] * 8  # its own, and the one it was given


# Printed


def test_the_columns_line_up():
    table = summary(ConvNet(6, 3), torch.rand(1, 6, 64, 64))
    lines = str(table).splitlines()
    assert len(lines) == len(table) + 2
    assert lines[0].split() == ["layer", "output", "parameters", "multiply-adds", "sees"]
    first = lines[1].split()
    assert first == ["feature_extractor.0", "Conv2d", "(1,", "16,", "32,", "32)", "2,400", "2,457,600", "5", "x", "5"]
    assert lines[-1].split() == ["sum", f"{total(table, 'parameters'):,}", f"{total(table, 'multiply_adds'):,}"]
    assert not any(line != line.rstrip() for line in lines)
    for row, line in zip(table, lines[1:], strict=False):
        assert line.index(row.kind) == lines[1].index("Conv2d")  # names and shapes to the left
        assert line.index("(1, ") == lines[0].index("output") == lines[1].index("(1, ")
    for heading, what in (("parameters", "parameters"), ("multiply-adds", "multiply_adds")):
        end = lines[0].index(heading) + len(heading)  # numbers to the right
        for value, line in zip([*(getattr(row, what) for row in table), total(table, what)], lines[1:], strict=True):
            assert line[:end].endswith(f" {value:,}")
            assert line[end : end + 1] in ("", " ")
    ends = {len(line) for line in lines[:-1]}
    assert len(ends) == 1


def test_no_column_runs_into_the_next(network):
    model, x = network
    lines = str(summary(model, x)).splitlines()
    width = max(map(len, lines))
    gaps = [all(line.ljust(width)[i] == " " for line in lines) for i in range(width)]
    assert sum(gap and not before for before, gap in itertools.pairwise([False, *gaps])) >= 4
    assert "None" not in str(summary(model, x))


def test_what_is_printed_is_what_repr_gives():
    table = summary(nn.Linear(2, 3), torch.rand(1, 2))
    assert str(table) == repr(table)
    assert str(table) == (
        "layer          output  parameters  multiply-adds  sees\n"
        "       Linear  (1, 3)           9              6   all\n"
        "sum                             9              6"
    )
