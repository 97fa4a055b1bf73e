"""Pods of a rendered chart, run by podman as a node of Kubernetes would: confined, with their volumes.

There is one network, this machine's, where the name of each Service means loopback. What is left out are
limits of memory, and restarts.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from tests.helm.rendering import Objects, containers, environment, made_secrets, pod
from tests.support.containers import CannotBuild, Containers

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the container's
_TMP = "/tmp"  # noqa: S108 - the container's, which every container has here

Object = dict[str, Any]


class Kubelet:
    """Runs the pods of `objects`, and ends them at its own end.

    What is in their claims outlives them, in `folder`, where their logs are too.
    """

    def __init__(self, engine: Containers, objects: Objects, images: Mapping[str, str], folder: Path) -> None:
        self.objects = objects
        self._engine, self._images = engine, images
        self._volumes = _Volumes(folder, objects)
        self._folder = folder
        self._started: list[tuple[Object, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for workload, process in self._started[::-1]:
            with suppress(CannotBuild):  # it has ended, or has not come so far
                self.stop(workload)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    def find(self, kind: str, name: str) -> Object:
        """Return an object by the beginning of its name."""
        return next(
            each
            for each in self.objects
            if each["kind"] == kind and each["metadata"]["name"].startswith(name)
        )

    def start(self, workload: Object) -> "subprocess.Popen[bytes]":
        """Start a pod: one container after another, of which the last one may stay."""
        *first, last = containers(workload)
        commands = [self._command(workload, each) for each in first]
        commands.append(self._command(workload, last, "--name", _name(workload)))
        with (self._folder / f"{_name(workload)}.log").open("ab") as log:
            script = "\n".join(map(shlex.join, commands))
            command = ["sh", "-ec", script]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._started.append((workload, process))
        return process

    def log(self, workload: Object) -> str:
        """Return what a pod has written."""
        return (self._folder / f"{_name(workload)}.log").read_text()

    def stop(self, workload: Object) -> None:
        """Ask the container of a pod to end, and force it when it does not."""
        self._engine.stop(_name(workload))

    def execute(self, workload: Object, *command: str) -> str:
        """Run a command in the container of a pod.

        Raises:
            CannotBuild: it fails.
        """
        return self._engine.podman("exec", _name(workload), *command)

    def is_ready(self, workload: Object) -> bool:
        """Ask what Kubernetes asks to know whether a pod is ready."""
        [container] = pod(workload)["containers"]
        probe = container["readinessProbe"]
        try:
            if "exec" in probe:
                self.execute(workload, *probe["exec"]["command"])
                return True
            asked, ports = probe["httpGet"], {each["name"]: each for each in container["ports"]}
            port = ports[asked["port"]]["containerPort"]
            return httpx.get(f"http://127.0.0.1:{port}{asked['path']}").is_success
        except (CannotBuild, httpx.TransportError):
            return False

    def _command(self, workload: Object, container: Object, *options: str) -> list[str]:
        security = pod(workload)["securityContext"]
        alone = {"kind": "Pod", "spec": {"containers": [container]}}
        given = [
            *options,
            f"--user={security['runAsUser']}:{security['runAsGroup']}",
            *(f"--add-host={name}:127.0.0.1" for name in self._services()),
            *(f"--env={name}={value}" for name, value in environment(alone, self.objects).items()),
            *self._volumes.mounts(workload, container),
        ]
        if command := container.get("command"):
            given.append(f"--entrypoint={json.dumps(command)}")
        image = self._images[container["image"]]
        return self._engine.command(image, *given, arguments=container.get("args", ()))

    def _services(self) -> Iterator[str]:
        return (each["metadata"]["name"] for each in self.objects if each["kind"] == "Service")


class _Volumes:
    """What a node mounts into containers."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self._folder = folder
        self._secrets = made_secrets(objects)
        self._maps = {
            each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"
        }

    def mounts(self, workload: Object, container: Object) -> Iterator[str]:
        """Yield the options that give a container its volumes; one that is not described is a claim."""
        described = {each["name"]: each for each in pod(workload).get("volumes", ())}
        for mount in container.get("volumeMounts", ()):
            path, volume = mount["mountPath"], described.get(mount["name"], {})
            if path == _SHARED_MEMORY:
                yield f"--shm-size={volume['emptyDir']['sizeLimit'].removesuffix('i').lower()}"
            elif "emptyDir" not in volume:
                access = "ro" if mount.get("readOnly") else "rw"
                yield f"--volume={self._source(workload, mount['name'], volume)}:{path}:{access}"
            elif path != _TMP:
                yield f"--tmpfs={path}:rw,mode=0777"

    def _source(self, workload: Object, name: str, volume: Object) -> Path:
        """Return the folder of a volume, which belongs to the group of its pod."""
        folder = self._folder / f"{_name(workload)}-{name}"
        group = pod(workload)["securityContext"]["fsGroup"]
        if secret := volume.get("secret"):
            known = self._secrets[secret["secretName"]]
            keys = [each["key"] for each in secret.get("items", ())] or list(known)
            return _written(folder, {key: known[key] for key in keys}, group, secret["defaultMode"])
        if chosen := volume.get("configMap"):
            return _written(folder, self._maps[chosen["name"]], group, 0o644)
        folder.mkdir(exist_ok=True)
        os.chown(folder, 0, group)
        folder.chmod(0o2775)
        return folder


def _name(workload: Object) -> str:
    """Return what this run calls the last container of a pod, and where its files are."""
    return f"gerai-test-{os.getpid()}-{workload['kind']}-{workload['metadata']['name']}".lower()


def _written(folder: Path, files: Mapping[str, str], group: int, mode: int) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
        os.chown(folder / name, 0, group)
        (folder / name).chmod(mode)
    return folder
