"""What the coordinator is told of: the ledger's list of tasks, and the letter that carries it."""

from datetime import datetime
from typing import Literal

from prefect import task
from prefect.cache_policies import NO_CACHE

from duban.ledger import Ledger
from duban.ledger.chase import tell_coordinator
from duban.ledger.escalated import escalated
from duban.ledger.watch import missed, report
from duban.words import words
from tasks.work import office

What = Literal["escalated", "no-chase"]


@task(name="tell coordinator", retries=2, retry_delay_seconds=10, cache_policy=NO_CACHE)
def put_on_the_list(what: What, now: datetime) -> str:
    """Puts the news onto the coordinator's list and has it sent; says what, in one sentence."""
    ledger = office().ledger
    told = _escalated(ledger, now) if what == "escalated" else _no_chase(ledger, now)
    tell_coordinator(ledger, now)
    return told


def _escalated(ledger: Ledger, now: datetime) -> str:
    labels, new = words(ledger.registry.language).labels, escalated(ledger, now)
    return labels["told_escalated"].format(n=new) if new else labels["told_no_escalated"]


def _no_chase(ledger: Ledger, now: datetime) -> str:
    labels = words(ledger.registry.language).labels
    report(ledger, now)
    found = missed(ledger, now)
    if found is None:
        return labels["told_chased"]
    return labels["told_no_chase"].format(day=ledger.registry.today(found.since))
