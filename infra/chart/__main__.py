"""`python -m infra.chart` writes the chart's README.md from what values.yaml says of each value."""

import argparse

from infra.chart.readme import CHART, render

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m infra.chart", description=__doc__).parse_args()
    (CHART / "README.md").write_text(render((CHART / "values.yaml").read_text()))
