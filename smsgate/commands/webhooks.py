"""`smsgate webhooks`: with what clients verify what they are told."""

import click

from smsgate.commands.keys import check_client
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.webhook_secrets import WebhookSecrets
from smsgate.settings import current
from smsgate.webhooks.signature import new_secret


@click.group()
def webhooks() -> None:
    """Secrets with which clients verify the webhooks that they receive."""


@webhooks.command("secret")
@click.argument("client")
@click.option("--rotate", is_flag=True, help="Make a new one; the present one stays valid beside it.")
@click.option("--drop-previous", is_flag=True, help="Sign with the newest one only.")
def webhook_secret(client: str, rotate: bool, drop_previous: bool) -> None:
    """Print CLIENT's valid secrets, the newest first; makes the first. "" is for `.delay()` and `smsgate send`."""
    if client:
        check_client(client)
    redis = connect_briefly(current().redis_url)
    if client and client not in {key.client for key in ApiKeys(redis).list()}:
        click.echo(f"No key is {client}'s (yet): is the name right? `smsgate keys list` shows the clients.", err=True)
    secrets = WebhookSecrets(redis, new_secret)
    if rotate:
        secrets.rotate(client)
    if drop_previous:
        secrets.drop_previous(client)
    click.echo("\n".join(secrets.valid(client)))
