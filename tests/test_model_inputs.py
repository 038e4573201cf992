"""Bad input to a network for photographs is one clear line; and what comes out has names."""

import copy
import io
import math
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2
from torchvision.transforms import v2

import dlsteps.models
from dlsteps.data import load_photos
from dlsteps.models import (
    ConvNet,
    classify,
    copy_submodule,
    efficientnet_lite0,
    freeze,
    imagenet_classes,
    load_matching,
    preprocess,
    unfreeze,
)
from dlsteps.models.efficientnet_lite import LITE0, EfficientNetLite, SameConv2d
from dlsteps.models.inputs import check_pictures, upright_rgb


@pytest.fixture(autouse=True)
def chance():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return efficientnet_lite0(num_classes=7).eval()


@pytest.fixture(scope="module")
def lite0():
    return efficientnet_lite0(weights="imagenet").eval()


def pictures(*shape):
    """Like normalised ones: -1 … 1."""
    return torch.rand(*shape) * 2 - 1


def check_line(error, message, act):
    """`act()` raises exactly this kind of error with exactly this message, which is one line."""
    with pytest.raises(error) as caught:
        act()
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert "\n" not in message


# What the network refuses

ONE = "preprocess(photo)[None] is a batch of one"
PHOTO = Image.new("RGB", (64, 64))
KINDS = {
    "picture": (PHOTO, f"the input is of type Image, no tensor: {ONE}"),
    "array": (np.zeros((1, 3, 64, 64), np.float32), f"the input is of type ndarray, no tensor: {ONE}"),
    "list": ([torch.zeros(3, 64, 64)], f"the input is of type list, no tensor: {ONE}"),
    "nothing": (None, f"the input is of type NoneType, no tensor: {ONE}"),
}
SHAPES = {
    (3, 64, 48): "x is (3, 64, 48), a single picture: x[None] is a batch of one",
    (1, 64, 48): "x is (1, 64, 48), a single picture: x[None] is a batch of one",
    (64, 48, 3): "x is (64, 48, 3), a single picture: x.permute(2, 0, 1)[None] is a batch of one",
    (3, 64, 3): "x is (3, 64, 3), a single picture: x[None] is a batch of one",
    (): "x is (): a batch of pictures is (B, channels, H, W)",
    (64, 48): "x is (64, 48): a batch of pictures is (B, channels, H, W)",
    (2, 5, 3, 64, 48): "x is (2, 5, 3, 64, 48): a batch of pictures is (B, channels, H, W)",
    (2, 64, 48, 3): "x is (2, 64, 48, 3), channels last: x.permute(0, 3, 1, 2) puts them second",
    (2, 1, 64, 48): "x is (2, 1, 64, 48): 3 channels wanted, not 1 (grey): x.expand(-1, 3, -1, -1) repeats it",
    (2, 4, 64, 48): "x is (2, 4, 64, 48): 3 channels wanted, not 4 (RGBA?): x[:, :3] leaves out alpha",
    (2, 2, 64, 48): "x is (2, 2, 64, 48): 3 channels wanted, not 2",
    (2, 6, 64, 48): "x is (2, 6, 64, 48): 3 channels wanted, not 6",
    (2, 3, 31, 48): "pictures of 31 x 48 pixels: 32 x 32 at least; the weights were trained at 224 x 224",
    (2, 3, 48, 31): "pictures of 48 x 31 pixels: 32 x 32 at least; the weights were trained at 224 x 224",
    (2, 3, 48, 3): "pictures of 48 x 3 pixels: 32 x 32 at least; the weights were trained at 224 x 224",
    (2, 3, 0, 48): "pictures of 0 x 48 pixels: 32 x 32 at least; the weights were trained at 224 x 224",
}
DTYPES = {
    name: f"x is {name}: float32 wanted, -1 … 1, as preprocess(photo) gives it"
    for name in ("uint8", "int32", "int64", "bool", "complex64")
} | {
    name: f"x is {name}, but the weights are float32: x.to(torch.float32)"
    for name in ("float64", "float16", "bfloat16")
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_tensor_is_named(model, kind):
    x, message = KINDS[kind]
    check_line(TypeError, message, lambda: model(x))
    check_line(TypeError, message, lambda: model(x=x))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_wrong_shape_is_named_with_what_to_do(model, shape):
    check_line(ValueError, SHAPES[shape], lambda: model(torch.zeros(shape)))
    check_line(ValueError, SHAPES[shape], lambda: model(x=torch.zeros(shape)))


@pytest.mark.parametrize("name", DTYPES)
def test_a_wrong_dtype_is_named_with_what_to_do(model, name):
    check_line(TypeError, DTYPES[name], lambda: model(torch.zeros(2, 3, 32, 32, dtype=getattr(torch, name))))


def test_the_dtype_wanted_is_that_of_the_weights(model):
    x = torch.zeros(2, 3, 32, 32)
    message = "x is float32, but the weights are float64: x.to(torch.float64)"
    check_line(TypeError, message, lambda: model.double()(x))
    assert model(x.double()).dtype == torch.float64
    message = "x is uint8: bfloat16 wanted, -1 … 1, as preprocess(photo) gives it"
    check_line(TypeError, message, lambda: model.bfloat16()(x.byte()))
    assert model(x.bfloat16()).dtype == torch.bfloat16


def test_the_ways_that_are_named_work(model):
    with torch.no_grad():
        assert model(torch.zeros(3, 64, 48)[None]).shape == (1, 7)
        assert model(torch.zeros(64, 48, 3).permute(2, 0, 1)[None]).shape == (1, 7)
        assert model(torch.zeros(2, 64, 48, 3).permute(0, 3, 1, 2)).shape == (2, 7)
        assert model(torch.zeros(2, 1, 64, 48).expand(-1, 3, -1, -1)).shape == (2, 7)
        assert model(torch.zeros(2, 4, 64, 48)[:, :3]).shape == (2, 7)
        assert model(torch.zeros(2, 3, 64, 48, dtype=torch.float64).to(torch.float32)).shape == (2, 7)
        assert model(preprocess(PHOTO)[None]).shape == (1, 7)


def test_a_call_without_input_is_forwards_own_error(model):
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'x'"):
        model()
    with pytest.raises(TypeError, match=r"takes 2 positional arguments but 3 were given"):
        model(torch.zeros(1, 3, 32, 32), None)


def test_weights_and_train_mode_make_no_difference(lite0):
    message = SHAPES[2, 1, 64, 48]
    check_line(ValueError, message, lambda: lite0(torch.zeros(2, 1, 64, 48)))
    check_line(ValueError, message, lambda: efficientnet_lite0().train()(torch.zeros(2, 1, 64, 48)))


def test_a_refused_input_leaves_the_model_as_it_was(model):
    before = copy.deepcopy(model.train().state_dict())
    with pytest.raises(ValueError, match="channels"):
        model(torch.zeros(2, 64, 64, 3))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


# What it lets pass


@pytest.mark.parametrize("shape", [(0, 3, 64, 64), (1, 3, 32, 32), (2, 3, 45, 61), (2, 3, 32, 3 * 32)])
def test_right_input_gives_what_it_gave(model, shape):
    bare = EfficientNetLite(num_classes=7).eval()
    bare.load_state_dict(model.state_dict())
    x = pictures(*shape)
    assert not bare._forward_pre_hooks  # the class itself looks at nothing
    assert torch.equal(model(x), bare(x))
    assert torch.equal(model(x=x), bare(x))
    assert model(x).shape == (shape[0], 7)


def test_another_memory_format_is_not_channels_last(model):
    x = pictures(2, 3, 64, 48)
    fast = model(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(fast, model(x), rtol=0, atol=1e-5)
    faster = copy.deepcopy(model).to(memory_format=torch.channels_last)
    torch.testing.assert_close(faster(x.to(memory_format=torch.channels_last)), fast, rtol=0, atol=1e-5)


def test_a_part_of_a_larger_picture_passes(model):
    assert model(pictures(2, 5, 80, 80)[:, 1:4, 8:72, ::2]).shape == (2, 7)


class Tensor(torch.Tensor):
    """A kind of tensor."""


def test_a_subclass_of_tensor_passes(model):
    assert model(pictures(2, 3, 32, 32).as_subclass(Tensor)).shape == (2, 7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_under_autocast_floats_may_mix(model, dtype):
    x = pictures(2, 3, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(x.to(dtype)).dtype == torch.bfloat16
        check_line(TypeError, DTYPES["uint8"], lambda: model(x.byte()))
        check_line(TypeError, DTYPES["float64"], lambda: model(x.double()))  # autocast leaves these alone
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
        check_line(TypeError, DTYPES["float16"], lambda: model(x.half()))


def test_values_are_not_looked_at(model):
    """On a GPU that would wait for it. Tensors on "meta" have no values."""
    model = model.to("meta")
    assert model(torch.empty(2, 3, 64, 64, device="meta")).shape == (2, 7)
    for name in ("uint8", "float64", "float16"):
        x = torch.empty(2, 3, 64, 64, device="meta", dtype=getattr(torch, name))
        check_line(TypeError, DTYPES[name], lambda x=x: model(x))
    assert torch.isnan(efficientnet_lite0()(torch.full((2, 3, 32, 32), math.nan))).all()


def test_gradients_reach_the_input(model):
    x = pictures(2, 3, 64, 64).requires_grad_()
    model(x).sum().backward()
    assert x.grad.any()


def test_who_changes_the_first_convolution_changes_what_is_wanted(model):
    model.feature_extractor.stem[0] = SameConv2d(6, 32, 3, stride=1, bias=False)
    assert model(pictures(2, 6, 16, 16)).shape == (2, 7)
    message = "x is (2, 4, 64, 64): 6 channels wanted, not 4"
    check_line(ValueError, message, lambda: model(pictures(2, 4, 64, 64)))
    with pytest.raises(ValueError, match="^pictures of 15 x 16 pixels: 16 x 16 at least"):
        model(pictures(2, 6, 15, 16))
    model.feature_extractor = nn.Sequential(nn.Flatten(), nn.Linear(12, 1280))
    assert model(torch.zeros(2, 12)).shape == (2, 7)


# The hook is in nobody's way


def test_names_text_and_modes_are_as_without_it(model):
    bare = EfficientNetLite(num_classes=7)
    assert str(model) == str(bare.eval())
    assert list(model.state_dict()) == list(bare.state_dict())
    assert [name for name, _ in model.named_modules()] == [name for name, _ in bare.named_modules()]
    assert [name for name, _ in model.named_buffers()] == [name for name, _ in bare.named_buffers()]
    assert list(vars(model)) == list(vars(bare))
    for one, other in ((model, bare), (bare, model)):
        other.load_state_dict(one.state_dict())
        assert len(load_matching(other, one.state_dict()).loaded) == len(one.state_dict())


def test_parts_are_copied_and_frozen_as_without_it(model):
    other = EfficientNetLite(num_classes=3)
    copy_submodule(model, other, "feature_extractor")
    copy_submodule(other, model, "feature_extractor.blocks.3")
    assert freeze(model) is model
    assert not any(p.requires_grad for p in model.parameters())
    assert all(layer.training for layer in unfreeze(model).train().modules())
    check_line(ValueError, SHAPES[2, 6, 64, 48], lambda: model(torch.zeros(2, 6, 64, 48)))


def saved(model):
    """Saved whole, and read again."""
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), saved])
def test_copies_have_it_once(model, duplicate):
    twin, x = duplicate(model), pictures(2, 3, 32, 32)
    assert list(twin._forward_pre_hooks.values()) == [check_pictures]
    assert torch.equal(twin(x), model(x))
    check_line(ValueError, SHAPES[2, 6, 64, 48], lambda: twin(x=torch.zeros(2, 6, 64, 48)))


def test_it_works_inside_another_network(model):
    outer = nn.Sequential(nn.Identity(), model, nn.Softmax(dim=1))
    assert outer(pictures(2, 3, 32, 32)).shape == (2, 7)
    check_line(ValueError, SHAPES[2, 6, 64, 48], lambda: outer(torch.zeros(2, 6, 64, 48)))
    torch.testing.assert_close(nn.DataParallel(model)(pictures(2, 3, 32, 32)).shape, torch.Size([2, 7]))


def test_functional_call_takes_the_dtype_of_the_weights_it_is_given(model):
    x = pictures(2, 3, 32, 32)
    torch.testing.assert_close(torch.func.functional_call(model, model.state_dict(), (x,)), model(x))
    torch.testing.assert_close(torch.func.functional_call(model, model.state_dict(), (), {"x": x}), model(x))
    double = {name: v.double() if v.is_floating_point() else v for name, v in model.state_dict().items()}
    assert torch.func.functional_call(model, double, (x.double(),)).dtype == torch.float64
    message = "x is float32, but the weights are float64: x.to(torch.float64)"
    check_line(TypeError, message, lambda: torch.func.functional_call(model, double, (x,)))


def test_several_networks_at_once_with_vmap():
    models, x = [efficientnet_lite0(num_classes=2).eval() for _ in range(3)], pictures(2, 3, 32, 32)
    parameters, buffers = torch.func.stack_module_state(models)

    def call(parameters, buffers, x):
        return torch.func.functional_call(models[0], (parameters, buffers), (x,))

    together = torch.func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, x)
    torch.testing.assert_close(together, torch.stack([model(x) for model in models]), rtol=0, atol=1e-5)


@pytest.fixture
def fresh():
    """Nothing compiled before, nothing left for others."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")  # torch, on just that Python
def test_it_compiles_without_a_break(model, fresh):
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        for count in (2, 5):
            x = pictures(count, 3, 64, 64)
            torch.testing.assert_close(compiled(x), model(x), rtol=0, atol=1e-5)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="channels last: x.permute"):
        compiled(torch.zeros(2, 64, 48, 3))


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")  # torch, on just that Python
def test_it_compiles_with_channels_last_and_under_autocast(fresh):
    model = EfficientNetLite(num_classes=7, table=LITE0[:2]).eval()  # for each kind of input it is compiled anew
    model.head[1], model.feature_extractor.last = nn.Linear(24, 7), nn.Identity()
    model.register_forward_pre_hook(check_pictures, with_kwargs=True)
    compiled = torch.compile(model, fullgraph=True, backend="eager", dynamic=False)
    x = pictures(2, 3, 64, 48)
    with torch.no_grad():
        for same in (x, x.to(memory_format=torch.channels_last)):
            torch.testing.assert_close(compiled(same), model(x), rtol=0, atol=1e-5)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for dtype in (torch.float32, torch.float16):
                assert compiled(x.to(dtype)).dtype == torch.bfloat16
    with pytest.raises(torch._dynamo.exc.Unsupported, match="x is float16, but the weights are float32"):
        compiled(x.half())


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")  # torch, on just that Python
def test_compiled_where_breaks_are_allowed_it_says_the_same(model, fresh):
    compiled = torch.compile(model, backend="eager")
    assert compiled(pictures(2, 3, 64, 64)).shape == (2, 7)
    check_line(ValueError, SHAPES[2, 64, 48, 3], lambda: compiled(torch.zeros(2, 64, 48, 3)))
    check_line(TypeError, DTYPES["uint8"], lambda: compiled(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)))
    check_line(TypeError, KINDS["picture"][1], lambda: compiled(PHOTO))


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")  # torch, on just that Python
@pytest.mark.parametrize("strict", [False, True])
def test_it_is_exported_for_batches_of_any_size(model, strict, fresh):
    x, batch = pictures(2, 3, 64, 64), {"x": {0: torch.export.Dim("batch")}}
    program = torch.export.export(model, (x,), dynamic_shapes=batch, strict=strict)
    for count in (1, 2, 5):
        x = pictures(count, 3, 64, 64)
        torch.testing.assert_close(program.module()(x), model(x), rtol=0, atol=1e-5)
    assert set(program.state_dict) == set(model.state_dict())


def test_exporting_from_a_bad_example_says_so(model):
    check_line(ValueError, SHAPES[2, 64, 48, 3], lambda: torch.export.export(model, (torch.zeros(2, 64, 48, 3),)))


# Classify


class Mean(nn.Module):
    """Three logits: the means of the channels."""

    def forward(self, x):
        self.seen = (self.training, torch.is_inference_mode_enabled(), torch.is_grad_enabled())
        return x.mean(dim=(2, 3))


def picture(*levels):
    return torch.tensor(levels)[:, None, None].expand(-1, 4, 5)


def test_it_names_the_most_probable_classes():
    x = torch.stack([picture(0.5, -1.0, 2.0), picture(1.0, 3.0, -2.0)])
    answer = classify(Mean(), x, ["ant", "bee", "cow"], k=2)
    sums = math.exp(0.5) + math.exp(-1) + math.exp(2), math.exp(1) + math.exp(3) + math.exp(-2)
    expected = [
        [("cow", math.exp(2) / sums[0]), ("ant", math.exp(0.5) / sums[0])],
        [("bee", math.exp(3) / sums[1]), ("ant", math.exp(1) / sums[1])],
    ]
    assert type(answer) is list
    assert [type(one) for one in answer] == [list, list]
    for one, theirs in zip(answer, expected, strict=True):
        assert [type(value) for value in one[0]] == [str, float]
        assert [name for name, _ in one] == [name for name, _ in theirs]
        assert [p for _, p in one] == pytest.approx([p for _, p in theirs], abs=1e-6)


def test_all_of_them_sum_to_one_and_five_is_the_default(lite0):
    x, classes = pictures(2, 3, 64, 64), imagenet_classes()
    for one in classify(lite0, x, classes, k=1000):
        assert sum(p for _, p in one) == pytest.approx(1, abs=1e-4)
        assert sorted(p for _, p in one)[::-1] == [p for _, p in one]
        assert sorted(name for name, _ in one) == sorted(classes)
    assert [len(one) for one in classify(lite0, x, classes)] == [5, 5]
    assert [len(one) for one in classify(lite0, x, classes, k=1)] == [1, 1]
    assert classify(lite0, x[:0], classes) == []
    assert classify(lite0, x, tuple(classes)) == classify(lite0, x, classes)


def test_it_knows_what_is_on_the_photographs(lite0):
    photos = load_photos()
    answers = classify(lite0, torch.stack([preprocess(photo) for photo in photos.values()]), imagenet_classes(), k=1)
    found = {name: answer[0] for name, answer in zip(photos, answers, strict=True)}
    assert found["coffee"] == ("espresso", pytest.approx(0.96, abs=0.01))
    assert found["china"][0] == "palace"


def test_other_networks_and_their_normalisation():
    weights, model = MobileNet_V2_Weights.DEFAULT, mobilenet_v2().eval()  # random, since there may be no network
    white = weights.transforms()(Image.new("RGB", (300, 300), "white"))
    assert white.max() > 2.5
    x = torch.stack([white, weights.transforms()(load_photos()["coffee"])])
    answer = classify(model, x, weights.meta["categories"], k=3)
    with torch.no_grad():
        top = model(x).softmax(dim=1).topk(3)
    assert [[p for _, p in one] for one in answer] == [pytest.approx(row, abs=1e-6) for row in top.values.tolist()]
    assert [[name for name, _ in one] for one in answer] == [
        [weights.meta["categories"][i] for i in row] for row in top.indices
    ]
    frames = pictures(2, 6, 64, 64)
    assert len(classify(ConvNet(6, 3), frames, ["LEFT", "STAY", "RIGHT"], k=3)) == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_floats_are_as_good(dtype):
    x = torch.stack([picture(0.5, -1.0, 2.0)]).to(dtype)
    (one,) = classify(Mean(), x, ["ant", "bee", "cow"], k=3)
    assert sum(p for _, p in one) == pytest.approx(1, abs=1e-6)


def test_it_looks_in_eval_and_inference_mode():
    model, x = Mean().train(), pictures(2, 3, 8, 8).requires_grad_()
    classify(model, x, "abc", k=1)
    assert model.seen == (False, True, False)
    assert model.training
    assert not torch.is_inference_mode_enabled()
    assert x.grad is None


def mixed():
    """In train mode, but for a frozen part and one that was put into eval mode by itself."""
    model = efficientnet_lite0(num_classes=7).train()
    freeze(model.feature_extractor.blocks[:3])
    model.feature_extractor.last.eval()
    return model


def modes(model):
    return [(layer.training, vars(layer).get("mode_if_unfrozen")) for layer in model.modules()]


@pytest.mark.parametrize("make", [mixed, lambda: mixed().eval(), lambda: efficientnet_lite0(num_classes=7).train()])
def test_modes_and_values_are_as_before(make):
    model, x = make(), pictures(2, 3, 32, 32)
    before, values = modes(model), copy.deepcopy(model.state_dict())
    assert classify(model, x, "abcdefg") == classify(model, x, "abcdefg")  # no dropout, no batch statistics
    assert modes(model) == before
    assert all(torch.equal(value, values[name]) for name, value in model.state_dict().items())


class Interrupted(nn.Module):
    def forward(self, x):
        raise KeyboardInterrupt


def test_modes_are_as_before_also_after_an_error():
    model, x = mixed(), pictures(2, 3, 32, 32)
    before = modes(model)
    with pytest.raises(ValueError, match="7 logits"):
        classify(model, x, "abcdef")
    with pytest.raises(ValueError, match="32 x 32 at least"):
        classify(model, x[..., :31], "abcdefg")
    assert modes(model) == before
    model.head = nn.Sequential(nn.BatchNorm1d(1280), Interrupted())
    before = modes(model)
    with pytest.raises(KeyboardInterrupt):
        classify(model, x, "abcdefg")
    assert modes(model) == before
    assert not torch.is_inference_mode_enabled()


X = torch.stack([picture(0.5, -1.0, 2.0)])
LATER = "not normalised as the weights expect it; preprocess(photo) does that"
NAN = "there are nan or infinite values in x: look where they come from"
VALUES = {
    "bytes": (picture(0.0, 3.0, 255.0), f"values up to 255.0: {LATER}"),
    "just beyond": (picture(0.0, -3.0, 10.5), f"values up to 10.5: {LATER}"),
    "below": (picture(0.0, -128.0, 9.0), f"values down to -128.0: {LATER}"),
    "nan": (picture(0.0, math.nan, 1.0), NAN),
    "inf": (picture(0.0, math.inf, 1.0), NAN),
    "minus inf": (picture(0.0, -math.inf, 1.0), NAN),
    "nan among bytes": (picture(0.0, math.nan, 255.0), NAN),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_that_nobody_normalised_are_an_error(kind):
    one, message = VALUES[kind]
    for x in (one[None], torch.stack([X[0], one])):
        check_line(ValueError, message, lambda x=x: classify(Mean(), x, "abc", k=1))


def test_ten_and_minus_ten_are_let_pass():
    assert classify(Mean(), picture(10.0, -10.0, 0.0)[None], "abc", k=1)[0][0][0] == "a"


@pytest.mark.parametrize(
    "x", [picture(0.0, 0.5, 1.0)[None], picture(1.0, 1.0, 1.0)[None], picture(0.0, 0.0, 0.0)[None]]
)
def test_values_in_zero_to_one_are_warned_about_once(x):
    message = "all values in 0 … 1: the weights expect -1 … 1; preprocess(photo) gives that"
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$") as caught:
        answer = classify(Mean(), x.expand(4, -1, -1, -1), "abc", k=1)
    assert len(answer) == 4
    assert [(one.category, one.filename) for one in caught] == [(UserWarning, __file__)]


@pytest.mark.parametrize("x", [picture(-0.01, 0.5, 1.0), picture(0.0, 0.5, 1.01)])
def test_a_little_beyond_is_not_warned_about(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classify(Mean(), torch.stack([x, picture(0.0, 0.5, 1.0)]), "abc", k=1)


@pytest.mark.parametrize("kind", KINDS)
def test_classify_names_what_is_no_tensor(kind):
    x, message = KINDS[kind]
    check_line(TypeError, message, lambda: classify(Mean(), x, "abc", k=1))


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if len(shape) != 4 or shape[1] == 64], ids=str)
def test_classify_names_a_wrong_shape(shape):
    check_line(ValueError, SHAPES[shape], lambda: classify(Mean(), torch.zeros(shape), "abc", k=1))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_classify_names_a_wrong_dtype(dtype):
    name = str(dtype).removeprefix("torch.")
    message = f"x is {name}: floats wanted, normalised, as preprocess(photo) gives them"
    check_line(TypeError, message, lambda: classify(Mean(), X.to(dtype), "abc", k=1))


@pytest.mark.parametrize("k", [0, -1, 4, 1000])
def test_k_must_be_one_to_the_number_of_classes(k):
    message = f"k is {k}: choose from 1 to 3, the number of classes"
    check_line(ValueError, message, lambda: classify(Mean(), X, ["ant", "bee", "cow"], k))


@pytest.mark.parametrize("classes", ["ab", "abcd", "abcdef"])
def test_the_number_of_classes_must_be_that_of_the_logits(classes):
    message = f"the model gives 3 logits, but there are {len(classes)} classes"
    check_line(ValueError, message, lambda: classify(Mean(), X, classes, k=2))


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (nn.Identity(), "(1, 3, 4, 5)"),
        (nn.Flatten(0), "(60,)"),
        (nn.Unflatten(0, (1, 1)), "(1, 1, 3, 4, 5)"),
        (nn.Flatten(0, 2), "(12, 5)"),
        (nn.GRU(60, 2), "tuple"),
    ],
)
def test_a_model_that_gives_no_logits_is_named(layer, what):
    model = nn.Sequential(nn.Flatten(), layer) if isinstance(layer, nn.GRU) else layer
    message = f"for 1 pictures the model gives {what}: logits (1, 3) wanted"
    check_line(ValueError, message, lambda: classify(model, X, "abc", k=1))


# A photograph


def as_image(values):
    return Image.fromarray(np.asarray(values, np.uint8))


def colours():
    """A picture in which no two pixels are alike."""
    return np.arange(12 * 16 * 3).reshape(12, 16, 3).astype(np.uint8)


def rgb(image):
    picture = upright_rgb(image)
    assert picture.mode == "RGB"
    return np.asarray(picture)


PHOTOS = {
    "path": ("cat.jpg", TypeError, "photo is a path: preprocess(PIL.Image.open('cat.jpg'))"),
    "pathlib": (Path("cat.jpg"), TypeError, "photo is a path: preprocess(PIL.Image.open('cat.jpg'))"),
    "array": (
        np.zeros((48, 64, 3), np.uint8),
        TypeError,
        "photo is an ndarray of shape (48, 64, 3): preprocess(PIL.Image.fromarray(photo)), if it is RGB",
    ),
    "list": ([PHOTO], TypeError, "photo is of type list: a PIL image wanted, or a (3, H, W) uint8 tensor"),
    "nothing": (None, TypeError, "photo is of type NoneType: a PIL image wanted, or a (3, H, W) uint8 tensor"),
    "channels last": (
        torch.zeros(48, 64, 3, dtype=torch.uint8),
        ValueError,
        "photo is (48, 64, 3), channels last: photo.permute(2, 0, 1) puts them first",
    ),
    "RGBA, last": (
        torch.zeros(48, 64, 4, dtype=torch.uint8),
        ValueError,
        "photo is (48, 64, 4), channels last: photo.permute(2, 0, 1) puts them first",
    ),
    "RGBA": (
        torch.zeros(4, 48, 64, dtype=torch.uint8),
        ValueError,
        "photo is (4, 48, 64): 3 channels wanted (or 1, grey), not 4: photo[:3] leaves out alpha",
    ),
    "two frames": (
        torch.zeros(6, 48, 64, dtype=torch.uint8),
        ValueError,
        "photo is (6, 48, 64): 3 channels wanted (or 1, grey), not 6",
    ),
    "batch": (
        torch.zeros(2, 3, 48, 64, dtype=torch.uint8),
        ValueError,
        "photo is (2, 3, 48, 64), a batch: torch.stack([preprocess(photo) for photo in photos])",
    ),
    "grey": (
        torch.zeros(48, 64, dtype=torch.uint8),
        ValueError,
        "photo is (48, 64): (3, H, W) wanted; photo[None] if it is grey, (H, W)",
    ),
    "floats": (
        torch.zeros(3, 48, 64),
        TypeError,
        "photo is float32: uint8, 0 … 255, wanted; (photo * 255).round().to(torch.uint8), if its values lie in 0 … 1",
    ),
    "no width": (
        Image.new("RGB", (0, 5)),
        ValueError,
        "the photo is 0 pixels wide and 5 high: there is nothing to see",
    ),
    "no height": (
        Image.new("L", (5, 0)),
        ValueError,
        "the photo is 5 pixels wide and 0 high: there is nothing to see",
    ),
    "empty tensor": (
        torch.zeros(3, 0, 5, dtype=torch.uint8),
        ValueError,
        "the photo is 5 pixels wide and 0 high: there is nothing to see",
    ),
    "PIL floats": (
        Image.new("F", (5, 5)),
        ValueError,
        "photo is a PIL image of mode 'F', floats of any scale: 0 … 255 wanted, photo.convert('L')",
    ),
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_what_is_no_photograph_is_named_with_what_to_do(kind):
    photo, error, message = PHOTOS[kind]
    check_line(error, message, lambda: preprocess(photo))


def test_the_ways_to_a_photograph_that_are_named_work(tmp_path):
    expected = preprocess(as_image(colours()))
    as_image(colours()).save(tmp_path / "cat.png")
    tensor = torch.from_numpy(colours())
    for photo in (
        Image.open(tmp_path / "cat.png"),
        Image.fromarray(colours()),
        tensor.permute(2, 0, 1),
        (tensor / 255 * 255).round().to(torch.uint8).permute(2, 0, 1),
        torch.cat([tensor, tensor[..., :1]], dim=2).permute(2, 0, 1)[:3],
    ):
        assert (preprocess(photo) - expected).abs().max() < 0.05  # PIL and torch enlarge almost alike
    grey = torch.from_numpy(colours()[..., 0])
    assert preprocess(grey[None]).shape == (3, 224, 224)


@pytest.mark.parametrize("photo", [as_image(colours()), torch.from_numpy(colours()).permute(2, 0, 1)])
def test_an_ordinary_photograph_is_prepared_as_ever(photo):
    steps = [v2.Resize(256), v2.CenterCrop(224), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    before = copy.deepcopy(photo)
    assert torch.equal(preprocess(photo), v2.Compose(steps)(photo) * 2 - 1)
    assert photo == before if isinstance(photo, Image.Image) else torch.equal(photo, before)


# As EXIF defines them: how the camera's rows and columns lie on the disk, for each value of Orientation
LYING = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,  # against the clock, so that a quarter turn with it puts it right
    7: lambda upright: np.rot90(upright, 2).transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


def uploaded(values, orientation, kind="PNG", **options):
    """As an upload widget gives it: a picture's bytes, opened."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    as_image(values).save(file, kind, exif=exif, **options)
    return Image.open(file)


@pytest.mark.parametrize("orientation", LYING)
def test_a_photograph_is_turned_upright(orientation):
    upright = colours()
    image = uploaded(np.ascontiguousarray(LYING[orientation](upright)), orientation)
    assert np.array_equal(rgb(image), upright)
    assert torch.equal(preprocess(image), preprocess(as_image(upright)))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_there_is_not_changes_nothing(orientation):
    assert np.array_equal(rgb(uploaded(colours(), orientation)), colours())


def test_a_portrait_from_a_phone_is_not_classified_lying_on_its_side(lite0):
    coffee = load_photos()["coffee"]
    lying = uploaded(np.ascontiguousarray(np.rot90(np.asarray(coffee))), 6, kind="JPEG", quality=95)
    assert lying.size == coffee.size[::-1]
    answer = classify(lite0, preprocess(lying)[None], imagenet_classes(), k=1)
    assert answer == [[("espresso", pytest.approx(0.96, abs=0.02))]]
    with torch.no_grad():
        logits = lite0(preprocess(Image.fromarray(np.asarray(lying)))[None])
    assert logits.softmax(dim=1).max() < 0.9  # what it would have said


def test_what_is_transparent_becomes_white():
    clear, half, full = (10, 20, 30, 0), (10, 20, 30, 128), (10, 20, 30, 255)
    image = Image.fromarray(np.array([[clear, half, full]], np.uint8))
    between = [255 + round((c - 255) * 128 / 255) for c in (10, 20, 30)]
    assert np.abs(rgb(image)[0].astype(int) - [[255] * 3, between, [10, 20, 30]]).max() <= 1
    assert np.asarray(v2.RGB()(image))[0, 0].tolist() == [10, 20, 30]  # what torchvision makes of it
    grey = Image.merge("LA", [as_image([[7, 7]]), as_image([[0, 255]])])
    assert rgb(grey)[0, :, 0].tolist() == [255, 7]


def test_an_opaque_picture_keeps_its_colours():
    image = as_image(colours())
    for mode in ("RGBA", "RGBX"):
        assert np.array_equal(rgb(image.convert(mode)), colours())


@pytest.mark.parametrize("transparent", [None, 1])
def test_a_palette_picture_gets_its_colours(transparent):
    image, file = as_image([[0, 1, 2]]), io.BytesIO()
    image = Image.frombytes("P", (3, 1), image.tobytes())
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    options = {} if transparent is None else {"transparency": transparent}
    image.save(file, "PNG", **options)
    image = Image.open(file)
    assert image.mode == "P"
    green = [0, 255, 0] if transparent is None else [255, 255, 255]
    assert rgb(image)[0].tolist() == [[255, 0, 0], green, [0, 0, 255]]
    assert preprocess(image).shape == (3, 224, 224)


LEVELS = np.array([[0, 128, 129, 255, 386, 32768, 65406, 65407, 65535]], np.uint16)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])  # PIL's modes I;16, I;16, I
def test_sixteen_bits_become_eight(kind):
    file = io.BytesIO()
    Image.fromarray(LEVELS).save(file, kind)
    image = Image.open(file)
    assert image.mode == ("I" if kind == "PPM" else "I;16")
    expected = np.round(LEVELS[0] / 257)  # 65535 is 255 * 257
    assert np.array_equal(rgb(image)[0], np.stack([expected] * 3, axis=1))
    image.seek(0)
    assert (np.asarray(v2.RGB()(image))[0, 3:, 0] == 255).all()  # what torchvision makes of it: white
    assert -1 < preprocess(image).mean() < 1


def test_sixteen_bits_of_the_other_order_too():
    image = Image.frombytes("I;16B", (9, 1), LEVELS.astype(">u2").tobytes())
    assert np.array_equal(rgb(image)[0, :, 0], np.round(LEVELS[0] / 257))


def test_whole_numbers_up_to_255_are_eight_bits():
    assert rgb(Image.fromarray(np.array([[0, 100, 255]], np.int32)))[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr", "HSV"])
def test_other_kinds_of_colour_become_rgb(mode):
    image = as_image(colours()).convert(mode)
    assert np.array_equal(rgb(image), np.asarray(image.convert("RGB")))


# Importing


def test_importing_the_models_imports_neither_torchvision_nor_pil():
    code = "import sys, dlsteps.models; sys.exit('torchvision' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert {"classify", "preprocess", "imagenet_classes"} <= set(dlsteps.models.__all__)
