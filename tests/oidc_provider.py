"""A small OpenID Connect provider over real HTTP: it checks the client, the code, PKCE, and signs what a test says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "ragbots", "the client's secret"
Claims = dict[str, Any]


class OidcProvider:
    """`claims` are of whoever signs in; `tamper` may change them, `sign` makes the token of them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.published = [self.key]
        self.claims: Claims = {"sub": "u-1", "name": "김하나", "groups": ["board"], "sid": "s-1"}
        self.tamper: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: Claims, key: RSAKey | None = None) -> str:
        key = key or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def token(self, **more: Any) -> Claims:
        now = int(time.time())
        return {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **self.claims, **more}

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def configuration() -> Claims:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/end",
            }

        @app.get("/keys")
        def keys() -> Claims:
            return {"keys": [key.as_dict(private=False) for key in self.published]}

        @app.get("/authorize", response_model=None)
        def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            assert asked["response_type"] == "code"
            assert asked["client_id"] == CLIENT_ID
            assert asked["code_challenge_method"] == "S256"
            assert "openid" in asked["scope"].split()
            code = secrets.token_urlsafe()
            self.codes[code] = asked
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

        @app.post("/token")
        def token(
            request: Request,
            code: Annotated[str, Form()],
            code_verifier: Annotated[str, Form()],
            redirect_uri: Annotated[str, Form()],
        ) -> JSONResponse:
            basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {basic}":
                return JSONResponse({"error": "invalid_client"}, 401)
            asked = self.codes.pop(code, None)
            challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
            if asked is None or challenge != asked["code_challenge"] or redirect_uri != asked["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            claims = self.tamper(self.token(nonce=asked["nonce"]))
            return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)})

        return app


@contextmanager
def providing() -> Iterator[OidcProvider]:
    provider = OidcProvider()
    server = uvicorn.Server(uvicorn.Config(provider.app(), log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[provider.listener])))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield provider
    finally:
        server.should_exit = True
        thread.join(30)
        provider.listener.close()
