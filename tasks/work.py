"""The steps of a day's work as Prefect tasks: thin wrappers, safe to repeat."""

from datetime import datetime, timedelta
from functools import cache

import pendulum
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.settings import get_current_settings

from duban.ledger.chase import chase
from duban.ledger.opening import open_missing
from duban.ledger.outbox import next_at
from duban.ledger.recount import misdated, recount
from duban.office import Office, open_office
from duban.settings import load_settings
from tasks.stage import Stage
from tasks.stage.executed import TAG

DELIVER = "deliver"


@cache
def office() -> Office:
    """The office of this process; a flow run is a process of its own."""
    return open_office(load_settings())


@task(name="open duties", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def open_duties(now: datetime, clause: str | None = None) -> str:
    """Opens what should be open, of one clause or of all; says "expected N, opened M"."""
    return str(open_missing(office().ledger, now, clause=clause))


@task(name="recount days", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def recount_days(now: datetime) -> int:
    """Counts days anew where a ladder or a calendar has changed; how many due days moved."""
    return recount(office().ledger, now)


@task(name="check dates", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def check_dates(now: datetime) -> int:
    """Compares every waiting duty's next date with the rule, and mends it; how many were wrong."""
    return len(misdated(office().ledger, now))


@task(name="chase duties", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def chase_duties(now: datetime) -> str:
    """Asks the ladder about every duty whose day has come."""
    return str(chase(office().ledger, now))


@task(name="deliver letters", retries=2, retry_delay_seconds=30, cache_policy=NO_CACHE)
def deliver_letters(as_of: datetime | None = None) -> str:
    """Delivers the letters that are due, by the clock, or as of a moment that stands still."""
    return str(office().post.deliver((lambda: as_of) if as_of else now_utc))


def now_utc() -> datetime:
    """The clock of deliveries."""
    return pendulum.now("UTC")


def stage() -> Stage:
    """The server of this run."""
    api = get_current_settings().api
    auth = api.auth_string.get_secret_value() if api.auth_string else None
    return Stage(api.url or "", auth=auth)


def deliver_again_when_due() -> None:
    """Has a run of the flow `deliver` at the moment at which a letter that was put off can go.

    Nothing is planned where nothing waits; many chases at once plan one run a minute.
    """
    due = next_at(office().ledger)
    if due is None:
        return
    minute = max(due, now_utc()).replace(second=0, microsecond=0) + timedelta(minutes=1)
    with stage() as here:
        deliver = {one.name: one.id for one in here.deployments(TAG)}.get(DELIVER)
        if deliver:
            here.plan_run(deliver, minute, f"deliver-{minute:%Y%m%d%H%M}")
