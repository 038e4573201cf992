"""Runs that neither crash nor learn: small programs, each with one fault, to look at, to name and to mend."""

from dlsteps.clinic.gallery.case import Case
from dlsteps.clinic.gallery.cases import CASES
from dlsteps.clinic.gallery.judge import judge
from dlsteps.clinic.gallery.pictures import draw
from dlsteps.clinic.gallery.record import Record, run, sound, stored
from dlsteps.clinic.gallery.widget import deal

__all__ = ["CASES", "Case", "Record", "deal", "draw", "judge", "run", "sound", "stored"]
