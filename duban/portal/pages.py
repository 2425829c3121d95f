"""Pages: templates with their words, in the visitor's language."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from gettext import GNUTranslations
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from duban.words import (
    Words,
    civil_words,
    period_prose,
    period_words,
    section_words,
    until_words,
    words,
)

LANGUAGES = ("zh", "en")
"""Templates are written in the first; the others have a catalogue in `locale/`."""


@lru_cache
def catalogue(language: str) -> GNUTranslations:
    """The catalogue of a language, compiled in memory; the source language needs none."""
    source = files("duban.portal") / "locale" / f"{language}.po"
    if language == LANGUAGES[0] or not source.is_file():
        return Translations()
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@lru_cache
def environment(language: str) -> Environment:
    """Where a language's pages are made; everything is escaped, and what is missing is an error."""
    made = Environment(
        loader=PackageLoader("duban.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        catalogue(language), newstyle=True
    )
    w = words(language)
    names: dict[str, Any] = made.globals
    names |= {"w": w, "language": language, "languages": LANGUAGES}
    filters: dict[str, Any] = made.filters
    filters |= {
        "period": partial(period_words, w),
        "prose_period": partial(period_prose, w),
        "prose_day": partial(civil_words, language),
        "section": partial(section_words, language),
        "size": _size,
        "until": partial(until_words, w),
    }
    return made


@dataclass(frozen=True)
class Pages:
    """Renders pages for one portal.

    Attributes:
        default: the language of a visitor who asks for none of ours.
        zone: the time zone in which moments are shown.
        label: marks what is not meant in earnest (模拟); empty otherwise.
    """

    default: str
    zone: ZoneInfo
    label: str = ""

    def language(self, request: Request) -> str:
        """The visitor's: chosen by the switch (cookie `lang`), else by Accept-Language."""
        chosen = request.cookies.get("lang", "")
        return chosen if chosen in LANGUAGES else self._accepted(request)

    def _accepted(self, request: Request) -> str:
        ranked: list[tuple[float, str]] = []
        for part in request.headers.get("accept-language", "").split(","):
            tag, _, quality = part.replace(" ", "").lower().partition(";q=")
            language, rank = tag.partition("-")[0], _number(quality)
            if language in LANGUAGES and rank > 0:
                ranked.append((rank, language))
        return max(ranked, key=lambda one: one[0])[1] if ranked else self.default

    def words(self, request: Request) -> Words:
        """The product's words in the visitor's language."""
        return words(self.language(request))

    def text(self, request: Request, message: str) -> str:
        """A message of Python code in the visitor's language; written in Chinese."""
        return catalogue(self.language(request)).gettext(message)

    def render(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A page. Moments are shown with `{{ local(moment) }}` and `{{ day(moment) }}`."""
        text = (
            environment(self.language(request))
            .get_template(template)
            .render(
                {
                    "request": request,
                    "label": self.label,
                    "local": self.local,
                    "day": self.day,
                    **context,
                }
            )
        )
        return HTMLResponse(text, status, dict(headers or {}))

    def local(self, moment: datetime | None) -> str:
        """A moment to the minute."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}" if moment else ""

    def day(self, moment: datetime | date | None) -> str:
        """A civil day in ISO form."""
        if isinstance(moment, datetime):
            return moment.astimezone(self.zone).date().isoformat()
        return moment.isoformat() if moment else ""


def _number(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0


def _size(count: int) -> str:
    if count < 1 << 20:
        return f"{max(count / 1024, 0.1):.1f} KB"
    return f"{count / (1 << 20):.1f} MB"
