from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from ragbots.config import LimitSettings
from ragbots.errors import ConfigurationError, TooManyRequests
from ragbots.limiting import Limiter
from ragbots.types import Principal

KIM, LEE = Principal("kim"), Principal("lee")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: another test may hold this one's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(30)


async def taken(count: Any, whose: Any, times: int) -> int:
    """How many of so many requests are taken."""
    found = 0
    for _ in range(times):
        try:
            await (count(whose) if isinstance(whose, str) else count(whose, whose.user_id))
            found += 1
        except TooManyRequests:
            pass
    return found


def limiter(**rates: Any) -> Limiter:
    return Limiter(LimitSettings.model_validate(rates))


def test_each_person_has_as_many_as_the_others() -> None:
    async def work() -> None:
        limits = limiter(per_user="3/hour")
        assert await taken(limits.principal, KIM, 300) == 3
        assert await taken(limits.principal, LEE, 4) == 3

    run(work())


def test_an_address_and_a_bot_are_counted_apart_from_people_of_that_name() -> None:
    async def work() -> None:
        limits = limiter(per_user="1/hour", per_address="2/hour", per_bot="3/hour")
        assert [await taken(count, "kim", 5) for count in (limits.address, limits.bot)] == [2, 3]
        assert await taken(limits.principal, KIM, 5) == 1

    run(work())


def test_a_key_is_counted_and_so_is_its_owner() -> None:
    @dataclass(frozen=True)
    class WithKey:
        key: str | None
        user_id: str = "kim"
        local: bool = False

    async def work() -> None:
        limits = limiter(per_user="5/hour", per_key="3/hour")
        assert await taken(limits.principal, WithKey("k1"), 5) == 3
        assert await taken(limits.principal, WithKey("k2"), 5) == 2
        assert await taken(limits.principal, WithKey(None), 5) == 0

    run(work())


def test_whoever_sits_at_the_machine_is_no_user_among_others() -> None:
    assert run(taken(limiter(per_user="1/hour").principal, Principal("local", local=True), 50)) == 50


def test_the_time_to_wait_is_long_enough_and_not_much_longer() -> None:
    async def work() -> None:
        limits = limiter(per_user="2/second")
        assert await taken(limits.principal, KIM, 3) == 2
        with pytest.raises(TooManyRequests) as refused:
            await limits.principal(KIM, "kim")
        assert 1 <= refused.value.retry_after <= 2
        await asyncio.sleep(refused.value.retry_after)
        await limits.principal(KIM, "kim")

    run(work())


def test_several_rates_hold_together_and_none_is_no_limit() -> None:
    assert run(taken(limiter(per_user="100/second; 4/hour").principal, KIM, 9)) == 4
    assert run(taken(limiter(per_user="none").principal, KIM, 500)) == 500


@pytest.mark.parametrize("rate", ["fast", "0/minute", "10/fortnight", "10", "10/minute;", ""])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="is a rate such as"):
        limiter(per_user=rate)


def test_without_redis_people_go_on_asking_within_limits(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = "redis://:s3cret@127.0.0.1:1/0"
    assert run(taken(limiter(per_user="3/hour", redis_url=url).principal, KIM, 9)) == 3
    [told] = [record.getMessage() for record in caplog.records if record.name == "ragbots.limiting"]
    assert told == "limits: Redis does not answer (ConnectionError); each server counts by itself"
    assert "s3cret" not in caplog.text


def test_an_address_of_redis_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as refused:
        limiter(redis_url="redis://:s3cret@127.0.0.1:port/0")
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}"
