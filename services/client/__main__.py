"""`python -m services.client` serves; `python -m services.client migrate` applies migrations as the owner."""

from pathlib import Path

from services.client.config import ClientConfig
from services.client.factory import create_app
from shared.command import main

if __name__ == "__main__":
    main(ClientConfig, create_app, Path(__file__).parent / "migrations")
