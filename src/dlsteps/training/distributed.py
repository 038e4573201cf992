"""The few lines that let the same program run alone or as one of several processes under `torchrun`."""

import os

import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Subset


def setup():
    """Join the processes that `torchrun` started, if it did; returns this one's `torch.device`, or None if alone."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return None
    gpus = torch.cuda.device_count()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local_rank) if local_rank < gpus else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return device


def rank():
    """The number of this process; alone, 0."""
    return torch.distributed.get_rank() if _together() else 0


def world_size():
    """How many processes train together; alone, 1."""
    return torch.distributed.get_world_size() if _together() else 1


def is_main():
    """Whether this is the process that writes files and prints."""
    return rank() == 0


def barrier():
    """Wait until all processes have come here."""
    if world_size() > 1:
        torch.distributed.barrier()


def wrap(model):
    """The model as it is to be called in training: in several processes its gradients are averaged over them."""
    return DistributedDataParallel(model) if world_size() > 1 else model


def sum_over_all(numbers):
    """The sum of each number over all processes: list of floats to list of floats."""
    if world_size() == 1:
        return numbers
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    values = torch.tensor(numbers, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(values)
    return values.tolist()


def share_buffers(model):
    """Give all processes the first one's buffers: each has averaged the statistics of its own batches."""
    if world_size() > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, 0)


def shard(dataset):
    """This process's part of a dataset for evaluation: every sample in just one process, none of them twice.

    (`DistributedSampler` repeats some, so that all processes have as many: right for training, wrong for counting.)
    """
    return Subset(dataset, range(rank(), len(dataset), world_size()))


def _together():
    return torch.distributed.is_available() and torch.distributed.is_initialized()
