"""Which way of signing in the settings choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragbots.auth import AccountsIdentity
from ragbots.config import load_settings
from ragbots.errors import ConfigurationError
from ragbots.runtime import Runtime
from ragbots.types import Credentials

OIDC = {"RAGBOTS_IDENTITY_KIND": "oidc", "RAGBOTS_IDENTITY_CLIENT_ID": "ragbots"}


@pytest.mark.parametrize(
    ("environ", "kind", "signs_in"),
    [
        ({}, "local", False),
        ({"RAGBOTS_IDENTITY_KIND": "accounts"}, "accounts", True),
        ({**OIDC, "RAGBOTS_IDENTITY_ISSUER": "https://id.example.com"}, "oidc", True),
    ],
)
def test_the_setting_chooses(tmp_path: Path, environ: dict[str, str], kind: str, signs_in: bool) -> None:
    runtime = Runtime(load_settings(environ, data_dir=tmp_path), {}, ())
    assert (runtime.identity.id, runtime.identity.requires_sign_in) == (kind, signs_in)
    principal = runtime.identity.principal(Credentials(), "web")
    assert principal is not None
    assert principal.authenticated is not signs_in
    assert runtime.identity.principal(Credentials("Bearer ragbots_x"), "web") is None
    runtime.close()


@pytest.mark.parametrize("issuer", ["", "http://id.example.com", "id.example.com", "https://id.example.com/?x=1"])
def test_a_provider_is_reached_over_tls(issuer: str) -> None:
    with pytest.raises(ConfigurationError, match="issuer"):
        load_settings({**OIDC, "RAGBOTS_IDENTITY_ISSUER": issuer})


def test_the_secret_of_the_client_can_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("of the client\n", "utf-8")
    monkeypatch.setenv("OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    settings = load_settings({**OIDC, "RAGBOTS_IDENTITY_ISSUER": "https://id.example.com"}, data_dir=tmp_path)
    runtime = Runtime(settings, {}, ())
    assert isinstance(runtime.identity, AccountsIdentity)
    assert runtime.identity.provider is not None
    assert runtime.identity.provider._client.client_secret == "of the client"
    runtime.close()
