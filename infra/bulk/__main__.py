"""`python -m infra.bulk FILE`: imports a file of stores or clients through the API."""

import argparse
import os
import sys
from pathlib import Path

from infra.bulk.api import Api, Credentials
from infra.bulk.errors import ImportFailure
from infra.bulk.report import printed
from infra.embedded.settings import PORTS
from infra.embedded.state import find

_FORMATS = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_PATHS = {"stores": "/v1/stores", "clients": "/v1/master-client"}
_EPILOG = """\
The first row of a CSV names its columns, which are fields of the API: client_uuid, code, name … of stores,
name, email … of clients. NDJSON has an object with these on each line. What an export wrote is read, too.
The password of --email is taken from the variable GERAI_PASSWORD.

exit status: 0 every row was imported, 1 some rows or the whole file were not, 2 the command line is wrong
"""


def main() -> int:
    """Import what the command line names; what goes wrong is told in a sentence."""
    arguments = _parser().parse_args()
    try:
        with Api(arguments.url, _credentials(arguments)) as api:
            done = api.bring(arguments.file, _media_type(arguments), _PATHS[arguments.to], _query(arguments))
    except ImportFailure as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit("Stopped. A file that was not sent whole is not imported; one that was, is.")
    return printed(done)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./taskw import --",
        description="Import a file of stores or clients into the running platform.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or NDJSON in UTF-8")
    parser.add_argument(
        "--to", choices=list(_PATHS), default="stores", help="what its rows are (%(default)s)"
    )
    parser.add_argument(
        "--upsert",
        action="store_true",
        help="change what exists: stores by client and code, clients by e-mail",
    )
    parser.add_argument("--atomic", action="store_true", help="import nothing if one row is bad")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would come of it")
    parser.add_argument("--format", choices=["csv", "ndjson"], help="by default as the file's name ends")
    port = os.environ.get(PORTS["gateway"], "8080")
    parser.add_argument("--url", default=f"http://127.0.0.1:{port}", help="of the gateway (%(default)s)")
    parser.add_argument(
        "--sign-in",
        type=Path,
        default=find(os.environ).sign_in,
        metavar="FILE",
        help="JSON with email and password (%(default)s)",
    )
    parser.add_argument("--email", help="sign in as somebody else")
    return parser


def _credentials(arguments: argparse.Namespace) -> Credentials:
    if arguments.email is None:
        return Credentials.of_file(arguments.sign_in)
    password = os.environ.get("GERAI_PASSWORD")
    if not password:
        raise ImportFailure(f"Set the variable GERAI_PASSWORD to the password of {arguments.email}.")
    return Credentials(arguments.email, password)


def _media_type(arguments: argparse.Namespace) -> str:
    suffix = f".{arguments.format}" if arguments.format else arguments.file.suffix.lower()
    if suffix not in _FORMATS:
        raise ImportFailure(f"{arguments.file} ends neither in .csv nor .ndjson: add --format.")
    return _FORMATS[suffix]


def _query(arguments: argparse.Namespace) -> dict[str, str]:
    query = {"mode": "upsert" if arguments.upsert else "create"}
    return query | {name: "true" for name in ("atomic", "dry_run") if getattr(arguments, name)}


if __name__ == "__main__":
    sys.exit(main())
