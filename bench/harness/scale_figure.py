"""Memory and CPU by the number of connections as SVG."""

from soak.drawing import COLOURS, panels

PANELS = (("used_mb", "MB, idle"), ("cpu_us", "CPU µs a message"), ("last_ms", "ms to the last"))


def draw(found, path):
    """`found`: figures by row."""
    with panels(path, len(PANELS), size=(8, 8)) as axes:
        for axis, (metric, label) in zip(axes, PANELS):
            for number, (name, figures) in enumerate(found.items()):
                points = [(one["connections"], one[metric]) for one in figures if one[metric] is not None]
                axis.plot([at for at, _ in points], [value for _, value in points], marker=".", linewidth=1.2, label=name,
                          color=COLOURS[number % len(COLOURS)], linestyle="--" if number >= len(COLOURS) else "-")
            axis.set_ylabel(label)
            axis.set_ylim(bottom=0)
        axes[-1].set_xlabel("connections")
        axes[0].legend(fontsize=7, ncols=2, loc="upper left")
