"""Who the request being served is from, for what has no part in authorisation."""

from contextvars import ContextVar

_caller: ContextVar[str | None] = ContextVar("caller", default=None)

current_caller = _caller.get
"""Return the subject of the caller's token; None where no caller is served."""

enter_caller = _caller.set
