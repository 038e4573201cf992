"""Learning to play by imitation: predict what the recorded player did, then do that."""

from collections import deque

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from dlsteps.data import split_by_time
from dlsteps.data.transforms import RandomFlip
from dlsteps.seed import seed_everything


class Agent:
    """A policy (see `dlsteps.game.policies`) around a network: frame in, action out. It remembers the last frames.

    Args:
        model: from (B, 3 * stack, size, size) float in 0 ... 1 to (B, num_actions) logits.
        stack, size: as in the `FrameDataset` it was trained on.
    """

    def __init__(self, model, stack=2, size=64):
        self.model, self.size = model.eval(), size
        self.frames = deque(maxlen=stack)
        self.device = next(model.parameters()).device

    def reset(self, game=None):
        """Forget: a new game begins."""
        self.frames.clear()

    @torch.inference_mode()
    def __call__(self, frame):
        """The action for a frame, (H, W, 3) uint8 RGB of any size."""
        small = cv2.resize(frame, (self.size, self.size), interpolation=cv2.INTER_AREA)  # as the recorder does it
        while len(self.frames) < self.frames.maxlen - 1:
            self.frames.append(small)  # no history yet: repeat the first frame
        self.frames.append(small)
        stack = torch.from_numpy(np.stack(self.frames)).to(self.device)  # (stack, size, size, 3)
        x = stack.permute(0, 3, 1, 2).reshape(1, -1, self.size, self.size).float() / 255
        return int(self.model(x).argmax())


def flip_half(x, y, mirror):
    """Mirror half of a batch, chosen at random, and the actions with it: what was left is right.

    x (B, C, H, W), y (B,) int64; `mirror` gives the mirrored action of each, e.g. `torch.tensor([2, 1, 0])`.
    """
    return RandomFlip(mirror)(x, y)


def shift_sideways(x, pixels):
    """Shift each picture of a batch by up to `pixels` to the left or right; the edge is repeated. x (B, C, H, W).

    Where ball and paddle are changes, which way to go does not.
    """
    width = x.shape[3]
    offset = torch.randint(-pixels, pixels + 1, (len(x), 1), device=x.device)  # (B, 1)
    columns = (torch.arange(width, device=x.device) + offset).clamp(0, width - 1)  # (B, W)
    return x.gather(3, columns[:, None, None, :].expand_as(x))


def train(
    model, dataset, *, mirror=None, shift=16, epochs=20, batch_size=64, lr=3e-3, seed=0, device="cpu", progress=True
):
    """Train `model` to predict the action of each sample; returns a list with one dict an epoch
    (train_loss, valid_loss, valid_accuracy).

    The last fifth of each episode is for validation. One minute of play is little, so each batch is varied: with
    `mirror`, half of it is flipped (`flip_half`); all of it is shifted sideways by up to `shift` pixels. Most of the
    time the player does nothing; the loss weighs the actions so that each counts alike.
    """
    seed_everything(seed)
    model.to(device)
    train_set, valid_set = split_by_time(dataset)
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=batch_size)
    counts = torch.bincount(torch.from_numpy(dataset.actions)).clamp(min=1)
    weight = (len(dataset) / (len(counts) * counts)).to(device)
    if mirror is not None:
        mirror = torch.as_tensor(mirror, device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * len(train_loader))
    history = []
    bar = tqdm(total=epochs * len(train_loader), desc="training", unit="step", disable=not progress)
    for _ in range(epochs):
        model.train()
        loss_sum = weight_sum = 0.0
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            if mirror is not None:
                x, y = flip_half(x, y, mirror)
            x = shift_sideways(x, shift)
            loss = F.cross_entropy(model(x), y, weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            batch_weight = weight[y].sum().item()
            loss_sum += loss.item() * batch_weight
            weight_sum += batch_weight
            bar.update()
        history.append({"train_loss": loss_sum / weight_sum, **evaluate(model, valid_loader, weight)})
        bar.set_postfix_str(f"valid accuracy {history[-1]['valid_accuracy']:.3f}")
    bar.close()
    return history


@torch.no_grad()
def evaluate(model, loader, weight):
    """Loss, weighed by `weight` (num_actions,) as in training, and plain accuracy over a loader."""
    model.eval()
    loss = total_weight = correct = count = 0
    for x, y in loader:
        x, y = x.to(weight.device), y.to(weight.device)
        logits = model(x)
        loss += F.cross_entropy(logits, y, weight=weight, reduction="sum").item()
        total_weight += weight[y].sum().item()
        correct += (logits.argmax(dim=1) == y).sum().item()
        count += len(y)
    return {"valid_loss": loss / total_weight, "valid_accuracy": correct / count}
