"""Starting the platform stage by stage, watching it, and stopping it."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence

from infra.embedded import admin, demo, leftovers, private, programs, variables
from infra.embedded.banner import banner
from infra.embedded.console import Console
from infra.embedded.databases import Databases, cluster_id, databases
from infra.embedded.errors import StartError
from infra.embedded.migrations import migrate_changed
from infra.embedded.private import Secrets
from infra.embedded.readiness import failure_of, is_ready, until
from infra.embedded.settings import Settings
from infra.embedded.state import MARK, ROOT, State
from infra.embedded.supervisor import ENDED, NAME, Supervisor, configuration
from infra.embedded.variables import SERVICES, Plan
from infra.embedded.watch import watch
from infra.postgres.provision import provision

_READY_SECONDS = 60
_PATIENCE_SECONDS = 10


class Platform:
    """Everything that `up` runs."""

    def __init__(self, state: State, settings: Settings, person: dict[str, str], console: Console) -> None:
        """Describe a platform; nothing is started yet."""
        self._state = state
        self._settings = settings
        self._person = person
        self._console = console
        self._secrets = Secrets(state.secrets)
        self._supervisor = Supervisor(state)
        self._environment = variables.inherited(os.environ) | {
            MARK: str(state.folder),
            "PYTHONUNBUFFERED": "1",
        }

    async def run(self, *, reload: bool) -> None:
        """Start everything, then print what happens until something ends the platform.

        Raises:
            StartError: it cannot start, or can run no longer.
        """
        started = time.monotonic()
        self._console.say(f"Gerai is starting. Its state is in {self._state.folder}.")
        with self._console.stage("databases"):
            servers = await self._start_databases(reload=reload)
        plan = await self._plan(servers)
        await self._prepare(plan)
        with self._console.stage("services"):
            self._supervisor.start_group("services")
            await self._ready(SERVICES)
        with self._console.stage("gateway"):
            self._supervisor.start_group("gateway")
            await self._ready(["gateway"])
        admin.remember(self._settings, self._secrets, plan.cluster_id, plan.admin_password)
        self._console.say(banner(self._state, self._settings, time.monotonic() - started))
        await self._watch(prefixed=plan.log_format == "console")

    async def stop(self) -> None:
        """Stop everything, databases last."""
        if not self._supervisor.is_started:
            return
        started = time.monotonic()
        self._console.say("Stopping …")
        await self._supervisor.stop()
        await asyncio.to_thread(leftovers.end, self._state)
        seconds = time.monotonic() - started
        self._console.say(f"Stopped after {seconds:.1f} s. All data stays in {self._state.folder}.")

    async def _start_databases(self, *, reload: bool) -> Databases:
        servers = await asyncio.to_thread(databases, self._state, self._settings, self._secrets)
        for note in servers.notes:
            self._console.say(f"  {note}")
        own = programs.databases(self._settings, servers.own_postgres, servers.own_redis)
        groups = [
            *([own] if own.programs else []),
            programs.services(self._settings, self._state, reload=reload),
            programs.gateway(self._settings, self._state, reload=reload),
        ]
        private.write(self._state.supervisor, configuration(self._state, groups))
        for name in (NAME, *(program.name for group in groups for program in group.programs)):
            self._state.keep_last_log(name)
        await self._supervisor.start(self._environment, ROOT)
        if own.programs:
            self._supervisor.start_group(own.name)
        await self._until(servers.redis_answers, ["redis"] if servers.own_redis else [], "Check REDIS_URL.")
        # It fails at first while processes of a killed predecessor still hold its memory.
        names = ["postgres"] if servers.own_postgres else []
        await self._until(servers.postgres_answers, names, "Check DATABASE_URL.", patience=_PATIENCE_SECONDS)
        return servers

    async def _plan(self, servers: Databases) -> Plan:
        """Decide the environment of each process and write it to the files that they read."""
        identity = await cluster_id(servers.superuser_url) or ""
        password = admin.password(self._settings, self._secrets, identity)
        if admin.differs(self._settings, self._secrets, identity):
            email = self._settings.admin_email
            self._console.say(f"  {email} has a password already; ADMIN_PASSWORD does not change it.")
        admin.publish(self._state, self._settings, password)
        plan = Plan(
            state=self._state,
            settings=self._settings,
            secrets=self._secrets,
            person=self._person,
            superuser_url=servers.superuser_url,
            cluster_id=identity,
            redis=servers.redis_address,
            admin_password=password,
            log_format=self._settings.log_format or ("console" if self._console.is_terminal else "json"),
        )
        for process, values in variables.environments(plan).items():
            private.write(self._state.environment_file(process), variables.dotenv(values))
        return plan

    async def _prepare(self, plan: Plan) -> None:
        with self._console.stage("roles"):
            await provision(plan.superuser_url, [plan.database(service) for service in SERVICES])
        with self._console.stage("migrations"):
            await migrate_changed(plan, self._environment)
        if self._settings.gerai_demo:
            await demo.load(self._state, self._environment, plan.cluster_id, self._console)

    async def _ready(self, processes: Sequence[str]) -> None:
        async def all_ready() -> bool:
            answers = await asyncio.gather(*(is_ready(self._settings.url(process)) for process in processes))
            return all(answers)

        await self._until(all_ready, processes)

    async def _until(
        self,
        ready: Callable[[], Awaitable[bool]],
        names: Sequence[str],
        hint: str = "",
        *,
        patience: float = 0,
    ) -> None:
        """Wait until `ready` says so, or one of our programs `names` ends after `patience` seconds.

        Without `names`, someone else runs the server, and `hint` says what to check.
        """
        patient_until = time.monotonic() + patience

        def failure() -> str | None:
            patient = time.monotonic() < patient_until
            return failure_of(self._state, self._supervisor, names, patient=patient)

        who = " and ".join(names) or "The server you named"
        what = f"The logs are in {self._state.log(NAME).parent}." if names else hint
        overdue = f"{who} did not get ready within {_READY_SECONDS} s. {what}"
        await until(ready, failure, _READY_SECONDS, overdue)

    async def _watch(self, *, prefixed: bool) -> None:
        watching = asyncio.create_task(watch(self._state, self._console, prefixed=prefixed))
        try:
            await self._supervisor.wait()
        finally:
            watching.cancel()
        raise StartError(ENDED)
