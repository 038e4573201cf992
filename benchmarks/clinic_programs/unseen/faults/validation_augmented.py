"""Validation samples change at random, too."""

import torch
from clinic_programs.unseen.planting import has_float_input, on_inputs, with_both


def noise_on_both(program):
    """One transform for both datasets."""
    return with_both(program, on_inputs(lambda x: x + 0.3 * torch.randn_like(x))) if has_float_input(program) else None


def erased_and_mirrored_on_both(program):
    """A random piece is blanked, and at times the whole mirrored."""

    def change(x):
        x = x.clone()
        width = max(1, x.shape[-1] // 4)
        start = torch.randint(x.shape[-1] - width + 1, ()).item()
        x[..., start : start + width] = 0
        return x.flip(-1) if torch.rand(()) < 0.5 else x

    return (
        with_both(program, on_inputs(change))
        if program.train_data[0][0].ndim > 1 and has_float_input(program)
        else None
    )


FAULTS = [noise_on_both, erased_and_mirrored_on_both]
