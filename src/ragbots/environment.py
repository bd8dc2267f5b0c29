"""The environment, in which a variable can be what a file holds: so whoever lists variables reads no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ragbots.errors import ConfigurationError

_SUFFIX = "_FILE"
_PREFIX = "RAGBOTS_"
_MOST_BYTES = 65_536


class Environment(Mapping[str, str]):
    """`NAME` is the variable of that name, or where `NAME_FILE` is set what the file holds that it names, without its
    line end, as Docker gives secrets to a container. Read anew each time.

    Raises ConfigurationError for a file that cannot be read and where both are set; it says nothing of what they hold.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        value, path = self._variables.get(name), self._variables.get(name + _SUFFIX)
        if path and value:
            raise ConfigurationError(f"both {name} and {name}{_SUFFIX} are set", hint="set one of them")
        if path:
            return _held(name, Path(path))
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        """The names; a setting in a file has the name of the setting."""
        return iter(dict.fromkeys(_named(name) for name in self._variables))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _named(variable: str) -> str:
    return variable.removesuffix(_SUFFIX) if variable.startswith(_PREFIX) else variable


def _held(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            held = file.read(_MOST_BYTES + 1)
        if len(held) > _MOST_BYTES:
            raise ConfigurationError(f"{name}{_SUFFIX}: {path} is too large for a secret")
        return held.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(f"{name}{_SUFFIX}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}{_SUFFIX}: {path} is not text", hint="save it as UTF-8") from None
