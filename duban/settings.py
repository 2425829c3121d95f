"""Settings from the environment, all named DUBAN_…; the README lists them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from duban.errors import DubanError

Port = Annotated[int, Field(ge=1, le=65535)]
Decisions = Literal["anywhere", "portal"]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]


class BadSetting(DubanError):
    """A DUBAN_ environment variable has a value that cannot be used."""


class Settings(BaseSettings):
    """Where things are and where services listen.

    Attributes:
        home: the data folder: ledger, files, letters, logs, the embedded Prefect.
        agencies: the agencies.yaml in force.
        notices: the folder that holds a folder for each notice.
        database_url: the ledger's address; SQLite in `home` unless set.
        prefect_port: where the embedded Prefect listens, on loopback.
        prefect_url: the address of Prefect's pages as coordinators reach it.
        prefect_auth: `user:password` of the embedded Prefect; without it one is kept in `home`.
        mirror_limit: the most open duties of which each has a run in Prefect; beyond it only what
            needs eyes has one.
        portal_port: where the portal listens, on loopback.
        portal_url: the portal's address as agencies reach it; it goes into letters.
        decisions: where a coordinator reviews, extends, waives and reopens: in the forms of Prefect
            too, or in the portal alone, which knows who it is.
        secret: what links are made with; without it a key is kept in `home`.
        oidc_issuer, oidc_client, oidc_secret: the identity provider of coordinators, if there is
            one.
        mail_sender: Apprise mailto(s):// address of the sending account; holds its password.
        letter_from: the From address of letters.
        apprise_allowed: what Apprise may reach beside the channels of its own modules, as
            `scheme://host` with wildcards, separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix="DUBAN_", extra="ignore")

    home: Path = Path("var")
    agencies: Path = Path("agencies.yaml")
    notices: Path = Path("deployments")
    database_url: str | None = None
    prefect_port: Port = 4200
    prefect_url: Address | None = None
    prefect_auth: SecretStr | None = None
    mirror_limit: Annotated[int, Field(ge=1)] = 5_000
    portal_port: Port = 4280
    portal_url: Address | None = None
    decisions: Decisions = "anywhere"
    secret: SecretStr | None = None
    oidc_issuer: Address | None = None
    oidc_client: str = ""
    oidc_secret: SecretStr | None = None
    mail_sender: str | None = None
    letter_from: str = "duban@localhost"
    apprise_allowed: str = ""

    @property
    def ledger_url(self) -> str:
        """The SQLAlchemy URL of the ledger."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'ledger.db'}"

    @property
    def portal(self) -> str:
        """The portal's address without a slash at its end."""
        return (self.portal_url or f"http://127.0.0.1:{self.portal_port}").rstrip("/")

    @property
    def prefect(self) -> str:
        """The address of Prefect's pages without a slash at its end."""
        return (self.prefect_url or f"http://127.0.0.1:{self.prefect_port}").rstrip("/")

    @property
    def allowed_addresses(self) -> tuple[str, ...]:
        """The patterns of `apprise_allowed`."""
        return tuple(one.strip() for one in self.apprise_allowed.split(",") if one.strip())

    @property
    def files(self) -> Path:
        """Where evidence files lie."""
        return self.home / "files"

    @property
    def letters(self) -> Path:
        """The drop folder."""
        return self.home / "letters"


def load_settings() -> Settings:
    """Reads the environment.

    Raises:
        BadSetting: names each variable and what is wrong with it.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"DUBAN_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise BadSetting("\n".join(faults)) from error
