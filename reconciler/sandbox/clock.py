"""Times and spans of time as the sandbox keeps, reads and shows them."""

import calendar
import re
from datetime import UTC, datetime, timedelta

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
MOST_DIGITS = 8  # so much of the longest unit still is a number of days that Python counts
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str) -> timedelta:
    """Read `4h`, `30m`, `1d12h` or `45s`; a bare number is seconds."""
    plain = text.strip().lower()
    if sum(map(str.isdecimal, plain)) > MOST_DIGITS:
        raise ValueError(f"{text[:40]!r} is no duration that a clock can be turned by")
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        return timedelta(seconds=float(plain))
    parts = _SPAN.findall(plain)
    if not parts or _SPAN.sub("", plain).strip():
        raise ValueError(f"{text!r} is no duration: write it as 45s, 30m, 4h or 2d")
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())


def moment(stamp: float) -> str:
    """Show a time the way the API does: with its offset, to the second."""
    return datetime.fromtimestamp(int(stamp), UTC).isoformat()


def day(stamp: float) -> str:
    """Show the UTC day of a time."""
    return datetime.fromtimestamp(stamp, UTC).date().isoformat()


def parse(text: str) -> float:
    """Read an ISO 8601 time or day; without an offset it is UTC."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def months_later(stamp: float, months: int) -> float:
    """Move a time by whole months, to the last day of a shorter month."""
    when = datetime.fromtimestamp(stamp, UTC)
    year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return when.replace(year=year, month=month + 1, day=min(when.day, last)).timestamp()
