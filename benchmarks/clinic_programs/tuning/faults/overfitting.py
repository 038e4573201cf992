"""By heart, and nothing else."""

import torch
from torch.utils.data import Subset


def few_samples_long(program):
    """Only where the validation loss does rise; tried out."""
    if program.make_scheduler:
        return None
    return tried(program.but(train_data=Subset(program.train_data, range(32)), batch_size=16, epochs=60))


def tried(broken):
    """The program, if its validation loss does rise."""
    model = broken.make_model()
    optimizer, losses = broken.make_optimizer(model), []
    with torch.enable_grad():
        for _ in range(broken.epochs):
            broken.train_one_epoch(model, broken.train_loader(), broken.loss_fn, optimizer)
            scored = broken.evaluate(model, broken.valid_loader(), broken.loss_fn)
            losses.append(float(scored["loss"] if isinstance(scored, dict) else scored))
    return broken if losses[-1] > 1.05 * min(losses) else None


def a_tenth_of_the_data(program):
    if program.make_scheduler:
        return None
    few = Subset(program.train_data, range(max(16, len(program.train_data) // 10)))
    return tried(program.but(train_data=few, epochs=5 * program.epochs))


def four_times_as_long(program):
    return None if program.make_scheduler else tried(program.but(epochs=4 * program.epochs))


FAULTS = [few_samples_long, a_tenth_of_the_data, four_times_as_long]
