"""A case of the gallery: a sound program, and what to replace in it so that it is broken."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
PARTS = ("data", "network", "loop", "evaluation", "rates")


@cache
def program_text(program):
    """The text of a sound program, by its name."""
    return (PROGRAMS / f"{program}.py").read_text(encoding="utf8")


@dataclass(frozen=True)
class Case:
    """A broken run.

    number: gives nothing away. code: the clinic's, that names the fault. program: the sound program's name. edits:
    (right, wrong) pieces of its text; each right one stands there exactly once. part: of `PARTS`, where the fault is.
    because: {language: which sign in the picture gave it away, and why it follows}.
    """

    number: int
    code: str
    program: str
    part: str
    edits: tuple
    because: dict

    @property
    def fixed_text(self):
        """The sound program."""
        return program_text(self.program)

    @property
    def text(self):
        """The broken program."""
        text = self.fixed_text
        for right, wrong in self.edits:
            if text.count(right) != 1:
                raise ValueError(f"case {self.number}: {right!r} stands {text.count(right)} times in {self.program}.py")
            text = text.replace(right, wrong)
        return text
