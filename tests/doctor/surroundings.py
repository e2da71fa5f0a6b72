"""Imported first: makes `harness` (tests/system) findable."""

import pathlib
import sys

SYSTEM = str(pathlib.Path(__file__).resolve().parent.parent / "system")
sys.path.append(SYSTEM)
