"""What the store service is compared with: Litestar and a SQLAlchemy ORM session for each request.

`python -m benchmarks.peers.orm_store PORT DATABASE_URL`. It checks no token and measures nothing.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import uvicorn
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.store.schema import Store
from shared.responses import Envelope

POOL_SIZE = 10
"""As DB_POOL_SIZE of the services is when nothing is said."""


class Base(DeclarativeBase):
    """Collects the mapped classes."""


class StoreRow(Base):
    """The columns of a store that are answered."""

    __tablename__ = "stores"

    uuid: Mapped[UUID] = mapped_column(primary_key=True)
    client_uuid: Mapped[UUID]
    code: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]
    city: Mapped[str | None]
    province: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    timezone: Mapped[str]
    is_active: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


async def provide_session(state: State) -> AsyncGenerator[AsyncSession]:
    """Open a session for one request."""
    async with state.sessions() as session:
        yield session


@get("/v1/stores/{uuid:uuid}")
async def read(uuid: UUID, session: AsyncSession) -> Envelope[Store]:
    """Return one living store."""
    statement = select(StoreRow).where(StoreRow.uuid == uuid, StoreRow.deleted_at.is_(None))
    row = await session.scalar(statement)
    if row is None:
        raise NotFoundException
    return Envelope(data=Store(**{name: getattr(row, name) for name in Store.__struct_fields__}))


def create_app(url: str) -> Litestar:
    """Return the service that reads from the database at `url`."""
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    dependencies: dict[str, Any] = {"session": Provide(provide_session)}
    return Litestar(
        [read], dependencies=dependencies, lifespan=[lifespan], openapi_config=None, logging_config=None
    )


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
    )
