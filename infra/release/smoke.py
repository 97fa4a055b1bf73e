"""Whether a release answers as its users reach it: through its public name and the load balancer."""

import time

import httpx

from infra.release.run import ReleaseError

_SECONDS = 120
_PAUSE_SECONDS = 2
_EXPECTED = {"/healthz": 200, "/swagger/index.html": 200, "/v1/stores": 401}


def smoke(url: str, seconds: float = _SECONDS) -> None:
    """Require that `url` answers, serves its documentation and asks strangers who they are, before long.

    Raises:
        ReleaseError: saying what it answers instead.
    """
    print(f"Asking {url}, for {seconds:.0f} s if need be …", flush=True)
    limit = time.monotonic() + seconds
    while found := _unexpected(url):
        if time.monotonic() > limit:
            raise ReleaseError(f"{url} is not as it should be: {found}")
        time.sleep(_PAUSE_SECONDS)


def _unexpected(url: str) -> str:
    try:
        with httpx.Client(base_url=url, timeout=10) as http:
            answers = {path: http.get(path).status_code for path in _EXPECTED}
    except httpx.HTTPError as error:
        return f"{error!r}"
    return ", ".join(
        f"{path} answers {status}" for path, status in answers.items() if status != _EXPECTED[path]
    )
