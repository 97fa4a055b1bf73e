"""`.env.example` has every variable that a process reads, and no other."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.config import GatewayConfig
from infra.embedded.settings import Settings
from infra.embedded.state import ROOT
from services.auth.config import AuthConfig
from services.client.config import ClientConfig
from services.store.config import StoreConfig
from shared.config import Fragment

OF_BACKUPS = {"GERAI_BACKUP_DIR", "GERAI_BACKUP_KEY_FILE", "GERAI_POSTGRES_HOME"}
PROCESSES: tuple[type[Fragment], ...] = (AuthConfig, ClientConfig, StoreConfig, GatewayConfig, Settings)


def variables(type_: type[Fragment]) -> Iterator[str]:
    for field in msgspec.structs.fields(type_):
        kind: Any = field.type
        if isinstance(kind, type) and issubclass(kind, Fragment):
            yield from variables(kind)
        else:
            yield f"{type_.PREFIX}{field.name}".upper()


def test_every_variable_is_explained() -> None:
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = {name for process in PROCESSES for name in variables(process)}
    assert explained == read | OF_BACKUPS
