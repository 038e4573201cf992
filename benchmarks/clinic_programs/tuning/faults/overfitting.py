"""By heart, and nothing else."""

import torch
from torch.utils.data import Subset


def few_samples_long(program):
    """Only where the validation loss does rise; tried out."""
    if program.make_scheduler:
        return None
    broken = program.but(train_data=Subset(program.train_data, range(32)), batch_size=16, epochs=60)
    model = broken.make_model()
    optimizer, losses = broken.make_optimizer(model), []
    with torch.enable_grad():
        for _ in range(broken.epochs):
            broken.train_one_epoch(model, broken.train_loader(), broken.loss_fn, optimizer)
            scored = broken.evaluate(model, broken.valid_loader(), broken.loss_fn)
            losses.append(float(scored["loss"] if isinstance(scored, dict) else scored))
    return broken if losses[-1] > 1.05 * min(losses) else None


FAULTS = [few_samples_long]
