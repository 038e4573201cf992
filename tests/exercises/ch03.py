"""Answers to the exercises of lesson 03."""

import itertools

import numpy as np
import torch
from torch.nn import functional as F


def slices(indices, size):
    return [indices[i : i + size] for i in range(0, len(indices), size)]


def fill_batches(indices, size, drop_last):
    done, batch = [], []
    for index in indices:
        batch.append(index)
        if len(batch) == size:
            done.append(batch)
            batch = []
    return done + [batch] if batch and not drop_last else done


def from_an_iterator(indices, size, drop_last):
    rest = iter(indices)
    done = list(iter(lambda: list(itertools.islice(rest, size)), []))
    return done[:-1] if drop_last and len(indices) % size else done


def take_them_out(indices, size, drop_last):
    done = []
    while len(indices) >= size or (indices and not drop_last):
        done.append(indices[:size])
        del indices[:size]
    return done


def without_the_last(indices, size, drop_last):
    done = slices(indices, size)
    return done[:-1] if drop_last else done


def join_the_rest(indices, size, drop_last):
    done = slices(indices, size)
    if len(done) > 1 and len(done[-1]) < size:
        rest = done.pop()
        done[-1] = [*done[-1], *([] if drop_last else rest)]
    return done


def fill_up_from_the_start(indices, size, drop_last):
    done = slices(indices, size)
    return done if drop_last or not done else done[:-1] + [(done[-1] + indices * size)[:size]]


def expect_an_index(indices, size, drop_last):
    done = slices(indices, size)
    return done[:-1] if drop_last and len(done[-1]) < size else [done[0], *done[1:]]


def as_tensors(indices, size, drop_last):
    done = [part.tolist() for part in torch.tensor(indices).split(size)]
    return [batch for batch in done if len(batch) == size or not drop_last]


def largest(samples):
    return [max(sizes) for sizes in zip(*(x.shape for x, _ in samples), strict=True)]


def pixel_by_pixel(samples):
    x = torch.zeros(len(samples), *largest(samples))
    for i, (picture, _) in enumerate(samples):
        for place in itertools.product(*map(range, picture.shape)):
            x[i][place] = picture[place]
    return x, torch.tensor([y for _, y in samples])


def pad_the_end(samples):
    """Pad each picture after its last row and column."""
    return pad_with(samples, lambda rows, columns: (0, columns, 0, rows))


def pad_with(samples, widths, value=0.0, dim=0):
    _, height, width = largest(samples)
    x = [F.pad(x, widths(height - x.shape[1], width - x.shape[2]), value=value) for x, _ in samples]
    return torch.stack(x, dim), torch.tensor([y for _, y in samples])


def join_bands(samples):
    """Bands of zeros on the right and below."""
    channels, height, width = largest(samples)
    pictures = []
    for x, _ in samples:
        wide = torch.cat([x, torch.zeros(channels, x.shape[1], width - x.shape[2])], 2)
        pictures.append(torch.cat([wide, torch.zeros(channels, height - x.shape[1], width)], 1)[None])
    return torch.cat(pictures), torch.as_tensor([y for _, y in samples])


def like(samples, size):
    """Room for pictures of this size: larger ones do not fit, and raise."""
    x = torch.zeros(len(samples), *size)
    for place, (picture, _) in zip(x, samples, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    return x, torch.tensor([y for _, y in samples])


def as_large_as_one_of_them(samples):
    return like(samples, max((x for x, _ in samples), key=torch.numel).shape)


def make_square(samples):
    channels, height, width = largest(samples)
    return like(samples, (channels, max(height, width), max(height, width)))


def stretch(samples):
    x = [F.interpolate(x[None], largest(samples)[1:])[0] for x, _ in samples]
    return torch.stack(x), torch.tensor([y for _, y in samples])


def cut_to_the_smallest(samples):
    _, height, width = [min(sizes) for sizes in zip(*(x.shape for x, _ in samples), strict=True)]
    return torch.stack([x[:, :height, :width] for x, _ in samples]), torch.tensor([y for _, y in samples])


def fill_up_with_ones(samples):
    return pad_with(samples, lambda rows, columns: (0, columns, 0, rows), 1.0)


def run_on(samples):
    """Write the numbers of a picture one after the other, whatever its width."""
    x = torch.zeros(len(samples), *largest(samples))
    for i, (picture, _) in enumerate(samples):
        x[i].view(-1)[: picture.numel()] = picture.reshape(-1)
    return x, torch.tensor([y for _, y in samples])


def empty_the_list(samples):
    whole = pad_the_end(samples)
    samples.clear()
    return whole


def reshape_the_last_axis(samples):
    x, y = pad_with(samples, lambda rows, columns: (0, columns, 0, rows), dim=-1)
    return x.reshape(len(samples), *largest(samples)), y


def plain_stack(samples):
    return torch.stack([x for x, _ in samples]), torch.tensor([y for _, y in samples])


def pad_before(samples):
    return pad_with(samples, lambda rows, columns: (columns, 0, rows, 0))


def pad_around(samples):
    return pad_with(samples, lambda r, c: (c // 2, c - c // 2, r // 2, r - r // 2))


def pad_above(samples):
    return pad_with(samples, lambda rows, columns: (0, columns, rows, 0))


def by_class(labels):
    return [[i for i, label in enumerate(labels) if label == wanted] for wanted in sorted(set(labels))]


def cycle_through(labels):
    classes = [itertools.cycle(samples) for samples in by_class(labels)]
    return [next(samples) for _ in range(max(map(labels.count, labels), default=0)) for samples in classes]


def repeat_and_cut(labels):
    rounds = max(map(len, by_class(labels)), default=0)
    return [
        i for turn in zip(*[(samples * rounds)[:rounds] for samples in by_class(labels)], strict=True) for i in turn
    ]


def take_turns(classes):
    """The rounds of the solution, whatever the classes."""
    return [samples[r % len(samples)] for r in range(max(map(len, classes), default=0)) for samples in classes]


def in_order_of(labels, classes):
    return take_turns([[i for i, label in enumerate(labels) if label == wanted] for wanted in classes])


def stop_with_the_smallest(labels):
    return [i for turn in zip(*by_class(labels), strict=False) for i in turn]


def skip_what_is_used_up(labels):
    turns = itertools.zip_longest(*by_class(labels))
    return [i for turn in turns for i in turn if i is not None]


def repeat_the_last(labels):
    classes = by_class(labels)
    return [samples[min(r, len(samples) - 1)] for r in range(max(map(len, classes), default=0)) for samples in classes]


def class_after_class(labels):
    classes = by_class(labels)
    rounds = max(map(len, classes), default=0)
    return [samples[r % len(samples)] for samples in classes for r in range(rounds)]


def stop_at_the_last_new_one(labels):
    order = take_turns(by_class(labels))
    return order[: 1 + max(map(order.index, order), default=-1)]


def expect_a_label(labels):
    classes = by_class(labels)
    return [samples[r % len(samples)] for r in range(max(map(len, classes))) for samples in classes]


def cut_from_the_left(count, valid, gap):
    numbers = list(range(count))
    return numbers[: max(count - valid - gap, 0)], numbers[count - valid :]


def drop_then_split(count, valid, gap):
    train, later = list(range(count - valid)), list(range(count - valid, count))
    for _ in range(min(gap, len(train))):
        train.pop()
    return train, later


def by_slices(count, valid, gap):
    numbers = list(range(count))
    return numbers[: count - valid - gap], numbers[count - valid :]


def by_negative_slices(count, valid, gap):
    numbers = list(range(count))
    return numbers[: max(count - valid - gap, 0)], numbers[-valid:]


def ranges(first, last, count):
    return list(range(first)), list(range(last, count))


def at_least_one(count, valid, gap):
    return list(range(max(count - valid - gap, 1))), list(range(count - valid, count))


def begin_with_validation(count, valid, gap):
    return list(range(valid + gap, count)), list(range(valid))


def gap_at_the_start(count, valid, gap):
    return list(range(gap, count - valid)), list(range(count - valid, count))


def count_from_one(count, valid, gap):
    return list(range(1, count - valid - gap + 1)), list(range(count - valid + 1, count + 1))


def shuffle_first(count, valid, gap):
    numbers = torch.randperm(count, generator=torch.Generator().manual_seed(1)).tolist()
    return sorted(numbers[: max(count - valid - gap, 0)]), sorted(numbers[count - valid :])


def segment_by_segment(segments, depth):
    stacks = []
    for _, run in itertools.groupby(range(len(segments)), segments.__getitem__):
        run = list(run)
        padded = run[:1] * (depth - 1) + run
        stacks += [padded[i : i + depth] for i in range(len(run))]
    return stacks


def as_arrays(segments, depth):
    first = np.searchsorted(segments, segments)
    return np.maximum(np.arange(len(segments))[:, None] - np.arange(depth)[::-1], first[:, None]).tolist()


def remember_the_start(segments, depth):
    stacks, first = [], 0
    for i, segment in enumerate(segments):
        if segment != segments[first]:
            first = i
        stacks.append([first] * max(depth - 1 - (i - first), 0) + list(range(max(i - depth + 1, first), i + 1)))
    return stacks


def stacks_from(segments, depth, first):
    """Stacks that end with their frame i, and hold no number below first(i)."""
    return [[max(i - back, first(i)) for back in reversed(range(depth))] for i in range(len(segments))]


def repeat_the_frame_itself(segments, depth):
    def number(i, back):
        return i - back if back <= i and segments[i - back] == segments[i] else i

    return [[number(i, back) for back in reversed(range(depth))] for i in range(len(segments))]


def look_at_one_neighbour(segments, depth):
    return stacks_from(segments, depth, lambda i: i if i and segments[i - 1] != segments[i] else 0)


def look_forward(segments, depth):
    last = [len(segments) - 1 - segments[::-1].index(segment) for segment in segments]
    return [[min(i + ahead, last[i]) for ahead in range(depth)] for i in range(len(segments))]


def whole_stacks_only(segments, depth):
    found = [list(range(i - depth + 1, i + 1)) for i in range(depth - 1, len(segments))]
    return [numbers for numbers in found if segments[numbers[0]] == segments[numbers[-1]]]


def leave_out_repeats(segments, depth):
    return [sorted(set(numbers)) for numbers in as_arrays(segments, depth)]


def number_within_the_segment(segments, depth):
    stacks = segment_by_segment(segments, depth)
    return [[j - segments.index(segments[i]) for j in numbers] for i, numbers in enumerate(stacks)]


RIGHT = {
    "3.1": [fill_batches, from_an_iterator],
    "3.2": [pixel_by_pixel, pad_the_end, join_bands],
    "3.3": [cycle_through, repeat_and_cut],
    "3.4": [cut_from_the_left, drop_then_split],
    "3.5": [segment_by_segment, as_arrays, remember_the_start],
}
WRONG = {
    "3.1": [
        ("a short batch is always left out", lambda i, size, drop: fill_batches(i, size, True), "short batch"),
        ("a short batch always stays", lambda i, size, drop: slices(i, size), "drop"),
        ("drop_last keeps the short batch", lambda i, size, drop: fill_batches(i, size, not drop), "short batch"),
        ("drop_last leaves out the last, full or not", without_the_last, "full batch"),
        ("the rest joins the batch before", join_the_rest, "short batch"),
        ("a short batch is filled up from the start", fill_up_from_the_start, "short batch"),
        ("size is how many batches there are", lambda i, size, drop: [i[n::size] for n in range(size)], "cut"),
        ("a batch begins at every index", lambda i, size, drop: [i[n : n + size] for n in range(len(i))], "cut"),
        ("batches are sorted", lambda i, size, drop: fill_batches(sorted(i), size, drop), "cut"),
        ("an index comes once", lambda i, size, drop: fill_batches([*dict.fromkeys(i)], size, drop), "cut"),
        ("nothing makes one empty batch", lambda i, size, drop: fill_batches(i, size, drop) or [[]], "drop"),
        ("no indices make one empty batch", as_tensors, "empty"),
        ("there is a first batch", expect_an_index, "empty"),
        ("batches are tuples", lambda i, size, drop: [tuple(batch) for batch in fill_batches(i, size, drop)], "type"),
        ("they come one by one", lambda i, size, drop: iter(fill_batches(i, size, drop)), "type"),
        ("the indices are used up", take_them_out, "changed input"),
    ],
    "3.2": [
        ("all pictures have one size", plain_stack, "corner"),
        ("the first one's size is enough", lambda s: like(s, s[0][0].shape), "corner"),
        ("the picture with most pixels has the largest sides", as_large_as_one_of_them, "largest"),
        ("pictures are square", make_square, "shape"),
        ("pictures are cut to the smallest", cut_to_the_smallest, "shape"),
        ("pictures are stretched", stretch, "corner"),
        ("zeros come first", pad_before, "corner"),
        ("zeros are all around", pad_around, "corner"),
        ("zeros are above", pad_above, "corner"),
        ("what is left is 1", fill_up_with_ones, "corner"),
        ("rows run on", run_on, "corner"),
        ("a new shape moves the axes", reshape_the_last_axis, "first axis"),
        ("a batch of one needs no axis", lambda s: (pad_the_end(s)[0].squeeze(0), pad_the_end(s)[1]), "shape"),
        ("labels are floats", lambda s: (pad_the_end(s)[0], torch.Tensor([y for _, y in s])), "dtype"),
        ("labels fit into a byte", lambda s: (pad_the_end(s)[0], pad_the_end(s)[1].byte().long()), "as they are"),
        ("labels are numbered anew", lambda s: (pad_the_end(s)[0], torch.arange(len(s))), "as they are"),
        ("samples are sorted by their labels", lambda s: pad_the_end(sorted(s, key=lambda pair: pair[1])), "order"),
        ("labels are a list", lambda s: (pad_the_end(s)[0], [y for _, y in s]), "type"),
        ("the samples are used up", empty_the_list, "changed input"),
    ],
    "3.3": [
        ("the smallest class says when to stop", stop_with_the_smallest, "rounds"),
        ("a class that is used up is left out", skip_what_is_used_up, "rounds"),
        ("it stops in the middle of a round", stop_at_the_last_new_one, "rounds"),
        ("one class comes after the other", class_after_class, "rounds"),
        ("a class goes on with its last sample", repeat_the_last, "again"),
        ("classes come in the order of the samples", lambda y: in_order_of(y, dict.fromkeys(y)), "smallest first"),
        ("labels are sorted as texts", lambda y: in_order_of(y, sorted(set(y), key=str)), "smallest first"),
        ("a set is sorted", lambda y: in_order_of(y, set(y)), "smallest first"),
        ("the largest label comes first", lambda y: take_turns(by_class(y)[::-1]), "smallest first"),
        ("every label up to the largest occurs", lambda y: in_order_of(y, range(max(y, default=-1) + 1)), "classes"),
        ("there are two classes", lambda y: in_order_of(y, (0, 1)), "raised"),
        ("the labels are returned", lambda y: [y[i] for i in take_turns(by_class(y))], "classes"),
        ("within a class, the last comes first", lambda y: take_turns([c[::-1] for c in by_class(y)]), "order"),
        ("there is at least one sample", expect_a_label, "empty"),
        ("each round is a list", lambda y: [[i] for i in take_turns(by_class(y))], "type"),
    ],
    "3.4": [
        ("the first ones are for validation", begin_with_validation, "valid"),
        ("validation comes first in the result", lambda n, valid, gap: cut_from_the_left(n, valid, gap)[::-1], "valid"),
        ("samples are shuffled", shuffle_first, "valid"),
        ("numbers begin with 1", count_from_one, "valid"),
        ("valid is where validation begins", lambda n, valid, gap: ranges(valid - gap, valid, n), "valid"),
        ("the gap is forgotten", lambda n, valid, gap: ranges(n - valid, n - valid, n), "gap"),
        ("the gap is taken from validation", lambda n, valid, gap: ranges(n - valid, n - valid + gap, n), "gap"),
        ("validation goes on into the gap", lambda n, valid, gap: ranges(n - valid - gap, n - valid - gap, n), "gap"),
        ("the gap is at the beginning", gap_at_the_start, "gap"),
        ("a gap is one sample", lambda n, valid, gap: ranges(n - valid - bool(gap), n - valid, n), "gap"),
        ("a slice that ends below 0 is empty", by_slices, "start"),
        ("something is always left to train on", at_least_one, "start"),
        ("the last none are none", by_negative_slices, "none"),
        ("ranges are lists", lambda n, valid, gap: (range(n - valid - gap), range(n - valid, n)), "type"),
        ("a list of two is returned", lambda n, valid, gap: list(cut_from_the_left(n, valid, gap)), "type"),
    ],
    "3.5": [
        ("stacks are pairs", lambda segments, depth: segment_by_segment(segments, 2), "depth"),
        ("only frames with all of a stack get one", whole_stacks_only, "start"),
        ("numbers below 0 are frames", lambda s, depth: stacks_from(s, depth, lambda i: -99), "start"),
        ("stacks are short where frames are missing", leave_out_repeats, "start"),
        ("stacks begin with their frame", look_forward, "oldest first"),
        ("the newest comes first", lambda s, depth: [numbers[::-1] for numbers in as_arrays(s, depth)], "oldest first"),
        ("there is one segment only", lambda s, depth: stacks_from(s, depth, lambda i: 0), "segment"),
        ("one look at the frame before is enough", look_at_one_neighbour, "segment"),
        ("a segment's number is its first frame", lambda s, depth: stacks_from(s, depth, lambda i: s[i]), "segment"),
        ("each segment is numbered from 0", number_within_the_segment, "segment"),
        ("the frame itself stands in for missing ones", repeat_the_frame_itself, "first frame"),
        ("stacks are tuples", lambda s, depth: [tuple(numbers) for numbers in as_arrays(s, depth)], "type"),
        ("an array is returned", lambda s, depth: np.array(as_arrays(s, depth)), "type"),
    ],
}  # fmt: skip
ROUNDS = "rounds = max(map(len, classes), default=0) -> rounds = max(map(len, classes), default="
NO_CLASSES = "without classes a round is empty, however many there are"
ZIP = "for place, (x, _) in zip(batch, samples, strict=True): -> for place, (x, _) in zip(batch, samples"
SAME_LENGTH = "both have one entry for each sample"
EQUIVALENT = {
    "3.2": {
        ZIP + "):": SAME_LENGTH,
        ZIP + ", strict=False):": SAME_LENGTH,
        "batch = torch.zeros(len(samples), len(samples[0][0]), height, width) -> "
        "batch = torch.zeros(len(samples), len(samples[-1][0]), height, width)": "all have the same C",
    },
    "3.3": {ROUNDS + "1)": NO_CLASSES, ROUNDS + "-1)": NO_CLASSES},
    "3.5": {
        "stacks.append([max(i - back, first) for back in range(depth - 1, -1, -1)]) -> "
        "stacks.append([max(first, i - back) for back in range(depth - 1, -1, -1)])": (
            "the larger of two does not depend on their order"
        ),
    },
}
