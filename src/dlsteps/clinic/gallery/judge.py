"""Whether a program is mended: by what an observer measures, and by what the clinic says."""

import math

from dlsteps.clinic import Report, check_loop, preflight
from dlsteps.clinic.gallery.execute import isolated, prepared, where
from dlsteps.clinic.gallery.record import run, sound

WORSE = 1.2, 0.02  # a mended model's loss may be so many times the sound one's, and so much more
APART = 1.25, 0.05  # what a program reports, and what is measured apart, may differ so much: factor, accuracy


def examine(program):
    """The clinic's `Report` on a program: `preflight` and `check_loop`, with new models of its make_model.

    program: the text, or the `Record` of a run of it. What cannot be prepared is said in `skipped`.
    """
    with isolated():
        try:
            parts = prepared(program) if isinstance(program, str) else program.namespace
            model, loaders = parts["make_model"](), (parts["train_loader"], parts["valid_loader"])
            optimizer = parts["make_optimizer"](model)
            loops = parts["train_one_epoch"], parts["evaluate"], parts["make_model"], parts["make_optimizer"]
        except (Exception, SystemExit) as error:  # the learner's text, whatever it holds
            return Report([], {"all": where(error)})
        found = preflight(model, parts.get("loss_fn"), *loaders, optimizer)
        return found + check_loop(*loops, *loaders, parts.get("loss_fn"))


def judge(case, text):
    """Run a program that shall be `case`'s, mended: (what, facts about it, its `Record`).

    what: "fixed"; "fails", it raises an error; "found", the clinic still names the fault; "reports", what the program
    says of itself is not what is measured apart; "worse", the model is worth less than the sound program's.
    """
    record = run(text, case.program)
    if record.error or not record.history:
        return "fails", {"error": record.error or "history is empty"}, record
    return *compare(case, record, sound(case.program)), record


def compare(case, record, reference):
    """(what, facts) for a run that came to its end."""
    if named := [finding for finding in examine(record).findings if finding.code == case.code]:
        return "found", {"message": named[0].message}
    reported, measured = record.history[-1].get("valid_loss", math.nan), record.valid["loss"]
    limit, most = measured * APART[0] + 0.01, reference.valid["loss"] * WORSE[0] + WORSE[1]
    if not measured / APART[0] - 0.01 <= reported <= limit:
        return "reports", {"reported": reported, "measured": measured, "what": "loss"}
    if "accuracy" in record.valid:
        reported, right = record.history[-1].get("accuracy", math.nan), record.valid["accuracy"]
        if not abs(reported - right) <= APART[1]:
            return "reports", {"reported": reported, "measured": right, "what": "accuracy"}
    if not measured <= most:
        return "worse", {"measured": measured, "sound": reference.valid["loss"]}
    return "fixed", {"measured": measured, "sound": reference.valid["loss"]}
