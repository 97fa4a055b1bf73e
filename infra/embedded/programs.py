"""What the process runner runs."""

import math
import shlex
import sys
from pathlib import Path

from infra.embedded.postgres import Cluster
from infra.embedded.redis import Server
from infra.embedded.settings import Settings
from infra.embedded.state import ROOT, State
from infra.embedded.supervisor import Group, Program
from infra.embedded.variables import SERVICES

_DATABASE_STOP_SECONDS = 60
_GRACE_SECONDS = 25  # requests in flight get 20 s in shared.server


def databases(settings: Settings, cluster: Cluster | None, redis: Server | None) -> Group:
    """Return the databases that are ours to run."""
    programs: list[Program] = []
    if cluster:
        programs.append(
            Program(
                name="postgres",
                command=cluster.command(settings.postgres_port),
                folder=cluster.folder,
                user=cluster.user.name if cluster.user else None,
                stop_signal="INT",  # a fast shutdown: TERM would wait for clients to leave
                stop_seconds=_DATABASE_STOP_SECONDS,
            )
        )
    if redis:
        programs.append(Program("redis", redis.command(), redis.folder, stop_seconds=_DATABASE_STOP_SECONDS))
    return Group("databases", 10, programs)


def services(settings: Settings, state: State, *, reload: bool) -> Group:
    """Return the services."""
    return Group(
        "services", 20, [_python(name, f"services.{name}", settings, state, reload) for name in SERVICES]
    )


def gateway(settings: Settings, state: State, *, reload: bool) -> Group:
    """Return the gateway, which stops first: whoever asks then is refused rather than failed."""
    return Group("gateway", 30, [_python("gateway", "gateway", settings, state, reload)])


def _python(name: str, module: str, settings: Settings, state: State, reload: bool) -> Program:  # noqa: FBT001
    command = [sys.executable, "-m", module]
    return Program(
        name=name,
        command=_reloading(command, module) if reload else command,
        folder=ROOT,
        environment={"ENV_FILE": str(state.environment_file(name))},
        stop_seconds=math.ceil(settings.service_drain_seconds) + _GRACE_SECONDS,
        whole_group=reload,
    )


def _reloading(command: list[str], module: str) -> list[str]:
    watched = [str(ROOT / Path(*module.split("."))), str(ROOT / "shared")]
    options = ["--filter", "python", "--target-type", "command", "--sigint-timeout", str(_GRACE_SECONDS)]
    return [sys.executable, "-m", "watchfiles", *options, shlex.join(command), *watched]
