"""What a program is, for the families that make sound ones and the faults that break them."""

import dataclasses
from collections.abc import Callable
from typing import Any

from clinic_programs.loops import evaluate, train
from torch.utils.data import DataLoader, Dataset


@dataclasses.dataclass
class Program:
    """A training, whole: what a notebook would have defined before it starts.

    task: "classes", int64 labels (B,) or (B, T) for outputs (B, K) or (B, K, T); "tags", floats of 0 and 1, (B, K) like
    the output; or "numbers", regression, floats in the output's shape. Batches are (x, y), or (x1, x2, y).
    """

    task: str
    make_model: Callable[[], Any]
    make_optimizer: Callable[[Any], Any]  # (model)
    loss_fn: Callable[..., Any]  # (output, y)
    train_data: Dataset
    valid_data: Dataset
    batch_size: int = 32
    shuffle: bool = True
    epochs: int = 6
    train_one_epoch: Callable[..., float] = train  # (model, loader, loss_fn, optimizer)
    evaluate: Callable[..., Any] = evaluate  # (model, loader, loss_fn)
    make_scheduler: Callable[[Any], Any] | None = None  # (optimizer); it is stepped once an epoch
    step_scheduler: Callable[[Any], None] = lambda scheduler: scheduler.step()

    def train_loader(self):
        return DataLoader(self.train_data, self.batch_size, shuffle=self.shuffle)

    def valid_loader(self):
        return DataLoader(self.valid_data, self.batch_size)

    def but(self, **changes):
        """The same program, with some of it changed."""
        return dataclasses.replace(self, **changes)
