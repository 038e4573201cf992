"""Labels as floats, or with a dimension too many."""

from clinic_programs.planting import with_tensors


def as_floats(program):
    if program.task != "classes":
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1].float()))


def as_integers(program):
    if program.task != "tags":
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1].long()))


def a_dimension_too_many(program):
    """(B, 1) where the loss wants (B,)."""
    y = next(iter(program.train_loader()))[-1]
    if program.task != "classes" or y.dim() > 1:
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1][:, None]))


def as_int32(program):
    if program.task != "classes":
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1].int()))


FAULTS = [as_floats, as_integers, a_dimension_too_many, as_int32]
