"""A notice to a bot's owner: JSON posted to the address that its `notify:` names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from ragbots.errors import AddressRefused, NotTold
from ragbots.outgoing import client

_SECONDS = 10.0


def post(url: str, notice: Mapping[str, object], private_networks: Sequence[str] = ()) -> None:
    """Raises NotTold where nobody took it, or where the address leads into a network that is not public nor listed.
    Names the host alone: the rest of such an address is often a secret."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    try:
        with client(private_networks, timeout=httpx.Timeout(_SECONDS)) as http:
            answer = http.post(url, json=dict(notice))
    except AddressRefused as error:
        raise NotTold(f"notify: {error}", hint=_HINT) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTold(f"notify: {host} was not reached: {type(error).__name__}", hint=_HINT) from error
    if not answer.is_success:
        raise NotTold(f"notify: {host} answered {answer.status_code} instead of taking the notice", hint=_HINT)


_HINT = "see `notify:` in the bot's YAML; the notice itself is kept, see `ragbots index status`"
