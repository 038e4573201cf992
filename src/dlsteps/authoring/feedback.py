"""The page that a student gets back: each exercise with its mark, what was wrong, a hint, and the code handed in."""

from html import escape

from dlsteps.exercises.engine import find_exercise

TEXTS = {
    "en": {"points": "{points} of {of} points", "missing": "Missing: {}", "hint": "A hint: {}", "code": "your code"},
    "zh": {"points": "{points} / {of} 分", "missing": "漏掉的一点：{}", "hint": "提示：{}", "code": "你的代码"},
}
PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{student} · {lesson}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
h2 {{ font-size: 1.05rem; margin: 1.4rem 0 .2rem }}
p {{ margin: .2rem 0 }}
pre {{ background: #f4f4f4; padding: .6rem; overflow-x: auto }}
.right {{ color: #006b4f }}
.wrong {{ color: #a33a00 }}
summary {{ color: #666; cursor: pointer }}
</style>
<h1>{student} · {lesson}</h1>
<p>{total}</p>
{notes}{exercises}
</html>
"""


def write_feedback(path, result, lang="en"):
    """Write the page for one result of `grade_notebook`, which names its student, too."""
    texts, found = TEXTS[lang], result["exercises"]
    points, of = (sum(one[what] for one in found.values()) for what in ("points", "of"))
    page = PAGE.format(
        lang=lang,
        student=escape(result["student"]),
        lesson=escape(result["lesson"]),
        total=texts["points"].format(points=points, of=of),
        notes="".join(f"<p>{escape(note)}</p>\n" for note in result["notes"]),
        exercises="\n".join(_exercise(number, one, texts, lang) for number, one in found.items()),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf8", errors="backslashreplace")


def _exercise(number, one, texts, lang):
    right = one["mark"] == "✓"
    lines = [f"{one['mark']} {one['problem'][lang]}"]
    if one["missing"][lang]:
        lines.append(texts["missing"].format(one["missing"][lang]))
    if not right:
        lines.append(texts["hint"].format(find_exercise(number).hints[lang][0]))
    said = "\n".join(f"<p class={'right' if right else 'wrong'}>{escape(line)}</p>" for line in lines)
    code = f"<details><summary>{texts['code']}</summary><pre>{escape(one['code'])}</pre></details>"
    points = texts["points"].format(points=one["points"], of=one["of"])
    return f"<h2>{escape(one['title'])}: {points}</h2>\n{said}\n{code if one['code'] else ''}"
