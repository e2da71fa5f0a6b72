"""The soak over time as SVG."""

from .drawing import COLOURS, GREY, panels
from .growth import WARM_UP

POINTS = 300  # a line has at most; the file stays small
PANELS = (
    ("MB", (("own_mb", "own memory"), ("rss_mb", "resident memory"))),
    ("count", (("connections", "WebSockets open"), ("descriptors", "descriptors"))),
    ("ms", (("p99_ms", "p99 of a bystander's echoes"), ("p50_ms", "p50"), ("direct_p99_ms", "p99 without the proxy"))),
)


def draw(samples, path):
    samples = samples[:: -(-len(samples) // POINTS)]
    minutes = [one["at"] / 60 for one in samples]
    with panels(path, len(PANELS), size=(8, 6)) as axes:
        for axis, (unit, lines) in zip(axes, PANELS):
            for (name, label), colour in zip(lines, COLOURS):
                axis.plot(minutes, [one[name] for one in samples], color=colour, linewidth=1.2, label=label)
            axis.axvspan(0, minutes[-1] * WARM_UP, color=GREY, alpha=0.12, linewidth=0)
            axis.set_ylabel(unit)
            axis.set_ylim(bottom=0)
            axis.legend(loc="best", ncols=3, fontsize=8)
        axes[0].text(0, 1.02, "shaded: warm-up, not judged", transform=axes[0].transAxes, fontsize=8)
        axes[-1].set_xlabel("minutes")
