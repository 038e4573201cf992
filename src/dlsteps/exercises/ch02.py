"""Lesson 02, from screen to data."""

from dlsteps.exercises.exercise import Case, Exercise, Quiz


def action_of(keys):
    """Left and right, each held or not: four rows of a table."""
    table = {(True, False): 0, (False, False): 1, (True, True): 1, (False, True): 2}
    return table["left" in keys, "right" in keys]


def key_cases(random):
    yield Case(({"left"},), "one key")
    yield Case((set(),), "no key")
    yield Case(({"right"},), "one key")
    yield Case(({"left", "right"},), "both")
    yield Case(({"space"},), "other keys")
    yield Case(({"right", "space"},), "other keys")
    yield Case(({"left", "space"},), "other keys")
    yield Case(({"left", "right", "space"},), "both")
    yield Case(({"up", "space"},), "other keys")


def pick_title(titles, wanted):
    """Look at every title, twice at most."""
    for title in titles:
        if title == wanted:
            return title
    found = None
    for title in titles:
        if title.casefold().find(wanted.casefold()) >= 0:
            if found is not None:
                return None
            found = title
    return found


def title_cases(random):
    yield Case((["Catch"], "Catch"), "exact")
    yield Case((["Notes"], "Catch"), "none")
    yield Case(([], "Catch"), "none")
    yield Case((["Catch", "Notes"], "catch"), "case")
    yield Case((["Notes", "Pygame Aliens"], "aliens"), "part")
    yield Case((["Notes", "Pygame Aliens"], "ALIENS"), "case")
    yield Case((["Notes", "Catch (dlsteps)"], "catch (d"), "part")
    yield Case((["Catch (dlsteps)", "Catch"], "Catch"), "exact")
    yield Case((["Catch", "catch"], "catch"), "letter for letter")
    yield Case((["Catch me", "Catch (dlsteps)"], "catch"), "several")
    yield Case((["Catch me", "Catch me"], "catch"), "several")
    yield Case((["Catch me", "Catch (dlsteps)", "Catch"], "Catch"), "exact")


def pair(captures):
    """A capture counts if none of the same frame comes after it."""
    pairs = []
    for i, (frame, keys) in enumerate(captures):
        if frame not in [later for later, _ in captures[i + 1 :]]:
            pairs.append((frame, keys))
    return pairs


def capture_cases(random):
    yield Case(([(1, "")],), "pairs")
    yield Case(([(1, ""), (1, "left")],), "last")
    yield Case(([(1, ""), (1, "left"), (2, "left"), (2, "")],), "last")
    yield Case(([(4, "left"), (5, "left"), (5, ""), (5, "right"), (6, "right")],), "last")
    yield Case(([(9, "left"), (10, "left"), (10, ""), (11, "")],), "order")
    yield Case(([],), "empty")
    for _ in range(5):
        frames = sorted(random.choices(range(50, 60), k=12))
        yield Case(([(frame, random.choice(["", "left", "right"])) for frame in frames],), "last")


def number_segments(times, limit):
    """Go along the times, and count up at each gap that is too long."""
    numbers, number = [], 0
    for i, time in enumerate(times):
        if i > 0 and time - times[i - 1] > limit:
            number += 1
        numbers.append(number)
    return numbers


def time_cases(random):
    yield Case(([0.0], 0.1), "first")
    yield Case(([0.0, 0.5], 0.1), "gap")
    yield Case(([7.0, 7.5], 1.0), "first")
    yield Case(([0.0, 0.25, 0.5], 0.375), "gap")
    yield Case(([0.0, 0.25, 0.5], 0.25), "more than")
    yield Case(([0.0, 0.05, 0.5, 0.55, 2.0], 0.1), "count up")
    yield Case(([], 0.1), "empty")
    for _ in range(5):
        times = [0.0]
        for _ in range(8):
            times.append(times[-1] + random.choice([0.125, 0.25, 1.0, 3.0]))
        yield Case((times, 0.5), "count up")


EXERCISES = {
    "2.1": Exercise(
        cases=key_cases,
        expected=action_of,
        ideas={
            "one key": {"en": "left is 0 and right is 2", "zh": "左是 0，右是 2"},
            "no key": {"en": "with neither key held, the player stays", "zh": "两个键都没按，就是不动"},
            "both": {"en": "both keys together cancel out", "zh": "两个键都按住，就互相抵消"},
            "other keys": {"en": "other keys do not matter, held or not", "zh": "其他键按没按住都不用管"},
        },
        hints={
            "en": [
                '"left" in keys is True or False. There are four combinations of left and right.',
                "Both or none of the two: stay. Other keys do not matter.",
                'if ("left" in keys) == ("right" in keys): return 1',
            ],
            "zh": [
                '"left" in keys 的值是 True 或 False。left 和 right 一共有四种组合。',
                "两个都按或都不按：不动。其他键不用管。",
                'if ("left" in keys) == ("right" in keys): return 1',
            ],
        },
    ),
    "2.2": Exercise(
        cases=title_cases,
        expected=pick_title,
        ideas={
            "exact": {
                "en": "a title that is exactly what was asked for comes before all others",
                "zh": "一字不差的标题优先于其他标题",
            },
            "letter for letter": {
                "en": "exactly means with the same upper and lower case letters",
                "zh": "一字不差，也包括大小写相同",
            },
            "case": {"en": "a part counts whatever its upper and lower case", "zh": "按一部分来找时，不分大小写"},
            "part": {"en": "a part of the title is enough", "zh": "标题的一部分就够了"},
            "several": {
                "en": "if several titles contain it, none is meant",
                "zh": "有好几个标题都包含它时，哪个也不算",
            },
            "none": {"en": "if no title contains it, the answer is None", "zh": "没有标题包含它时，答案是 None"},
        },
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
        cases=capture_cases,
        expected=pair,
        ideas={
            "pairs": {"en": "a list of pairs (frame, keys)", "zh": "由（帧号，按键）组成的列表"},
            "last": {
                "en": "each frame once, with the keys of its last capture",
                "zh": "每一帧一项，取最后一次捕获时的按键",
            },
            "order": {"en": "the frames stay in the order of time", "zh": "各帧保持时间上的先后次序"},
            "empty": {"en": "without captures, the list is empty", "zh": "一次捕获也没有时，列表为空"},
        },
        hints={
            "en": [
                "What does a capture with the same frame number as the one before it do to the one before?",
                "Keep a list of pairs. Same frame as its last pair: replace that pair; a new frame: append.",
                "A dictionary does it: for frame, keys in captures: last[frame] = keys; then list(last.items())",
            ],
            "zh": [
                "一次捕获与前一次的帧号相同，这对前一次意味着什么？",
                "准备一个列表。帧号和列表最后一项的相同，就替换那一项；是新的帧，就追加一项。",
                "用字典就行：for frame, keys in captures: last[frame] = keys，最后 list(last.items())",
            ],
        },
    ),
    "2.4": Exercise(
        cases=time_cases,
        expected=number_segments,
        ideas={
            "first": {"en": "the first segment is 0, whenever it begins", "zh": "第一段的编号总是 0，不管何时开始"},
            "gap": {
                "en": "what counts is the time since the frame before",
                "zh": "要看的是和前一帧相差多久",
            },
            "more than": {"en": "a gap of exactly the limit is not too long", "zh": "间隔正好等于 limit，不算超过"},
            "count up": {
                "en": "each gap that is too long begins a new segment, also for all frames after it",
                "zh": "每个过长的间隔之后都是新的一段，后面所有帧的段号也都跟着加一",
            },
            "empty": {"en": "without times, the list is empty", "zh": "一个时间也没有时，列表为空"},
        },
        hints={
            "en": [
                "The first frame is in segment 0. When does the number go up?",
                "Compare each time with the one before: more than limit apart means a new segment.",
                "for before, now in zip(times, times[1:]): number += now - before > limit; numbers.append(number)",
            ],
            "zh": [
                "第一帧的段号是 0。段号什么时候加一？",
                "拿每一帧的时间和前一帧的比：相差超过 limit 就是新的一段。",
                "for before, now in zip(times, times[1:]): number += now - before > limit; numbers.append(number)",
            ],
        },
    ),
}

QUIZZES = {
    "2.a": Quiz(
        right="a",
        why={
            "en": {
                "a": "a label can only be wrong where the action changes, and a still paddle never changes it",
                "b": "the rate was the same; what matters is how often the action changes",
                "c": "while nothing changes, an early look and a late one see the same keys",
            },
            "zh": {
                "a": "标签只会在动作改变的地方出错，而一直不动的球拍从不改变动作",
                "b": "速率是一样的；要紧的是动作多久改变一次",
                "c": "什么都不变的时候，看得早和看得晚，看到的按键都一样",
            },
        },
    ),
}
