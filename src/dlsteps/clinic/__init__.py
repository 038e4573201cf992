"""Finds training bugs that neither crash nor warn: before training, in your own loop, and while it runs."""

from dlsteps.clinic.loop_checks.check_loop import check_loop
from dlsteps.clinic.monitor_checks.monitor import Monitor
from dlsteps.clinic.preflight_checks.preflight import preflight
from dlsteps.clinic.report import Finding, Report

__all__ = ["Finding", "Monitor", "Report", "check_loop", "preflight"]
