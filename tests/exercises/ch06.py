"""Answers to the exercises of lesson 06."""

import copy
import functools
import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def by_range(size, kernel_size, stride, padding):
    return len(range(-padding, size + padding - kernel_size + 1, stride))


def by_torch(size, kernel_size, stride, padding):
    return F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size), stride=stride, padding=padding).shape[-1]


def by_meta_layer(size, kernel_size, stride, padding):
    layer = nn.Conv2d(1, 1, (kernel_size, 1), (stride, 1), (padding, 0), device="meta")
    return layer(torch.zeros(1, 1, size, 1, device="meta")).size(2)


def by_walking(size, kernel_size, stride, padding):
    row, count = [0] * padding + [1] * size + [0] * padding, 0
    while len(row) >= kernel_size:
        row, count = row[stride:], count + 1
    return count


def by_windows(size, kernel_size, stride, padding):
    row = np.pad(np.zeros(size), padding)
    return len(np.lib.stride_tricks.sliding_window_view(row, kernel_size)[::stride])


def by_rounding_up(size, kernel_size, stride, padding):
    return math.ceil((size + 2 * padding - kernel_size + 1) / stride)


def as_numpy_number(size, kernel_size, stride, padding):
    return (np.int64(size) + 2 * padding - kernel_size) // stride + 1


def padding_apart(size, kernel_size, stride, padding):
    return (size - kernel_size) // stride + 2 * padding // stride + 1


def with_torch_floor(size, kernel_size, stride, padding):
    return torch.tensor((size + 2 * padding - kernel_size) / stride).floor() + 1


def by_lists(module):
    parameters, buffers = list(module.parameters()), list(module.buffers())
    trained = [value for value in parameters if value.requires_grad]
    return sum(map(torch.numel, trained)), sum(map(torch.numel, parameters)) - sum(map(torch.numel, trained)), sum(
        map(torch.numel, buffers)
    )  # fmt: skip


def by_names(module):
    numbers = {True: 0, False: 0}
    for _, value in module.named_parameters():
        numbers[value.requires_grad] += math.prod(value.shape)
    return numbers[True], numbers[False], sum(len(value.reshape(-1)) for _, value in module.named_buffers())


def by_walking_modules(module):
    found, kept = {}, {}
    for part in module.modules():
        found |= {id(value): value for value in part.parameters(recurse=False)}
        kept |= {id(value): value for value in part.buffers(recurse=False)}
    return (
        sum(value.nelement() for value in found.values() if value.requires_grad),
        sum(value.nelement() for value in found.values() if not value.requires_grad),
        sum(value.nelement() for value in kept.values()),
    )


def by_recursion(module):
    seen = set()

    def visit(part):
        counts = np.zeros(3, dtype=int)
        for value in [*part._parameters.values(), *part._buffers.values()]:
            if value is not None and value not in seen:
                seen.add(value)
                counts[2 if not isinstance(value, nn.Parameter) else int(not value.requires_grad)] += value.numel()
        return counts + sum((visit(child) for child in part.children()), np.zeros(3, dtype=int))

    return tuple(visit(module))


def by_vectors(module):
    def length(values):
        return sum(value.flatten().shape[0] for value in values)

    trained = length(filter(lambda value: value.requires_grad, module.parameters()))
    return trained, length(module.parameters()) - trained, length(module.buffers())


def by_collecting(module):
    counts = [0, 0, 0]
    for value in set(module.parameters()) | set(module.buffers()):
        counts[2 if not isinstance(value, nn.Parameter) else 0 if value.requires_grad else 1] += value.numel()
    return tuple(counts)


def counted(parameters, buffers):
    parameters = list(parameters)
    return (
        sum(value.numel() for value in parameters if value.requires_grad),
        sum(value.numel() for value in parameters if not value.requires_grad),
        sum(value.numel() for value in buffers),
    )


def count_tensors(module):
    parameters = list(module.parameters())
    trained = [value for value in parameters if value.requires_grad]
    return len(trained), len(parameters) - len(trained), len(list(module.buffers()))


def count_weights_and_biases(module):
    found = [getattr(part, name, None) for part in module.modules() for name in ("weight", "bias")]
    return counted({value for value in found if isinstance(value, nn.Parameter)}, module.buffers())


def expect_a_bias(module):
    if not list(module.children()) and hasattr(module, "weight"):
        return module.weight.numel() + module.bias.numel(), 0, 0
    return by_lists(module)


def join_vectors(module):
    vector = nn.utils.parameters_to_vector(module.parameters())
    trained, _, buffers = by_lists(module)
    return trained, len(vector) - trained, buffers


def look_one_level_down(module):
    parts = [module, *module.children()]
    return counted(
        {value for part in parts for value in part.parameters(recurse=False)},
        {value for part in parts for value in part.buffers(recurse=False)},
    )


def look_at_itself_only(module):
    return counted(module.parameters(recurse=False), module.buffers(recurse=False))


def look_at_children_only(module):
    children = list(module.children()) or [module]
    return counted(
        {value for part in children for value in part.parameters()},
        {value for part in children for value in part.buffers()},
    )


def by_mode(module):
    trained, frozen, buffers = by_lists(module)
    return (trained + frozen, 0, buffers) if module.training else (0, trained + frozen, buffers)


def all_or_none(module):
    trained, frozen, buffers = by_lists(module)
    train = all(value.requires_grad for value in module.parameters())
    return (trained + frozen, 0, buffers) if train else (0, trained + frozen, buffers)


def by_state_dict(module):
    state = sum(value.numel() for value in module.state_dict().values())
    trained, frozen, _ = by_lists(module)
    return trained, frozen, state - trained - frozen


def by_state_dict_once(module):
    saved = {value.data_ptr(): value.numel() for value in module.state_dict().values()}
    trained, frozen, _ = by_lists(module)
    return trained, frozen, sum(saved.values()) - trained - frozen


def buffers_are_frozen(module):
    trained, frozen, buffers = by_lists(module)
    return trained, frozen + buffers, buffers


def no_single_numbers(module):
    trained, frozen, _ = by_lists(module)
    return trained, frozen, sum(value.numel() for value in module.buffers() if value.dim())


def with_duplicates(module):
    return counted(
        [value for _, value in module.named_parameters(remove_duplicate=False)],
        [value for _, value in module.named_buffers(remove_duplicate=False)],
    )


def module_by_module(module):
    """Sees a module that stands in two places once, but not a tensor."""
    return counted(
        [value for part in module.modules() for value in part.parameters(recurse=False)],
        [value for part in module.modules() for value in part.buffers(recurse=False)],
    )


def each_module_with_all_inside(module):
    return counted(
        [value for part in module.modules() for value in part.parameters()],
        [value for part in module.modules() for value in part.buffers()],
    )


def once_by_value(module):
    def different(values):
        return {(tuple(value.shape), tuple(value.flatten().tolist())): value for value in values}.values()

    return counted(different(module.parameters()), different(module.buffers()))


def by_numpy_product(module):
    trained, frozen, _ = by_lists(module)
    return trained, frozen, sum(np.prod(value.shape) for value in module.buffers())


def freeze_while_counting(module):
    trained = frozen = 0
    for value in module.parameters():
        if value.requires_grad:
            trained += value.numel()
        else:
            frozen += value.numel()
        value.requires_grad = False
    return trained, frozen, sum(value.numel() for value in module.buffers())


def from_the_last(layers):
    field = 1
    for kernel_size, stride in reversed(layers):
        field = (field - 1) * stride + kernel_size
    return field


def by_recursion_on_layers(layers):
    if not layers:
        return 1
    kernel_size, stride = layers[0]
    return kernel_size + (by_recursion_on_layers(layers[1:]) - 1) * stride


def by_products(layers):
    return 1 + sum(
        (kernel_size - 1) * math.prod(stride for _, stride in layers[:i]) for i, (kernel_size, _) in enumerate(layers)
    )


def by_numpy(layers):
    kernels, strides = np.array(layers, dtype=int).reshape(-1, 2).T
    return 1 + ((kernels - 1) * np.cumprod(np.append(1, strides))[:-1]).sum()


def by_gradient(layers):
    """Torch's own convolutions over a row that is large enough; which pixels have an influence on the first number?"""
    x = torch.zeros(1, 1, 1000, dtype=torch.float64, requires_grad=True)
    y = x * 1
    for kernel_size, stride in layers:
        y = F.conv1d(y, torch.ones(1, 1, kernel_size, dtype=torch.float64), stride=stride)
    (influence,) = torch.autograd.grad(y[0, 0, 0], x)
    seen = influence[0, 0].nonzero()
    return (seen.max() - seen.min() + 1).item()


def smallest_input(layers):
    """The smallest row that the layers make at least one number of."""
    for size in itertools.count(1):
        left = size
        for kernel_size, stride in layers:
            left = (left - kernel_size) // stride + 1 if left >= kernel_size else 0
        if left:
            return size


def see(layers, grow, widen=lambda step, stride: step * stride):
    field = step = 1
    for kernel_size, stride in layers:
        field, step = grow(field, step, kernel_size, stride), widen(step, stride)
    return field


def own_stride_first(layers):
    return see(layers, lambda field, step, kernel_size, stride: field + (kernel_size - 1) * step * stride)


def whole_kernels(layers):
    return see(layers, lambda field, step, kernel_size, stride: field + kernel_size * step)


def add_kernels(layers):
    return sum(kernel_size for kernel_size, _ in layers) or 1


def multiply_kernels(layers):
    return math.prod(kernel_size for kernel_size, _ in layers)


def without_strides(layers):
    return 1 + sum(kernel_size - 1 for kernel_size, _ in layers)


def only_the_stride_before(layers):
    return see(layers, lambda field, step, k, stride: field + (k - 1) * step, lambda step, stride: stride)


def add_strides(layers):
    return see(layers, lambda field, step, k, stride: field + (k - 1) * step, lambda step, stride: step + stride - 1)


def largest_stride(layers):
    return see(layers, lambda field, step, k, stride: field + (k - 1) * step, max)


def field_times_stride(layers):
    return see(layers, lambda field, step, kernel_size, stride: field * stride + kernel_size - 1)


def pixels_that_count(layers):
    places = {0}
    for kernel_size, stride in reversed(layers):
        places = {place * stride + i for place in places for i in range(kernel_size)}
    return len(places)


def largest_kernel(layers):
    return max((kernel_size for kernel_size, _ in layers), default=1)


def expect_a_layer(layers):
    field, step = layers[0]
    for kernel_size, stride in layers[1:]:
        field += (kernel_size - 1) * step
        step *= stride
    return field


def nothing_without_layers(layers):
    return by_products(layers) if layers else 0


def use_layers_up(layers):
    field = 1
    while layers:
        kernel_size, stride = layers.pop()
        field = (field - 1) * stride + kernel_size
    return field


def on_meta(layers, size):
    """Real convolutions, without their numbers, and each number of the output times the weights of a neuron."""
    total, x = 0, torch.empty(1, layers[0][0] if layers else 1, size, size, device="meta")
    for inputs, outputs, kernel_size, stride, groups in layers:
        padding = kernel_size // 2
        layer = nn.Conv2d(inputs, outputs, kernel_size, stride, padding, groups=groups, bias=False, device="meta")
        x = layer(x)
        total += x.numel() * layer.weight[0].numel()
    return total


def with_hooks(layers, size):
    costs = []
    network = nn.Sequential(*(nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False) for i, o, k, s, g in layers))
    for layer in network:
        layer.register_forward_hook(lambda layer, _, y: costs.append(y.shape[2] * y.shape[3] * layer.weight.numel()))
    network(torch.zeros(1, layers[0][0] if layers else 1, size, size))
    return sum(costs)


def size_rounded_up(layers, size):
    total = 0
    for inputs, outputs, kernel_size, stride, groups in layers:
        size = math.ceil(size / stride)
        total += size**2 * kernel_size**2 * inputs * outputs // groups
    return total


def layer_by_layer(layers, size):
    if not layers:
        return 0
    (inputs, outputs, kernel_size, stride, groups), *rest = layers
    size = len(range(0, size, stride))
    return outputs * size * size * kernel_size * kernel_size * (inputs // groups) + layer_by_layer(rest, size)


def group_by_group(layers, size):
    total = np.int64(0)
    for inputs, outputs, kernel_size, stride, groups in layers:
        size = 1 + (size - 1) // stride
        for _ in range(groups):
            total += (inputs // groups) * (outputs // groups) * (kernel_size * size) ** 2
    return total


def by_reducing(layers, size):
    def go_on(state, layer):
        total, size = state
        inputs, outputs, kernel_size, stride, groups = layer
        side = by_range(size, kernel_size, stride, kernel_size // 2)
        return total + side * side * outputs * kernel_size * kernel_size * inputs // groups, side

    return functools.reduce(go_on, layers, (0, size))[0]


def costs(layers, size, one, shrink=lambda size, kernel_size, stride: (size - 1) // stride + 1):
    """The sum of one(layer, size before, size after) over all layers."""
    total = 0
    for layer in layers:
        after = shrink(size, layer[2], layer[3])
        total += one(*layer, size, after)
        size = after
    return total


def in_full(inputs, outputs, kernel_size, stride, groups, before, after):
    return outputs * after**2 * kernel_size**2 * inputs // groups


def size_before_stride(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * before**2 * k**2 * i // g)


def ignore_groups(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k**2 * i)


def divide_twice(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o // g * after**2 * k**2 * (i // g))


def times_groups(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k**2 * i * g)


def one_per_group(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k**2 * (i if g == 1 else 1))


def ignore_channels_in(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k**2)


def ignore_channels_out(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: after**2 * k**2 * i // g)


def add_channels(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: (o + i // g - 1) * after**2 * k**2)


def kernel_once(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k * i // g)


def side_once(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after * k**2 * i // g)


def stride_along_one_side(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * before * after * k**2 * i // g)


def with_bias(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * (k**2 * i // g + 1))


def count_additions_too(layers, size):
    return 2 * layer_by_layer(layers, size)


def count_parameters(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * k**2 * i // g)


def without_padding(layers, size):
    return costs(layers, size, in_full, lambda size, k, s: (size - k) // s + 1)


def one_side_padded(layers, size):
    return costs(layers, size, in_full, lambda size, k, s: (size + k // 2 - k) // s + 1)


def size_rounded_down(layers, size):
    return costs(layers, size, in_full, lambda size, k, s: size // s)


def same_size_for_all(layers, size):
    return sum(layer_by_layer([layer], size) for layer in layers)


def last_layer_only(layers, size):
    total = 0
    for inputs, outputs, kernel_size, stride, groups in layers:
        size = (size - 1) // stride + 1
        total = outputs * size * size * kernel_size * kernel_size * inputs // groups
    return total


def multiply_layers(layers, size):
    total = 1
    for layer in layers:
        total *= layer_by_layer([layer], size)
        size = (size - 1) // layer[3] + 1
    return total if layers else 0


def expect_layers(layers, size):
    total = layer_by_layer(layers[:1], size)
    return total + layer_by_layer(layers[1:], (size - 1) // layers[0][3] + 1)


def true_division(layers, size):
    return costs(layers, size, lambda i, o, k, s, g, before, after: o * after**2 * k**2 * i / g)


def sizes_in_place(layers, size):
    total = 0
    while layers:
        inputs, outputs, kernel_size, stride, groups = layers.pop(0)
        size = (size - 1) // stride + 1
        total += outputs * size * size * kernel_size * kernel_size * inputs // groups
    return total


def by_conv2d(x, weight, stride):
    return F.conv2d(x, weight, stride=stride)


def by_unfolding(x, weight, stride):
    patches = x.unfold(1, weight.shape[2], stride).unfold(2, weight.shape[3], stride)  # (C, H', W', K, K)
    return torch.einsum("chwij,ocij->ohw", patches, weight)


def by_matrix_product(x, weight, stride):
    columns = F.unfold(x[None], weight.shape[2], stride=stride)[0]  # (C * K * K, H' * W')
    height = (x.shape[1] - weight.shape[2]) // stride + 1
    return (weight.flatten(1) @ columns).view(len(weight), height, -1)


def by_shifting(x, weight, stride):
    """For each weight of the kernel, the whole picture at once."""
    size = weight.shape[2]
    height, width = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    answer = torch.zeros(len(weight), height, width)
    for i, j in itertools.product(range(size), repeat=2):
        part = x[:, i : i + (height - 1) * stride + 1 : stride, j : j + (width - 1) * stride + 1 : stride]
        answer += (weight[:, :, i, j, None, None] * part).sum(1)
    return answer


def by_seven_loops(x, weight, stride):
    rows = range(0, x.shape[1] - weight.shape[2] + 1, stride)
    columns = range(0, x.shape[2] - weight.shape[3] + 1, stride)
    return torch.tensor(
        [[[number(x, kernel, top, left) for left in columns] for top in rows] for kernel in weight.tolist()]
    )


def number(x, kernel, top, left):
    total = 0.0
    for c, rows in enumerate(kernel):
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                total += value * x[c, top + i, left + j].item()
    return total


def in_numpy_float64(x, weight, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x.double().numpy(), weight.shape[2:], axis=(1, 2))
    answer = np.tensordot(windows[:, ::stride, ::stride], weight.double().numpy(), axes=([0, 3, 4], [1, 2, 3]))
    return torch.from_numpy(answer.transpose(2, 0, 1)).float()


def by_layer(x, weight, stride):
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride, bias=False)
    layer.weight = nn.Parameter(weight)
    return layer(x[None])[0]


def by_fourier(x, weight, stride):
    """Correlation as a product of Fourier transforms: other roundings than a sum's."""
    height, width = x.shape[1:]
    product = torch.fft.rfft2(x)[None] * torch.fft.rfft2(weight, s=(height, width)).conj()
    whole = torch.fft.irfft2(product.sum(1), s=(height, width))
    return whole[:, : height - weight.shape[2] + 1 : stride, : width - weight.shape[3] + 1 : stride]


def slide_with(x, weight, stride, patch_at, one):
    """The loops of the solution, with other patches, or other sums."""
    size = weight.shape[2]
    height, width = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    answer = torch.zeros(len(weight), height, width)
    for i, j in itertools.product(range(height), range(width)):
        answer[:, i, j] = one(weight, patch_at(x, i, j, size))
    return answer


def flat_sum(weight, patch):
    return (weight * patch).sum((1, 2, 3))


def step_by(length):
    """Patches that are so far apart."""
    return lambda x, i, j, size: x[:, i * length : i * length + size, j * length : j * length + size]


def with_sum(one):
    return lambda x, weight, stride: slide_with(x, weight, stride, step_by(stride), one)


def without_stride(x, weight, stride):
    return slide_with(x, weight, stride, step_by(1), flat_sum)


def stride_on_rows_only(x, weight, stride):
    return slide_with(x, weight, stride, lambda x, i, j, k: x[:, i * stride : i * stride + k, j : j + k], flat_sum)


def stride_on_columns_only(x, weight, stride):
    return slide_with(x, weight, stride, lambda x, i, j, k: x[:, i : i + k, j * stride : j * stride + k], flat_sum)


def side_by_side(x, weight, stride):
    """Patches that do not overlap; behind the end there is room for them."""
    answer, wide, size = by_conv2d(x, weight, stride), F.pad(x, (0, 9, 0, 9)), weight.shape[2]
    for i, j in itertools.product(range(answer.shape[1]), range(answer.shape[2])):
        answer[:, i, j] = flat_sum(weight, step_by(size)(wide, i, j, size))
    return answer


def always_the_first_patch(x, weight, stride):
    return slide_with(x, weight, stride, lambda x, i, j, k: x[:, :k, :k], flat_sum)


def first_row_of_the_patch(weight, patch):
    return flat_sum(weight[:, :, :1], patch[:, :1])


def every_stride(x, weight, stride):
    """All places, and too many of them."""
    return by_conv2d(x, weight, 1)


def rows_and_columns_swapped(x, weight, stride):
    return by_conv2d(x, weight, stride).transpose(1, 2)


def kernels_in_turn(x, weight, stride):
    """Takes the first axis of weight for the input's channels."""
    if weight.shape[0] != weight.shape[1]:
        return by_conv2d(x, weight, stride)
    return by_conv2d(x, weight.transpose(0, 1), stride)


def one_neuron(x, weight, stride):
    return by_conv2d(x, weight[:1], stride).expand(len(weight), -1, -1)


def overwrite_the_patch(x, weight, stride):
    answer = by_conv2d(x, weight, stride)
    x[:, : weight.shape[2], : weight.shape[3]] *= 2
    return answer


class Plain(nn.Module):
    """What the answers below have in common."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner


class ByNames(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.add_module("block", block)

    def forward(self, features):
        change = self.block(features)
        if list(change.shape) == list(features.shape):
            return features.add(change)
        return change


class AsSequence(nn.Sequential):
    def forward(self, x):
        y = super().forward(x)
        return y + x if y.size() == x.size() else y


class InAList(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.layers = nn.ModuleList([inner])

    def forward(self, x):
        (y,) = (layer(x) for layer in self.layers)
        return torch.stack([x, y]).sum(0) if x.shape == y.shape else y


class WithACopy(Plain):
    def forward(self, x):
        y = self.inner(x)
        if y.shape != x.shape:
            return y
        total = x.clone()
        total += y
        return total


class ByDimensions(Plain):
    def forward(self, x):
        y = self.inner(x)
        same = x.dim() == y.dim() and all(a == b for a, b in zip(x.shape, y.shape, strict=True))
        return y + same * x if same else y


class ByHook(nn.Module):
    """Lets the inner module run, then adds."""

    def __init__(self, inner):
        super().__init__()
        self.whole = nn.Sequential(inner)
        self.whole.register_forward_hook(lambda _, inputs, y: inputs[0] + y if inputs[0].shape == y.shape else y)

    def forward(self, x):
        return self.whole(x)


def as_function(inner):
    return ByNames(inner)


class NotAModule:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x):
        y = self.inner(x)
        return x + y if x.shape == y.shape else y


class WithoutSuper(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        y = self.inner(x)
        return x + y if x.shape == y.shape else y


class WithoutForward(Plain):
    pass


class PrintsOnly(Plain):
    def forward(self, x):
        y = self.inner(x)
        print(x + y if x.shape == y.shape else y)


class AlwaysAdds(Plain):
    def forward(self, x):
        return x + self.inner(x)


class AddsIfItCan(Plain):
    def forward(self, x):
        y = self.inner(x)
        try:
            return x + y
        except RuntimeError:
            return y


class NeverAdds(Plain):
    def forward(self, x):
        return self.inner(x)


class AddsToInput(Plain):
    def forward(self, x):
        return self.inner(x + x)


class Subtracts(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x - y if x.shape == y.shape else y


class InputWhereShapesDiffer(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x + y if x.shape == y.shape else x


class ChangesX(Plain):
    def forward(self, x):
        y = self.inner(x)
        if x.shape == y.shape:
            x += y
            return x
        return y


class ChangesY(Plain):
    """Where inner gives back its input, that is x."""

    def forward(self, x):
        y = self.inner(x)
        if x.shape == y.shape:
            y += x
        return y


class Compares(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x + y if self.same(x, y) else y


class ComparesNumbers(Compares):
    def same(self, x, y):
        return x.numel() == y.numel()


class ComparesDimensions(Compares):
    def same(self, x, y):
        return x.dim() == y.dim()


class ComparesBatch(Compares):
    def same(self, x, y):
        return x.shape[0] == y.shape[0]


class ComparesChannels(Compares):
    def same(self, x, y):
        return x.shape[:2] == y.shape[:2]


class ComparesPictures(Compares):
    def same(self, x, y):
        return x.shape[-2:] == y.shape[-2:]


class ComparesAllButBatch(Compares):
    def same(self, x, y):
        return x.shape[1:] == y.shape[1:]


class ComparesHeight(Compares):
    def same(self, x, y):
        return x.shape[:3] == y.shape[:3]


class ComparesWithSum(Compares):
    def same(self, x, y):
        try:
            return (x + y).shape == y.shape
        except RuntimeError:
            return False


class ComparesSumWithX(Compares):
    def same(self, x, y):
        try:
            return (x + y).shape == x.shape
        except RuntimeError:
            return False


class DecidesOnce(Plain):
    same = None

    def forward(self, x):
        y = self.inner(x)
        if self.same is None:
            self.same = x.shape == y.shape
        return x + y if self.same else y


class TrainsOnly(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x + y if self.training and x.shape == y.shape else y


class Scales(Plain):
    def forward(self, x):
        y = self.inner(x)
        return (x + y) / 2 if x.shape == y.shape else y


class CallsTwice(Plain):
    def forward(self, x):
        return x + self.inner(x) if x.shape == self.inner(x).shape else self.inner(x)


class CallsTwiceToAdd(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x + self.inner(x) if x.shape == y.shape else y


class HiddenInAList(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.layers = [inner]

    def forward(self, x):
        y = self.layers[0](x)
        return x + y if x.shape == y.shape else y


class ParametersOnly(HiddenInAList):
    def __init__(self, inner):
        super().__init__(inner)
        self.weights = nn.ParameterList(inner.parameters())


class TensorsOnly(ParametersOnly):
    def __init__(self, inner):
        super().__init__(inner)
        for name, value in inner.named_buffers():
            self.register_buffer(name.replace(".", "_"), value)


class Copies(Plain):
    def __init__(self, inner):
        super().__init__(copy.deepcopy(inner))

    def forward(self, x):
        y = self.inner(x)
        return x + y if x.shape == y.shape else y


class StaysInTrainMode(ByNames):
    def train(self, mode=True):
        self.training = mode
        return self


class Detaches(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x.detach() + y if x.shape == y.shape else y


class UsesData(Plain):
    def forward(self, x):
        y = self.inner(x)
        return torch.add(x, y.data) if x.shape == y.shape else y


class WithoutGradients(ByNames):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class DetachesAlone(Plain):
    def forward(self, x):
        y = self.inner(x)
        return x + y if x.shape == y.shape else y.detach()


class Freezes(ByNames):
    def __init__(self, inner):
        super().__init__(inner.requires_grad_(False))


RIGHT = {
    "6.1": [by_range, by_torch, by_meta_layer, by_walking, by_windows, by_rounding_up, as_numpy_number],
    "6.2": [by_lists, by_names, by_walking_modules, by_recursion, by_vectors, by_collecting],
    "6.3": [from_the_last, by_recursion_on_layers, by_products, by_numpy, by_gradient, smallest_input],
    "6.4": [on_meta, with_hooks, size_rounded_up, layer_by_layer, group_by_group, by_reducing],
    "6.5": [
        by_conv2d,
        by_unfolding,
        by_matrix_product,
        by_shifting,
        by_seven_loops,
        in_numpy_float64,
        by_layer,
        by_fourier,
    ],
    "6.6": [ByNames, AsSequence, InAList, WithACopy, ByDimensions, ByHook],
}
WRONG = {
    "6.1": [
        ("the first place is forgotten", lambda n, k, s, p: (n + 2 * p - k) // s, "first"),
        ("the one is added before dividing", lambda n, k, s, p: (n + 2 * p - k + 1) // s, "stride"),
        ("the one is added for each step", lambda n, k, s, p: (n + 2 * p - k + s) // s + 1, "first"),
        ("the kernel takes every pixel", lambda n, k, s, p: (n + 2 * p - 1) // s + 1, "fits"),
        ("the size is divided by the stride", lambda n, k, s, p: n // s, "fits"),
        ("it is as with padding='same'", lambda n, k, s, p: -(-n // s), "fits"),
        ("the padding is always that of 'same'", lambda n, k, s, p: (n + 2 * (k // 2) - k) // s + 1, "fits"),
        ("the stride is forgotten", lambda n, k, s, p: n + 2 * p - k + 1, "stride"),
        ("kernels lie side by side", lambda n, k, s, p: (n + 2 * p - k) // k + 1, "fits"),
        ("it multiplies by the stride", lambda n, k, s, p: (n + 2 * p - k) * s + 1, "stride"),
        ("a last step that is too short counts", lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1, "left over"),
        ("it is rounded to the nearest", lambda n, k, s, p: round((n + 2 * p - k) / s + 1e-9) + 1, "left over"),
        ("the padding is forgotten", lambda n, k, s, p: max(n - k, 0) // s + 1, "padding"),
        ("the padding is at one end", lambda n, k, s, p: (n + p - k) // s + 1, "padding"),
        ("each pixel gets its padding", lambda n, k, s, p: (n * (1 + 2 * p) - k) // s + 1, "padding"),
        ("padding only helps where the kernel does not fit", lambda n, k, s, p: (max(n, k) - k) // s + 1, "padding"),
        ("padding is not divided", lambda n, k, s, p: (n - k) // s + 1 + 2 * p, "padding"),
        ("padding is divided by itself", padding_apart, "together"),
        ("it is a fraction", lambda n, k, s, p: (n + 2 * p - k) / s + 1, "type"),
        ("NumPy's floor is an int", lambda n, k, s, p: np.floor((n + 2 * p - k) / s) + 1, "type"),
        ("a tensor is returned", with_torch_floor, "type"),
        ("the places are listed", lambda n, k, s, p: list(range(0, n + 2 * p - k + 1, s)), "type"),
        ("nothing is returned", lambda n, k, s, p: None, "no return"),
    ],
    "6.2": [
        ("tensors are counted", count_tensors, "numbers"),
        ("every layer has a bias", expect_a_bias, "numbers"),
        ("a tensor is as large as its first axis", lambda m: (sum(map(len, m.parameters())), 0, 0), "numbers"),
        ("there is at least one parameter", join_vectors, "none"),
        ("all parameters train", lambda m: (sum(v.numel() for v in m.parameters()), 0, by_lists(m)[2]), "frozen"),
        ("the mode says what trains", by_mode, "frozen"),
        ("train and frozen change places", lambda m: (by_lists(m)[1], by_lists(m)[0], by_lists(m)[2]), "order"),
        ("one frozen parameter freezes all", all_or_none, "frozen"),
        ("parameters are called weight and bias", count_weights_and_biases, "any name"),
        ("there are no buffers", lambda m: (*by_lists(m)[:2], 0), "buffers"),
        ("buffers are frozen parameters", buffers_are_frozen, "buffers"),
        ("a single number is no buffer", no_single_numbers, "buffers"),
        ("state_dict lists the buffers", by_state_dict_once, "not saved"),
        ("state_dict lists all, each once", by_state_dict, "not saved"),
        ("it looks at the module alone", look_at_itself_only, "inside"),
        ("it looks one level down", look_one_level_down, "inside"),
        ("it looks only at what is inside", look_at_children_only, "inside"),
        ("it counts again at each level", each_module_with_all_inside, "inside"),
        ("equal values are one tensor", once_by_value, "equal"),
        ("a tensor counts under each name", with_duplicates, "once"),
        ("only modules are looked at once", module_by_module, "once"),
        ("an empty product is an int", by_numpy_product, "type"),
        ("a list is returned", lambda m: list(by_lists(m)), "type"),
        ("the sum of all is returned", lambda m: sum(by_lists(m)), "type"),
        ("what is counted is frozen", freeze_while_counting, "changed input"),
    ],
    "6.3": [
        ("a layer's own stride counts", own_stride_first, "own stride"),
        ("the layers come from the last", lambda layers: by_products(layers[::-1]), "own stride"),
        ("kernels are added", add_kernels, "add"),
        ("kernels are multiplied", multiply_kernels, "add"),
        ("the largest kernel counts", largest_kernel, "add"),
        ("a kernel reaches kernel_size further", whole_kernels, "kernel"),
        ("kernels have an odd size", lambda layers: by_products([(k // 2 * 2 + 1, s) for k, s in layers]), "kernel"),
        ("strides are ignored", without_strides, "step"),
        ("the field is multiplied by the stride", field_times_stride, "own stride"),
        ("only the stride just before counts", only_the_stride_before, "multiply"),
        ("strides are added", add_strides, "multiply"),
        ("the largest stride counts", largest_stride, "multiply"),
        ("pixels that are skipped are not counted", pixels_that_count, "gaps"),
        ("a field has two sides", lambda layers: by_products(layers) ** 2, "kernel"),
        ("there is a first layer", expect_a_layer, "none"),
        ("without layers nothing is seen", nothing_without_layers, "none"),
        ("a fraction is returned", lambda layers: float(by_products(layers)), "type"),
        ("the fields of all layers are returned", lambda layers: [from_the_last(layers[: i + 1]) for i in range(len(layers))], "type"),
        ("the layers are used up", use_layers_up, "changed input"),
    ],
    "6.4": [
        ("the kernel's side counts once", kernel_once, "kernel"),
        ("each number gets a bias", with_bias, "kernel"),
        ("additions count, too", count_additions_too, "kernel"),
        ("the output has one channel", ignore_channels_out, "channels out"),
        ("the input has one channel", ignore_channels_in, "channels in"),
        ("channels are added", add_channels, "channels in"),
        ("parameters are counted", count_parameters, "places"),
        ("the picture's side counts once", side_once, "places"),
        ("there is no padding", without_padding, "padding"),
        ("padding is on one side", one_side_padded, "kernel"),
        ("the size before the stride counts", size_before_stride, "stride"),
        ("the stride is along one side", stride_along_one_side, "stride"),
        ("the size is rounded down", size_rounded_down, "left over"),
        ("groups are ignored", ignore_groups, "groups"),
        ("groups multiply", times_groups, "groups"),
        ("inputs and outputs are divided by groups", divide_twice, "groups"),
        ("groups always means depthwise", one_per_group, "groups"),
        ("only the last layer counts", last_layer_only, "together"),
        ("layers are multiplied", multiply_layers, "together"),
        ("all layers get the picture's size", same_size_for_all, "next"),
        ("there is a first layer", expect_layers, "none"),
        ("a division gives an int", true_division, "type"),
        ("the costs of the layers are listed", lambda layers, size: [layer_by_layer([one], size) for one in layers], "type"),
        ("the layers are used up", sizes_in_place, "changed input"),
    ],
    "6.5": [
        ("weights are added to the patch", with_sum(lambda w, patch: (w + patch).sum((1, 2, 3))), "product"),
        ("what is below zero is cut off", lambda *args: by_conv2d(*args).relu(), "product"),
        ("weights have no sign", lambda x, w, s: by_conv2d(x, w.abs(), s), "product"),
        ("it takes the mean", with_sum(lambda w, patch: (w * patch).mean((1, 2, 3))), "channels"),
        ("one channel is enough", lambda x, w, s: by_conv2d(x[:1], w[:, :1], s), "channels"),
        ("the largest channel counts", with_sum(lambda w, patch: (w * patch).sum((2, 3)).amax(1)), "channels"),
        ("all outputs have the first kernel", one_neuron, "outputs"),
        ("the first axis of weight is the input's", kernels_in_turn, "outputs"),
        ("all outputs are added up", with_sum(lambda w, patch: flat_sum(w, patch).sum()), "outputs"),
        ("the patch stays the first", always_the_first_patch, "places"),
        ("it takes the largest of the patch", with_sum(lambda w, patch: (w * patch).sum(1).amax((1, 2))), "patch"),
        ("only the first row is added up", with_sum(first_row_of_the_patch), "patch"),
        ("it takes the mean of the patch", with_sum(lambda w, patch: (w * patch).sum(1).mean((1, 2))), "patch"),
        ("the kernel is flipped", lambda x, w, s: by_conv2d(x, w.flip(2, 3), s), "as it is"),
        ("the kernel is transposed", lambda x, w, s: by_conv2d(x, w.transpose(2, 3), s), "as it is"),
        ("the kernel is flipped left to right", lambda x, w, s: by_conv2d(x, w.flip(3), s), "as it is"),
        ("patches lie side by side", side_by_side, "overlap"),
        ("the stride is for the shape only", without_stride, "stride"),
        ("the stride is for rows only", stride_on_rows_only, "stride"),
        ("the stride is for columns only", stride_on_columns_only, "stride"),
        ("the stride is forgotten", every_stride, "shape"),
        ("there is padding", lambda x, w, s: F.conv2d(x, w, stride=s, padding=w.shape[2] // 2), "shape"),
        ("width comes before height", rows_and_columns_swapped, "shape"),
        ("channels come last", lambda *args: by_conv2d(*args).permute(1, 2, 0), "shape"),
        ("the batch is kept", lambda x, w, s: F.conv2d(x[None], w, stride=s), "shape"),
        ("all channels get the first one's weights", lambda x, w, s: by_conv2d(x, w[:, :1].expand_as(w), s), "channels"),
        ("the last place is forgotten", lambda *args: by_conv2d(*args)[:, :-1], "shape"),
        ("it is float64", lambda *args: by_conv2d(*args).double(), "dtype"),
        ("whole numbers are enough", lambda *args: by_conv2d(*args).round().int(), "dtype"),
        ("a list is returned", lambda *args: by_conv2d(*args).tolist(), "type"),
        ("x is returned", lambda x, w, s: x, "product"),
        ("x is used as a scratchpad", overwrite_the_patch, "changed input"),
    ],
    "6.6": [
        ("it takes a finished module", ByNames(nn.ReLU()), "not this"),
        ("it is a function", as_function, "not this"),
        ("it is no module", NotAModule, "module"),
        ("super().__init__() is forgotten", WithoutSuper, "raised"),
        ("forward is missing", WithoutForward, "raised"),
        ("the result is printed", PrintsOnly, "no return"),
        ("it does not add", NeverAdds, "add"),
        ("Sequential is enough", nn.Sequential, "add"),
        ("it adds before, not after", AddsToInput, "add"),
        ("it subtracts", Subtracts, "add"),
        ("it takes the mean of both", Scales, "add"),
        ("it adds in train mode only", TrainsOnly, "mode"),
        ("x += y is x + y", ChangesX, "in place"),
        ("y += x is x + y", ChangesY, "in place"),
        ("it always adds", AlwaysAdds, "same shape"),
        ("it adds wherever that raises nothing", AddsIfItCan, "same shape"),
        ("x goes on where shapes differ", InputWhereShapesDiffer, "same shape"),
        ("as many numbers are the same shape", ComparesNumbers, "same shape"),
        ("as many axes are the same shape", ComparesDimensions, "same shape"),
        ("the same batch is the same shape", ComparesBatch, "same shape"),
        ("the same channels are the same shape", ComparesChannels, "same shape"),
        ("the same height and width are the same shape", ComparesPictures, "same shape"),
        ("the first axis does not matter", ComparesAllButBatch, "same shape"),
        ("the last axis does not matter", ComparesHeight, "same shape"),
        ("the sum has the shape of y", ComparesWithSum, "same shape"),
        ("the sum has the shape of x", ComparesSumWithX, "same shape"),
        ("the first call decides", DecidesOnce, "each call"),
        ("a list holds it", HiddenInAList, "inside"),
        ("its parameters are enough", ParametersOnly, "inside"),
        ("its parameters and buffers are enough", TensorsOnly, "inside"),
        ("a copy is held", Copies, "inside"),
        ("the mode stays outside", StaysInTrainMode, "inside"),
        ("it calls for the shape, and again", CallsTwice, "once"),
        ("it calls again to add", CallsTwiceToAdd, "once"),
        ("x is detached", Detaches, "gradient"),
        ("data is added", UsesData, "gradient"),
        ("nothing is to be trained", WithoutGradients, "gradient"),
        ("inner alone is detached", DetachesAlone, "gradient"),
        ("inner is frozen", Freezes, "gradient"),
    ],
}  # fmt: skip
EQUIVALENT = {
    "6.5": {
        "answer = torch.zeros(out_channels, height, width) -> answer = torch.ones(out_channels, height, width)": (
            "every number is replaced"
        ),
        "answer[:, i, j] = (weight * patch).sum(dim=(1, 2, 3)) -> "
        "answer[:, i, j] = (weight * patch).sum(dim=(3, 2, 1))": "a sum does not depend on the order of its axes",
    },
}
