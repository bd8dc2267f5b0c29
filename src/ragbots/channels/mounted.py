"""The messengers that come in over HTTP: their routers, where their secrets are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastapi import APIRouter

from ragbots.channels.dooray_command import dooray_router
from ragbots.channels.feedback import feedback_of
from ragbots.channels.messenger import Messenger, secret_of

if TYPE_CHECKING:
    from ragbots.runtime import Runtime


def routers(runtime: Runtime, environ: Mapping[str, str]) -> list[APIRouter]:
    """Dooray's slash command where its token is set, Slack's events where the signing secret is. Raises
    ConfigurationError where one is set that cannot be used."""
    found = []
    feedback = feedback_of(runtime)
    dooray, slack = runtime.settings.dooray, runtime.settings.slack
    if environ.get(dooray.app_token_env):
        secret = secret_of(environ, dooray.app_token_env, "the appToken of the slash command")
        found.append(dooray_router(Messenger(runtime, "dooray", secret, give_feedback=feedback), dooray))
    if environ.get(slack.signing_secret_env):
        from ragbots.channels.slack import slack_app, slack_router, web_client  # takes a second to import

        secret = secret_of(environ, slack.signing_secret_env, "the signing secret of the Slack app")
        messenger = Messenger(runtime, "slack", secret, give_feedback=feedback)
        found.append(slack_router(slack_app(messenger, web_client(slack, environ)), secret))
    return found
