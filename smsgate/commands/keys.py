"""`smsgate keys`: who may call the HTTP API."""

import click
from rich.console import Console
from rich.table import Table

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.report import moment
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import connect_briefly
from smsgate.settings import current


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of the HTTP API."""


@keys.command("create")
@click.argument("client")
@click.option("--operator", is_flag=True, help="It may pause, resume and set the level of degradation, too.")
def create_key(client: str, operator: bool) -> None:
    """Make a key for CLIENT and print it, this once. The keys of one client see the same messages."""
    check_client(client)
    click.echo(ApiKeys(connect_briefly(current().redis_url)).create(client, operator=operator))


@keys.command("list")
def list_keys() -> None:
    """List the keys, never their secrets."""
    table = Table("id", "client", "created", "operator")
    for key in ApiKeys(connect_briefly(current().redis_url)).list():
        table.add_row(key.id, key.client, moment(key.created_at * 1000), "yes" if key.operator else "")
    Console().print(table)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
def revoke_key(key_id: str) -> None:
    """Revoke the key with this id."""
    if not ApiKeys(connect_briefly(current().redis_url)).revoke(key_id):
        raise click.ClickException(f"There is no key {key_id}; `smsgate keys list` shows the ids.")


def check_client(client: str) -> None:
    """Refuse a name that is none.

    Raises:
        InvalidMessage: It has other characters than letters, digits, - and _.
    """
    if not client.replace("-", "").replace("_", "").isalnum():
        raise InvalidMessage([FieldError("CLIENT", "must be letters, digits, - and _")])
