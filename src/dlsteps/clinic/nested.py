"""Nested lists, tuples and mappings of tensors, as batches and outputs come."""

from collections.abc import Mapping

import torch


def tensors(tree):
    """All tensors in it, as a list."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, Mapping):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        return []
    return [tensor for part in tree for tensor in tensors(part)]
