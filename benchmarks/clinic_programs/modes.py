"""Which programs behave otherwise in train mode than in eval mode."""

from torch import nn

KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.Dropout1d, nn.Dropout2d)


def matters(program):
    modules = program.make_model().train().modules()
    return any(isinstance(m, KINDS) and m.training and getattr(m, "p", 1) > 0 for m in modules)
