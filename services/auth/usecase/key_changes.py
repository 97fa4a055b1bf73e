"""What the audit tells of the keys that sign access tokens."""

import logging

from services.auth.repository.signing_keys import SigningKeyLog
from services.auth.schema import KeysInUse

logger = logging.getLogger("gerai.auth")


class KeyChanges:
    """Tells, at the start of a process, that it signs or verifies with other keys than the last one did."""

    def __init__(self, log: SigningKeyLog, keys: KeysInUse) -> None:
        self._log = log
        self._keys = keys

    async def tell(self) -> None:
        """Tell the keys that are in use unless they were told last; of starts at once, one tells."""
        async with self._log.transaction() as entries:
            last = await entries.last()
            if last == self._keys:
                return
            await entries.add(last, self._keys)
        logger.info("Other signing keys are in use", extra={"fields": {"signing": self._keys.signing}})
