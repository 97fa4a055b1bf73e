"""Passwords: which are accepted, and their argon2id hashes, computed off the event loop."""

import asyncio
import contextlib
import ctypes
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from services.auth.errors import SignInBusy
from shared.text import unique_key

T = TypeVar("T")

SHORTEST = 8
LONGEST = 128

# The parameters OWASP recommends for argon2id:
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1

_M_MMAP_THRESHOLD = -3  # mallopt(3)
_MMAP_THRESHOLD_BYTES = 4 * 1024 * 1024

WORKERS = 2
MOST_WAITING = 64


def password_problem(password: str, email: str) -> str | None:
    """Return why the user with this e-mail address may not have this password, or None when they may."""
    if not SHORTEST <= len(_normal(password)) <= LONGEST:
        return f"must have {SHORTEST} to {LONGEST} characters"
    if unique_key(password) == unique_key(email):
        return "must not be the e-mail address"
    return None


class Passwords:
    """Hashes and checks passwords on two threads of its own.

    Spellings of the same characters are the same password (Unicode NFC).
    """

    def __init__(self) -> None:
        _return_large_blocks()
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="password")
        self._places = threading.Semaphore(WORKERS + MOST_WAITING)
        self._nobodys = self._hasher.hash(secrets.token_bytes())

    async def hash(self, password: str) -> str:
        """Return a new hash of `password`; raises SignInBusy when too many wait."""
        return await self._run(partial(self._hasher.hash, _normal(password)))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Tell whether `password` is the one that was hashed; raises SignInBusy when too many wait.

        Without a hash it takes the same time and the answer is no.
        """
        verify = partial(self._verify, _normal(password), password_hash or self._nobodys)
        return await self._run(verify) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    async def close(self) -> None:
        """Give up what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise SignInBusy
        future = self._threads.submit(work)
        # A caller that leaves frees the place only when its thread is done, or never began.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, future: "Future[T]") -> None:
        del future
        self._places.release()


def _return_large_blocks() -> None:
    """Let glibc give the 19 MiB of a hash back when it is done; it would keep them for each thread."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
