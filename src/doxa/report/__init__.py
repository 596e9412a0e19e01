"""Findings shown: one-file HTML, terminal, JSON."""

from doxa.report.html import write_report
from doxa.report.plain import findings_json
from doxa.report.terminal import print_findings, summary

__all__ = ["findings_json", "print_findings", "summary", "write_report"]
