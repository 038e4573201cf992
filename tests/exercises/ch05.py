"""Answers to the exercises of lesson 05."""

from collections import Counter

import numpy as np
import torch
from torch.nn import functional as F


def by_bincount(labels, num_classes):
    counts = np.bincount(np.array(labels, dtype=int), minlength=num_classes)
    return (counts / max(len(labels), 1)).tolist()


def by_counter(labels, num_classes):
    counts = Counter(labels)
    return [counts[k] / len(labels) if labels else 0 for k in range(num_classes)]


def by_mean(labels, num_classes):
    return [sum(label == k for label in labels) / (len(labels) or 1) for k in range(num_classes)]


def use_up(labels, num_classes):
    counts, n = [0] * num_classes, len(labels)
    while labels:
        counts[labels.pop()] += 1
    return [count / max(n, 1) for count in counts]


def nan_without_labels(labels, num_classes):
    counts = torch.bincount(torch.tensor(labels, dtype=torch.long), minlength=num_classes)
    return (counts / len(labels)).tolist()


def by_one_hot(images, labels, num_classes):
    member = F.one_hot(labels, num_classes).float()
    means = member.T @ images.flatten(1).float() / member.sum(0).clamp(min=1)[:, None]
    return means.view(num_classes, *images.shape[1:])


def by_adding(images, labels, num_classes):
    sums = torch.zeros(num_classes, *images.shape[1:]).index_add_(0, labels, images.float())
    return sums / torch.bincount(labels, minlength=num_classes).clamp(min=1).view(-1, 1, 1)


def by_stacking(images, labels, num_classes):
    means = [images[labels == k].float().mean(0) for k in range(num_classes)]
    return torch.stack(means).nan_to_num()


def with_nan(images, labels, num_classes):
    return torch.stack([images[labels == k].float().mean(0) for k in range(num_classes)])


def without_float(images, labels, num_classes):
    return torch.stack([images[labels == k].mean(0) for k in range(num_classes)])


def only_classes_that_occur(images, labels, num_classes):
    return torch.stack([images[labels == k].float().mean(0) for k in labels.unique()])


def whole_numbers(images, labels, num_classes):
    means = torch.zeros(num_classes, *images.shape[1:])
    for k in labels.unique():
        means[k] = images[labels == k].sum(0) // (labels == k).sum()
    return means


def add_in_uint8(images, labels, num_classes):
    sums, counts = torch.zeros(num_classes, *images.shape[1:], dtype=torch.uint8), [0] * num_classes
    for image, label in zip(images, labels.tolist(), strict=True):
        sums[label] += image
        counts[label] += 1
    return sums.float() / torch.tensor(counts).clamp(min=1).view(-1, 1, 1)


def one_number_for_all_pixels(images, labels, num_classes):
    means = torch.zeros(num_classes, *images.shape[1:])
    for k in labels.unique():
        means[k] = images[labels == k].float().mean()
    return means


def one_number_for_each_row(images, labels, num_classes):
    means = torch.zeros(num_classes, *images.shape[1:])
    for k in labels.unique():
        means[k] = images[labels == k].float().mean((0, 2))[:, None]
    return means


def divide_by_all(images, labels, num_classes):
    sums = torch.zeros(num_classes, *images.shape[1:]).index_add_(0, labels, images.float())
    return sums / len(images)


def do_not_divide(images, labels, num_classes):
    return torch.zeros(num_classes, *images.shape[1:]).index_add_(0, labels, images.float())


def the_last_of_each(images, labels, num_classes):
    means = torch.zeros(num_classes, *images.shape[1:])
    for image, label in zip(images, labels, strict=True):
        means[label] = image
    return means


def classes_in_order_of_appearance(images, labels, num_classes):
    means = torch.zeros(num_classes, *images.shape[1:])
    for place, k in enumerate(dict.fromkeys(labels.tolist())):
        means[place] = images[labels == k].float().mean(0)
    return means


def white_without_images(images, labels, num_classes):
    return with_nan(images, labels, num_classes).nan_to_num(255)


def by_permuting(images, columns):
    count, height, width = images.shape
    rows = (count + columns - 1) // columns
    free = images.new_zeros(rows * columns - count, height, width)
    grid = torch.cat([images, free]).view(rows, columns, height, width)
    return grid.permute(0, 2, 1, 3).reshape(rows * height, columns * width)


def by_joining(images, columns):
    places = list(images)
    while len(places) % columns:
        places.append(torch.zeros_like(images[0]))
    rows = [torch.cat(places[i : i + columns], 1) for i in range(0, len(places), columns)]
    return torch.cat(rows)


def padded(images, columns):
    return torch.cat([images, images.new_zeros(-len(images) % columns, *images.shape[1:])])


def reshape_at_once(images, columns):
    return padded(images, columns).reshape(-1, columns * images.shape[2])


def permute_wrongly(images, columns):
    count, height, width = padded(images, columns).shape
    grid = padded(images, columns).view(count // columns, columns, height, width)
    return grid.transpose(1, 3).reshape(-1, columns * width)


def column_by_column(images, columns):
    count, height, width = images.shape
    rows = -(-count // columns)
    picture = torch.zeros(rows * height, columns * width, dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i % rows * height, i // rows * width
        picture[top : top + height, left : left + width] = image
    return picture


def from_right_to_left(images, columns):
    return torch.cat([part.flip(0).transpose(0, 1).flatten(1) for part in padded(images, columns).split(columns)])


def full_rows_only(images, columns):
    return by_permuting(images[: len(images) // columns * columns], columns)


def as_float(images, columns):
    return by_permuting(images, columns).float()


def as_uint8(images, columns):
    return by_permuting(images, columns).byte()


def no_more_columns_than_images(images, columns):
    return by_permuting(images, min(columns, len(images)))


def rows_of_images(images, columns):
    return by_permuting(images, -(-len(images) // columns))


def height_for_width(images, columns):
    count, height, width = images.shape
    rows = -(-count // columns)
    picture = torch.zeros(rows * height, columns * width, dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * width, i % columns * height
        picture[top : top + height, left : left + width] = image
    return picture


def one_pixel_on(images, columns):
    count, height, width = images.shape
    picture = torch.zeros(-(-count // columns) * height, columns * width, dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns, i % columns
        picture[top : top + height, left : left + width] = image
    return picture


def expect_full_rows(images, columns):
    count, height, width = images.shape
    return images.view(count // columns, columns, height, width).transpose(1, 2).reshape(-1, columns * width)


def begin_again(images, columns):
    rows = -(-len(images) // columns)
    return by_permuting(torch.stack([images[i % len(images)] for i in range(rows * columns)]), columns)


def white_where_free(images, columns):
    free = torch.ones(-len(images) % columns, *images.shape[1:], dtype=images.dtype)
    return by_permuting(torch.cat([images, free]), columns)


def by_comparing_all(images):
    flat = images.flatten(1)
    equal = (flat[:, None] == flat[None]).all(2)
    first = equal.int().argmax(1).tolist()
    return [(i, j) for j, i in enumerate(first) if i < j]


def by_torch_equal(images):
    pairs = []
    for j in range(len(images)):
        earlier = [i for i in range(j) if torch.equal(images[i], images[j])]
        pairs += [(earlier[0], j)] if earlier else []
    return pairs


def by_index(images):
    rows = images.flatten(1).tolist()
    return [(rows.index(row), j) for j, row in enumerate(rows) if rows.index(row) < j]


def with_itself(images):
    rows = images.tolist()
    return [(rows.index(row), j) for j, row in enumerate(rows)]


def by_sum(images):
    return by_index(images.flatten(1).sum(1, keepdim=True))


def by_sorted_pixels(images):
    return by_index(images.flatten(1).sort().values)


def same_rows(images):
    return by_index(torch.tensor([sorted(image) for image in images.tolist()]))


def any_pixel(images):
    return [(i, j) for j in range(len(images)) for i in range(j) if (images[i] == images[j]).any()]


def compare_tensors(images):
    return [(i, j) for j in range(len(images)) for i in range(j) if images[i] == images[j]]


def neighbours_only(images):
    return [(j - 1, j) for j in range(1, len(images)) if torch.equal(images[j - 1], images[j])]


def all_pairs(images):
    return [(i, j) for j in range(len(images)) for i in range(j) if torch.equal(images[i], images[j])]


def the_latest(images):
    seen, pairs = {}, []
    for j, image in enumerate(images):
        key = image.numpy().tobytes()
        if key in seen:
            pairs.append((seen[key], j))
        seen[key] = j
    return pairs


def tensors_as_keys(images):
    seen, pairs = {}, []
    for j, image in enumerate(images):
        if image in seen:
            pairs.append((seen[image], j))
        seen.setdefault(image, j)
    return pairs


def by_groups(images):
    groups = {}
    for j, image in enumerate(images):
        groups.setdefault(image.numpy().tobytes(), []).append(j)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def about_equal(images):
    rows = images.flatten(1).int()
    return [(i, j) for j in range(len(rows)) for i in range(j) if (rows[i] - rows[j]).abs().max() <= 1]


def by_sorting(features, labels, k):
    found = []
    for i in range(len(features)):
        distances = (features - features[i]).norm(dim=1)
        near = [j for j in distances.argsort().tolist() if j != i][:k]
        if not (labels[near] == labels[i]).any():
            found.append(i)
    return found


def without_the_root(features, labels, k):
    squared = (features[:, None] - features).square().sum(2) + torch.eye(len(features)) * 1e9
    same = labels[squared.topk(k, largest=False).indices] == labels.view(-1, 1)
    return [i for i, count in enumerate(same.sum(1)) if count == 0]


def in_numpy(features, labels, k):
    points, names = features.numpy(), labels.numpy()
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    near = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return list(np.flatnonzero((names[near] != names[:, None]).all(1)))


def nearest(distances, k):
    return distances.fill_diagonal_(torch.inf).topk(k, largest=False).indices


def alone(neighbours, labels):
    return (labels[neighbours] != labels[:, None]).all(1)


def numbers(mask):
    return mask.nonzero().flatten().tolist()


def count_itself(features, labels, k):
    return numbers(alone(torch.cdist(features, features).topk(k, largest=False).indices, labels))


def count_itself_too(features, labels, k):
    return numbers(alone(torch.cdist(features, features).topk(k + 1, largest=False).indices, labels))


def skip_the_nearest(features, labels, k):
    return numbers(alone(torch.cdist(features, features).argsort(1)[:, 1 : k + 1], labels))


def skip_the_nearest_of_k(features, labels, k):
    return numbers(alone(torch.cdist(features, features).argsort(1)[:, 1:k], labels))


def drop_every_zero(features, labels, k):
    distances = torch.cdist(features, features)
    distances[distances == 0] = torch.inf
    return numbers(alone(distances.topk(k, largest=False).indices, labels))


def farthest(features, labels, k):
    return numbers(alone(torch.cdist(features, features).fill_diagonal_(-torch.inf).topk(k).indices, labels))


def most_alike(features, labels, k):
    return numbers(alone((features @ features.T).fill_diagonal_(-torch.inf).topk(k).indices, labels))


def by_norm(features, labels, k, p):
    return numbers(alone(nearest(torch.cdist(features, features, p=p), k), labels))


def by_first_feature(features, labels, k):
    return by_norm(features[:, :1], labels, k, 2)


def differ_at_all(features, labels, k):
    return numbers((labels[nearest(torch.cdist(features, features), k)] != labels[:, None]).any(1))


def outvoted(features, labels, k):
    votes = labels[nearest(torch.cdist(features, features), k)] != labels[:, None]
    return numbers(votes.float().mean(1) > 0.5)


def another_label_wins(features, labels, k):
    return numbers(labels[nearest(torch.cdist(features, features), k)].mode(1).values != labels)


def agreeing_neighbours(features, labels, k):
    near = labels[nearest(torch.cdist(features, features), k)]
    return numbers((near == near[:, :1]).all(1) & (near[:, 0] != labels))


def those_in_good_company(features, labels, k):
    return numbers((labels[nearest(torch.cdist(features, features), k)] == labels[:, None]).all(1))


def the_nearest_only(features, labels, k):
    return numbers(alone(nearest(torch.cdist(features, features), 1), labels))


def one_too_few(features, labels, k):
    return numbers(alone(nearest(torch.cdist(features, features), max(k - 1, 1)), labels))


def one_too_many(features, labels, k):
    return by_sorting(features, labels, k + 1)


def as_mask(features, labels, k):
    return alone(nearest(torch.cdist(features, features), k), labels).tolist()


def as_tensor(features, labels, k):
    return torch.tensor(by_sorting(features, labels, k))


def as_column(features, labels, k):
    return [[i] for i in by_sorting(features, labels, k)]


def numbers_shift(features, labels, k):
    found = []
    for i in range(len(features)):
        others = torch.cat([features[:i], features[i + 1 :]])
        near = torch.cdist(features[i : i + 1], others)[0].topk(k, largest=False).indices
        if labels[i] not in labels[near]:
            found.append(i)
    return found


RIGHT = {
    "5.1": [by_bincount, by_counter, by_mean],
    "5.2": [by_one_hot, by_adding, by_stacking],
    "5.3": [by_permuting, by_joining],
    "5.4": [by_comparing_all, by_torch_equal, by_index],
    "5.5": [by_sorting, without_the_root, in_numpy],
}
WRONG = {
    "5.1": [
        ("it counts, but does not divide", lambda labels, n: [float(labels.count(k)) for k in range(n)], "share"),
        ("it divides by the number of classes", lambda labels, n: [labels.count(k) / n for k in range(n)], "share"),
        ("the most frequent class is 1", lambda labels, n: [c / (max(by_mean(labels, n)) or 1) for c in by_mean(labels, n)], "share"),
        ("it is a percentage", lambda labels, n: [100 * share for share in by_mean(labels, n)], "share"),
        ("it is rounded", lambda labels, n: [round(share, 2) for share in by_mean(labels, n)], "share"),
        ("classes begin at 1", lambda labels, n: by_mean(labels, n + 1)[1:], "share"),
        ("classes come as they occur", lambda labels, n: [c / len(labels) for c in Counter(labels).values()], "order"),
        ("the most frequent comes first", lambda labels, n: [c / len(labels) for _, c in Counter(labels).most_common()], "order"),
        ("only classes that occur", lambda labels, n: [labels.count(k) / len(labels) for k in sorted(set(labels))], "never"),
        ("classes end at the largest label", lambda labels, n: by_mean(labels, max(labels) + 1), "never"),
        ("there is at least one label", lambda labels, n: [labels.count(k) / len(labels) for k in range(n)], "empty"),
        ("without labels nothing is returned", lambda labels, n: by_mean(labels, n) if labels else [], "empty"),
        ("0 / 0 is left as nan", nan_without_labels, "empty"),
        ("a dictionary is returned", lambda labels, n: dict(enumerate(by_mean(labels, n))), "type"),
        ("a tensor is returned", lambda labels, n: torch.tensor(by_mean(labels, n)), "type"),
        ("the labels are used up", use_up, "changed input"),
    ],
    "5.2": [
        ("mean needs no float", without_float, "raised"),
        ("the scale is 0 … 1", lambda *args: by_adding(*args) / 255, "scale"),
        ("it is the sum", do_not_divide, "mean"),
        ("the last image of a class is left over", the_last_of_each, "mean"),
        ("whole numbers are divided", whole_numbers, "fraction"),
        ("uint8 is added to uint8", add_in_uint8, "overflow"),
        ("the mean is over everything", one_number_for_all_pixels, "pixel"),
        ("the mean is over the width, too", one_number_for_each_row, "pixel"),
        ("it divides by the number of all images", divide_by_all, "class"),
        ("classes come as they occur", classes_in_order_of_appearance, "class"),
        ("all classes get the same mean", lambda images, labels, n: images.float().mean(0).expand(n, -1, -1), "class"),
        ("the mean of nothing is left as nan", with_nan, "empty"),
        ("a class without images is white", white_without_images, "empty"),
        ("only classes that occur", only_classes_that_occur, "shape"),
        ("it is a picture again, in uint8", lambda *args: by_adding(*args).byte(), "dtype"),
        ("it is float64", lambda *args: by_adding(*args).double(), "dtype"),
        ("an array is returned", lambda *args: by_adding(*args).numpy(), "type"),
    ],
    "5.3": [
        ("reshape is enough", reshape_at_once, "whole"),
        ("the wrong axes change places", permute_wrongly, "whole"),
        ("it goes down the columns", column_by_column, "row by row"),
        ("it goes from right to left", from_right_to_left, "row by row"),
        ("places are one pixel apart", one_pixel_on, "whole"),
        ("height and width are mixed up", height_for_width, "whole"),
        ("rows are always full", expect_full_rows, "free"),
        ("where places stay free, it begins again", begin_again, "free"),
        ("free places are not 0", white_where_free, "free"),
        ("what does not fill a row is dropped", full_rows_only, "shape"),
        ("there are no more columns than images", no_more_columns_than_images, "shape"),
        ("there is always one more row", lambda images, columns: F.pad(by_permuting(images, columns), (0, 0, 0, 1)), "shape"),
        ("columns is the number of rows", rows_of_images, "shape"),
        ("the images are returned as they are", lambda images, columns: images, "shape"),
        ("zeros are float", as_float, "dtype"),
        ("images are always uint8", as_uint8, "dtype"),
        ("a list is returned", lambda images, columns: by_joining(images, columns).tolist(), "type"),
    ],
    "5.4": [
        ("each image equals itself", with_itself, "itself"),
        ("the later image comes first", lambda images: [(j, i) for i, j in by_index(images)], "pair"),
        ("a tensor is found in a dictionary", tensors_as_keys, "pair"),
        ("sums are compared", by_sum, "pixel"),
        ("the same pixels in any place are equal", by_sorted_pixels, "pixel"),
        ("one equal pixel is enough", any_pixel, "pixel"),
        ("the first row is enough", lambda images: by_index(images[:, :1]), "pixel"),
        ("the same rows in any order are equal", same_rows, "pixel"),
        ("== says whether two tensors are equal", compare_tensors, "pixel"),
        ("nearly equal is equal", about_equal, "pixel"),
        ("only neighbours are compared", neighbours_only, "anywhere"),
        ("every pair of equal images counts", all_pairs, "first"),
        ("it is the latest before, not the first", the_latest, "first"),
        ("it returns groups", by_groups, "first"),
        ("pairs are in the order of the first image", lambda images: sorted(by_index(images)), "order"),
        ("only the later image is returned", lambda images: [j for _, j in by_index(images)], "type"),
        ("lists in place of pairs", lambda images: [[i, j] for i, j in by_index(images)], "type"),
    ],
    "5.5": [
        ("one other label is enough", differ_at_all, "none"),
        ("most of the others decide", outvoted, "none"),
        ("the most frequent label decides", another_label_wins, "none"),
        ("the neighbours have to agree", agreeing_neighbours, "none"),
        ("it finds those who fit", those_in_good_company, "none"),
        ("a mask is returned", as_mask, "none"),
        ("the labels of the suspects are returned", lambda *args: args[1][by_sorting(*args)].tolist(), "none"),
        ("the sample is among its neighbours", count_itself, "itself"),
        ("there is one more neighbour, itself", count_itself_too, "itself"),
        ("numbers shift where one is left out", numbers_shift, "itself"),
        ("it takes the farthest", farthest, "nearest"),
        ("the product says how near they are", most_alike, "nearest"),
        ("the differences are added, not squared", lambda *args: by_norm(*args, 1), "Euclidean"),
        ("the largest difference counts", lambda *args: by_norm(*args, torch.inf), "Euclidean"),
        ("the first feature is enough", by_first_feature, "Euclidean"),
        ("one neighbour is enough", the_nearest_only, "all k"),
        ("it looks at one too few", one_too_few, "all k"),
        ("it looks at one too many", one_too_many, "all k"),
        ("of k neighbours, one is itself", skip_the_nearest_of_k, "all k"),
        ("the nearest is always itself", skip_the_nearest, "twin"),
        ("distance 0 is always itself", drop_every_zero, "twin"),
        ("a tensor is returned", as_tensor, "type"),
        ("each number has a list of its own", as_column, "type"),
    ],
}  # fmt: skip
EQUIVALENT = {
    "5.1": {
        "return [labels.count(k) / max(len(labels), 1) for k in range(num_classes)] -> "
        "return [labels.count(k) / max(1, len(labels)) for k in range(num_classes)]": (
            "the larger of two does not depend on their order"
        ),
    },
}
