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


FAULTS = [as_floats, as_integers]
