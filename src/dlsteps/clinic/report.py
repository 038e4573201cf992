"""What the clinic found: findings in an order of importance, and the checks that could not run."""

import html
from dataclasses import dataclass, field

from dlsteps.clinic.codes import CODES
from dlsteps.clinic.followers import together
from dlsteps.tables import table


@dataclass
class Finding:
    """One thing that is wrong, or might be.

    code: one of `dlsteps.clinic.codes.CODES`. severity: "error", the run will not do what it should; or "advice", look
    at it. message: one sentence with the numbers that were seen. evidence: these numbers by name. fix: what to do.
    """

    code: str
    severity: str
    message: str
    evidence: dict = field(default_factory=dict)
    fix: str = ""

    def __post_init__(self):
        if self.code not in CODES:
            raise ValueError(f"unknown code {self.code!r}: choose from {', '.join(CODES)}")
        if self.severity not in ("error", "advice"):
            raise ValueError(f"unknown severity {self.severity!r}: choose from 'error', 'advice'")
        self.message += "" if self.message.endswith((".", "?")) else "."
        self.fix = self.fix or CODES[self.code].fix

    @property
    def why(self):
        """Why it matters."""
        return CODES[self.code].why


class Skip(Exception):
    """A check that cannot run, and why."""


def describe(error):
    """One line: the kind of an exception, and what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}" if lines[0] else type(error).__name__


def listed(names, most=3):
    """`a`, `b`, `c` and 4 more: for messages."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


class Report:
    """`findings`, the most important first; `skipped`, {check: why it could not run}; `ok`: there is no error."""

    def __init__(self, findings=(), skipped=None):
        order = list(CODES)
        self.findings = sorted(findings, key=lambda finding: (finding.severity != "error", order.index(finding.code)))
        self.skipped = dict(skipped or {})

    @property
    def ok(self):
        return not any(finding.severity == "error" for finding in self.findings)

    def __add__(self, other):
        """Both: `preflight(…) + check_loop(…) + monitor.report`, without what follows from something found before."""
        return Report(together(self.findings, other.findings), self.skipped | other.skipped)

    def __repr__(self):
        rows = [(finding.severity, finding.code, finding.message) for finding in self.findings]
        lines = [table(rows)] if rows else ["nothing found"]
        lines += [f"not checked: {check} ({reason})" for check, reason in self.skipped.items()]
        return "\n".join(lines)

    def _repr_html_(self):
        heading = ("", "code", "what was seen", "why it matters", "what to do")
        cells = [(f.severity, f.code, f.message, f.why, f.fix) for f in self.findings]
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        found = f"<table><tr>{''.join(f'<th>{name}</th>' for name in heading)}</tr>{rows}</table>"
        skipped = "".join(f"<p>not checked: {html.escape(f'{k} ({v})')}</p>" for k, v in self.skipped.items())
        return (found if cells else "<p>nothing found</p>") + skipped
