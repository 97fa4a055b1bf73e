"""Why a measurement could not be made."""


class BenchmarkError(Exception):
    """The measurement cannot be made; the text says why, and what to do."""
