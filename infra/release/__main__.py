"""`python -m infra.release`: build, publish, sign and roll out a release, here as in CI."""

import argparse
import sys
from pathlib import Path

from infra.chart.programs import ProgramMissing
from infra.release import images, rollout, smoke
from infra.release.run import ReleaseError, output

ENVIRONMENTS = ("staging", "production")

_GITHUB = "https://token.actions.githubusercontent.com"


def main() -> None:
    """Do one step; what goes wrong is told in a sentence."""
    arguments = _parser().parse_args()
    try:
        _do(arguments)
    except (ReleaseError, ProgramMissing) as error:
        sys.exit(str(error))


def _do(arguments: argparse.Namespace) -> None:
    match arguments.step:
        case "build":
            images.build(_revision(arguments))
        case "publish":
            images.publish(arguments.registry, _revision(arguments), arguments.digests)
        case "sign":
            images.sign(arguments.digests)
        case "verify":
            images.verify(arguments.digests, arguments.identity, arguments.issuer)
        case "deploy":
            rollout.roll_out(arguments.environment, arguments.digests, arguments.namespace)
        case _:
            smoke.smoke(arguments.url)


def _revision(arguments: argparse.Namespace) -> str:
    return arguments.revision or output(["git", "rev-parse", "HEAD"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./taskw release --", description="Build, publish, sign and roll out a release, here as in CI."
    )
    steps = parser.add_subparsers(dest="step", required=True)
    build = steps.add_parser("build", help="build the images, with Docker")
    publish = steps.add_parser("publish", help="push them, and write down their digests")
    publish.add_argument(
        "--registry", required=True, help="such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    )
    for step in (build, publish):
        step.add_argument("--revision", help="the commit that they are of (the checkout's)")
    sign = steps.add_parser("sign", help="sign what was published, with what it consists of")
    verify = steps.add_parser("verify", help="require that it was signed")
    verify.add_argument(
        "--identity", required=True, help="who signed: https://github.com/…/deploy.yml@refs/heads/main"
    )
    verify.add_argument("--issuer", default=_GITHUB, help="who vouches for that (GitHub)")
    deploy = steps.add_parser("deploy", help="upgrade the release in the cluster and test it")
    deploy.add_argument("environment", choices=ENVIRONMENTS, help="whose values it gets")
    deploy.add_argument("--namespace", default=rollout.NAMESPACE, help="where it is (gerai)")
    for step in (publish, sign, verify, deploy):
        step.add_argument(
            "--digests", type=Path, default=Path("release.json"), metavar="FILE", help="(release.json)"
        )
    asked = steps.add_parser("smoke", help="ask a release as its users do")
    asked.add_argument("url", type=_url, help="such as https://api.gerai.example")
    return parser


def _url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise argparse.ArgumentTypeError("a URL, such as https://api.gerai.example")
    return text


if __name__ == "__main__":
    main()
