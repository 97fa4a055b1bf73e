"""How a client is deleted: in two databases, and a crash at any point undoes it or lets it come to its end.

The intention is written first, then the store service fences the client: from then on no store of it can be
created. One transaction deletes the client and removes the intention; the fence stays for good, and the event
of that transaction ends the client's stores. Until it commits, the intention can be given up, which keeps it
from ever committing; only then is the fence lifted. Every case is
in docs/decisions/0012-client-deletion.md.
"""

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from services.client.client_api import StoreFences
from services.client.errors import ClientHasStores, ClientNotFound, DeletionUnderWay, DeletionUndone
from services.client.repository.clients import ClientRepository
from services.client.repository.deletions import Deletion, DeletionRepository
from shared.errors import GeraiError
from shared.preconditions import UNCONDITIONAL, Condition
from shared.security.principal import Principal

logger = logging.getLogger("gerai.client")

UNDOING_SECONDS = 2.0
"""How often a process looks for deletions to be undone."""


class Deletions:
    """The use cases of deleting clients."""

    def __init__(self, clients: ClientRepository, deletions: DeletionRepository, fences: StoreFences) -> None:
        self._clients = clients
        self._deletions = deletions
        self._fences = fences
        self.given_up = asyncio.Event()
        """Set when there is a deletion to be undone."""
        self._cut_off: list[Deletion] = []

    async def delete(
        self, principal: Principal, uuid: UUID, *, cascade: bool, condition: Condition = UNCONDITIONAL
    ) -> None:
        """End a client, with `cascade` its stores too; for admins.

        Its stores end shortly afterwards. When it fails nothing has changed.

        Raises:
            ClientHasStores: when stores of it live and are not to end with it.
            DeletionUnderWay: when it is being deleted already.
            DeletionUndone: when it took so long that it was given up.
            PreconditionFailed: when the client is not as `condition` wants it.
        """
        principal.require("admin")
        deletion = await self._begin(principal, uuid, condition, cascade=cascade)
        try:
            await self._fence(deletion, cascade=cascade)
            await self._carry_out(principal, deletion, condition)
        except asyncio.CancelledError:  # the request's time limit has passed: there is no time left to wait
            self._cut_off.append(deletion)
            self.given_up.set()
            raise
        except Exception:
            await self._deletions.give_up(deletion)
            self.given_up.set()
            raise

    async def undo_abandoned(self) -> None:
        """Lift the fences of deletions that were given up, or took too long, and forget those."""
        self.given_up.clear()
        while self._cut_off:
            await self._deletions.give_up(self._cut_off[-1])
            self._cut_off.pop()
        for deletion in await self._deletions.give_up_abandoned():
            try:
                await self._fences.lift(*deletion)
                await self._deletions.forget(deletion)
            except GeraiError as error:
                logger.warning(
                    "A deletion of client %s is still to be undone: %s", deletion.client_uuid, error
                )

    async def _begin(
        self, principal: Principal, uuid: UUID, condition: Condition, *, cascade: bool
    ) -> Deletion:
        async with self._clients.transaction(principal.subject) as clients:
            client = await clients.lock(uuid)
            if client is None:
                raise ClientNotFound(uuid=uuid)
            condition.require(client.version)
            deletion = await clients.deletions.begin(uuid, cascade=cascade)
        if deletion is None:
            raise DeletionUnderWay(uuid=uuid)
        return deletion

    async def _fence(self, deletion: Deletion, *, cascade: bool) -> None:
        fence = await self._fences.set(*deletion, cascade=cascade)
        if not fence.is_set:
            raise ClientHasStores(uuid=deletion.client_uuid, count=fence.living_stores)

    async def _carry_out(self, principal: Principal, deletion: Deletion, condition: Condition) -> None:
        async with self._clients.transaction(principal.subject) as clients:
            # The client first, as in _begin: locks taken in one order cannot wait for one another.
            deleted = await clients.delete(deletion.client_uuid, condition)
            if not await clients.deletions.end(deletion):
                raise DeletionUndone
        if not deleted:
            raise ClientNotFound(uuid=deletion.client_uuid)


class Undoing:
    """Undoes deletions in the background, from the start of a process to its end."""

    def __init__(self, deletions: Deletions) -> None:
        self._deletions = deletions
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look for deletions to be undone."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop looking; what is left is undone by others, or at the next start."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._deletions.undo_abandoned()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                logger.warning(
                    "Deletions could not be undone; trying again in %s s: %s", UNDOING_SECONDS, error
                )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._deletions.given_up.wait(), UNDOING_SECONDS)
