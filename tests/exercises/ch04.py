"""Answers to the exercises of lesson 04."""

import torch
from torch.nn import functional as F


def unless_float(x):
    if x.is_floating_point():
        return x
    return x * (1 / 255)


def by_table(x):
    return x.clone() if x.dtype != torch.uint8 else torch.linspace(0, 1, 256)[x.long()]


def largest_becomes_one(x):
    return x / x.max() if x.dtype == torch.uint8 else x


def row_by_row(x):
    return torch.tensor([value / 255 for value in x]) if x.dtype == torch.uint8 else x


def channels_first(x):
    rows = x.transpose(0, 1).flatten(1) / 255
    return rows.mean(1), rows.std(1, correction=0)


def one_channel_at_a_time(x):
    std_mean = [torch.std_mean(x[:, channel].float(), correction=0) for channel in range(x.shape[1])]
    return torch.stack([mean for _, mean in std_mean]) / 255, torch.stack([std for std, _ in std_mean]) / 255


def mean_of_squares(x):
    x = x.float() / 255
    mean = x.mean(dim=(0, 2, 3))
    return mean, ((x**2).mean(dim=(0, 2, 3)) - mean**2).sqrt()


def squares_of_bytes(x):
    mean = x.float().mean(dim=(0, 2, 3)) / 255
    return mean, ((x**2).float().mean(dim=(0, 2, 3)) / 255**2 - mean**2).sqrt()


def statistics(x, dim=(0, 2, 3), correction=0, largest=255):
    x = x.float() / largest
    return x.mean(dim=dim), x.std(dim=dim, correction=correction)


def mean_of_stds(x):
    x = x.float() / 255
    return x.mean(dim=(0, 2, 3)), x.std(dim=(2, 3), correction=0).mean(0)


def mean_of_stds_of_rows(x):
    x = x.float() / 255
    return x.mean(dim=(0, 2, 3)), x.std(dim=(0, 3), correction=0).mean(1)


def the_same_for_all(x):
    x = x.float() / 255
    return x.mean().expand(x.shape[1]), x.std(correction=0).expand(x.shape[1])


def reshape_only(x):
    rows = x.reshape(x.shape[1], -1) / 255
    return rows.mean(1), rows.std(1, correction=0)


def variance(x):
    return statistics(x)[0], statistics(x)[1] ** 2


def mean_distance(x):
    mean = statistics(x)[0]
    return mean, (x / 255 - mean[:, None, None]).abs().mean(dim=(0, 2, 3))


def channels_last(x, mean, std):
    return ((x.permute(0, 2, 3, 1) - mean) / std).permute(0, 3, 1, 2)


def on_a_copy(x, mean, std):
    x = x.clone()
    x -= mean.view(1, -1, 1, 1)
    return x.div_(std.view(1, -1, 1, 1))


def in_place(x, mean, std):
    x -= mean[:, None, None]
    x /= std[:, None, None]
    return x


def its_own_statistics(x, mean, std):
    mean, std = x.mean(dim=(0, 2, 3)), x.std(dim=(0, 2, 3), correction=0)
    return on_a_copy(x, mean, std)


def write_into_copies(x, y, chosen, mirror):
    x, y = x.clone(), y.clone()
    x[chosen] = x[chosen].flip(-1)
    y[chosen] = mirror[y[chosen]]
    return x, y


def by_counting(x, y, chosen, mirror):
    numbers = range(len(y))
    pictures = [x[i].flip(2) if chosen[i] else x[i] for i in numbers]
    return torch.stack(pictures), torch.tensor([int(mirror[y[i]]) if chosen[i] else int(y[i]) for i in numbers])


def by_arithmetic(x, y, chosen, mirror):
    weight = chosen.float().view(-1, 1, 1, 1)
    return weight * x.flip(3) + (1 - weight) * x, y + chosen * (mirror[y] - y)


def write_into_arguments(x, y, chosen, mirror):
    x[chosen] = x[chosen].flip(3)
    y[chosen] = mirror[y[chosen]]
    return x, y


def mirrored(x, y, chosen, mirror, dims=(3,)):
    return torch.where(chosen[:, None, None, None], x.flip(dims), x), torch.where(chosen, mirror[y], y)


def decide_for_all(x, y, chosen, mirror):
    return (x.flip(3), mirror[y]) if chosen.any() else (x, y)


def take_chosen_for_one(x, y, chosen, mirror):
    return (x.flip(3), mirror[y]) if chosen else (x, y)


def keep_the_chosen_only(x, y, chosen, mirror):
    return x[chosen].flip(3), mirror[y[chosen]]


def pad_and_cut(x, pixels):
    padded = F.pad(x, (max(pixels, 0), max(-pixels, 0)), mode="replicate")
    return padded[:, :, : x.shape[2]] if pixels > 0 else padded[:, :, padded.shape[2] - x.shape[2] :]


def by_slices(x, pixels):
    out = x.clone()
    if pixels > 0:
        out[:, :, :pixels] = x[:, :, :1]
        out[:, :, pixels:] = x[:, :, :-pixels]
    elif pixels < 0:
        out[:, :, pixels:] = x[:, :, -1:]
        out[:, :, :pixels] = x[:, :, -pixels:]
    return out


def column_by_column(x, pixels):
    last = x.shape[2] - 1
    return torch.stack([x[..., min(max(i - pixels, 0), last)] for i in range(last + 1)], dim=-1)


def in_the_picture_itself(x, pixels):
    x[:] = pad_and_cut(x, pixels)
    return x


def with_zeros(x, pixels):
    return F.pad(x, (pixels, -pixels))


def corner_everywhere(x, pixels):
    columns = torch.arange(x.shape[2]) - pixels
    outside = (columns < 0) | (columns >= x.shape[2])
    return torch.where(outside, x[0, 0, 0 if pixels > 0 else -1], pad_and_cut(x, pixels))


def one_free_place(x, pixels):
    out = x.roll(pixels, 2)
    if pixels > 0:
        out[:, :, 0] = x[:, :, 0]
    if pixels < 0:
        out[:, :, -1] = x[:, :, -1]
    return out


def to_the_right_only(x, pixels):
    return pad_and_cut(x, pixels) if pixels > 0 else x


def leave_what_is_not_overwritten(x, pixels):
    out = x.clone()
    for i in range(x.shape[2]):
        if 0 <= i - pixels < x.shape[2]:
            out[:, :, i] = x[:, :, i - pixels]
    return out


def slices_without_zero(x, pixels):
    if pixels > 0:
        return by_slices(x, pixels)
    out = x[:, :, -1:].expand(x.shape).clone()
    out[:, :, :pixels] = x[:, :, -pixels:]
    return out


def repeat_and_rest(x, pixels):
    return torch.cat([x[:, :, :1].repeat(1, 1, pixels), x[:, :, : x.shape[2] - pixels]], dim=2)


def edge_and_rest(x, pixels):
    return repeat_and_rest(x, pixels) if pixels >= 0 else repeat_and_rest(x.flip(2), -pixels).flip(2)


def give_up_when_wide(x, pixels):
    return pad_and_cut(x, pixels) if abs(pixels) < x.shape[2] else torch.zeros_like(x)


def wrap_wide_shifts(x, pixels):
    width = x.shape[2]
    return pad_and_cut(x, pixels % width if pixels > 0 else -(-pixels % width))


RIGHT = {
    "4.1": [unless_float, by_table, lambda x: x / 255 if x.dtype == torch.uint8 else x.float()],
    "4.2": [channels_first, one_channel_at_a_time, mean_of_squares],
    "4.3": [channels_last, on_a_copy, lambda x, mean, std: (x - mean.view(-1, 1, 1)) * (1 / std).view(-1, 1, 1)],
    "4.4": [write_into_copies, by_counting, by_arithmetic],
    "4.5": [pad_and_cut, by_slices, column_by_column],
}
WRONG = {
    "4.1": [
        ("what was converted is converted again", lambda x: x.float() / 255, "float"),
        ("the type is all that changes", lambda x: x.float(), "scale"),
        ("there are 256 values, so it divides by 256", lambda x: x / 256 if x.dtype == torch.uint8 else x, "scale"),
        ("it divides whole numbers", lambda x: (x // 255).float() if x.dtype == torch.uint8 else x, "scale"),
        ("zero should be in the middle", lambda x: x / 127.5 - 1 if x.dtype == torch.uint8 else x, "scale"),
        ("large values give away what is not converted", lambda x: x / 255 if x.max() > 1 else x.float(), "by dtype"),
        ("the largest value there is becomes 1", largest_becomes_one, "by dtype"),
        ("values beyond 1 are cut off", lambda x: (x / 255 if x.dtype == torch.uint8 else x).clamp(0, 1), "by dtype"),
        ("it divides in place, where float() makes no copy", lambda x: x.float().div_(255), "changed input"),
        ("it divides uint8 in place", lambda x: x.div_(255), "raised"),
        ("the dtype is compared with its name", lambda x: x.float() / 255 if x.dtype == "uint8" else x, "dtype"),
        ("more digits are better", lambda x: x.double() / 255 if x.dtype == torch.uint8 else x, "dtype"),
        ("an array is returned", lambda x: x.numpy() / 255, "type"),
        ("x is one row of numbers", row_by_row, "any shape"),
        ("the result is one row of numbers", lambda x: unless_float(x).flatten(), "shape"),
        ("nothing is returned for float", lambda x: x / 255 if x.dtype == torch.uint8 else None, "no return"),
    ],
    "4.2": [
        ("the scale stays 0 … 255", lambda x: statistics(x, largest=1), "scale"),
        ("only the mean is brought to 0 … 1", lambda x: (statistics(x)[0], statistics(x, largest=1)[1]), "std"),
        ("the std comes first", lambda x: statistics(x)[::-1], "scale"),
        ("squares overflow in uint8", squares_of_bytes, "scale"),
        ("it divides by one less", lambda x: statistics(x, correction=1), "std"),
        ("the variance is returned", variance, "std"),
        ("the distances are not squared", mean_distance, "std"),
        ("the mean of whole numbers is taken", lambda x: (x.mean(dim=(0, 2, 3)), x.std(dim=(0, 2, 3))), "raised"),
        ("it is taken over the batch only", lambda x: statistics(x, dim=0), "shape"),
        ("it is one number for all channels", lambda x: statistics(x, dim=(0, 1, 2, 3)), "shape"),
        ("one number for all channels is repeated", the_same_for_all, "each channel"),
        ("each picture has its own", lambda x: statistics(x, dim=(1, 2, 3)), "each channel"),
        ("reshape is taken for a change of axes", reshape_only, "each channel"),
        ("the stds of the pictures are averaged", mean_of_stds, "together"),
        ("the stds of the rows are averaged", mean_of_stds_of_rows, "together"),
        ("both are in one tensor", lambda x: torch.stack(statistics(x)), "type"),
        ("both are in double precision", lambda x: tuple(value.double() for value in statistics(x)), "dtype"),
    ],
    "4.3": [
        ("mean and std are left to broadcasting", lambda x, mean, std: (x - mean) / std, "channel"),
        ("only the mean gets its axes", lambda x, mean, std: (x - mean[:, None, None]) / std, "channel"),
        ("only the std gets its axes", lambda x, mean, std: (x - mean) / std[:, None, None], "channel"),
        ("one axis is too few", lambda x, mean, std: (x - mean[:, None]) / std[:, None], "shape"),
        ("they are lined up with the pictures", lambda x, m, s: (x - m.view(-1, 1, 1, 1)) / s.view(-1, 1, 1, 1), "shape"),
        ("one mean and one std do for all", lambda x, mean, std: (x - mean.mean()) / std.mean(), "channel"),
        ("the first channel's do for all", lambda x, mean, std: (x - mean[0]) / std[0], "channel"),
        ("it divides first", lambda x, mean, std: x / std[:, None, None] - mean[:, None, None], "given"),
        ("brackets are forgotten", lambda x, mean, std: x - mean[:, None, None] / std[:, None, None], "given"),
        ("it does not divide", lambda x, mean, std: x - mean[:, None, None], "given"),
        ("it divides by the variance", lambda x, mean, std: on_a_copy(x, mean, std**2), "given"),
        ("mean and std are computed from x", its_own_statistics, "given"),
        ("x itself is changed", in_place, "changed input"),
        ("the channels stay last", lambda x, mean, std: (x.permute(0, 2, 3, 1) - mean) / std, "shape"),
        ("nothing is returned", lambda x, mean, std: None, "no return"),
    ],
    "4.4": [
        ("all pictures are mirrored", lambda x, y, chosen, mirror: (x.flip(3), mirrored(x, y, chosen, mirror)[1]), "chosen"),
        ("up and down are swapped", lambda *args: mirrored(*args, dims=(2,)), "left to right"),
        ("the picture is turned upside down", lambda *args: mirrored(*args, dims=(2, 3)), "left to right"),
        ("the colours are swapped, too", lambda *args: mirrored(*args, dims=(1, 3)), "left to right"),
        ("the pictures change places, too", lambda *args: mirrored(*args, dims=(0, 3)), "each"),
        ("the labels stay", lambda x, y, chosen, mirror: (mirrored(x, y, chosen, mirror)[0], y), "label"),
        ("all labels are mirrored", lambda x, y, chosen, mirror: (mirrored(x, y, chosen, mirror)[0], mirror[y]), "chosen"),
        ("labels are always 0, 1 and 2", lambda x, y, chosen, mirror: mirrored(x, y, chosen, 2 - torch.arange(4)), "look up"),
        ("the table is read backwards", lambda x, y, chosen, mirror: mirrored(x, y, chosen, mirror.flip(0)), "label"),
        ("the last label mirrors the first", lambda x, y, c, mirror: mirrored(x, y, c, torch.arange(len(mirror)).flip(0)), "look up"),
        ("one that is chosen decides for all", decide_for_all, "each"),
        ("there is one picture only", take_chosen_for_one, "each"),
        ("chosen is left to broadcasting", lambda x, y, c, mirror: (torch.where(c, x.flip(3), x), torch.where(c, mirror[y], y)), "each"),
        ("what is not chosen is mirrored", lambda x, y, chosen, mirror: mirrored(x, y, ~chosen, mirror), "left to right"),
        ("what is not chosen is left out", keep_the_chosen_only, "shape"),
        ("the arguments are written into", write_into_arguments, "changed input"),
        ("only the pictures are returned", lambda *args: mirrored(*args)[0], "type"),
        ("a list is returned", lambda *args: list(mirrored(*args)), "type"),
    ],
    "4.5": [
        ("it wraps round", lambda x, pixels: x.roll(pixels, 2), "edge"),
        ("zeros come in", with_zeros, "edge"),
        ("the free places keep what they had", leave_what_is_not_overwritten, "edge"),
        ("the corner's number comes in everywhere", corner_everywhere, "edge"),
        ("one place becomes free, however wide the shift", one_free_place, "edge"),
        ("it goes the other way", lambda x, pixels: pad_and_cut(x, -pixels), "right"),
        ("rows are shifted", lambda x, pixels: pad_and_cut(x.mT, pixels).mT, "right"),
        ("it never goes to the left", to_the_right_only, "left"),
        ("it always goes to the right", lambda x, pixels: pad_and_cut(x, abs(pixels)), "left"),
        ("the edge is repeated a negative number of times", repeat_and_rest, "left"),
        ("minus zero is a place", slices_without_zero, "zero"),
        ("the wide shift leaves nothing", give_up_when_wide, "wide"),
        ("a wide shift begins again", wrap_wide_shifts, "wide"),
        ("the edge is repeated beyond the width", edge_and_rest, "shape"),
        ("the picture gets wider", lambda x, pixels: F.pad(x, (abs(pixels), 0), mode="replicate"), "shape"),
        ("the picture itself is changed", in_the_picture_itself, "changed input"),
    ],
}  # fmt: skip
MEAN, STD = "x.mean(dim=(0, 2, 3))", "x.std(dim=(0, 2, 3), correction=0)"
SAME_AXES = "the axes that go do not depend on their order"
EQUIVALENT = {
    "4.2": {
        f"return ({MEAN}, {STD}) -> return (x.mean(dim=(3, 2, 0)), {STD})": SAME_AXES,
        f"return ({MEAN}, {STD}) -> return ({MEAN}, x.std(dim=(3, 2, 0), correction=0))": SAME_AXES,
    },
}
