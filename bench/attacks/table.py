"""The table of attacks in docs/reliability.md."""

import math

from .catalogue import ATTACKS

HEAD = (
    "| attack | on | bound by | p99 ms beside it (without it) | sent late, p99 ms | share of a CPU (without it) | MB more |"
    " attacker's MB/s | CPU ms a MB | connections (given up) |\n|---|---|---|---|---|---|---|---|---|---|\n"
)


def table(outcomes):
    """`outcomes`: {attack: {peer: Outcome}}."""
    lines = []
    for name, by_peer in outcomes.items():
        for number, (peer, outcome) in enumerate(by_peer.items()):
            title = ATTACKS[name].title if number == 0 else ""
            lines.append(_line(title, peer, ATTACKS[name].bound if peer == "wsproxy" else "", outcome))
    return HEAD + "\n".join(lines) + "\n"


def _line(title, peer, bound, one):
    if math.isinf(one.p99_ms):
        return f"| {title} | {peer} | {bound} | starved ({one.quiet_p99_ms:.2f}) |" + " |" * 6
    cost = one.cpu_ms_a_mb()
    cells = [
        title,
        peer,
        bound,
        f"{one.p99_ms:.2f} ({one.quiet_p99_ms:.2f})",
        f"{one.late_p99_ms:.2f}",
        f"{one.cpu:.0%} ({one.quiet_cpu:.0%})",
        f"{max(0, one.growth_mb):.1f}",
        f"{one.sent_mb_a_second:.2f}",
        "" if cost is None else f"{cost:.1f}",
        f"{one.made} ({one.refused})",
    ]
    return "| " + " | ".join(cells) + " |"
