"""What watching a training costs, in milliseconds a step, beside a step of about 10 ms (lesson 10: at most 5 %).

`ConvNet` on 16 samples that lie ready in memory, AdamW, one thread. Each way takes the same steps from the same
weights; rounds are interleaved, and the median of the rounds' differences to a run without callbacks counts, beside an
interval of 95 % for it by resampling the rounds. All write or record at every step. The peers are `SummaryWriter`s of
torch and tensorboardX, fed by hand with the same two numbers. At the end: bytes on disk for a run such as lesson 10's.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import tensorboardX
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from dlsteps.models import ConvNet
from dlsteps.training import Callback, TensorBoard, Trainer
from dlsteps.training.histories import Histories
from dlsteps.training.tensorboard import event_files


class ByHand(Callback):
    """Two numbers a step, into somebody's writer."""

    def __init__(self, writer):
        self.writer = writer

    def on_batch_end(self, trainer):
        self.writer.add_scalar("step/loss", trainer.loss.item(), trainer.step)
        self.writer.add_scalar("step/learning_rate", trainer.optimizer.param_groups[0]["lr"], trainer.step)

    def on_fit_end(self, trainer):
        self.writer.close()


WAYS = {
    "no callback": lambda folder: [],
    "TensorBoard(every=1)": lambda folder: [TensorBoard(folder, every=1)],
    "tensorboardX by hand": lambda folder: [ByHand(tensorboardX.SummaryWriter(folder))],
    "torch.utils.tensorboard by hand": lambda folder: [ByHand(SummaryWriter(folder))],
    "Histories(every=1)": lambda folder: [Histories(every=1)],
    "Histories(every=10)": lambda folder: [Histories(every=10)],
    "TensorBoard(every=1) and Histories(every=10)": lambda folder: [
        TensorBoard(folder, every=1),
        Histories(every=10),
    ],
}


def fit(callbacks, steps):
    """Seconds a step."""
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    batch = torch.rand(16, 6, 64, 64), torch.randint(3, (16,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    trainer = Trainer(model, optimizer, nn.CrossEntropyLoss(), callbacks=callbacks, device="cpu")
    start = time.perf_counter()
    trainer.fit([batch] * steps)
    return (time.perf_counter() - start) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    times = {name: [] for name in WAYS}
    for i in range(-1, options.rounds):  # the first warms up
        for name in list(WAYS)[:: 1 if i % 2 else -1]:
            with tempfile.TemporaryDirectory() as folder:
                seconds = fit(WAYS[name](folder), options.steps)
            if i >= 0:
                times[name].append(seconds * 1e3)
    print(f"{options.rounds} rounds of {options.steps} steps, one thread, torch {torch.__version__}; ms a step")
    draws, base = random.Random(0), times["no callback"]
    for name, values in times.items():
        more = [value - without for value, without in zip(values, base, strict=True)]
        resampled = sorted(statistics.median(draws.choices(more, k=len(more))) for _ in range(1000))
        share = statistics.median(more) / statistics.median(base)
        print(
            f"  {name:44} {statistics.median(values):6.2f}   {statistics.median(more):+6.3f} "
            f"({resampled[25]:+.3f} … {resampled[975]:+.3f}; {share:+.1%})"
        )
    with tempfile.TemporaryDirectory() as folder:
        fit([TensorBoard(Path(folder), every=1, histograms=True)], 200)
        size = sum(path.stat().st_size for path in event_files(folder))
        print(f"  200 steps in one epoch, scalars at each, histograms after it: {size / 1e3:.0f} kB on disk")


if __name__ == "__main__":
    main()
