"""Lesson 02, from screen to data."""

from dlsteps.exercises.engine import Exercise


def action_of(keys):
    if ("left" in keys) == ("right" in keys):
        return 1
    return 0 if "left" in keys else 2


def pick_title(titles, wanted):
    if wanted in titles:
        return wanted
    hits = [title for title in titles if wanted.lower() in title.lower()]
    return hits[0] if len(hits) == 1 else None


def pair(captures):
    pairs = []
    for i, (frame, keys) in enumerate(captures):
        if i + 1 == len(captures) or captures[i + 1][0] != frame:
            pairs.append((frame, keys))
    return pairs


def number_segments(times, limit):
    numbers, number = [], 0
    for i, time in enumerate(times):
        if i > 0 and time - times[i - 1] > limit:
            number += 1
        numbers.append(number)
    return numbers


EXERCISES = {
    "2.1": Exercise(
        cases=(({"left"},), (set(),), ({"right"},), ({"left", "right"},), ({"space"},), ({"right", "space"},)),
        expected=action_of,
        hints={
            "en": [
                '"left" in keys is True or False. There are four combinations of left and right.',
                "Both or none of the two: stay. Other keys do not matter.",
                'if ("left" in keys) == ("right" in keys): return 1',
            ],
            "zh": [
                '"left" in keys 的值是 True 或 False。left 和 right 一共有四种组合。',
                "两个都按或都不按：停。其他键不用管。",
                'if ("left" in keys) == ("right" in keys): return 1',
            ],
        },
    ),
    "2.2": Exercise(
        cases=(
            (["Catch"], "Catch"),
            (["Catch", "Notes"], "catch"),
            (["Notes"], "Catch"),
            (["Catch", "Catch (dlsteps)"], "Catch"),
            (["Catch me", "Catch (dlsteps)"], "catch"),
            ([], "Catch"),
        ),
        expected=pick_title,
        hints={
            "en": [
                "Go step by step: is there a title that is exactly the same? If not, which ones contain the word?",
                "wanted.lower() in title.lower() compares without upper and lower case. Collect all that fit.",
                "if wanted in titles: return wanted; then a list of hits, and its only element if len(hits) == 1",
            ],
            "zh": [
                "一步一步来：有没有完全相同的标题？没有的话，哪些标题里含有这个词？",
                "wanted.lower() in title.lower() 比较时不分大小写。把符合的都收集起来。",
                "if wanted in titles: return wanted；再列出所有命中的标题，只有一个（len(hits) == 1）时返回它",
            ],
        },
    ),
    "2.3": Exercise(
        cases=(
            ([(1, "")],),
            ([(1, ""), (1, "left")],),
            ([(1, ""), (1, "left"), (2, "left"), (2, "")],),
            ([(4, "left"), (5, "left"), (5, ""), (5, "right"), (6, "right")],),
            ([],),
        ),
        expected=pair,
        hints={
            "en": [
                "What does a capture with the same frame number as the one before it do to the one before?",
                "Keep a list of pairs. Same frame as its last pair: replace that pair; a new frame: append.",
                "A dictionary does it: for frame, keys in captures: last[frame] = keys; then list(last.items())",
            ],
            "zh": [
                "一次捕获与前一次的帧号相同，这对前一次意味着什么？",
                "准备一个列表。帧号与最后一项相同就替换那一项，是新的帧就追加。",
                "用字典就行：for frame, keys in captures: last[frame] = keys，最后 list(last.items())",
            ],
        },
    ),
    "2.4": Exercise(
        cases=(
            ([0.0], 0.1),
            ([0.0, 0.5], 0.1),
            ([0.0, 0.25, 0.5], 0.25),
            ([0.0, 0.05, 0.5, 0.55, 2.0], 0.1),
            ([], 0.1),
        ),
        expected=number_segments,
        hints={
            "en": [
                "The first frame is in segment 0. When does the number go up?",
                "Compare each time with the one before: more than limit apart means a new segment.",
                "for before, now in zip(times, times[1:]): number += now - before > limit; numbers.append(number)",
            ],
            "zh": [
                "第一帧属于第 0 段。段号什么时候加一？",
                "拿每个时刻和前一个比：相差超过 limit 就是新的一段。",
                "for before, now in zip(times, times[1:]): number += now - before > limit; numbers.append(number)",
            ],
        },
    ),
}
