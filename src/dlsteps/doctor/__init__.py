"""Does the course work here? Its packages, the machine and the desktop, checked and reported.

It must work where nothing else does, so libraries are imported where they are used, or in a Python of their own.
"""

from dlsteps.doctor.desktop import STEPS, DesktopProof, Step, check_desktop, show_window
from dlsteps.doctor.machine import check_machine, pick_device, session_type
from dlsteps.doctor.packages import PACKAGES, Package, PackageCheck, check_package, check_packages, import_problem
from dlsteps.doctor.report import (
    anonymous,
    examine,
    format_desktop,
    format_machine,
    format_packages,
    main,
    problems,
    table,
    verdict,
)

__all__ = [
    "PACKAGES",
    "STEPS",
    "DesktopProof",
    "Package",
    "PackageCheck",
    "Step",
    "anonymous",
    "check_desktop",
    "check_machine",
    "check_package",
    "check_packages",
    "examine",
    "format_desktop",
    "format_machine",
    "format_packages",
    "import_problem",
    "main",
    "pick_device",
    "problems",
    "session_type",
    "show_window",
    "table",
    "verdict",
]
