"""Whether a series grows: Theil-Sen's slope (the median of the slopes of all pairs), which neither noise nor single
peaks turn, with Sen's interval of confidence from Kendall's statistic.

A series is cut into blocks first, and each stands for itself with its low end: memory goes up and down with the documents
under way, latency with the machine's neighbours, and what stays is there in the quiet moments too. It grows when both hold: the slope over the judged time comes to more than the bound, and the lower end of its 95 %
interval is above zero. The first alone would be noise, the second alone a trend too small to matter.
"""

import dataclasses
import math
from statistics import median

WARM_UP = 0.25  # of the time, which is not judged: caches fill, the crowd gathers
BLOCKS = 40  # at most
LEAST_SECONDS = 180  # judged; in less a process is still becoming what it will be
Z = 1.96


@dataclasses.dataclass(frozen=True)
class Bound:
    """How much more at the end of the judged time is no growth: a share of the median, or so much if that is more."""

    what: str
    unit: str
    share: float
    least: float
    part: float = 0.2  # of a block's samples are below what stands for it


@dataclasses.dataclass(frozen=True)
class Verdict:
    bound: Bound
    level: float  # the median
    grown: float  # by the slope, over the judged time
    low: float  # the lower end of its interval
    high: float
    allowed: float
    hours: float

    @property
    def grows(self):
        return self.grown > self.allowed and self.low > 0

    def __str__(self):
        return (f"{self.bound.what}: median {self.level:.2f} {self.bound.unit}, over {self.hours * 60:.1f} minutes {self.grown:+.3f} "
                f"({self.low:+.3f} to {self.high:+.3f}), allowed {self.allowed:.2f}{': GROWS' if self.grows else ''}")


def judge(times, values, bound):
    """`times` are seconds. None when there is too little to judge."""
    start = times[0] + (times[-1] - times[0]) * WARM_UP if times else 0
    points = blocks([(at, value) for at, value in zip(times, values) if at >= start], bound.part)
    if len(points) < 10:
        return None
    slope, low, high = theil_sen(points)
    span = points[-1][0] - points[0][0]
    level = median(value for _, value in points)
    return Verdict(bound, level, slope * span, low * span, high * span, max(bound.least, bound.share * level), span / 3600)


def blocks(points, part):
    size = math.ceil(len(points) / BLOCKS) or 1
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [(median(at for at, _ in group), sorted(value for _, value in group)[int(part * len(group))]) for group in groups]


def theil_sen(points):
    """(slope, lower end, upper end of its 95 % interval)."""
    slopes = sorted((points[j][1] - points[i][1]) / (points[j][0] - points[i][0])
                    for i in range(len(points)) for j in range(i + 1, len(points)))
    n, pairs = len(points), len(slopes)
    reach = Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = max(0, int((pairs - reach) / 2)), min(pairs - 1, math.ceil((pairs + reach) / 2))
    return median(slopes), slopes[low], slopes[high]


BOUNDS = {
    "own_mb": Bound("own memory (Pss_Anon)", "MB", 0.07, 1.5),
    "rss_mb": Bound("resident memory (Rss)", "MB", 0.07, 2.0),
    "descriptors": Bound("descriptors", "", 0.05, 6.0),
    "added_p99_ms": Bound("p99 of a bystander's echoes less that without the proxy", "ms", 0.5, 1.0),
}


def verdicts(samples):
    """Of each series that there is a bound for; none of a soak that was too short for them."""
    times = [one["at"] for one in samples]
    if not times or (times[-1] - times[0]) * (1 - WARM_UP) < LEAST_SECONDS:
        return []
    found = (judge(times, [one[name] for one in samples], bound) for name, bound in BOUNDS.items())
    return [verdict for verdict in found if verdict]
