"""The tables in docs/benchmarks.md: those of the loads that ran are replaced, the others stay as they are."""

import re
from dataclasses import dataclass, field

from . import profile
from .process import Failed
from .report import VERDICT_HEAD


@dataclass
class Tables:
    """What stands between the marks of one number of workers: targets of all loads, then a section a load."""

    rows: dict = field(default_factory=dict)  # load: the lines of its targets
    sections: dict = field(default_factory=dict)  # load: its title, table and machine

    def put(self, name, title, rows, table, machine):
        self.rows[name] = rows
        self.sections[name] = f"### {title}\n\n{table}\n{machine}\n"

    def text(self, order):
        """Loads that are no longer known are left out."""
        parts = [_table(VERDICT_HEAD, self.rows, order)]
        parts += [f"<!-- load: {name} -->\n{self.sections[name]}" for name in order if name in self.sections]
        return "\n".join(parts)


def update(path, workers, fresh, order):
    """Puts what `fresh` has into the page's tables for this number of workers."""
    mark = "bench" if workers == 1 else f"bench with {workers} workers"
    replace(path, mark, lambda old: _merged(_read(old), fresh).text(order))


def update_profile(path, rows, order):
    """Puts the rows, by load, into the page's table of shares."""
    replace(path, "bench profile", lambda old: _table(profile.HEAD, {**_rows(old), **rows}, order))


def _merged(tables, fresh):
    return Tables({**tables.rows, **fresh.rows}, {**tables.sections, **fresh.sections})


def replace(path, mark, change):
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        raise Failed(f"{path.name} has no place for this: {begin.strip()} and {end}")
    before, rest = page.split(begin)
    old, after = rest.split(end)
    path.write_text(f"{before}{begin}{change(old)}{end}{after}")


def _read(text):
    head, *pieces = re.split(r"^<!-- load: (\S+) -->\n", text, flags=re.MULTILINE)
    sections = {name: body.strip("\n") + "\n" for name, body in zip(pieces[::2], pieces[1::2])}
    return Tables(_rows(head), sections)


def _rows(table):
    """Below the head, by what stands in the first cell."""
    rows = {}
    for row in table.strip().splitlines()[2:]:
        rows.setdefault(row.split("|")[1].strip(), []).append(row)
    return rows


def _table(head, rows, order):
    return "\n".join([head, *(row for name in order for row in rows.get(name, []))]) + "\n"
