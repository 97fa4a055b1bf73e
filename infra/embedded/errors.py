"""What stops the platform from starting."""


class StartError(Exception):
    """A reason the platform cannot run, as a sentence for the person who started it."""
