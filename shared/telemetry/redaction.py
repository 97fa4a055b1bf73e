"""What must not be in a log, taken out of texts that were not written for one, such as tracebacks."""

import re

_REDACTED = re.compile(
    r"""
      (?P<token> \beyJ[\w-]+\.[\w-]+\.[\w-]+ )            # a JSON Web Token
    | (?P<hash> \$argon2\w*\$[^\s)'"]+ )
    | (?P<first> [^\s@"'`(),;:<>=\[\]{}]) [^\s@"'`(),;:<>=\[\]{}]* (?P<domain> @[^\s@"'`(),;:<>=\[\]{}]+ )
    """,
    re.VERBOSE,
)

# PostgreSQL quotes rows there, as do drivers that repeat it; a traceback goes on with one of these.
_DETAIL = re.compile(r"DETAIL: .*?(?=\n\n|\n\[SQL|\n  \+|\Z)", re.DOTALL)


def redacted(text: str) -> str:
    """Return `text` without tokens, password hashes and rows of tables; of e-mails the first letter stays."""
    if "DETAIL:" in text:
        text = _DETAIL.sub("DETAIL: (not shown)", text)
    return _REDACTED.sub(_instead, text)


def _instead(found: re.Match[str]) -> str:
    if found["domain"]:
        return f"{found['first']}…{found['domain']}"
    return "(token)" if found["token"] else "(hash)"
