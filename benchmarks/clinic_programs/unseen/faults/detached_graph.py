"""The graph is cut between the weights and the loss."""

from clinic_programs.unseen.planting import exchange, layers, trained, trains, with_model
from torch import nn


class OnFixedFeatures(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, x):
        return self.head(x.detach())


def before_the_head(program):
    """Features were kept for a plot, and detached in place of a copy."""

    def change(model):
        place = layers(program, model)[-1]
        exchange(place, OnFixedFeatures(place[2]))
        return model

    broken = with_model(program, change)
    lost = len(trained(program)) - len(trained(broken))
    return broken if lost and trained(broken) else None


def loss_made_to_require_grad(program):
    """backward() failed ("does not require grad"), so somebody helped it."""
    broken = program.but(loss_fn=lambda output, y: program.loss_fn(output.detach(), y).requires_grad_())
    return broken if trains(broken) else None


FAULTS = [before_the_head, loss_made_to_require_grad]
