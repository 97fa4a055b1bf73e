"""Carries out imports beside the requests of a process, one at a time in each."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

import asyncpg

from shared.bulk.applying import Applying, Lost, Refused, Spoiled, Unsettled
from shared.bulk.imports import LEASE, MOST_ATTEMPTS, Imports, Job
from shared.bulk.kind import Kind
from shared.bulk.marks import Marks
from shared.bulk.schema import Problems
from shared.bulk.transactions import Statements, long_transaction
from shared.errors import BadGateway, GatewayTimeout, ServiceUnavailable
from shared.events.worker import Every, Stopping, Worker

POLL_SECONDS = 0.5
PRUNE_SECONDS = 60.0
PAUSE = timedelta(seconds=5)
"""How long an import waits whose neighbours cannot be asked, or that must let another go first."""

_ANNOUNCED_AT_ONCE = 1_000
_MOST_ANNOUNCED = 10_000
"""Above that everything that is cached ends, which costs less than naming what changed."""

_TOUCHED = "SELECT target FROM import_rows WHERE import_uuid = $1 AND action = 'change' LIMIT $2"
_PARENTS = """
    SELECT DISTINCT parent FROM import_rows
    WHERE import_uuid = $1 AND parent IS NOT NULL AND (action IS NULL OR action = 'change') LIMIT $2
"""
_REFUSED_BY_DATABASE = ("22", "23")
"""The SQLSTATE classes of rows that a table does not take."""

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("gerai.bulk")


class Vain(Exception):
    """The import cannot be carried out; the text says why, to whoever asked for it."""


class ImportWorker(Worker):
    """Takes imports that wait, and those whose worker has vanished.

    When it is stopped it hands its import back: another worker begins it anew, for nothing is applied unless
    everything is.
    """

    def __init__(self, imports: Imports, kind: Kind) -> None:
        self._imports = imports
        self._kind = kind
        self._ending = Stopping()
        self._prunes = Every(PRUNE_SECONDS)
        super().__init__("imports", self._work, self._ending, grace=0.05)

    async def _work(self) -> None:
        while not self._ending.asked:
            if self._prunes.due():
                await self._imports.prune()
            job = await self._imports.claim()
            if job is None:
                await self._ending.pause(POLL_SECONDS)
            else:
                await self._carry_out(job)

    async def _carry_out(self, job: Job) -> None:
        try:
            await Carrying(self._imports, self._kind, job).run()
        except asyncio.CancelledError:
            await self._imports.hand_back(job.uuid)
            raise
        except Vain as vain:
            await self._imports.finish(job.uuid, state="failed", reason=str(vain))
        except (ServiceUnavailable, GatewayTimeout, BadGateway, Unsettled) as obstacle:
            logger.warning("Import %s waits: %s", job.uuid, obstacle or type(obstacle).__name__)
            await self._imports.hand_back(job.uuid, PAUSE)
        except Lost:
            logger.warning("Import %s was taken over by another process", job.uuid)
        else:
            self._prunes.soon()


class Carrying:
    """One import from its claim to its end."""

    def __init__(self, imports: Imports, kind: Kind, job: Job) -> None:
        self._imports = imports
        self._kind = kind
        self._job = job
        self._problems = job.problems()
        self._marks = Marks(kind, job, self._problems)

    async def run(self) -> None:
        """Find out what each row comes to, then apply all of them, then end what is cached.

        Raises:
            Vain: when nothing comes of it, ever.
        """
        job = self._job
        if job.attempts > MOST_ATTEMPTS:
            raise Vain(f"It was given up after {MOST_ATTEMPTS} attempts that ended unexpectedly.")
        if job.state == "applied":
            await self._kind.announce_all()
            await self._imports.finish(job.uuid)
            return
        async with self._leased():
            await self._make_out()
        if job.atomic and self._problems.failed:
            await self._refuse(self._problems)
        elif job.dry_run:
            counts = await self._step(self._marks.counts)
            await self._imports.finish(job.uuid, **counts._asdict(), **self._problems.columns())
        elif await self._apply():
            await self._announce()
            await self._imports.finish(job.uuid)

    async def _make_out(self) -> None:
        if not await self._step(self._marks.begin):
            raise Vain("Its rows were lost when the database was restarted. Send the file again.")
        await self._step(self._marks.repeated)
        await self._check_parents()
        if self._job.mode == "create":
            await self._step(self._marks.existing)
            return
        last = 0
        while last := await self._step(self._marks.matching, last):
            pass
        await self._step(self._marks.creating)

    async def _check_parents(self) -> None:
        """Ask others about the parents of all rows, each once, while no connection is held."""
        parents = await self._step(self._marks.parents)
        while parents:
            refused = await self._kind.refused(parents)
            if refused:
                await self._step(self._marks.of_parents, refused)
            parents = await self._step(self._marks.parents, parents[-1])

    async def _apply(self) -> bool:
        """Apply all rows; tell whether anything came of it."""
        while True:
            found = self._problems.copy()
            try:
                counts = await self._step(Applying(self._kind, self._job, self._imports.owner, found).run)
            except Refused as refusal:
                await self._step(self._marks.of_parents, refusal.parents)
            except Spoiled:
                await self._refuse(found)
                return False
            except (asyncpg.DeadlockDetectedError, asyncpg.QueryCanceledError) as error:
                raise Unsettled from error
            except asyncpg.PostgresError as error:
                raise _vain(error) from error
            else:
                self._imports.metrics.applied(**counts._asdict(), failed=found.failed)
                return True

    async def _refuse(self, found: Problems) -> None:
        reason = "Not every row is in order, so nothing was imported (atomic=true)."
        await self._imports.finish(self._job.uuid, state="failed", reason=reason, **found.columns())
        if not self._job.dry_run:
            self._imports.metrics.refused(found.failed)

    async def _announce(self) -> None:
        """End what is cached of the rows that were applied."""
        uuids, parents = await self._step(self._touched)
        if len(uuids) + len(parents) > _MOST_ANNOUNCED:
            await self._kind.announce_all()
            return
        for first in range(0, max(len(uuids), 1), _ANNOUNCED_AT_ONCE):
            await self._kind.announce(uuids[first : first + _ANNOUNCED_AT_ONCE], [])
        for first in range(0, len(parents), _ANNOUNCED_AT_ONCE):
            await self._kind.announce([], parents[first : first + _ANNOUNCED_AT_ONCE])

    async def _touched(self, statements: Statements) -> tuple[list[UUID], list[UUID]]:
        """Return what was changed, and the parents of it and of what was created; one more than a few."""
        limit = _MOST_ANNOUNCED + 1
        uuids = await statements.rows(_TOUCHED, self._job.uuid, limit)
        parents = await statements.rows(_PARENTS, self._job.uuid, limit)
        return [UUID(int=row[0].int) for row in uuids], [UUID(int=row[0].int) for row in parents]

    async def _step(
        self, work: Callable[Concatenate[Statements, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do one thing in a transaction of its own."""
        async with long_transaction(self._imports.database, self._job.actor) as statements:
            return await work(statements, *args, **kwargs)

    @asynccontextmanager
    async def _leased(self) -> AsyncGenerator[None]:
        """Keep the lease while the block lasts."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self) -> None:
        held = True
        while held:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            held = await self._imports.renew(self._job.uuid)


def _vain(error: asyncpg.PostgresError) -> Exception:
    """Return what a failure of the database means for the import: no row may break a rule of its tables."""
    if not str(error.sqlstate or "").startswith(_REFUSED_BY_DATABASE):
        return error
    constraint = getattr(error, "constraint_name", None)
    broken = f" ({constraint})" if constraint else ""
    return Vain(f"A row breaks a rule of the database{broken}, so nothing was imported.")
