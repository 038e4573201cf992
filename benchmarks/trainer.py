"""What a trainer costs on top of a loop written by hand, in microseconds a step, beside other trainers.

The tiny network of the design notes (8 to 16 to 2, AdamW, batches of 16 that lie ready in memory), where a step is so
short that all else shows; and `ConvNet` on 16 samples, where a step takes about 10 ms. The loop by hand adds up its
loss, as every trainer does. All take the same steps from the same weights; rounds are interleaved, and the median of
the rounds' differences counts, beside an interval of 95 % for it by resampling the rounds. pytorch-ignite, Lightning
and accelerate take part if they are installed: python -m pip install pytorch-ignite lightning accelerate
"""

import argparse
import contextlib
import importlib.util
import io
import logging
import platform
import random
import statistics
import time
import warnings

import torch
from torch import nn

from dlsteps.models import ConvNet
from dlsteps.training import Trainer


def tiny():
    torch.manual_seed(0)
    x = torch.randn(16, 8)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2)), (x, (x.sum(dim=1) > 0).long())


def realistic():
    torch.manual_seed(0)
    return ConvNet(in_channels=6, num_actions=3), (torch.rand(16, 6, 64, 64), torch.randint(3, (16,)))


def by_hand(model, optimizer, loss_fn, batches):
    model.train()
    total, samples = torch.zeros(()), 0
    for x, y in batches:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(y)
        samples += len(y)
    return (total / samples).item()


def ours(model, optimizer, loss_fn, batches):
    trainer = Trainer(model, optimizer, loss_fn, device="cpu")
    return trainer.fit(batches, epochs=1)[0]["train_loss"]


def ignite(model, optimizer, loss_fn, batches):
    from ignite.engine import create_supervised_trainer
    from ignite.metrics import RunningAverage

    engine = create_supervised_trainer(model, optimizer, loss_fn)
    RunningAverage(output_transform=lambda loss: loss).attach(engine, "loss")
    return engine.run(batches, max_epochs=1).metrics["loss"]


def lightning(model, optimizer, loss_fn, batches):
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = model

        def training_step(self, batch, i):
            loss = loss_fn(self.model(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return optimizer

    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", **off)
    trainer.fit(Module(), torch.utils.data.DataLoader(batches, batch_size=None))
    return trainer.callback_metrics["train_loss"].item()


def accelerate(model, optimizer, loss_fn, batches):
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model, optimizer = accelerator.prepare(model, optimizer)
    model.train()
    total, samples = torch.zeros(()), 0
    for x, y in batches:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        accelerator.backward(loss)
        optimizer.step()
        total += loss.detach() * len(y)
        samples += len(y)
    return (total / samples).item()


WAYS = {"by hand": by_hand, "dlsteps": ours, "ignite": ignite, "lightning": lightning, "accelerate": accelerate}
PACKAGES = {"ignite": "ignite", "lightning": "lightning", "accelerate": "accelerate"}


def seconds_a_step(way, make, steps):
    """Of a short run taken from a longer one, so that setting up does not count."""
    times = []
    for count in (steps // 10, steps):
        model, batch = make()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        batches = [batch] * count
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            way(model, optimizer, nn.CrossEntropyLoss(), batches)
        times.append(time.perf_counter() - start)
    return (times[1] - times[0]) / (steps - steps // 10)


def compare(title, make, steps, rounds):
    """Print what a step takes in each way."""
    ways = {name: way for name, way in WAYS.items() if name not in PACKAGES or importlib.util.find_spec(PACKAGES[name])}
    for way in ways.values():
        seconds_a_step(way, make, max(steps // 5, 10))
    times = {name: [] for name in ways}
    for i in range(rounds):
        for name in list(ways)[:: 1 if i % 2 else -1]:
            times[name].append(seconds_a_step(ways[name], make, steps) * 1e6)
    print(f"{title}: {steps} steps, {rounds} rounds, one thread; microseconds a step")
    draws = random.Random(0)
    for name, values in times.items():
        more = [value - hand for value, hand in zip(values, times["by hand"], strict=True)]
        resampled = sorted(statistics.median(draws.choices(more, k=rounds)) for _ in range(1000))
        share = statistics.median(more) / statistics.median(times["by hand"])
        print(
            f"  {name:10} {statistics.median(values):9.1f} ({min(values):.1f} … {max(values):.1f})   "
            f"over the loop by hand: {statistics.median(more):+7.1f} "
            f"({resampled[25]:+.1f} … {resampled[975]:+.1f}; {share:+.1%})"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    compare("tiny network", tiny, 2000, rounds)
    compare("ConvNet, batch 16 at 64 x 64", realistic, 50, 9 * rounds)


if __name__ == "__main__":
    main()
