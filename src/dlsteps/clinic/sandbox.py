"""Trying things out without leaving a trace: copies of models and optimizers, and the random state put back."""

import contextlib
import copy
import random

import numpy as np
import torch


@contextlib.contextmanager
def untouched(*models):
    """Inside, do what you like; afterwards the random state and gradient mode are as before, and so are the modes,
    gradients, weights and buffers of these models.
    """
    states = [(model, copy.deepcopy(model.state_dict())) for model in models]
    modes = [(module, module.training) for model in models for module in model.modules()]
    gradients = [(p, p.grad, p.requires_grad) for model in models for p in model.parameters()]
    copies = [None if grad is None else grad.clone() for _, grad, _ in gradients]
    numbers, python, torch_state = np.random.get_state(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    grad_mode = torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_grad_enabled(grad_mode)
        for (parameter, grad, trains), saved in zip(gradients, copies, strict=True):
            if grad is not None:
                grad.copy_(saved)
            parameter.grad = grad
            parameter.requires_grad_(trains)
        for model, state in states:
            with torch.no_grad():
                for name, value in model.state_dict().items():
                    value.copy_(state[name])
        for module, training in modes:
            module.training = training
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(python)
        torch.set_rng_state(torch_state)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


def copy_with_optimizer(model, optimizer):
    """A copy of both, in which the copied optimizer moves the copied model."""
    memo = {}
    twin = copy.deepcopy(model, memo)
    return twin, copy.deepcopy(optimizer, memo)
