"""Output and target have shapes that differ, and stretch."""

import warnings

from clinic_programs.unseen.planting import Around, batch, on_label, output_of, with_both, with_model, works


def single(program):
    return program.task != "classes" and output_of(program).shape[1] == 1 and batch(program)[1].ndim > 1


def stretches(broken):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return broken if works(broken) else None


def flat_targets(program):
    """Targets (B,) or (B, H, W) for outputs (B, 1) or (B, 1, H, W)."""
    return stretches(with_both(program, on_label(lambda y: y.squeeze(0)))) if single(program) else None


def flat_outputs(program):
    return (
        stretches(with_model(program, lambda m: Around(m, after=lambda o: o.squeeze(1)))) if single(program) else None
    )


FAULTS = [flat_targets, flat_outputs]
