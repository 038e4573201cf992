"""deal: a broken run to look at, to name and to mend."""

import html
import io
import random

from dlsteps.clinic.gallery.cases import CASES
from dlsteps.clinic.gallery.judge import examine, judge
from dlsteps.clinic.gallery.pictures import draw
from dlsteps.clinic.gallery.record import case_of, sound, stored
from dlsteps.exercises.messages import language
from dlsteps.exercises.store import OPEN, RIGHT, WRONG

TEXTS = {
    "en": {
        "case": "Case {number} of {of}",
        "here": "In JupyterLab one of {of} broken runs appears here, to be named and mended.",
        "which": "which fault?",
        "another": "another",
        "show": "show me",
        "right": "{code}. {because}",
        "wrong": "Not {code}. The fault is in {part}; the list now shows what can be wrong there.",
        "program": "This is its program. Mend it here, and run it.",
        "run": "run",
        "ask": "ask the clinic",
        "fix": "show the fix",
        "running": "running …",
        "replaced": "to be replaced: {wrong}",
        "by": "by: {right}",
        "fixed": "Mended: its loss, measured apart, is {measured:.2f}; the sound program has {sound:.2f}.",
        "fails": "It does not run: {error}",
        "found": "Not yet. The clinic says: {message}",
        "reports": "Not yet. It reports {what} {reported:.2f}; measured apart, it is {measured:.2f}.",
        "worse": "Not yet. Its loss, measured apart, is {measured:.2f}; the sound program has {sound:.2f}.",
        "parts": {
            "data": "the data, or the loss for them",
            "network": "the network",
            "loop": "the loop, or in what it trains",
            "evaluation": "what is measured",
            "rates": "how fast it learns",
        },
    },
    "zh": {
        "case": "病例 {number}（共 {of} 个）",
        "here": "在 JupyterLab 里，这里会出现 {of} 个有毛病的训练之一，请指出毛病并改好。",
        "which": "是哪种错误？",
        "another": "换一个",
        "show": "看答案",
        "right": "{code}。{because}",
        "wrong": "不是 {code}。错误出在{part}；列表里现在只剩那里可能出的错。",
        "program": "这是它的程序。请在这里改好，再运行。",
        "run": "运行",
        "ask": "问问诊所",
        "fix": "看改法",
        "running": "运行中……",
        "replaced": "原来：{wrong}",
        "by": "改成：{right}",
        "fixed": "改好了：另行测得的损失是 {measured:.2f}，正常程序是 {sound:.2f}。",
        "fails": "程序运行失败：{error}",
        "found": "还没有改好。诊所说：{message}",
        "reports": "还没有改好。程序报告的 {what} 是 {reported:.2f}，另行测得的是 {measured:.2f}。",
        "worse": "还没有改好。另行测得的损失是 {measured:.2f}，正常程序是 {sound:.2f}。",
        "parts": {
            "data": "数据，或针对数据的损失",
            "network": "网络",
            "loop": "训练循环，或它所训练的对象",
            "evaluation": "评估",
            "rates": "学习的快慢",
        },
    },
}


def say(what, **values):
    return TEXTS[language()][what].format(**values)


def picture(record, program):
    """A run as PNG, beside the sound one."""
    import matplotlib.pyplot as plt

    with plt.ioff():
        figure = draw(record, sound(program))
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=80)
        plt.close(figure)
    return file.getvalue()


def codes(part=None):
    return sorted({case.code for case in CASES if part in (None, case.part)})


class Dealt:
    """The widget's parts, and what they do. `box` is what is shown."""

    def __init__(self, number):
        from ipywidgets import HTML, Button, Dropdown, HBox, Image, Textarea, VBox

        self.title, self.image, self.answer = HTML(), Image(format="png"), HTML()
        self.choice = Dropdown()
        self.choice.observe(self.name, "value")
        self.text = Textarea(layout={"width": "100%", "height": "26em"})
        self.text.add_class("dlsteps-program")
        self.said, self.after = HTML(), Image(format="png", layout={"display": "none"})

        def button(what, press):
            made = Button(description=say(what))
            made.on_click(press)
            return made

        self.buttons = {
            what: button(what, press)
            for what, press in (
                ("show", lambda _: self.reveal()),
                ("another", lambda _: self.deal(random.choice([n for n in numbers() if n != self.case.number]))),
                ("run", lambda _: self.run()),
                ("ask", lambda _: self.ask()),
                ("fix", lambda _: self.fix()),
            )
        }
        style = HTML("<style>.dlsteps-program textarea {font-family: monospace; white-space: pre}</style>")
        self.program = VBox([
            HTML(say("program")), self.text, HBox([self.buttons[what] for what in ("run", "ask", "fix")]),
            self.said, self.after,
        ])  # fmt: skip
        first = HBox([self.choice, self.buttons["show"], self.buttons["another"]])
        self.box = VBox([style, self.title, self.image, first, self.answer, self.program])
        self.deal(number)

    def deal(self, number):
        self.case = case_of(number)
        self.title.value = f"<b>{say('case', number=number, of=len(CASES))}</b>"
        self.image.value = picture(stored(number), self.case.program)
        self.offer(codes())
        self.text.value, self.said.value, self.answer.value = self.case.text, "", ""
        self.program.layout.display = self.after.layout.display = "none"

    def offer(self, choices):
        """Give these to choose from; none is chosen."""
        self.choice.unobserve(self.name, "value")
        self.choice.options = [(say("which"), ""), *((code, code) for code in choices)]
        self.choice.value = ""
        self.choice.observe(self.name, "value")

    def name(self, change):
        """A fault was chosen."""
        code = change["new"]
        if code == self.case.code:
            self.reveal()
        elif code:
            part = TEXTS[language()]["parts"][self.case.part]
            self.answer.value = f"{WRONG} {html.escape(say('wrong', code=code, part=part))}"
            self.offer(codes(self.case.part))

    def reveal(self):
        because = self.case.because[language()]
        self.answer.value = f"{RIGHT} {html.escape(say('right', code=self.case.code, because=because))}"
        self.program.layout.display = None

    def run(self):
        self.said.value = say("running")
        what, facts, record = judge(self.case, self.text.value)
        self.said.value = f"{RIGHT if what == 'fixed' else WRONG} {html.escape(say(what, **facts))}"
        if record.valid:
            self.after.value = picture(record, self.case.program)
            self.after.layout.display = None

    def ask(self):
        self.said.value = say("running")
        self.said.value = examine(self.text.value)._repr_html_()

    def fix(self):
        lines = [
            f"{say('replaced', wrong=wrong.strip() or '–')}\n{say('by', right=right.strip() or '–')}"
            for right, wrong in self.case.edits
        ]
        self.said.value = f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def numbers():
    return [case.number for case in CASES]


def deal(number=None):
    """Show a broken run: its curves, steps, gradients and activations, and the sound run's in grey.

    Choose the fault; then its program appears, to be mended and run again. `number`: of the case, from 1; without it,
    any. Where there are no widgets, a line says so.
    """
    from IPython.display import display

    dealt = Dealt(random.choice(numbers()) if number is None else number)
    bundle = dealt.box._repr_mimebundle_() | {"text/plain": f"{OPEN} {say('here', of=len(CASES))}"}
    display(bundle, raw=True, metadata={"has_text": True})  # the builder keeps the text
