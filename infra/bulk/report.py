"""What came of an import, for a person."""

from typing import Any

_MOST_PRINTED = 20


def printed(done: dict[str, Any]) -> int:
    """Print what came of an import, and return the exit status that says so."""
    would = " would be" if done["dry_run"] else ""
    print(
        f"{done['rows']:,} rows:{would} {done['created']:,} created, {done['changed']:,} changed,"
        f" {done['unchanged']:,} unchanged, {done['failed']:,} failed"
    )
    for error in done["errors"][:_MOST_PRINTED]:
        field = f"{error['field']} " if error["field"] else ""
        print(f"  line {error['line']}: {field}{error['message']}")
    if done["errors_total"] > _MOST_PRINTED:
        print(f"  and {done['errors_total'] - _MOST_PRINTED:,} more problems")
    if done["reason"]:
        print(done["reason"])
    return 0 if done["state"] == "completed" and not done["failed"] else 1
