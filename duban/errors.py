"""The errors a person meets: one sentence that says what is wrong and what to do."""

from dataclasses import dataclass


class DubanError(Exception):
    """Something is wrong that a person can put right; the message says what and how.

    A subclass without a message speaks its own docstring.
    """

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault in a file, as `file:line: what is wrong: what to do`."""

    file: str
    line: int
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.hint}"


class InvalidRegistry(DubanError):
    """agencies.yaml, a notice or its clauses do not hold together; nothing was loaded."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
