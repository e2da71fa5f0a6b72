"""How figures in docs/ are drawn: the same bytes for the same data, no background, colours for light and dark pages."""

import contextlib

GREY = "#808080"
COLOURS = ("#3b82f6", "#d97706", "#10a37f", "#a855f7", "#e0457b", "#7a8b00", "#0891b2", "#8b6b4a")
STYLE = {
    "svg.hashsalt": "wsproxy", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif", "path.simplify": True,
    **{name: GREY for name in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")},
    "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.5, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
}


@contextlib.contextmanager
def panels(path, count, size):
    """Axes one above the other, which are written to `path` at the end."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    with pyplot.rc_context(STYLE):
        whole, axes = pyplot.subplots(count, 1, sharex=True, figsize=size, layout="constrained")
        yield axes
        whole.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        pyplot.close(whole)
