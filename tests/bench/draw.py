"""Draws the plots of docs/performance.md, in an environment of its own (`drawing.txt`).

Run as ``python -m tests.bench.draw FOLDER`` with the plots as JSON on stdin: what each draws and what it is drawn from,
see `tests/bench/report.py`. The same plots give the same bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]
from matplotlib import pyplot as plt

# Ink is what the reader's page has; the other colours are told apart on white and on black, and by the colour-blind.
INK = "#010203"
COLOURS = ("#0f83cc", "#d1730f", "#169c74", "#c2599c", "#8a7d0a", "#7a6ff0", "#d6453d", "#7f8790")
MARKERS = "osD^vPX*"
STYLE = (
    "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"  # as GitHub's own pages
)
SETTINGS = {
    "svg.hashsalt": "springline",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "grid.color": INK,
    "grid.alpha": 0.15,
}


def main(folder: Path, plots: list[dict[str, Any]]) -> None:
    """Draw each plot into a file of its own."""
    for plot in plots:
        with mpl.rc_context(SETTINGS):
            figure, axes = plt.subplots(figsize=(7.2, plot["height"]), layout="constrained")
            {"lines": lines, "bars": bars}[plot["kind"]](axes, plot)
            path = folder / plot["file"]
            figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None, "Title": plot["title"]})
            plt.close(figure)
        text = path.read_text("utf-8").replace(INK, "currentColor").replace("<defs>", f"{STYLE}<defs>", 1)
        path.write_text(f"{text}<!-- drawn from {plot['mark']} -->\n", "utf-8")


def lines(axes: Any, plot: dict[str, Any]) -> None:  # noqa: ANN401 matplotlib's
    """Draw lines on logarithmic axes, named beside their ends, and a limit where there is one."""
    for place, (name, points) in enumerate(plot["series"].items()):
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(
            *zip(*points, strict=True), color=colour, marker=MARKERS[place % len(MARKERS)], markersize=4, label=name
        )
    if limit := plot.get("limit"):
        axes.axhline(limit, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    if plot["is_log"]:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(plot["across"])
    axes.set_ylabel(plot["up"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _place: f"{value:,g}" if value < 1e6 else "1,000,000")
        axis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes.grid(visible=True)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)


def bars(axes: Any, plot: dict[str, Any]) -> None:  # noqa: ANN401 matplotlib's
    """Draw bars from above to below, from 1 to each figure; ours have a colour of their own."""
    names, values = zip(*plot["bars"], strict=True)
    places = range(len(names), 0, -1)
    colours = [COLOURS[0] if name.startswith(plot["ours"]) else COLOURS[-1] for name in names]
    drawn = axes.barh(places, [value - 1 for value in values], left=1, color=colours, height=0.7)
    axes.bar_label(drawn, labels=[f"{value:,.2f}" for value in values], padding=3, fontsize=8)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _place: f"{value:g}")
    axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes.margins(x=0.15)
    axes.set_xlabel(plot["across"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.load(sys.stdin))
