"""A network that cannot give what is asked of it."""

from clinic_programs.unseen.planting import Around, labels, with_model
from torch import nn


def relu_at_the_end(program):
    """Targets go below zero, outputs cannot."""
    if program.task != "numbers" or (labels(program.train_data) < 0).float().mean() < 0.3:
        return None
    return with_model(program, lambda model: Around(model, after=nn.functional.relu))


def dropout_on_the_scores(program):
    """Dropout behind the last layer, as behind the others, and nearly all of it."""
    if program.task == "numbers":
        return None
    return with_model(program, lambda model: Around(model, after=nn.Dropout(0.9)))


FAULTS = [relu_at_the_end, dropout_on_the_scores]
