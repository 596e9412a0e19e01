"""Findings shown: one-file HTML, terminal, JSON."""

from doxa.report.document import write_document
from doxa.report.html import write_report
from doxa.report.plain import findings_dict, findings_json
from doxa.report.terminal import print_findings, print_table, summary

__all__ = [
    "findings_dict",
    "findings_json",
    "print_findings",
    "print_table",
    "summary",
    "write_document",
    "write_report",
]
