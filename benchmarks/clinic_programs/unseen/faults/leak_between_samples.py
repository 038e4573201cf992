"""The output for a sample depends on the others of its batch."""

import torch
from clinic_programs.unseen.planting import Around, batch, exchange, layers, output_of, with_model, works
from torch import nn


def leaks(program):
    """Whether in eval mode a sample's output changes with the rest of its batch."""
    model, (x, _) = program.make_model().eval(), batch(program)
    with torch.no_grad():
        return not torch.allclose(model(*x)[-3:], model(*(each[-3:] for each in x)), rtol=1e-2, atol=1e-3)


class HomemadeNorm(nn.Module):
    """Batch normalisation by hand, without running averages."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        h = self.layer(x)
        return (h - h.mean(dim=0)) / (h.std(dim=0, correction=0) + 1e-3)


def normalised_by_the_batch(program):
    def change(model):
        place = layers(program, model)[0]
        exchange(place, HomemadeNorm(place[2]))
        return model

    broken = with_model(program, change)
    return broken if works(broken) and leaks(broken) else None


def batch_first_forgotten(program):
    """Recurrent layers and attention take the batch for the sequence."""

    def change(model):
        for module in model.modules():
            if getattr(module, "batch_first", False):
                module.batch_first = False
        return model

    broken = with_model(program, change)
    return broken if works(broken) and leaks(broken) else None


def reshaped_for_transposed(program):
    """To get a transposed output back into its shape, reshape was used."""

    def mix(output):
        return output.flatten(1).reshape(output[0].numel(), len(output)).T.reshape(output.shape)

    broken = with_model(program, lambda model: Around(model, after=mix))
    return broken if output_of(program)[0].numel() > 1 and leaks(broken) else None


FAULTS = [normalised_by_the_batch, batch_first_forgotten, reshaped_for_transposed]
