"""All cases, by their number."""

from dlsteps.clinic.gallery.cases import data, evaluation, loop, network, rates

CASES = tuple(
    sorted(
        (case for theme in (data, network, loop, evaluation, rates) for case in theme.CASES),
        key=lambda case: case.number,
    )
)
