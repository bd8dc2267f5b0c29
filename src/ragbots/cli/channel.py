"""`ragbots channel`: answer in a messenger."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import typer

from ragbots.channels import dooray as dooray_channel
from ragbots.channels.feedback import feedback_of
from ragbots.channels.messenger import Messenger, secret_of
from ragbots.cli.common import BotsDir, DataDir, err, runtime
from ragbots.environment import Environment

app = typer.Typer(help="Answer in a messenger until interrupted.", no_args_is_help=True)

Serving = Callable[[asyncio.Event], Awaitable[None]]


@app.command()
def dooray(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Answer direct messages and mentions in Dooray, as an agent over Socket Mode."""
    with runtime(context, bots_dir, data_dir) as opened:
        settings = opened.settings.dooray
        dooray_channel.agent_of(settings, Environment(os.environ))  # a mistake is told before the models are loaded
        secret = secret_of(Environment(os.environ), settings.agent_token_env, "the token of the Dooray agent")
        messenger = Messenger(opened, "dooray", secret, give_feedback=feedback_of(opened))
        err.print("loading the models and indexes …", style="dim")
        opened.warm_up()
        err.print(f"answering in {settings.domain}", style="dim")
        asyncio.run(_until_told(lambda stop: dooray_channel.serve(messenger, settings, Environment(os.environ), stop)))


@app.command()
def slack(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Answer direct messages and mentions in Slack, over Socket Mode."""
    from ragbots.channels import slack as slack_channel  # takes a second to import

    with runtime(context, bots_dir, data_dir) as opened:
        settings = opened.settings.slack
        secret = secret_of(Environment(os.environ), settings.app_token_env, "the Slack app's token (xapp-…)")
        slack_channel.web_client(settings, Environment(os.environ))
        messenger = Messenger(opened, "slack", secret, give_feedback=feedback_of(opened))
        err.print("loading the models and indexes …", style="dim")
        opened.warm_up()
        err.print("answering in Slack", style="dim")
        asyncio.run(_until_told(lambda stop: slack_channel.serve(messenger, settings, Environment(os.environ), stop)))


async def _until_told(serving: Serving) -> None:
    """Serves until SIGTERM or SIGINT, and ends quietly."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serving(stop)
