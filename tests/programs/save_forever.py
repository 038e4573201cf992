"""Saves checkpoints into the folder named, until it is killed: step n is in the n-th. See test_checkpoint."""

import itertools
import sys
from pathlib import Path

import torch

from dlsteps.training import Trainer, save_checkpoint

model = torch.nn.Linear(300, 300)
trainer = Trainer(model, torch.optim.AdamW(model.parameters()), torch.nn.MSELoss(), device="cpu")
for trainer.step in itertools.count(1):
    save_checkpoint(trainer, Path(sys.argv[1], "last.pt"))
    print(trainer.step, flush=True)  # this one is safe
