"""The gallery: every case is broken in the way it says, and can be mended."""

import matplotlib.pyplot as plt
import pytest
import torch

from dlsteps.clinic.codes import CODES
from dlsteps.clinic.gallery import CASES, deal, draw, judge, run, sound, stored
from dlsteps.clinic.gallery.case import PARTS, Case, program_text
from dlsteps.clinic.gallery.judge import examine
from dlsteps.clinic.gallery.record import case_of
from dlsteps.clinic.gallery.widget import TEXTS, Dealt

PROGRAMS = sorted({case.program for case in CASES})
ONLY_WHILE_IT_RUNS = {14, 23}  # a schedule that is never stepped, overfitting: `Monitor` names these


def test_there_are_enough_cases_and_each_is_described():
    assert [case.number for case in CASES] == list(range(1, len(CASES) + 1))
    assert len(CASES) >= 24
    assert len({case.code for case in CASES}) >= 24
    for case in CASES:
        assert case.code in CODES
        assert case.part in PARTS
        assert all(len(case.because[lang]) > 20 for lang in ("en", "zh"))
        assert case.text != case.fixed_text
        compile(case.text, case.program, "exec")


def test_an_edit_that_does_not_stand_there_is_named():
    case = Case(1, "overfitting", "diabetes", "network", (("nn.Linear(11,", ""),), {})
    with pytest.raises(ValueError, match="case 1: 'nn.Linear\\(11,' stands 0 times in diabetes.py"):
        _ = case.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.code}")
def test_a_broken_program_runs_and_is_found_out(case):
    what, facts, record = judge(case, case.text)
    assert what == ("worse" if case.number in ONLY_WHILE_IT_RUNS else "found"), facts
    assert record.error is None
    before = stored(case.number)
    assert len(record.history) == len(before.history)
    assert [row["name"] for row in record.layers] == [row["name"] for row in before.layers]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_sound_program_counts_as_mended(program):
    case = next(case for case in CASES if case.program == program)
    what, facts, record = judge(case, case.fixed_text)
    assert what == "fixed", facts
    assert examine(record).ok
    assert record.true_loss == pytest.approx(sound(program).true_loss, rel=0.25)


def test_another_way_of_mending_counts_as_well():
    case = next(case for case in CASES if case.code == "softmax-before-cross-entropy")
    text = case.text.replace("nn.Softmax(dim=1)", "nn.Identity()")
    assert judge(case, text)[0] == "fixed"


def test_hiding_the_number_is_not_mending():
    case = next(case for case in CASES if case.code == "loss-of-last-batch-only" and case.program == "digits_mlp")
    text = case.text.replace('"loss": loss, ', '"loss": 0.0, ')
    assert judge(case, text)[0] in ("found", "reports")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("EPOCHS = 60", "EPOCHS = = 60", "line 8: SyntaxError"),
        ("loss.backward()", "1 / 0", "ZeroDivisionError"),
        ("loss.backward()", "raise SystemExit(3)", "SystemExit"),
        ("history = []", "history = []\nmake_model = None\ndel make_model", "no longer defines make_model"),
        ("EPOCHS = 60", "EPOCHS = 0", "history is empty"),
    ],
)
def test_a_text_that_does_not_run_says_where(old, new, said):
    case = next(case for case in CASES if case.program == "diabetes")
    what, facts, _ = judge(case, program_text("diabetes").replace(old, new))
    assert what == "fails"
    assert said in facts["error"]
    assert "\n" not in facts["error"]


def test_what_cannot_be_prepared_is_said_by_the_clinic_too():
    assert "ZeroDivisionError" in examine("1 / 0").skipped["all"]
    assert "KeyError" in examine("x = 1").skipped["all"]


def test_a_run_changes_nothing_outside(capsys):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    text = program_text("diabetes").replace("EPOCHS = 60", "EPOCHS = 2")
    run(text + "\nprint(history)\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\n", "diabetes")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", [0, 99, "3", -1])
def test_an_unknown_case_is_named(number):
    with pytest.raises(ValueError, match=f"unknown case {number!r}: choose from 1 to {len(CASES)}"):
        stored(number)
    with pytest.raises(ValueError, match="unknown case"):
        case_of(number)


def test_every_record_can_be_drawn():
    for case in CASES:
        figure = draw(stored(case.number), sound(case.program))
        assert len(figure.axes) == 6
        plt.close(figure)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_naming_and_mending_in_the_widget(monkeypatch, lang):
    monkeypatch.setenv("DLSTEPS_LANG", lang)
    case = next(case for case in CASES if case.code == "parameter-not-in-optimizer")
    dealt = Dealt(case.number)
    assert dealt.image.value[:4] == b"\x89PNG"
    assert dealt.program.layout.display == "none"
    everything = len(dealt.choice.options)

    dealt.choice.value = "overfitting"
    assert TEXTS[lang]["parts"]["loop"] in dealt.answer.value
    assert dealt.choice.value == ""
    assert len(dealt.choice.options) < everything
    assert dealt.program.layout.display == "none"

    dealt.choice.value = case.code
    assert case.code in dealt.answer.value
    assert dealt.program.layout.display is None
    assert dealt.text.value == case.text

    dealt.buttons["fix"].click()
    assert "model.parameters()" in dealt.said.value
    dealt.buttons["ask"].click()
    assert case.code in dealt.said.value
    dealt.text.value = case.fixed_text.replace("EPOCHS = 12", "EPOCHS = 1/0")
    dealt.buttons["run"].click()
    assert "ZeroDivisionError" in dealt.said.value
    dealt.text.value = case.fixed_text
    dealt.buttons["run"].click()
    assert dealt.said.value.startswith("✓")
    assert dealt.after.value[:4] == b"\x89PNG"

    dealt.buttons["another"].click()
    assert dealt.case is not case
    assert dealt.program.layout.display == "none"


def test_dealing_leaves_a_line_where_there_are_no_widgets(capsys):
    deal(4)
    assert f"one of {len(CASES)} broken runs" in capsys.readouterr().out
