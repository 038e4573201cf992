"""Units that give 0 for every sample."""

import torch
from clinic_programs.unseen.planting import look, output_of, with_model
from torch import nn

BEFORE = nn.Linear, nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm


def feeding(program, model):
    """The modules with a bias whose result goes straight into a ReLU."""
    given, found = {}, []
    hooks = [
        m.register_forward_hook(lambda m, _, o: given.update({id(o): (m, o)}))
        for m in model.modules()
        if isinstance(m, BEFORE)
    ]
    hooks += [
        m.register_forward_pre_hook(lambda m, args: found.append(given.get(id(args[0]), (None,))[0]))
        for m in model.modules() if isinstance(m, nn.ReLU)
    ]  # fmt: skip
    look(program, model)
    for hook in hooks:
        hook.remove()
    return [m for m in dict.fromkeys(found) if isinstance(m, BEFORE) and m.bias is not None]


def with_biases(program, draw):
    def change(model):
        with torch.no_grad():
            for module in feeding(program, model):
                draw(module.bias)
        return model

    broken = with_model(program, change)
    alive = output_of(broken).std(dim=0).max() > 1e-4
    return broken if feeding(program, program.make_model()) and alive else None


def biases_far_below(program):
    """All biases but a few were drawn around -10."""
    return with_biases(program, lambda bias: bias[: len(bias) * 7 // 8].normal_(-10, 1))


def biases_of_a_wild_start(program):
    """As after a first step that was far too long: biases everywhere between -20 and 2."""
    return with_biases(program, lambda bias: bias.uniform_(-20, 2))


FAULTS = [biases_far_below, biases_of_a_wild_start]
