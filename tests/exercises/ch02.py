"""Answers to the exercises of lesson 02."""

import re

import numpy as np


def four_ifs(keys):
    if "left" in keys and "right" in keys:
        return 1
    if "left" in keys:
        return 0
    if "right" in keys:
        return 2
    return 1


def by_difference(keys):
    return {frozenset({"left"}): 0, frozenset({"right"}): 2}.get(frozenset(keys & {"left", "right"}), 1)


def throw_out_the_others(keys):
    keys &= {"left", "right"}
    return four_ifs(keys)


def only_one_hit(titles, wanted):
    exact = [title for title in titles if title == wanted]
    hits = exact[:1] or [title for title in titles if wanted.lower() in title.lower()]
    return hits.pop() if len(hits) == 1 else None


def count_hits(titles, wanted):
    found = [wanted.casefold() in title.casefold() for title in titles]
    if titles.count(wanted):
        return wanted
    return titles[found.index(True)] if sum(found) == 1 else None


def first_hit(titles, wanted):
    return next((title for title in titles if wanted.lower() in title.lower()), None)


def exact_without_case(titles, wanted):
    same = [title for title in titles if title.lower() == wanted.lower()]
    hits = same or [title for title in titles if wanted.lower() in title.lower()]
    return hits[0] if len(hits) == 1 or same else None


def give_up_at_the_second(titles, wanted):
    found = None
    for title in titles:
        if title == wanted:
            return title
        if wanted.lower() in title.lower():
            if found:
                return None
            found = title
    return found


def by_pattern(titles, wanted):
    hits = [title for title in titles if re.search(wanted, title, re.IGNORECASE)]
    return wanted if wanted in titles else hits[0] if len(hits) == 1 else None


def small_titles(titles, wanted):
    hits = [title for title in titles if wanted in title.lower()]
    return wanted if wanted in titles else hits[0] if len(hits) == 1 else None


def by_word(titles, wanted):
    hits = [title for title in titles if wanted.lower() in title.lower().split()]
    return wanted if wanted in titles else hits[0] if len(hits) == 1 else None


def without_repeats(titles, wanted):
    hits = {title for title in titles if wanted.lower() in title.lower()}
    return wanted if wanted in titles else hits.pop() if len(hits) == 1 else None


def case_matters(titles, wanted):
    hits = [title for title in titles if wanted in title]
    return wanted if wanted in titles else hits[0] if len(hits) == 1 else None


def begins_with(titles, wanted):
    hits = [title for title in titles if title.lower().startswith(wanted.lower())]
    return wanted if wanted in titles else hits[0] if len(hits) == 1 else None


def by_neighbours(captures):
    later = [frame for frame, _ in captures[1:]] + [None]
    return [capture for i, capture in enumerate(captures) if capture[0] != later[i]]


def replace_the_last(captures):
    pairs = []
    for frame, keys in captures:
        if pairs and pairs[-1][0] == frame:
            pairs.pop()
        pairs.append((frame, keys))
    return pairs


def first_capture(captures):
    first = {}
    for frame, keys in captures:
        first.setdefault(frame, keys)
    return list(first.items())


def expect_a_capture(captures):
    pairs = [captures[0]]
    for frame, keys in captures[1:]:
        if pairs[-1][0] == frame:
            pairs.pop()
        pairs.append((frame, keys))
    return pairs


def sort_as_text(captures):
    return sorted(dict(captures).items(), key=lambda item: str(item[0]))


def by_comparison(times, limit):
    numbers = [0] * bool(times)
    for before, now in zip(times, times[1:], strict=False):
        numbers.append(numbers[-1] + (now - before > limit))
    return numbers


def by_breaks(times, limit):
    breaks = [b for a, b in zip(times, times[1:], strict=False) if b - a > limit]
    return [sum(time >= start for start in breaks) for time in times]


def expect_a_time(times, limit):
    numbers = [0]
    for before, now in zip(times, times[1:], strict=False):
        numbers.append(numbers[-1] + (now - before > limit))
    return numbers


def since_the_segment_began(times, limit):
    numbers, start = [], times[0] if times else 0
    for time in times:
        new = time - start > limit
        start = time if new else start
        numbers.append((numbers[-1] if numbers else 0) + new)
    return numbers


def only_mark_the_gaps(times, limit):
    return [int(i > 0 and time - times[i - 1] > limit) for i, time in enumerate(times)]


RIGHT = {
    "2.1": [four_ifs, by_difference],
    "2.2": [only_one_hit, count_hits],
    "2.3": [by_neighbours, replace_the_last, lambda captures: list(dict(captures).items())],
    "2.4": [by_comparison, by_breaks],
}
WRONG = {
    "2.1": [
        ("only these keys may be held", lambda keys: {"left": 0, "right": 2}.get("".join(keys), 1), "other keys"),
        ("left wins over right", lambda keys: 0 if "left" in keys else 2 if "right" in keys else 1, "both"),
        ("right wins over left", lambda keys: 2 if "right" in keys else 0 if "left" in keys else 1, "both"),
        ("it always stays", lambda keys: 1, "one key"),
        ("directions are -1, 0 and 1", lambda keys: ("right" in keys) - ("left" in keys), "one key"),
        ("what is not right is left", lambda keys: 2 if "right" in keys else 0, "no key"),
        ("nothing held is nothing returned", lambda keys: four_ifs(keys) if keys else None, "no return"),
        ("the keys are thrown out of what was given", throw_out_the_others, "changed input"),
        ("keys is taken for one key", lambda keys: {"left": 0, "right": 2}.get(keys, 1), "raised"),
        ("it is a text", lambda keys: str(four_ifs(keys)), "type"),
    ],
    "2.2": [
        ("the first hit will do", first_hit, "exact"),
        ("of several hits, the first will do", lambda t, wanted: wanted if wanted in t else first_hit(t, wanted), "several"),
        ("it gives up before it has seen all", give_up_at_the_second, "exact"),
        ("what is wanted is a pattern", by_pattern, "part"),
        ("a part is a whole word", by_word, "part"),
        ("two windows of one title are one", without_repeats, "several"),
        ("only the titles are made small", small_titles, "case"),
        ("only the whole title counts", lambda titles, wanted: wanted if wanted in titles else None, "case"),
        ("all hits are returned", lambda titles, wanted: [t for t in titles if wanted.lower() in t.lower()], "type"),
        ("exactly is without upper and lower case", exact_without_case, "letter for letter"),
        ("upper and lower case matter", case_matters, "case"),
        ("a part is the beginning", begins_with, "part"),
        ("there is always a hit", lambda titles, wanted: [t for t in titles if wanted.lower() in t.lower()][0], "none"),
        ("what was wanted is returned", lambda titles, wanted: wanted, "none"),
        ("no window is an empty text", lambda titles, wanted: only_one_hit(titles, wanted) or "", "none"),
    ],
    "2.3": [
        ("the first capture is kept", first_capture, "last"),
        ("every capture is kept", lambda captures: captures, "last"),
        ("a dictionary is returned", dict, "type"),
        ("only the keys are returned", lambda captures: list(dict(captures).values()), "type"),
        ("frames and keys stand in one row", lambda captures: [x for pair in dict(captures).items() for x in pair], "pairs"),
        ("lists in place of pairs", lambda captures: [list(item) for item in dict(captures).items()], "type"),
        ("frames are sorted as texts", sort_as_text, "order"),
        ("the last comes first", lambda captures: list(dict(captures).items())[::-1], "last"),
        ("repeated pairs are dropped only", lambda captures: list(dict.fromkeys(captures)), "last"),
        ("there is at least one capture", expect_a_capture, "empty"),
    ],
    "2.4": [
        ("there is at least one frame", expect_a_time, "empty"),
        ("there is one segment only", lambda times, limit: [0] * len(times), "gap"),
        ("a gap of the limit is too long", lambda times, limit: np.cumsum(np.diff(times, prepend=times[:1]) >= limit).tolist(), "more than"),
        ("time is compared, not the gap", lambda times, limit: [int(time > limit) for time in times], "first"),
        ("gaps are marked, not counted", only_mark_the_gaps, "count up"),
        ("segments are numbered from 1", lambda times, limit: [1 + n for n in by_comparison(times, limit)], "first"),
        ("every frame begins a segment", lambda times, limit: list(range(len(times))), "first"),
        ("the first frame is left out", lambda times, limit: np.cumsum(np.diff(times) > limit).tolist(), "first"),
        ("an array is returned", lambda times, limit: np.array(by_comparison(times, limit)), "type"),
        ("what counts is the time since the segment began", since_the_segment_began, "gap"),
        ("segments are as long as the limit", lambda times, limit: [int((time - times[0]) // limit) for time in times], "gap"),
    ],
}  # fmt: skip
EQUIVALENT = {
    "2.2": {
        "return hits[0] if len(hits) == 1 else None -> return hits[-1] if len(hits) == 1 else None": (
            "the first of one is its last"
        ),
    },
}
