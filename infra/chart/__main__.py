"""`python -m infra.chart` writes the chart's README.md from what values.yaml says of each value."""

from infra.chart.readme import CHART, render

if __name__ == "__main__":
    (CHART / "README.md").write_text(render((CHART / "values.yaml").read_text()))
