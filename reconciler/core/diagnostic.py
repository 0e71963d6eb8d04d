"""What is wrong in a file of the user: where, under which lasting code, and what to do."""

from __future__ import annotations

from msgspec import Struct

Path = tuple[str | int, ...]
"""The way to a value inside a document: `("license_groups", 0, "seats")`."""


class Position(Struct, frozen=True, order=True):
    """A place in a file; line and column count from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(Struct, frozen=True):
    """Something wrong at a path of one document, before anybody knows on which line that is."""

    code: str
    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    severity: str = "error"


class Diagnostic(Struct, frozen=True, order=True):
    """One finding in one file, in the form people and editors read."""

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        said = f"{self.message}: {self.hint}" if self.hint else self.message
        return f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}]: {said}"

    @property
    def is_error(self) -> bool:
        """Whether it keeps the run from being made."""
        return self.severity == "error"


def diagnostic(problem: Problem, position: Position) -> Diagnostic:
    """Put a problem where it stands."""
    message, hint = one_line(problem.message), one_line(problem.hint)
    file, line, column = position.file, position.line, position.column
    return Diagnostic(file, line, column, problem.code, problem.severity, message, hint)


LONGEST = 500


def one_line(text: str) -> str:
    """Make any text fit one line of a terminal: what a file holds may be long, or move the cursor."""
    shown = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
