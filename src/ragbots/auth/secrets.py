"""Secrets that are made here: random, shown once, and kept as their hash alone."""

from __future__ import annotations

import secrets

from ragbots import text

KEY_PREFIX = "ragbots_"  # so that people and scanners of leaked secrets know one when they see it
_BYTES = 32


def new_secret(prefix: str = "") -> str:
    """256 random bits as text."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """What is kept of a secret of `new_secret`: 64 hexadecimal digits. No salt and no slow hash: nobody guesses 256
    random bits."""
    return text.digest(secret.encode("utf-8", "surrogatepass"))
