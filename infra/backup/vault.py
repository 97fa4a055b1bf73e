"""Files encrypted at rest: AES-256-GCM in chunks, each bound to its place and to the name of its file.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), as age and Tink have it: a key of
its own for each file, a counter as the nonce, and a mark on the last chunk, so that chunks cannot be changed,
swapped, left out at the end or taken from another file.
"""

import gzip
import io
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.backup.errors import BackupError

SUFFIX = ".gz.enc"

_MAGIC = b"GERAIBK1"
_SALT = 16
_KEY = 32
_ID = 8
_CHUNK = 1 << 20
_TAG = 16


class Vault:
    """Writes and reads encrypted files with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._id = _derive(key, b"", b"gerai backup key id")[:_ID]

    @contextmanager
    def writing(self, path: Path, name: str) -> Generator[IO[bytes]]:
        """Give a file to write to; it is compressed, encrypted, on disk, and only then at `path`.

        `name` tells what it is, such as `wal/000000010000000000000003`, and is asked for when it is read.
        """
        draft = path.with_name(f".{path.name}.draft")
        try:
            with draft.open("wb") as file:
                draft.chmod(0o600)
                sealing = _Sealing(file, self._key, self._id, name)
                with gzip.GzipFile(fileobj=sealing, mode="wb", compresslevel=1, mtime=0) as zipped:
                    yield cast("IO[bytes]", zipped)
                sealing.finish()
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        draft.replace(path)
        sync_folder(path.parent)

    @contextmanager
    def reading(self, path: Path, name: str) -> Generator[IO[bytes]]:
        """Give what was written to `path` as `name`.

        Raises:
            BackupError: the key is another one, or the file was changed or cut off.
        """
        try:
            with path.open("rb") as file, gzip.GzipFile(fileobj=_Opening(file, self, name)) as zipped:
                yield cast("IO[bytes]", zipped)
        except (EOFError, gzip.BadGzipFile) as error:
            raise _damaged(path) from error

    def cipher(self, header: bytes, name: str, path: Path) -> AESGCM:
        """Return the cipher of a file that begins with `header`.

        Raises:
            BackupError: it was not made by this program or with this key.
        """
        if len(header) != header_size() or not header.startswith(_MAGIC):
            raise _damaged(path)
        if header[len(_MAGIC) : len(_MAGIC) + _ID] != self._id:
            raise BackupError(
                f"{path} was encrypted with another key. Set GERAI_BACKUP_KEY_FILE to the file with the key"
                " of that time."
            )
        return AESGCM(_derive(self._key, header[-_SALT:], name.encode()))


def header_size() -> int:
    """Return how many bytes stand before the first chunk."""
    return len(_MAGIC) + _ID + _SALT


def read_key(path: Path) -> Vault:
    """Return the vault of the key in a file.

    Raises:
        BackupError: there is no such file, or no key in it.
    """
    try:
        key = bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        raise BackupError(
            f"{path}, the key that the backups are encrypted with, is missing. Put it back, or set"
            " GERAI_BACKUP_KEY_FILE to where it is: without it no backup can be read."
        ) from None
    except ValueError:
        key = b""
    if len(key) != _KEY:
        raise BackupError(f"{path} holds no key: it must be {2 * _KEY} hexadecimal digits.")
    return Vault(key)


def make_key(path: Path) -> None:
    """Write a new key, for its owner alone; an existing file stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_KEY) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write(path: Path, content: bytes) -> None:
    """Replace a plain file; what it held, or holds now, survives a power failure."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Sealing(io.RawIOBase):
    """Encrypts what is written to it; `finish` must be the end, or the file cannot be read."""

    def __init__(self, file: IO[bytes], key: bytes, key_id: bytes, name: str) -> None:
        salt = secrets.token_bytes(_SALT)
        file.write(_MAGIC + key_id + salt)
        self._file = file
        self._cipher = AESGCM(_derive(key, salt, name.encode()))
        self._waiting = bytearray()
        self._count = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._waiting += data
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, last=last), chunk, None))
        self._count += 1


class _Opening(io.RawIOBase):
    """Decrypts a file as it is read."""

    def __init__(self, file: IO[bytes], vault: Vault, name: str) -> None:
        self._file = file
        self._path = Path(file.name)
        self._cipher = vault.cipher(file.read(header_size()), name, self._path)
        self._next = file.read(_CHUNK + _TAG)
        self._plain = b""
        self._count = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not self._ended and (size < 0 or len(self._plain) < size):
            self._plain += self._open()
        size = len(self._plain) if size < 0 else size
        found, self._plain = self._plain[:size], self._plain[size:]
        return found

    def _open(self) -> bytes:
        chunk, self._next = self._next, self._file.read(_CHUNK + _TAG)
        self._ended = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._count, last=self._ended), chunk, None)
        except (InvalidTag, ValueError) as error:
            raise _damaged(self._path) from error
        self._count += 1
        return plain


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=info).derive(key)


def _damaged(path: Path) -> BackupError:
    return BackupError(
        f"{path} was changed or cut off since it was written. Restore from another copy of the backups, or"
        " to a time that does not need it (./taskw backup -- --list)."
    )
