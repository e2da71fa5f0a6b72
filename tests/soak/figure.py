"""The soak over time as SVG: the same bytes for the same samples, no background, colours for light and dark pages."""

from .growth import WARM_UP

POINTS = 300  # a line has at most; the file stays small
GREY, BLUE, ORANGE = "#808080", "#3b82f6", "#d97706"
STYLE = {
    "svg.hashsalt": "wsproxy", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif", "path.simplify": True,
    **{name: GREY for name in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")},
    "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.5, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
}
PANELS = (
    ("MB", (("own_mb", "own memory"), ("rss_mb", "resident memory"))),
    ("connections", (("connections", "WebSockets"), ("descriptors", "descriptors"))),
    ("ms", (("p99_ms", "p99 of a bystander's echoes"), ("p50_ms", "p50"))),
)


def draw(samples, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    step = -(-len(samples) // POINTS)
    samples = samples[::step]
    minutes = [one["at"] / 60 for one in samples]
    with pyplot.rc_context(STYLE):
        whole, axes = pyplot.subplots(len(PANELS), 1, sharex=True, figsize=(8, 6), layout="constrained")
        for axis, (unit, lines) in zip(axes, PANELS):
            for (name, label), colour in zip(lines, (BLUE, ORANGE)):
                axis.plot(minutes, [one[name] for one in samples], color=colour, linewidth=1.2, label=label)
            axis.axvspan(0, minutes[-1] * WARM_UP, color=GREY, alpha=0.12, linewidth=0)
            axis.set_ylabel(unit)
            axis.set_ylim(bottom=0)
            axis.legend(loc="lower right", ncols=2, fontsize=8)
        axes[0].text(0, 1.02, "shaded: warm-up, not judged", transform=axes[0].transAxes, fontsize=8)
        axes[-1].set_xlabel("minutes")
        whole.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        pyplot.close(whole)
