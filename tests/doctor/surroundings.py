"""Imported first: makes `harness` (tests/system) findable."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "system"))
