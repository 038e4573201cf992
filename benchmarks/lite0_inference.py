"""How fast EfficientNet-Lite0 looks at photographs on this machine: memory format, inference mode, bf16.

A batch of 32 photographs (the eight of `load_photos`, four times) at 224 x 224, eval mode, ImageNet weights. All ways
start from the same weights and the same batch; each is warmed up, then rounds are interleaved. Beside the times stands
whether the answers are the same: the largest difference of a logit from the plain way, and of how many photographs the
first class is another one.
"""

import argparse
import contextlib
import copy
import platform
import statistics
import time

import torch
import torchvision

from dlsteps.data import load_photos
from dlsteps.models import efficientnet_lite0
from dlsteps.models.efficientnet_lite import preprocess

BATCH, WARM_UP, BAR = 32, 3, 1.4
PLAIN, BEST = "no_grad (plain)", "inference_mode, channels_last"


@contextlib.contextmanager
def bf16():
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        yield


def make_ways():
    """{name: (model, batch, the context in which it runs)}."""
    model = efficientnet_lite0(weights="imagenet").eval()
    photos = torch.stack([preprocess(photo) for photo in load_photos().values()])  # (8, 3, 224, 224)
    x = photos.repeat(BATCH // len(photos), 1, 1, 1)  # (32, 3, 224, 224)
    last_model = copy.deepcopy(model).to(memory_format=torch.channels_last)
    last_x = x.to(memory_format=torch.channels_last)
    return {
        "with autograd": (model, x, contextlib.nullcontext),
        PLAIN: (model, x, torch.no_grad),
        "inference_mode": (model, x, torch.inference_mode),
        "no_grad, channels_last": (last_model, last_x, torch.no_grad),
        BEST: (last_model, last_x, torch.inference_mode),
        "… and bf16 autocast": (last_model, last_x, bf16),
    }


def seconds(model, x, context):
    start = time.perf_counter()
    with context():
        model(x)
    return time.perf_counter() - start


def logits(model, x, context):
    with context():
        return model(x).detach().float()  # (32, 1000)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    ways = make_ways()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}"
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, {versions}; batch {BATCH}, {rounds} rounds\n")
    for way in ways.values():
        for _ in range(WARM_UP):
            seconds(*way)
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(*way))
    expected = logits(*ways[PLAIN])
    print(f"{'seconds a batch':30} median    min …   max   times plain (median of the rounds)   logits   classes")
    for name, values in times.items():
        speed = statistics.median(plain / value for value, plain in zip(values, times[PLAIN], strict=True))
        found = logits(*ways[name])
        difference, others = (found - expected).abs().max(), (found.argmax(1) != expected.argmax(1)).sum()
        spread = f"{min(values):6.3f} … {max(values):5.3f}"
        print(f"{name:30} {statistics.median(values):6.3f} {spread}   {speed:33.2f}   {difference:6.4f}   {others:7d}")
    speed = statistics.median(plain / best for plain, best in zip(times[PLAIN], times[BEST], strict=True))
    print(f"\n{BEST}: {speed:.2f} times plain; the bar is {BAR}: {'met' if speed >= BAR else 'not met'}")


if __name__ == "__main__":
    main()
