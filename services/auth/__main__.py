"""`python -m services.auth` serves; `python -m services.auth migrate` applies migrations as the owner."""

import sys
from pathlib import Path

from services.auth.config import AuthConfig
from services.auth.factory import create_app
from shared.command import main
from shared.config import ConfigurationError

if __name__ == "__main__":
    try:
        main(AuthConfig, create_app, Path(__file__).parent / "migrations")
    except ConfigurationError as error:  # a key file that cannot be read or made
        sys.exit(str(error))
