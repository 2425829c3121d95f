"""Commands for accounts, for whoever administers this machine."""

import getpass
from typing import Annotated

import pendulum
import typer
from rich.table import Table

from duban.cli.common import console, office
from duban.ledger import accounts
from duban.ledger.accounts import AccountView, Role

app = typer.Typer(help="Accounts of those who sign in to the portal.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")]


def _actor() -> str:
    """Whoever sits at this machine, as history names it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in a container
        return "cli"


@app.command("list")
def show() -> None:
    """List the accounts, those in use first."""
    table = Table(header_style="bold", pad_edge=False)
    for head in ("login", "name", "role", "region", "signs in by", "state"):
        table.add_column(head, overflow="fold")
    for one in accounts.accounts(office().ledger):
        region = one.region or "all"
        table.add_row(one.login, one.name, one.role.value, region, _ways(one), _state(one))
    console().print(table)


def _ways(one: AccountView) -> str:
    ways = {"password": one.has_password, "code": one.has_totp, "provider": not one.has_password}
    return ", ".join(way for way, has in ways.items() if has)


def _state(one: AccountView) -> str:
    if one.disabled_at is not None:
        return "disabled"
    return "one-time password" if one.must_change else "in use"


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="The person's name.")],
    role: Annotated[Role, typer.Option("--role", help="What the account is for.")],
    region: Annotated[
        str | None, typer.Option("--region", help="For city, and perhaps reader: its id.")
    ] = None,
    provider: Annotated[
        bool, typer.Option("--provider", help="Signs in through the identity provider only.")
    ] = False,
) -> None:
    """Make an account; prints its one-time password, this once."""
    once = accounts.add(
        office().ledger,
        login=login,
        name=name,
        role=role,
        region=region,
        provider=provider,
        by=_actor(),
        now=pendulum.now("UTC"),
    )
    if once is None:
        typer.echo(f"Account {login} signs in through the identity provider.")
    else:
        _tell(login, once)


@app.command()
def reset(
    login: Login,
    factor: Annotated[
        bool, typer.Option("--factor", help="Take away the second factor instead.")
    ] = False,
) -> None:
    """Give an account a new one-time password, printed this once; ends its stays."""
    here, now = office(), pendulum.now("UTC")
    if factor:
        accounts.reset_totp(here.ledger, login, by=_actor(), now=now)
        typer.echo(f"Account {login} needs no code at the next sign-in.")
    else:
        _tell(login, accounts.reset_password(here.ledger, login, by=_actor(), now=now))


@app.command()
def disable(login: Login) -> None:
    """Shut an account; whoever is in under it is out at once."""
    accounts.disable(office().ledger, login, by=_actor(), now=pendulum.now("UTC"))
    typer.echo(f"Account {login} is disabled.")


@app.command()
def enable(login: Login) -> None:
    """Open a disabled account again."""
    accounts.enable(office().ledger, login, by=_actor(), now=pendulum.now("UTC"))
    typer.echo(f"Account {login} is in use again.")


def _tell(login: str, once: str) -> None:
    typer.echo(f"One-time password of {login}, shown this once: {once}")
