"""Means over all samples of an epoch, and what to take them of."""

import torch

from dlsteps.training import distributed
from dlsteps.training.batches import batch_size


def accuracy(logits, y):
    """Share of samples whose largest logit is the right one: (B, K, …), (B, …) int64 to a scalar tensor."""
    return (logits.argmax(dim=1) == y).float().mean()


def top_k_accuracy(k):
    """A metric: the share of samples whose right class is among the k largest logits."""

    def metric(logits, y):  # (B, K), (B,)
        return (logits.topk(k, dim=1).indices == y[:, None]).any(dim=1).float().mean()

    return metric


def mean_absolute_error(output, target):
    """Mean distance of numbers: (B, …), (B, …) to a scalar tensor."""
    return (output - target).abs().mean()


class Averages:
    """Running means of the loss and of metrics, each batch counted by its number of samples.

    The sums stay on the device until `compute`: asking for a number at each step would make a GPU wait.
    """

    def __init__(self, name, metrics, device):
        self.name, self.metrics = name, metrics
        self.samples = 0
        self.loss_sum = torch.zeros((), device=device)
        self.sums = {key: torch.zeros((), device=device) for key in metrics}

    def add(self, loss, output, target):
        """Count a batch: loss a scalar tensor, the mean over the batch."""
        samples = batch_size(target)
        self.samples += samples
        self.loss_sum.add_(loss.detach(), alpha=samples)  # a float16 loss is not multiplied in float16
        if self.metrics:
            with torch.no_grad():
                for key, metric in self.metrics.items():
                    self.sums[key] += _checked(key, metric(output, target)) * samples

    def compute(self):
        """{"train_loss": mean, "train_accuracy": …} over the samples of all processes.

        Raises ValueError if there were none.
        """
        sums = torch.stack([value.double().cpu() for value in (self.loss_sum, *self.sums.values())])
        *sums, samples = distributed.sum_over_all([*sums.tolist(), float(self.samples)])
        if samples == 0:
            raise ValueError(f"the {self.name} loader gave no batch: is its dataset smaller than a batch, or used up?")
        return {f"{self.name}_{key}": value / samples for key, value in zip(("loss", *self.sums), sums, strict=True)}


def _checked(name, value):
    """A metric's value: a number, or a scalar tensor."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        return value.reshape(())
    if isinstance(value, int | float):
        return value
    what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
    raise TypeError(f"metric {name!r} gave {what}: one number wanted, the mean over the batch")
