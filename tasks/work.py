"""The steps of a day's work as Prefect tasks: thin wrappers, safe to repeat."""

from datetime import datetime
from functools import cache

from prefect import task
from prefect.cache_policies import NO_CACHE

from duban.ledger.chase import chase
from duban.ledger.opening import open_missing
from duban.office import Office, open_office
from duban.settings import load_settings


@cache
def office() -> Office:
    """The office of this process; a flow run is a process of its own."""
    return open_office(load_settings())


@task(name="open duties", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def open_duties(now: datetime, clause: str | None = None) -> str:
    """Opens what should be open, of one clause or of all; says "expected N, opened M"."""
    return str(open_missing(office().ledger, now, clause=clause))


@task(name="chase duties", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def chase_duties(now: datetime) -> str:
    """Asks the ladder about every duty whose day has come."""
    return str(chase(office().ledger, now))


@task(name="deliver letters", retries=2, retry_delay_seconds=30, cache_policy=NO_CACHE)
def deliver_letters(now: datetime) -> str:
    """Delivers the letters that are due."""
    return str(office().post.deliver(now))
