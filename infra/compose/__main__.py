"""`python -m infra.compose FOLDER`: the secrets of the compose stack, made at its first start.

Below FOLDER there is a volume for each reader, with what that one needs and nothing else.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.embedded import private
from infra.embedded.private import Secrets

SERVICES = ("auth", "client", "store")
CALLERS = ("client", "store")
SUPERUSER = "postgres superuser"
MONITOR = "gerai_monitor"
BACKUP = "gerai_backup"


def main() -> None:
    """Write them into the folder of the command line; what is missing is told in a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.compose",
        description="Make the secrets of the compose stack that are not there yet, and write for each reader"
        " those it needs. The first administrator signs in with the address in ADMIN_EMAIL.",
    )
    parser.add_argument(
        "folder", type=Path, help="where there is a folder for each reader, and `kept` for all"
    )
    folder: Path = parser.parse_args().folder
    if not os.environ.get("ADMIN_EMAIL"):
        sys.exit("The variable ADMIN_EMAIL is needed.")
    try:
        write(folder, os.environ["ADMIN_EMAIL"])
    except OSError as error:
        sys.exit(f"The secrets cannot be written: {error}")


def write(folder: Path, admin_email: str) -> None:
    """Make what is missing, and write for each reader again what is known."""
    secrets = Secrets(folder / "kept" / "secrets.json")
    for path, text in files(secrets, admin_email).items():
        private.write(folder / path, text)
        # For the user of whichever container has this volume; who has none of them sees nothing.
        (folder / path).chmod(0o444)


def files(secrets: Secrets, admin_email: str) -> dict[str, str]:
    """Return the text of each file by its volume and name."""
    superuser, admin = secrets.get(SUPERUSER), secrets.get("admin")
    found = {f"{service}/env": _lines(_service(secrets, service)) for service in SERVICES}
    found |= {
        f"owners/{service}": _lines({"DB_PASSWORD": secrets.get(f"gerai_{service}_owner")})
        for service in SERVICES
    }
    found["auth/env"] += _lines({"ADMIN_EMAIL": admin_email, "ADMIN_PASSWORD": admin})
    found["auth/sign-in.json"] = json.dumps({"email": admin_email, "password": admin})
    found["auth/jwt.pem"] = _signing_key(secrets)
    found["postgres/superuser"] = superuser
    found["provision/env"] = _lines(_provisioning(secrets, superuser))
    found["redis/redis.conf"] = f"requirepass {secrets.get('redis')}\n"
    found["redis/password"] = secrets.get("redis")
    found["postgres-exporter/password"] = secrets.get(MONITOR)
    found["redis-exporter/passwords.json"] = json.dumps({"redis://redis:6379": secrets.get("redis")})
    found["grafana/password"] = secrets.get("grafana")
    found["backup/env"] = _lines({"DATABASE_URL": _url(BACKUP, secrets.get(BACKUP))})
    found["backup/backup.key"] = _backup_key(secrets)
    return found


def _service(secrets: Secrets, service: str) -> dict[str, str]:
    variables = {
        "DB_PASSWORD": secrets.get(f"gerai_{service}_app"),
        "REDIS_PASSWORD": secrets.get("redis"),
        "IDEMPOTENCY_SECRET": secrets.get(f"idempotency {service}"),
    }
    if service in CALLERS:
        return variables | {"OAUTH_CLIENT_SECRET": secrets.get(f"oauth {service}")}
    return variables | {
        "OAUTH_CLIENTS": ",".join(f"{name}:{secrets.get(f'oauth {name}')}" for name in CALLERS)
    }


def _provisioning(secrets: Secrets, superuser: str) -> dict[str, str]:
    roles = [f"gerai_{service}_{role}" for service in SERVICES for role in ("owner", "app")]
    passwords = {f"{role.upper()}_PASSWORD": secrets.get(role) for role in (*roles, MONITOR, BACKUP)}
    return {"DATABASE_URL": _url("postgres", superuser), **passwords}


def _url(role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@postgres:5432/postgres"


def _backup_key(secrets: Secrets) -> str:
    known = secrets.known("backup.key")
    if known is None:
        known = token_hex(32)
        secrets.keep("backup.key", known)
    return known


def _signing_key(secrets: Secrets) -> str:
    known = secrets.known("jwt.pem")
    if known is None:
        key = Ed25519PrivateKey.generate()
        known = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        secrets.keep("jwt.pem", known)
    return known


def _lines(variables: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


if __name__ == "__main__":
    main()
