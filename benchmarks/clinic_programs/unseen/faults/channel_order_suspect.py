"""Colours where rows should be."""

from clinic_programs.unseen.planting import batch, layers, on_inputs, with_both, with_model, works
from torch import nn


def reshaped_for_permuted(program):
    """(H, W, C) was brought to (C, H, W) by reshape: the shape is right, the picture is not."""
    x = batch(program)[0][0]
    if x.ndim != 4 or x.shape[1] == 1:
        return None
    return with_both(program, on_inputs(lambda x: x.permute(1, 2, 0).reshape(x.shape)))


def channels_last(program):
    """Pictures as (H, W, C); as many input channels as the error message wanted."""
    x = batch(program)[0][0]
    if x.ndim != 4 or x.shape[1] > 4 or x.shape[2] < 8:
        return None

    def change(model):
        first = layers(program, model)[0]
        parent, name, conv = first
        new = nn.Conv2d(x.shape[2], conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
        setattr(parent, name, new)
        return model

    if not isinstance(layers(program, program.make_model())[0][2], nn.Conv2d):
        return None
    broken = with_both(with_model(program, change), on_inputs(lambda x: x.permute(1, 2, 0)))
    return broken if works(broken) else None


FAULTS = [reshaped_for_permuted, channels_last]
