"""What decides the output is not all in the state dict."""

import torch
from clinic_programs.planting import first_inputs
from torch import nn


def random_projection_not_saved(program):
    """A fixed random matrix, drawn anew in each new model, as a plain attribute."""
    x = first_inputs(program)
    if not x.is_floating_point() or len(next(iter(program.train_loader()))) > 2:
        return None

    class Projected(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = 1 + 0.5 * torch.randn(x.shape[-1])  # (last dimension,)
            self.body = program.make_model()

        def forward(self, x):
            return self.body(x * self.scale)

    return program.but(make_model=Projected)


def mean_of_what_it_saw(program):
    """A running mean of the inputs as a plain tensor, in place of a buffer."""
    x = first_inputs(program)
    if not x.is_floating_point() or len(next(iter(program.train_loader()))) > 2:
        return None

    class Centred(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean, self.body = torch.zeros(x.shape[1:]), program.make_model()

        def forward(self, x):
            if self.training:
                self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(dim=0)
            return self.body(x - self.mean)

    return program.but(make_model=Centred)


def calls_counted(program):
    """A scale that grows with the number of training steps, as a Python number."""

    class Warmed(nn.Module):
        def __init__(self):
            super().__init__()
            self.steps, self.body = 0, program.make_model()

        def forward(self, *x):
            self.steps += self.training
            return self.body(*x) * min(1.0, 0.2 + self.steps / 20)

    return program.but(make_model=Warmed)


FAULTS = [random_projection_not_saved, mean_of_what_it_saw, calls_counted]
