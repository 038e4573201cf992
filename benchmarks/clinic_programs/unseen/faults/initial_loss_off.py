"""The untrained network is sure of what it cannot know."""

import torch
from clinic_programs.unseen.planting import first_loss, labels, layers, on_label, with_both, with_model


def far_off(program, broken):
    return broken if first_loss(broken) > 3 * first_loss(program) else None


def head_changed(program, change):
    def changed(model):
        with torch.no_grad():
            change(layers(program, model)[-1][2])
        return model

    return far_off(program, with_model(program, changed))


def head_far_too_wide(program):
    """The last layer's weights are fifty times as large as usual."""
    return head_changed(program, lambda head: head.weight.mul_(50))


def prior_with_wrong_sign(program):
    """A bias was to say that tags and some classes are rare (Lin et al., 2017), and says that they are certain."""
    if program.task == "numbers" or layers(program, program.make_model())[-1][2].bias is None:
        return None
    return head_changed(program, lambda head: head.bias[::2].fill_(8.0))


def raw_targets(program):
    """Years, not years from the mean."""
    if program.task != "numbers" or not (labels(program.train_data) < 0).any():
        return None
    return far_off(program, with_both(program, on_label(lambda y: y + 30)))


FAULTS = [head_far_too_wide, prior_with_wrong_sign, raw_targets]
