"""What stops an import."""


class ImportFailure(Exception):
    """A reason nothing was imported, as a sentence for the person who asked for it."""
