"""Labels of a type or shape that the loss does not want."""

import torch
from clinic_programs.unseen.planting import labels, on_label, trains, with_both


def floats_for_classes(program):
    return with_both(program, on_label(lambda y: y.float())) if program.task == "classes" else None


def kept_as_column(program):
    """As a table's column comes: (B, 1)."""
    if program.task != "classes" or torch.as_tensor(program.train_data[0][-1]).ndim:
        return None
    return with_both(program, on_label(lambda y: torch.as_tensor(y).reshape(1)))


def whole_numbers_for_floats(program):
    """None where labels are whole numbers anyway, and the loss takes them."""
    if program.task == "classes":
        return None
    broken = with_both(program, on_label(lambda y: y.long()))
    y = labels(program.train_data)
    return broken if (y != y.round()).any() or not trains(broken) else None


FAULTS = [floats_for_classes, kept_as_column, whole_numbers_for_floats]
