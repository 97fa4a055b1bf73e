"""What the audit tells of the keys that sign access tokens."""

import logging

from services.auth.metrics import AuthMetrics
from services.auth.repository.signing_keys import SigningKeyLog
from services.auth.schema import KeysInUse

logger = logging.getLogger("gerai.auth")


class KeyChanges:
    """Tells, at the start of a process, that it signs or verifies with other keys than the last one did."""

    def __init__(self, log: SigningKeyLog, keys: KeysInUse, metrics: AuthMetrics | None = None) -> None:
        self._log = log
        self._keys = keys
        self._metrics = metrics or AuthMetrics()

    async def tell(self) -> None:
        """Tell the keys that are in use unless they were told last; of starts at once, one tells."""
        async with self._log.transaction() as entries:
            last = await entries.last()
            is_new = last != self._keys
            if is_new:
                await entries.add(last, self._keys)
            self._metrics.signing_since(await entries.first_signed_with(self._keys.signing))
        if is_new:
            logger.info("Other signing keys are in use", extra={"fields": {"signing": self._keys.signing}})
