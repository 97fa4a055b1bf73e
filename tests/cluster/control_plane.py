"""A Kubernetes of its own on loopback: everything but the machines, which kwok pretends to have."""

import ssl
import subprocess
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import yaml

from infra.cluster.programs import programs
from infra.embedded.ports import free_port
from tests.support.certificates import certificate

HERE = Path(__file__).parent
_TOKEN = "of-a-cluster-that-lives-as-long-as-a-test"
_LIMIT_SECONDS = 60


@contextmanager
def running(folder: Path) -> Generator[Path]:
    """Run etcd, the API server, controllers, the scheduler and kwok; the value is a kubeconfig."""
    files = certificate(folder)
    etcd, api = free_port(), free_port()
    kubeconfig = _kubeconfig(folder, api, files[0])
    with ExitStack() as started:

        def start(name: str, *arguments: str) -> None:
            started.enter_context(_process(name, arguments, folder))

        start("etcd", *_etcd(folder, etcd))
        start("kube-apiserver", *_api_server(folder, etcd, api, files))
        _await_ready(api, files[0])
        start("kube-controller-manager", *_controllers(kubeconfig, files))
        start("kube-scheduler", f"--kubeconfig={kubeconfig}", "--secure-port=0", "--leader-elect=false")
        start(
            "kwok",
            f"--kubeconfig={kubeconfig}",
            f"--config={HERE / 'kwok.yaml'}",
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",
        )
        yield kubeconfig


def _etcd(folder: Path, port: int) -> list[str]:
    clients, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def _api_server(folder: Path, etcd: int, port: int, files: tuple[Path, Path]) -> list[str]:
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{_TOKEN},admin,admin,system:masters\n")
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # it refuses loopback, and no pod will ask for the API
        f"--secure-port={port}",
        f"--tls-cert-file={files[0]}",
        f"--tls-private-key-file={files[1]}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://localhost",
        f"--service-account-key-file={files[0]}",
        f"--service-account-signing-key-file={files[1]}",
        "--service-cluster-ip-range=10.96.0.0/16",
    ]


def _controllers(kubeconfig: Path, files: tuple[Path, Path]) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--root-ca-file={files[0]}",
        f"--service-account-private-key-file={files[1]}",
    ]


def _kubeconfig(folder: Path, port: int, authority: Path) -> Path:
    path = folder / "kubeconfig"
    context = {"name": "test", "context": {"cluster": "test", "user": "admin"}}
    cluster = {"server": f"https://localhost:{port}", "certificate-authority": str(authority)}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": _TOKEN}}],
                "contexts": [context],
                "current-context": "test",
            }
        )
    )
    path.chmod(0o600)
    return path


@contextmanager
def _process(name: str, arguments: tuple[str, ...], folder: Path) -> Generator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([programs() / name, *arguments], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_ready(port: int, authority: Path) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    with httpx.Client(verify=_context(authority), headers={"Authorization": f"Bearer {_TOKEN}"}) as client:
        while not _is_ready(client, port):
            assert time.monotonic() < deadline, f"the API server is not ready: see {authority.parent}"
            time.sleep(0.1)


def _context(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)


def _is_ready(client: httpx.Client, port: int) -> bool:
    try:
        return client.get(f"https://localhost:{port}/readyz").is_success
    except httpx.TransportError:
        return False
