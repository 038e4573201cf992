"""An untrained network that is sure of itself."""

import torch
from clinic_programs.planting import after_making, around, weights


def last_layer_times_thirty(program):
    if program.task == "numbers":
        return None

    def enlarge(model):
        with torch.no_grad():
            weights(model)[-1].weight.mul_(30)

    return after_making(program, enlarge) if weights(program.make_model()) else None


def logits_times_fifty(program):
    """A temperature the wrong way round."""
    return around(program, after=lambda logits: logits * 50) if program.task != "numbers" else None


FAULTS = [last_layer_times_thirty, logits_times_fifty]
