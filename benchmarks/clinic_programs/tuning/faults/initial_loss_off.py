"""An untrained network that is sure of itself."""

import torch
from clinic_programs.planting import after_making, around, weights, with_tensors


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


def bias_of_one_class(program):
    """The last bias is 20 for one answer."""
    if program.task == "numbers":
        return None

    def shift(model):
        last = weights(model)[-1]
        with torch.no_grad():
            last.bias[0] = 20.0

    layers = weights(program.make_model())
    return after_making(program, shift) if layers and layers[-1].bias is not None else None


def targets_far_away(program):
    """Targets in their own unit, around 500, and a network that starts around 0."""
    if program.task != "numbers":
        return None
    return with_tensors(program, lambda *parts: (*parts[:-1], parts[-1] * 10 + 500))


def last_weights_standard_normal(program):
    if program.task == "numbers":
        return None
    wide = weights(program.make_model())
    if not wide or wide[-1].weight[0].numel() < 64:
        return None
    return after_making(program, lambda model: torch.nn.init.normal_(weights(model)[-1].weight, std=2.0))


FAULTS = [
    last_layer_times_thirty,
    logits_times_fifty,
    bias_of_one_class,
    targets_far_away,
    last_weights_standard_normal,
]
