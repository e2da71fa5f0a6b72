"""Runs the suites of charts and manifests, the classes side by side as they mostly wait for helm. Arguments are names, as in charts_pod_test.End."""

import glob
import io
import os
import sys
import unittest

import charts_harness


def classes(suite):
    """Suites of one class each, of a tree of suites."""
    found = {}

    def collect(part):
        if isinstance(part, unittest.TestSuite):
            for inner in part:
                collect(inner)
        else:
            found.setdefault(type(part), unittest.TestSuite()).addTest(part)

    collect(suite)
    return list(found.values())


def run(suite):
    said = io.StringIO()
    return unittest.TextTestRunner(stream=said, verbosity=0).run(suite), said.getvalue()


def main(names):
    if not names:
        names = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(charts_harness.HERE, "charts_*_test.py")))
        names.append("manifests_test")
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    results = charts_harness.in_parallel(run, classes(suite))
    failed = [said for result, said in results if not result.wasSuccessful()]
    print("\n".join(failed), end="", file=sys.stderr)
    tests = sum(result.testsRun for result, _ in results)
    if failed or not tests:
        print(f"FAILED: {len(failed)} of {len(results)} suites", file=sys.stderr)
        return 1
    print(
        f"ok: 3 charts, {len(charts_harness.cases())} cases on {len(charts_harness.VERSIONS)} versions of Kubernetes, "
        f"{tests} tests, {charts_harness.renders} renders"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
