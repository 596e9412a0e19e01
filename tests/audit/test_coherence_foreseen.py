"""The distance that a planted fault of coherence must have, in closed form, beside that of drawn believers."""

import numpy as np
import pytest

from doxa.audit.coherence import Believer, fault_distance, noise_distance
from doxa.data.compound import ROLES
from doxa.metrics import coherence_distance
from doxa.models.base import Context
from doxa.records import Item, Prompt


def table(fault, by, pairs):
    items = [
        Item(f"pair-{i}#{role}", "", "statement", group=f"pair-{i}", fields={"role": role})
        for i in range(pairs)
        for role in ROLES
    ]
    believed = Believer(fault, by)
    return np.array([believed(item, Context(item), Prompt.user("How likely?"))["true"] for item in items]).reshape(
        pairs, 6
    )


@pytest.mark.parametrize("fault", ["additivity", "conjunction"])
def test_a_fault_has_its_distance_whatever_is_believed(fault):
    for by in (0.0, 0.15, 0.3):
        assert coherence_distance(table(fault, by, 50)) == pytest.approx(fault_distance(by, [])[0].value, abs=1e-7)


def test_noise_has_its_distance_on_average():
    found, (expected, _) = coherence_distance(table("noise", 0.03, 400)), noise_distance(0.03, [])
    assert expected.value == pytest.approx(found.mean(), abs=4 * found.std() / 20)
    assert expected.sd == pytest.approx(found.std(), rel=0.15)
