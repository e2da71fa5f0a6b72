"""`scripts/soak`: runs it, says what was found, keeps the figure and the table."""

import asyncio
import json

from . import report
from .world import Plan, World


def run(seconds, *, seed, slopes, samples_file, docs):
    world = World(Plan.of(seconds, seed))
    asyncio.run(world.run())
    if samples_file:
        samples_file.write_text(json.dumps(world.samples))
    print(report.summary(world))
    if docs:
        report.write(world, docs)
    grown = [verdict for verdict in world.verdicts if verdict.grows] if slopes else []
    for verdict in grown:
        print(f"soak: {verdict}")
    for fault in world.journal.faults:
        print(f"soak: {fault}")
    if world.journal.fault_count:
        print(f"soak: {world.journal.fault_count} faults")
    return 1 if grown or world.journal.fault_count else 0
