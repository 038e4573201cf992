"""What check, hint and quiz say, in the notebook's language."""

import os
from pathlib import Path

from dlsteps.exercises.compare import show

TEXTS = {
    "en": {
        "right": "right",
        "not attempted": "not attempted yet",
        "wrong": "for {case}: expected {expected}, got {got}",
        "raised": "for {case}: expected {expected}, but it raised {error}",
        "raised here": "for {case}: it raised {error}",
        "raised by itself": "it raised {error}",
        "missing": "  Missing: {idea}",
        "ask": '  Stuck? hint("{number}")',
        "hint": "{number}, hint {count} of {of}: {text}",
    },
    "zh": {
        "right": "正确",
        "not attempted": "尚未作答",
        "wrong": "输入 {case} 时，应得到 {expected}，实际得到 {got}",
        "raised": "输入 {case} 时，应得到 {expected}，实际却抛出 {error}",
        "raised here": "输入 {case} 时，抛出了 {error}",
        "raised by itself": "抛出了 {error}",
        "missing": "  漏掉的一点：{idea}",
        "ask": '  没有思路？试试 hint("{number}")',
        "hint": "{number}，提示 {count}/{of}：{text}",
    },
}
COMMON = {  # ideas that any answer can be missing
    "no return": {
        "en": "a value to give back: does every way through the function end with return?",
        "zh": "返回值：函数的每个分支都以 return 结束了吗？",
    },
    "type": {"en": "the right type: {asked}, not {mine}", "zh": "正确的类型：应是 {asked}，而不是 {mine}"},
    "shape": {"en": "the right shape: {asked}, not {mine}", "zh": "正确的形状：应是 {asked}，而不是 {mine}"},
    "dtype": {"en": "the right dtype: {asked}, not {mine}", "zh": "正确的 dtype：应是 {asked}，而不是 {mine}"},
    "changed input": {
        "en": "for {case}: it changes what it was given; work on a copy",
        "zh": "输入 {case} 时，传入的数据被改动了；请在副本上操作",
    },
    "too long": {
        "en": "no answer after {seconds} s: a loop that never stops, or something very slow?",
        "zh": "{seconds} 秒后还没有结果：是有停不下来的循环，还是哪里太慢？",
    },
    "not this": {
        "en": 'check takes the {takes} itself, as in check("{number}", …) without brackets behind it, but got {got}',
        "zh": 'check 要的是{takes}本身，写成 check("{number}", …)，名字后面不加括号；实际得到的是 {got}',
    },
}


KINDS = {"function": "函数", "class": "类", "module": "模型", "tensor": "张量"}  # what an exercise asks for, in Chinese


def language():
    """Of the messages: DLSTEPS_LANG, else that of the notebook's folder."""
    named = os.environ.get("DLSTEPS_LANG") or Path.cwd().name
    return named if named in TEXTS else "en"


def say(what, lang=None, **values):
    return TEXTS[lang or language()][what].format(**values)


def explain(wrong, ideas, lang):
    """What is wrong with an answer: the line with the failing case, and the idea that is missing, "" if unknown."""
    facts = dict(wrong.facts)
    facts |= {name: show(facts[name]) for name in ("expected", "got") if name in facts}
    if lang == "zh" and "takes" in facts:
        facts["takes"] = KINDS[facts["takes"]]
    if "case" in facts:
        facts["case"] = ", ".join(map(show, facts["case"]))
    idea = {**COMMON, **ideas}.get(wrong.idea, {}).get(lang, "").format(**facts)
    if "error" in facts:
        known = "raised" if "expected" in facts else "raised here" if "case" in facts else "raised by itself"
        return say(known, lang, **facts), idea
    if "expected" in facts:
        return say("wrong", lang, **facts), idea
    return idea, ""
