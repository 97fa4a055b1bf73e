"""`python -m services.store` serves; `python -m services.store migrate` applies migrations as the owner."""

from pathlib import Path

from services.store.config import StoreConfig
from services.store.factory import create_app
from shared.command import main

if __name__ == "__main__":
    main(StoreConfig, create_app, Path(__file__).parent / "migrations")
