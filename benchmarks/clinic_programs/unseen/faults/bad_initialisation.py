"""Initial weights that let what flows through grow."""

from clinic_programs.unseen.planting import first_loss, layers, varied, with_model, works
from torch import nn


def initialised(program, init):
    """All layers' weights by `init`; None where a normalisation makes up for it."""

    def change(model):
        for module in model.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.RNNBase)):
                for name, parameter in module.named_parameters(recurse=False):
                    if parameter.ndim > 1 and "bias" not in name:
                        init(parameter)
        return model

    broken = with_model(program, change)
    deep = len(layers(program, program.make_model())) > 2
    return (
        broken if deep and works(broken) and varied(broken) and first_loss(broken) > 5 * first_loss(program) else None
    )


def standard_normal(program):
    """torch.randn, without a thought for the number of inputs."""
    return initialised(program, nn.init.normal_)


def between_zero_and_one(program):
    """torch.rand: all weights are positive, and what they give adds up."""
    return initialised(program, nn.init.uniform_)


FAULTS = [standard_normal, between_zero_and_one]
