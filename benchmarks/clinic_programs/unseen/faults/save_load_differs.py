"""What decides the output is not all in the state_dict."""

import torch
from clinic_programs.unseen.planting import batch, on_inputs, with_both
from torch import nn


def fixed_projection(program):
    """A random rotation of the features, drawn when the network is made and kept as a plain tensor."""
    size = batch(program)[0][0].shape[-1]

    class Projected(nn.Module):
        def __init__(self):
            super().__init__()
            self.rotation = torch.linalg.qr(torch.randn(size, size))[0]
            self.body = program.make_model()

        def forward(self, x, *rest):
            return self.body(x @ self.rotation, *rest)

    return program.but(make_model=Projected) if batch(program)[0][0].is_floating_point() else None


def running_mean_without_buffer(program):
    """Inputs are normalised by averages that the network keeps up itself, in plain tensors."""

    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = program.make_model()
            self.mean, self.spread = torch.zeros(()), torch.ones(())

        def forward(self, x, *rest):
            if self.training:
                self.mean = 0.9 * self.mean + 0.1 * x.detach().mean()
                self.spread = 0.9 * self.spread + 0.1 * x.detach().std()
            return self.body((x - self.mean) / self.spread, *rest)

    if not batch(program)[0][0].is_floating_point():
        return None
    return shifted(program).but(make_model=Normalised)


def shifted(program):
    """Raw inputs, so that there is something to normalise."""
    return with_both(program, on_inputs(lambda x: 3 * x + 2))


FAULTS = [fixed_projection, running_mean_without_buffer]
