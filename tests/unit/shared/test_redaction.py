"""What is taken out of texts that were not written for a log."""

import logging

import pytest

from shared.config import LogConfig
from shared.telemetry.logs import configure_logging
from shared.telemetry.redaction import redacted
from tests.support.tokens import access_token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide in 3.5 @ noon", "nothing to hide in 3.5 @ noon"),
        ("mail to siti.aminah+1@kopi.example failed", "mail to s…@kopi.example failed"),
        ("(email_key)=(siti@kopi.example)", "(email_key)=(s…@kopi.example)"),
        ("'ünal@例え.jp', 'a@b.example'", "'ü…@例え.jp', 'a…@b.example'"),
        ("hash $argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA, end", "hash (hash) end"),
        (
            "violates it\nDETAIL:  Failing row contains (Siti,\nJalan Sabang 1).\n[SQL: INSERT]",
            "violates it\nDETAIL: (not shown)\n[SQL: INSERT]",
        ),
        (
            "UniqueViolationError: taken\nDETAIL:  Key (tax_id)=(01.234) exists.",
            "UniqueViolationError: taken\nDETAIL: (not shown)",
        ),
    ],
)
def test_people_and_rows_are_not_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_tokens_are_not_shown() -> None:
    assert redacted(f"Authorization: Bearer {access_token()}.") == "Authorization: Bearer (token)."


@pytest.mark.parametrize("format_", ["json", "console"])
def test_neither_messages_nor_tracebacks_show_them(
    format_: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logging("test", LogConfig(level="INFO", format=format_))  # type: ignore[arg-type]
    logger = logging.getLogger("gerai.test")
    try:
        raise ValueError("siti@kopi.example")  # noqa: TRY301 - to have a traceback
    except ValueError:
        logger.exception("Could not tell %s", "siti@kopi.example")
    lines = capsys.readouterr().out
    assert lines.count("s…@kopi.example") == 3  # the source line among them
    assert "siti" not in lines
