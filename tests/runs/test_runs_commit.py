"""Group commit: what is handed in is committed in order, together where it can be, and answered truthfully."""

from __future__ import annotations

import asyncio

import pytest

from doxa.runs.commit import GroupCommit

NEVER_S = 3600.0  # a batch that is not hurried would gather for so long


async def test_a_batch_gathers_until_somebody_is_in_a_hurry():
    batches: list[list[int]] = []
    commit = GroupCommit(batches.append, "test", gather_s=NEVER_S)
    durable = [commit.add(k) for k in range(5)]
    await asyncio.sleep(0.01)
    assert not batches and not any(d.done() for d in durable)
    commit.hurry()
    await asyncio.wait_for(asyncio.gather(*durable), 10)
    assert batches == [[0, 1, 2, 3, 4]]
    commit.close()


async def test_closing_commits_what_gathers():
    batches: list[list[int]] = []
    commit = GroupCommit(batches.append, "test", gather_s=NEVER_S)
    durable = [commit.add(k) for k in range(3)]
    commit.close()
    commit.close()
    await asyncio.wait_for(asyncio.gather(*durable), 10)
    assert [k for batch in batches for k in batch] == [0, 1, 2]


@pytest.mark.parametrize("gather_s", [0.0, 0.001])
async def test_futures_are_done_in_order_and_after_the_commit(gather_s):
    committed: list[int] = []
    answered: list[int] = []
    commit = GroupCommit(committed.extend, "test", gather_s)

    async def hand_in(k: int) -> None:
        await commit.add(k)
        assert k in committed
        answered.append(k)

    await asyncio.gather(*(hand_in(k) for k in range(200)))
    assert committed == answered == list(range(200))
    commit.close()


async def test_after_an_error_nothing_more_is_accepted():
    def full(batch: list[int]) -> None:
        raise OSError("full")

    commit = GroupCommit(full, "test", gather_s=0.001)
    waiting = [commit.add(k) for k in range(3)]
    for durable in waiting:
        with pytest.raises(OSError, match="full"):
            await durable
    with pytest.raises(OSError, match="full"):
        commit.add(4)
    commit.close()
