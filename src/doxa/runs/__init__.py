"""Carry out and keep: run studies on a model, read runs back, plan, query and compare them."""

from doxa.runs.compare import compare
from doxa.runs.errors import CannotWrite, Damaged, Interrupted, Refused, Stopped
from doxa.runs.folder import Part, Record, Run, repair
from doxa.runs.plan import Plan, plan
from doxa.runs.query import query
from doxa.runs.runner import run

__all__ = [
    "CannotWrite",
    "Damaged",
    "Interrupted",
    "Part",
    "Plan",
    "Record",
    "Refused",
    "Run",
    "Stopped",
    "compare",
    "plan",
    "query",
    "repair",
    "run",
]
