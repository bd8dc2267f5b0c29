"""Passwords: argon2 hashes, and a check that takes as long for a user that there is not."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ragbots.errors import ConfigurationError

LEAST_CHARS = 10
MOST_CHARS = 1_000

_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """Raises ConfigurationError where it is too short or too long."""
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise ConfigurationError(f"the password has {len(password)} characters", hint=f"at least {LEAST_CHARS}")
    return _HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password of a hash. Where there is none it is compared all the same, with one that nothing
    matches: how long it takes does not tell which users there are."""
    try:
        right = _HASHER.verify(kept or _nobodys(), password[:MOST_CHARS])
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None and len(password) <= MOST_CHARS


def outdated(kept: str) -> bool:
    """Whether a hash was made with weaker settings than new ones are."""
    return _HASHER.check_needs_rehash(kept)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
