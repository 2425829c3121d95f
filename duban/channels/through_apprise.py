"""Any other address that Apprise speaks, to hosts that the settings name."""

import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase
from threading import Thread
from typing import Any

from apprise import Apprise, AppriseAsset, AppriseAttachment, NotifyFormat
from apprise.attachment.memory import AttachMemory

from duban.channels import Fate, Form, Outcome, Pace, Parcel
from duban.channels.network import hush
from duban.registry.papers import WORD


class ThroughApprise:
    """Sends plain text to an Apprise address whose `scheme://host` is allowed.

    An enclosed paper goes along where the service takes files. Apprise tells only yes or no, so a
    no is temporary.

    Args:
        allowed: such as `ntfys://ntfy.example.org`, `jsons://*.example.org`, `schan://*`.
        deadline: seconds one letter may take.
    """

    form = Form.TEXT
    limit: int | None = None
    pace: Pace | None = None

    def __init__(self, allowed: Sequence[str], deadline: float = 20.0) -> None:
        hush()
        self._allowed = [pattern.lower() for pattern in allowed]
        self._seconds = deadline

    def send(self, parcel: Parcel, address: str) -> Outcome:
        """One letter to one target, tried once; an unanswered one may have arrived."""
        service = _service(address)
        if service is None:
            return Outcome(Fate.PERMANENT, "the address is not one that Apprise understands")
        scheme = address.partition("://")[0].lower()
        if not self._allows(scheme, service):
            said = f"not allowed: add {scheme}://… with its host to DUBAN_APPRISE_ALLOWED"
            return Outcome(Fate.TEMPORARY, said)  # a setting's fault, not the address's
        if len(service) != 1:
            return Outcome(Fate.PERMANENT, "the address names several targets; write one")
        return self._notify(service, parcel)

    def _allows(self, scheme: str, service: Any) -> bool:
        host = f"{scheme}://{service.host or ''}".lower()
        places = (host, f"{host}:{service.port}")
        return any(fnmatchcase(place, pattern) for place in places for pattern in self._allowed)

    def _notify(self, service: Any, parcel: Parcel) -> Outcome:
        # A server that drips its answer would hold Apprise for ever.
        said: list[bool] = []
        worker = Thread(target=_tell, args=(service, parcel, said), daemon=True)
        worker.start()
        worker.join(self._seconds)
        if worker.is_alive():
            return Outcome(Fate.AMBIGUOUS, "no answer in time")
        return Outcome(Fate.ACCEPTED) if any(said) else Outcome(Fate.TEMPORARY, "refused")


def _service(address: str) -> Any:
    asset = AppriseAsset(http_redirects=False, secure_logging=True)
    apprise: Any = Apprise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what Apprise loads
        service: Any = apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        return None
    # An address cannot ask for what only its owner may decide.
    service.redirects, service.verify_certificate = False, True
    service.retry, service.request_rate_per_sec = 0, 0
    return service


def _tell(service: Any, parcel: Parcel, said: list[bool]) -> None:
    text = parcel.payload.decode()
    try:
        done = service.notify(
            body=text,
            title=parcel.name,
            body_format=NotifyFormat.TEXT,
            attach=_attached(service, parcel),
        )
        said.append(done)
    except Exception:  # a plugin's own fault, whose words may hold the address
        said.append(False)


def _attached(service: Any, parcel: Parcel) -> Any:
    """The enclosed paper in Apprise's wrapping; None where the service takes no files."""
    paper = parcel.enclosure
    if paper is None or not service.attachment_support:
        return None
    memory: Any = AttachMemory
    return AppriseAttachment([memory(content=paper.content, name=paper.name, mimetype=WORD)])
