"""Run by `torchrun` in two processes: trains straight, then again, then with a stop and a resume; see test_training."""

import os
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from dlsteps.training import Checkpoint, ClipGradients, EarlyStopping, Trainer, distributed, resume
from dlsteps.training.callbacks import Callback

folder = Path(sys.argv[1])
distributed.setup()
generator = torch.Generator().manual_seed(0)
x = torch.randn(51, 8, generator=generator)  # an odd number: one process has one sample more to evaluate
y = (x.sum(dim=1) > 0).long()
counted = []


def count(output, target):
    counted.append(len(target))
    return 1.0


class Same(Callback):
    """Whether all processes have the same weights and buffers after an epoch."""

    def __init__(self):
        self.all = True

    def on_checkpoint(self, trainer):
        for value in trainer.model.state_dict().values():
            others = [torch.zeros_like(value) for _ in range(2)]
            torch.distributed.all_gather(others, value.contiguous())
            self.all = self.all and torch.equal(*others)


def make(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    same = Same()
    callbacks = [EarlyStopping(patience=9), ClipGradients(), same, Checkpoint(folder / name)]
    metrics = {"count": count, "buffer": lambda output, target: model[1].running_mean[0]}
    trainer = Trainer(model, optimizer, nn.CrossEntropyLoss(), metrics=metrics, callbacks=callbacks, device="cpu")
    train = TensorDataset(x, y)
    loader = DataLoader(train, 8, sampler=DistributedSampler(train))
    return trainer, same, loader, DataLoader(distributed.shard(train), 16)


def write(name, trainer, same):
    counted.clear()
    trainer.evaluate(DataLoader(distributed.shard(TensorDataset(x, y)), 16))
    (samples,) = distributed.sum_over_all([float(sum(counted))])
    if distributed.is_main():
        state = {"model": trainer.model.state_dict(), "history": list(trainer.history)}
        torch.save(state | {"samples": samples, "agree": same.all}, folder / f"{name}.pt")


for name in ("straight", "again"):
    trainer, same, loader, valid = make(name)
    trainer.fit(loader, valid, epochs=3)
    write(name, trainer, same)

trainer, same, loader, valid = make("stopped")
trainer.fit(loader, valid, epochs=1)
torch.rand(distributed.rank() + 7)
trainer, same, loader, valid = make("stopped")
resume(trainer, folder / "stopped")
trainer.fit(loader, valid, epochs=3)
write("resumed", trainer, same)
distributed.barrier()  # the first is still writing
torch.distributed.destroy_process_group()
os._exit(0)  # gloo's threads may still hold tensors when the interpreter ends, and then abort it (pytorch#179291)
