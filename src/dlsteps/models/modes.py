"""Train mode and eval mode of a network's parts."""

import contextlib


@contextlib.contextmanager
def eval_mode(model):
    """Inside, all of `model` is in eval mode; afterwards each of its parts is in the mode it was, also on an error.

    `model.train()` would not do to go back: parts may have been in different modes.
    """
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode
