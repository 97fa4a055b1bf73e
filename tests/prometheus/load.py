"""A little of everything that people do, over and over."""

import asyncio
import time
from collections.abc import Mapping
from uuid import uuid4

from tests.support.platform import Platform

_PAUSE_SECONDS = 0.05
_RENEW_SECONDS = 5


class Load:
    """Clients, stores, users and sign-ins, right ones and wrong ones."""

    def __init__(self, platform: Platform, admin: dict[str, str]) -> None:
        self._platform = platform
        self._admin = admin

    async def run(self, seconds: float) -> None:
        """Keep the platform busy for `seconds`."""
        client = await self._made("/v1/master-client", {"name": "Kopi", "email": _email()})
        ends = time.monotonic() + seconds
        changes = 0.0
        number = 0
        while time.monotonic() < ends:
            if time.monotonic() > changes:
                await self._change(client)
                changes = time.monotonic() + _RENEW_SECONDS
            number += 1
            await self._serve(client, str(number))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve(self, client: str, code: str) -> None:
        """Create a store, change and read it."""
        store = await self._made("/v1/stores", {"client_uuid": client, "code": code, "name": "Kopi"})
        await self._call("PATCH", f"/v1/stores/{store}", {"name": "Teh"})
        for path in (
            f"/v1/stores/{store}",
            f"/v1/stores/{store}",
            "/v1/stores",
            f"/v1/uncached/stores/{store}",
        ):
            await self._call("GET", path)
        for path in (f"/v1/master-client/{client}", "/v1/master-client", "/v1/users", "/v1/stores?q=kopi"):
            await self._call("GET", path)

    async def _change(self, client: str) -> None:
        """Do what happens less often."""
        await self._platform.sign_in()
        user = {"email": _email(), "name": "Siti", "password": f"a long {uuid4()}", "roles": ["user"]}
        await self._made("/v1/users", user)
        other = await self._made("/v1/master-client", {"name": "Teh", "email": _email()})
        await self._call("DELETE", f"/v1/master-client/{other}")
        await self._call("PATCH", f"/v1/master-client/{client}", {"name": f"Kopi {uuid4().hex[:6]}"})
        for path, csv in (
            ("/v1/master-client/import", f"name,email\nKopi,{_email()}\nTeh,nowhere\n"),
            ("/v1/stores/import", f"client_uuid,code,name\n{client},{uuid4().hex[:8]},Kopi\n"),
        ):
            headers = self._admin | {"Content-Type": "text/csv"}
            answer = await self._platform.http.post(path, content=csv, headers=headers)
            assert answer.status_code == 202, answer.text

    async def guess_passwords(self, times: int) -> None:
        """Sign in wrongly until it is slowed."""
        wrong = {"email": "nobody@a.example", "password": "not this one, surely"}
        for _ in range(times):
            await self._platform.http.post("/v1/auth/login", json=wrong)

    async def _made(self, path: str, body: Mapping[str, object]) -> str:
        answer = await self._platform.http.post(path, json=body, headers=self._admin)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["uuid"]

    async def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        answer = await self._platform.http.request(method, path, json=body, headers=self._admin)
        assert answer.is_success, answer.text


def _email() -> str:
    return f"{uuid4()}@a.example"
