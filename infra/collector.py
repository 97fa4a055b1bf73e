"""`python -m infra.collector`: build an OpenTelemetry collector with Go, unless it was built before."""

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

import yaml

from infra.go import CannotBuild, compiler, run

MANIFEST = Path(__file__).parent / "otel-collector" / "builder.yaml"
CACHE = Path.home() / ".cache" / "gerai" / "otelcol"

_BUILDER = "go.opentelemetry.io/collector/cmd/builder"


def main() -> None:
    """Build it and print where it is; what is missing is told in a sentence."""
    argparse.ArgumentParser(prog="python -m infra.collector", description=__doc__).parse_args()
    try:
        print(build())
    except CannotBuild as error:
        sys.exit(str(error))


def collector(cache: Path = CACHE) -> Path:
    """Return where the collector of this manifest is, or will be once it is built."""
    return cache / hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:16] / "otelcol"


def build(cache: Path = CACHE) -> Path:
    """Return a collector with the parts of the manifest; building it takes minutes, and shows its progress.

    Raises:
        CannotBuild: without Go, or when the modules cannot be had.
    """
    program = collector(cache)
    if program.exists():
        return program
    go = compiler("The collector is built with Go")
    print("Building the OpenTelemetry collector; this takes minutes, once.", file=sys.stderr)
    manifest = yaml.safe_load(MANIFEST.read_text())
    making = program.parent.with_suffix(".making")
    making.mkdir(parents=True, exist_ok=True)
    manifest["dist"] |= {"output_path": str(making), "go": go}
    (making / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    run([go, "install", f"{_BUILDER}@v{manifest['dist']['version']}"], making, GOBIN=str(making))
    run([str(making / "builder"), "--config", str(making / "manifest.yaml")], making)
    program.parent.mkdir(parents=True, exist_ok=True)
    (making / "otelcol").rename(program)
    shutil.rmtree(making)
    return program


if __name__ == "__main__":
    main()
