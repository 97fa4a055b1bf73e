"""Times of day as text, HH:MM: they sort as they follow one another."""

from datetime import datetime

MIDNIGHT = "00:00"
END_OF_DAY = "24:00"


def clock(local: datetime) -> str:
    """Return the time of a local time, to the minute that has begun."""
    return f"{local.hour:02}:{local.minute:02}"


def minutes(time: str) -> int:
    """Return how many minutes a time is after midnight."""
    return 60 * int(time[:2]) + int(time[3:])
