from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ragbots.errors import ModelFailed
from ragbots.gate import FairGate as Gate


def FairGate(limit: int, most_waiting: int, most_of_one: int) -> Gate:
    return Gate(limit, most_waiting, most_of_one, lambda words: ModelFailed(words, kind="busy"))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: another test may hold this one's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(30)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_so_many_at_once_and_no_more() -> None:
    async def work() -> int:
        gate, inside, most = FairGate(3, 100, 100), 0, 0

        async def one(user: str) -> None:
            nonlocal inside, most
            async with gate.turn(user):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(one(str(number % 4)) for number in range(20)))
        return most

    assert run(work()) == 3


def test_people_take_turns_however_many_requests_one_has() -> None:
    async def work() -> list[str]:
        gate, order = FairGate(1, 100, 100), []

        async def one(user: str) -> None:
            async with gate.turn(user):
                order.append(user)
                await asyncio.sleep(0)

        greedy = [asyncio.create_task(one("greedy")) for _ in range(10)]
        await settle()
        others = [asyncio.create_task(one(user)) for user in ("kim", "lee")]
        await asyncio.gather(*greedy, *others)
        return order

    order = run(work())
    assert len(order) == 12
    assert {"kim", "lee"} <= set(order[:8])  # long before the greedy one's last


def test_too_many_waiting_are_turned_away() -> None:
    async def work() -> str:
        gate = FairGate(1, 1, 1)
        async with gate.turn("a"):
            waiting = asyncio.create_task(_enter(gate))
            await settle()
            with pytest.raises(ModelFailed) as raised:
                async with gate.turn("c"):
                    pass
            waiting.cancel()
        return raised.value.kind

    assert run(work()) == "busy"


def test_nobody_fills_the_queue_alone() -> None:
    async def work() -> tuple[str, bool]:
        gate = FairGate(1, 100, 2)
        async with gate.turn("a"):
            waiting = [asyncio.create_task(_enter(gate)) for _ in range(2)]
            await settle()
            with pytest.raises(ModelFailed) as raised:
                await _enter(gate)
            other = asyncio.create_task(_enter(gate, "c"))
            await settle()
        await asyncio.gather(*waiting, other)
        await _enter(gate)  # and has places again, once served
        return raised.value.kind, True

    assert run(work()) == ("busy", True)


async def _enter(gate: Gate, user: str = "b") -> None:
    async with gate.turn(user):
        pass


def test_who_leaves_the_queue_takes_no_turn_with_them() -> None:
    async def work() -> bool:
        gate = FairGate(1, 100, 100)
        async with gate.turn("a"):
            tasks = [asyncio.create_task(_enter(gate)) for _ in range(5)]
            await settle()
            for task in tasks[:4]:
                task.cancel()
            await settle()
        await asyncio.wait_for(tasks[4], 5)
        async with asyncio.timeout(5), gate.turn("z"):  # and the place is free again
            return True

    assert run(work())


def test_a_failure_inside_gives_the_turn_back() -> None:
    async def work() -> bool:
        gate = FairGate(1, 0, 0)
        with pytest.raises(ZeroDivisionError):
            async with gate.turn("a"):
                raise ZeroDivisionError
        async with gate.turn("b"):
            return True

    assert run(work())
