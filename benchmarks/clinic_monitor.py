"""What `Monitor` costs, in milliseconds a step, beside a step of about 10 ms (at most 2 %).

`ConvNet` on 16 samples that lie ready in memory, AdamW, one thread. Each way takes the same steps from the same
weights; rounds are interleaved, and the median of the rounds' differences to the same training without it counts,
beside an interval of 95 % for it by resampling the rounds. In a short run its first looks, which come often, weigh
more than later; a second table is for a run that has made 1000 steps before.
"""

import argparse
import random
import statistics
import time

import torch
from torch import nn

from dlsteps.clinic import Monitor
from dlsteps.models import ConvNet
from dlsteps.training import Trainer

BAR = 0.02
LOSS = nn.CrossEntropyLoss()


def make():
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.rand(16, 6, 64, 64), torch.randint(3, (16,)))


def monitor(steps_before):
    """One that is as if so many steps had been watched already."""
    watching = Monitor(say=None)
    watching.seen.updates, watching.seen.next_look = steps_before, steps_before + watching.every if steps_before else 0
    return watching


def trainer(steps, watching):
    model, optimizer, batch = make()
    callbacks = [] if watching is None else [watching]
    run = Trainer(model, optimizer, LOSS, callbacks=callbacks, device="cpu")
    start = time.perf_counter()
    run.fit([batch] * steps)
    return time.perf_counter() - start


def plain_loop(steps, watching):
    model, optimizer, (x, y) = make()
    start = time.perf_counter()
    if watching is not None:
        watching.watch(model, optimizer)
    for _ in range(steps):
        loss = LOSS(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watching is not None:
            watching.step(loss)
    if watching is not None:
        watching.close()
    return time.perf_counter() - start


WAYS = {  # {name: (what it is compared with, a function of (steps, steps before) to seconds)}
    "Trainer": (None, lambda steps, before: trainer(steps, None)),
    "Trainer with Monitor()": ("Trainer", lambda steps, before: trainer(steps, monitor(before))),
    "loop by hand": (None, lambda steps, before: plain_loop(steps, None)),
    "loop by hand with Monitor()": ("loop by hand", lambda steps, before: plain_loop(steps, monitor(before))),
}


def compare(rounds, steps, before):
    times = {name: [] for name in WAYS}
    for i in range(-1, rounds):  # the first warms up
        for name in list(WAYS)[:: 1 if i % 2 else -1]:
            seconds = WAYS[name][1](steps, before) / steps
            if i >= 0:
                times[name].append(seconds * 1e3)
    print(f"steps {before} to {before + steps}, {rounds} rounds; ms a step")
    draws = random.Random(0)
    for name, values in times.items():
        base = times[WAYS[name][0] or name]
        more = [value - without for value, without in zip(values, base, strict=True)]
        resampled = sorted(statistics.median(draws.choices(more, k=rounds)) for _ in range(1000))
        share = statistics.median(more) / statistics.median(base)
        print(
            f"  {name:28} {statistics.median(values):6.2f}   {statistics.median(more):+6.3f} "
            f"({resampled[25]:+.3f} … {resampled[975]:+.3f}; {share:+.1%})"
            + ("" if share <= BAR else f"   over the bar of {BAR:.0%}")
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one thread, torch {torch.__version__}")
    for before in (0, 1000):
        compare(options.rounds, options.steps, before)


if __name__ == "__main__":
    main()
