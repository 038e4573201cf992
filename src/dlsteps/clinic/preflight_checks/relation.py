"""Is there anything to learn? Whether targets can be guessed from inputs better than shuffled targets can.

Kernel ridge regression, each sample guessed from all others (leave one out has a closed form), against the same with
the targets permuted: a permutation test. Several views of the input, since one may hide what another shows.
"""

import torch
import torch.nn.functional as F

from dlsteps.clinic.nested import tensors
from dlsteps.clinic.preflight_checks.case import rows
from dlsteps.clinic.report import Skip

LEAST = 128  # samples; with fewer, also a real relation may not be seen
LEAST_OTHERS = 32  # samples that are not of the commonest class
PERMUTATIONS = 40
MOST_FEATURES = 4096
MOST_OUTPUTS = 64
MOST_TOKENS = 512


def relation(batches, features=None, count=None):
    """(how many standard deviations above chance, samples used): the best of several views of the inputs.

    `features`: a function of a batch, (B, D), for one more view.
    """
    x_views = [torch.cat(parts) for parts in zip(*[views(batch, features) for batch in batches], strict=True)]
    y = torch.cat([target_rows(batch) for batch in batches])[:count]
    if not any(x.std(dim=0).max() > 1e-6 * x.abs().max() for x in x_views):  # less is rounding, in the network
        raise Skip("the inputs of all samples are the same")
    if len(y) < LEAST:
        raise Skip(f"{len(y)} samples are too few to see whether labels belong to inputs")
    y = y[:, y.std(dim=0) > 1e-9]
    if not y.shape[1]:
        raise Skip("all targets are the same")
    others = int((y != y.mode(dim=0).values).any(dim=1).sum())
    if others < LEAST_OTHERS:
        raise Skip(f"{others} samples of other classes are too few to see whether labels belong to inputs")
    y = (y - y.mean(dim=0)) / y.std(dim=0)
    kernels = [kernel for x in x_views for kernel in kernels_of(x[:count])]
    generator = torch.Generator().manual_seed(0)
    shuffled = [torch.randperm(len(y), generator=generator) for _ in range(PERMUTATIONS)]
    return max(score(kernel, y, shuffled) for kernel in kernels), len(y)


def target_rows(batch):
    target = batch.target
    if not isinstance(target, torch.Tensor):
        raise Skip("the target is not one tensor")
    if any(target is tensor for tensor in tensors([batch.inputs, batch.named])):
        raise Skip("the input is its own target")
    target = target.detach().cpu()
    if not target.is_floating_point() and target.ndim == 1:
        return F.one_hot(target.long().clamp(0, MOST_OUTPUTS - 1), MOST_OUTPUTS).double()
    target = target.double().reshape(batch.size, -1)
    if target.shape[1] > MOST_OUTPUTS:  # pictures, say: some mixtures of their values
        mix = torch.randn(target.shape[1], MOST_OUTPUTS, generator=torch.Generator().manual_seed(0)).double()
        return target @ mix / target.shape[1] ** 0.5
    return target


def views(batch, features):
    """The inputs as they are; for sequences and pictures also what does not depend on where things are."""
    x = [tensor for tensor in tensors([batch.inputs, batch.named]) if tensor.ndim and tensor.shape[0] == batch.size]
    tokens = [t for t in x if t.dtype == torch.int64 and t.ndim == 2]
    numbers = [t.detach().cpu().double() for t in x if not (t.dtype == torch.int64 and t.ndim == 2)]
    found = [rows([smaller(t) for t in numbers], batch.size)] if numbers else []
    for t in numbers:
        if t.ndim == 3:  # (B, T, F): how much of each frequency, and where it ended
            found += [torch.fft.rfft(t, dim=1).abs().flatten(1), torch.fft.rfft(t, dim=2).abs().flatten(1), t[:, -1]]
        if t.ndim == 4:  # (B, C, H, W): how bright, and how rough
            found.append(torch.cat([t.mean(dim=(2, 3)), t.std(dim=(2, 3)), *edges(t)], dim=1))
    for t in tokens:
        t = t.cpu().clamp(0, MOST_TOKENS - 1)
        found.append(F.one_hot(t, MOST_TOKENS).sum(dim=1).double())
        found.append(F.one_hot(t, MOST_TOKENS).double().flatten(1) if t.shape[1] <= 16 else ends(t))
    if features is not None:
        found.append(features(batch).cpu())
    return found


def smaller(t):
    """Pictures of at most 32 x 32."""
    return F.adaptive_avg_pool2d(t, 32) if t.ndim == 4 and min(t.shape[2:]) > 32 else t


def edges(t):
    return [t.diff(dim=dim).abs().mean(dim=(2, 3)) for dim in (2, 3)]


def ends(tokens):
    both = torch.cat([tokens[:, :2], tokens[:, -2:]], dim=1)
    return F.one_hot(both, MOST_TOKENS).double().flatten(1)


def kernels_of(x):
    """Similarities of all samples: linear, and near or far at two scales."""
    x = (x - x.mean(dim=0)) / x.std(dim=0).clamp(min=1e-3 * float(x.std()) + 1e-12)
    linear = x @ x.T / x.shape[1]
    squares = linear.diagonal()
    distance = (squares[:, None] + squares[None] - 2 * linear).clamp(min=0)
    typical = distance.median().clamp(min=1e-9)
    return [linear, torch.exp(-distance / typical), torch.exp(-8 * distance / typical)]


def score(kernel, y, shuffled):
    """Standard deviations by which targets are better guessed from the other samples than permuted ones are."""
    count = len(kernel)
    ridge = 0.1 * kernel.diagonal().mean() + 1e-9
    hat = torch.linalg.solve(kernel + ridge * torch.eye(count, dtype=kernel.dtype), kernel)
    guess = hat / (1 - hat.diagonal()).clamp(min=1e-6)[:, None]
    guess.fill_diagonal_(0)  # a sample says nothing about itself
    guess = guess - guess.mean(dim=1, keepdim=True)
    true = ((guess @ y) * y).sum()
    others = torch.cat([y[p] for p in shuffled], dim=1)  # (B, permutations * K)
    null = ((guess @ others) * others).sum(dim=0).reshape(len(shuffled), -1).sum(dim=1)
    return float((true - null.mean()) / null.std().clamp(min=1e-12))
