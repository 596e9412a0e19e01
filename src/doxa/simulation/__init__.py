"""Many turns, many players: conversations as data, debates over rounds, and respondents told who is asking."""

from doxa.simulation.accumulation import Scripted, Talk, masked
from doxa.simulation.conversation import Budget, Conversation, Turn, View, forced
from doxa.simulation.debate import Bets, debate, due
from doxa.simulation.personas import IDENTITIES, Persona, crossed, identity, with_persona

__all__ = [
    "IDENTITIES",
    "Bets",
    "Budget",
    "Conversation",
    "Persona",
    "Scripted",
    "Talk",
    "Turn",
    "View",
    "crossed",
    "debate",
    "due",
    "forced",
    "identity",
    "masked",
    "with_persona",
]
