"""A stronger agent than lesson 00 can train in its minute: level 3, 12 minutes of play; writes data/later_agent.csv.

It watches the scripted player (without a window). In bursts, a random key is pressed instead of the player's, so that
it also sees how to get out of trouble; the label is always what the player would do. Ten minutes on two cores. The file
holds the agent's keys in one game, which anybody can replay: the game is a function
of its seed and the actions.
"""

import random
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dlsteps.agents.imitation import Agent, flip_half, shift_sideways
from dlsteps.agents.learn import MIRROR
from dlsteps.data.paths import CHECKOUT
from dlsteps.game import Catch, score
from dlsteps.models import ConvNet
from dlsteps.seed import seed_everything

LEVEL, GAMES, TICKS, STACK, EPOCHS, BATCH = 3, 24, 1800, 2, 12, 64


def watch(seed):
    """Frames (TICKS, 3, 64, 64) uint8 of one game, and what the scripted player would do in each, (TICKS,) int64."""
    game, chance = Catch(seed, LEVEL), random.Random(seed)
    frames, labels, noise = [], [], 0
    for _ in range(TICKS):
        frames.append(cv2.resize(game.frame(), (64, 64), interpolation=cv2.INTER_AREA).transpose(2, 0, 1))
        labels.append(game.expert())
        if noise == 0 and chance.random() < 0.04:
            noise, key = chance.randint(3, 12), chance.choice((0, 1, 2))
        game.step(key if noise else labels[-1])
        noise = max(noise - 1, 0)
    return np.stack(frames), np.array(labels)


def main():
    start = time.monotonic()
    seed_everything(0)
    games = [watch(5000 + number) for number in range(GAMES)]
    frames = torch.from_numpy(np.concatenate([frames for frames, _ in games]))  # (N, 3, 64, 64)
    labels = torch.from_numpy(np.concatenate([labels for _, labels in games]))  # (N,)
    print(f"{len(labels)} frames after {time.monotonic() - start:.0f} s; actions {torch.bincount(labels).tolist()}")
    first = torch.arange(len(labels)) // TICKS * TICKS  # of the frame's own game
    history = torch.stack([torch.maximum(torch.arange(len(labels)) - back, first) for back in range(STACK - 1, -1, -1)])

    model, mirror = ConvNet(3 * STACK, 3), torch.tensor(MIRROR)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    steps = EPOCHS * (len(labels) // BATCH)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        model.train()
        losses = []
        for batch in torch.randperm(len(labels)).split(BATCH)[: len(labels) // BATCH]:
            x = frames[history[:, batch].T].reshape(len(batch), -1, 64, 64).float() / 255
            x, y = flip_half(x, labels[batch], mirror)
            x = shift_sideways(x, 8)
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:2}: loss {np.mean(losses):.3f}, {time.monotonic() - start:.0f} s", flush=True)

    agent = Agent(model, stack=STACK)
    result = score(agent, LEVEL, range(10))
    print(f"later agent at level {LEVEL}: {result.mean:.2f} ± {result.spread:.2f} over 10 games of {TICKS} ticks")
    game, keys = Catch(0, LEVEL), []
    agent.reset()
    for _ in range(TICKS):
        keys.append(agent(game.frame()))
        game.step(keys[-1])
    (CHECKOUT / "later_agent.csv").write_text("".join(f"{key}\n" for key in ["action", *keys]))
    print(f"game 0: caught {game.caught}, missed {game.missed}, stones touched {game.hit}")


if __name__ == "__main__":
    main()
