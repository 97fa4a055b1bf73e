"""What stops demo data from being loaded."""


class SeedError(Exception):
    """A reason there is no demo data, as a sentence for the person who asked for it."""
