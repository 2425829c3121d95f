"""`python -m deployments.entry COMMAND…`: fills secrets from files into settings, then runs it.

In a value of a variable PREFECT_… or DUBAN_…, `<name>` stands for the content of the file `name` in
the folder SECRETS, /run/secrets unless set. So no secret stands in a file that describes the
services, in an image or on a command line. Neither Prefect nor libpq reads such files by itself:
Prefect knows no secrets folder, and libpq refuses a password file that others can read.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from duban.errors import DubanError

FOLDER = "/run/secrets"
_PLACE = re.compile(r"<([a-z][a-z0-9_]*)>")
_OURS = ("PREFECT_", "DUBAN_")


class NoSecret(DubanError):
    """A secret that a setting names has no file, or an empty one."""


def filled(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with every `<name>` replaced, escaped where it stands in an address.

    Raises:
        NoSecret: names the variable and the file.
    """
    folder = Path(environment.get("SECRETS", FOLDER))
    return {
        name: _fill(name, value, folder) if name.startswith(_OURS) else value
        for name, value in environment.items()
    }


def _fill(name: str, value: str, folder: Path) -> str:
    def secret(place: re.Match[str]) -> str:
        content = _read(name, folder / place[1])
        return quote(content, safe="") if "://" in value else content

    return _PLACE.sub(secret, value)


def _read(name: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoSecret(f"{name} needs the secret {file} ({error.strerror}); provide it.") from None
    if not content:
        raise NoSecret(f"{name} needs the secret {file}, which is empty; write it.")
    return content


def main() -> None:
    """Becomes the command; one sentence and exit code 1 when a secret is missing."""
    os.umask(0o077)
    try:
        environment = filled(os.environ)
    except DubanError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    command = sys.argv[1:]
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    main()
