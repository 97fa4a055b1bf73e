"""Why a backup or a restore cannot be made."""


class BackupError(Exception):
    """A reason, as a sentence for the person who asked, with what to do about it."""
