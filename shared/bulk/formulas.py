"""Text that a spreadsheet would take for a formula (OWASP, "CSV Injection").

Such a cell gets an apostrophe in front when it is written, and loses it when it is read. A cell that begins
with an apostrophe gets another one, so that reading gives back what was written, whatever it was.
"""

_FORMULAS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last: full-width
_QUOTE = "'"
_ESCAPED = (*_FORMULAS, _QUOTE)
_WRITTEN = tuple(_QUOTE + first for first in _ESCAPED)


def neutralised(text: str) -> str:
    """Return `text` as a cell that no spreadsheet evaluates."""
    return _QUOTE + text if text.startswith(_ESCAPED) else text


def restored(cell: str) -> str:
    """Return the text that `neutralised` was given; other cells are returned as they are."""
    return cell[1:] if cell.startswith(_WRITTEN) else cell
