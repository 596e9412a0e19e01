"""Who is asked: one interface, back ends by address (hf:, organism:, endpoint:, recorded:, simulated:)."""

from doxa.models.address import load
from doxa.models.base import Capability, Context, Model, Price, Usage, check_needs

__all__ = ["Capability", "Context", "Model", "Price", "Usage", "check_needs", "load"]
