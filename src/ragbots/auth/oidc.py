"""Signing in at an identity provider: OpenID Connect, authorisation code flow with PKCE, state and nonce."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode

import httpx
import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ragbots.auth.secrets import digest, new_secret
from ragbots.auth.sessions import Sessions
from ragbots.errors import AddressRefused, SignInRefused
from ragbots.outgoing import client, pin, spelled_out
from ragbots.state.accounts import SignIn, User

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")  # all with a key pair: `none` and shared secrets are not among them
_AWAY = timedelta(minutes=10)  # how long a sign-in may take at the provider
_LEEWAY_SECONDS = 60  # how far the clocks may be apart
_SECONDS = 10.0
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Client:
    """What the provider knows this installation as, and which of its claims count."""

    issuer: str
    client_id: str
    client_secret: str | None
    scope: str = "openid profile email"
    user_claim: str = "sub"
    groups_claim: str = "groups"
    private_networks: tuple[str, ...] = ()

    @property
    def reachable(self) -> tuple[str, ...]:
        """The networks that are not public and may be reached all the same, whatever the provider says of itself."""
        return (*self.private_networks, *spelled_out(self.issuer))


class Provider:
    """One identity provider. What it says of itself is fetched when first needed."""

    def __init__(self, client: Client, sessions: Sessions) -> None:
        self._client = client
        self._sessions = sessions
        self._keys: KeySet | None = None

    def start(self, redirect_uri: str, browser: str) -> str:
        """Where a browser goes to sign in. `browser` is what only this browser knows, besides the state. Raises
        SignInRefused where the provider cannot be reached."""
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        now = self._sessions.now()
        with self._oauth(redirect_uri) as oauth:
            url, _ = oauth.create_authorization_url(
                self._metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        kept = digest(f"{state}.{browser}")
        self._sessions.accounts.add_sign_in(SignIn(nonce, verifier, now), kept, now - _AWAY)
        return str(url)

    def finish(self, redirect_uri: str, browser: str, state: str, code: str) -> str:
        """The secret of a new session for whoever comes back with this. Raises SignInRefused."""
        sign_in = self._sessions.accounts.take_sign_in(digest(f"{state}.{browser}"))
        if sign_in is None or self._sessions.now() - sign_in.created_at >= _AWAY:
            raise SignInRefused("a sign-in came back that did not begin in this browser, or too late, or twice")
        claims = self._checked(self._id_token(redirect_uri, code, sign_in.verifier), sign_in.nonce)
        user = self._user(claims)
        sid = claims.get("sid")
        return self._sessions.begin(user.id, sid if isinstance(sid, str) else None)

    def end(self, user_id: str | None, back: str) -> str | None:
        """Where a browser goes to sign out at the provider too; None where it has no place for that."""
        endpoint = self._metadata.get("end_session_endpoint")
        if not endpoint:
            return None
        told = {"client_id": self._client.client_id, "post_logout_redirect_uri": back}
        if user_id:
            told["logout_hint"] = user_id
        return f"{endpoint}?{urlencode(told)}"

    def ended(self, logout_token: str) -> int:
        """Ends the sessions that the provider says are over (back-channel logout); how many. Raises SignInRefused."""
        claims = self._decoded(logout_token)
        try:
            _required(claims, self._client)
        except JoseError as error:
            raise SignInRefused(f"a logout token is not good: {error}") from error
        events, sid, user_id = claims.get("events"), claims.get("sid"), claims.get(self._client.user_claim)
        if not isinstance(events, Mapping) or _LOGOUT not in events or "nonce" in claims or not (sid or user_id):
            raise SignInRefused("what was sent is no logout token")
        return self._sessions.accounts.end_sessions(user_id, sid)

    @cached_property
    def _metadata(self) -> Mapping[str, Any]:
        found = self._fetched(f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._client.issuer:
            raise SignInRefused(f"{self._client.issuer} calls itself {found.get('issuer')!r}", hint="see `issuer`")
        return found

    def _fetched(self, url: str) -> Mapping[str, Any]:
        try:
            with client(self._client.reachable, timeout=httpx.Timeout(_SECONDS)) as http:
                answer = http.get(url)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, AddressRefused, ValueError) as error:
            raise SignInRefused(f"the identity provider does not answer: {url}: {error}") from error
        if not isinstance(found, dict):
            raise SignInRefused(f"the identity provider answers with something else: {url}")
        return found

    def _oauth(self, redirect_uri: str) -> OAuth2Client:
        return OAuth2Client(
            self._client.client_id,
            self._client.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self._client.client_secret else "none",
            scope=self._client.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_SECONDS,
            follow_redirects=False,
            event_hooks={"request": [partial(pin, private=self._client.reachable)]},
        )

    def _id_token(self, redirect_uri: str, code: str, verifier: str) -> str:
        endpoint = self._metadata["token_endpoint"]
        try:
            with self._oauth(redirect_uri) as oauth:
                given = oauth.fetch_token(endpoint, code=code, code_verifier=verifier, grant_type="authorization_code")
        except AddressRefused as error:
            raise SignInRefused(f"the identity provider gives its tokens elsewhere: {error}") from error
        except (OAuthError, httpx2.HTTPError, ValueError) as error:  # the client's own kind of httpx
            raise SignInRefused(f"the identity provider gave no token: {type(error).__name__}") from error
        token = given.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("the identity provider gave no id token")
        return token

    def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        claims = self._decoded(token)
        try:
            _required(claims, self._client, nonce)
        except JoseError as error:
            raise SignInRefused(f"an id token is not good: {error}") from error
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        """The claims of a token that the provider signed. Keys are fetched again for a token of none of them."""
        if self._keys is not None:
            with suppress(JoseError, ValueError):
                return _claims(token, self._keys)
        fetched = self._fetched(self._metadata["jwks_uri"])
        try:
            self._keys = KeySet.import_key_set(fetched)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError) as error:
            raise SignInRefused(f"the identity provider's keys cannot be read: {error}") from error
        try:
            return _claims(token, self._keys)
        except (JoseError, ValueError) as error:
            raise SignInRefused(f"a token is not signed as it should be: {error}") from error

    def _user(self, claims: Mapping[str, Any]) -> User:
        """The account of whoever the provider vouches for, as it says now; made where there is none."""
        user_id, issuer, accounts = claims.get(self._client.user_claim), self._client.issuer, self._sessions.accounts
        if not isinstance(user_id, str) or not 1 <= len(user_id) <= 255:
            raise SignInRefused(f"an id token names nobody in `{self._client.user_claim}`", hint="see `user_claim`")
        named = claims.get(self._client.groups_claim) or ()
        groups = frozenset([named] if isinstance(named, str) else [one for one in named if isinstance(one, str)])
        name = str(claims.get("name") or claims.get("preferred_username") or user_id)[:255]
        known = accounts.user(user_id)
        if known is None:
            known = User(user_id, name, groups, True, self._sessions.now(), issuer=issuer)
            accounts.add_user(known)
        elif known.issuer != issuer or not known.enabled:
            raise SignInRefused(f"user `{user_id}` is disabled, or an account that {issuer} does not vouch for")
        else:
            accounts.set_groups(user_id, groups)
            accounts.set_name(user_id, name)
        return known


def _claims(token: str, keys: KeySet) -> dict[str, Any]:
    return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims


def _required(claims: Mapping[str, Any], client: Client, nonce: str | None = None) -> None:
    """Raises JoseError for claims that are over, or meant for another or from another."""
    wanted = {"iss": {"essential": True, "value": client.issuer}, "aud": {"essential": True, "value": client.client_id}}
    if nonce is None:
        claims = {"sub": "", **claims}  # a logout token may name the session alone
    token = CodeIDToken(dict(claims), {}, wanted, {"nonce": nonce, "client_id": client.client_id})
    token.validate(leeway=_LEEWAY_SECONDS)
