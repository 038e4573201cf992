"""Deep, with activations that let little through."""

from clinic_programs.unseen.planting import before_head, works
from torch import nn


def deep_sigmoids(program):
    """Six layers with sigmoids, initialised as Glorot says."""

    def stack(kind):
        made = []
        for _ in range(6):
            layer = kind[0]()
            nn.init.xavier_uniform_(layer.weight)
            made += [layer, nn.Sigmoid()]
        return made

    broken = before_head(program, stack)
    return broken if broken and works(broken) else None


def deep_tanh(program):
    """Fourteen layers with tanh, each of which lets about half of it through."""
    broken = before_head(program, lambda kind: [m for _ in range(14) for m in (kind[0](), nn.Tanh())])
    return broken if broken and works(broken) else None


FAULTS = [deep_sigmoids, deep_tanh]
