"""The charts' READMEs: current, and what they show works."""

import difflib
import os
import re
import shutil
import tempfile

import yaml
from charts_harness import CHART, EXAMPLE, ROOT, SIDECAR, UPDATE, ChartTest, Unique, output, read, render, tool


class Readmes(ChartTest):
    def test_they_are_made_of_the_values_comments(self):
        with tempfile.TemporaryDirectory() as copy:
            for folder in (CHART, SIDECAR):
                name = os.path.basename(folder)
                os.mkdir(os.path.join(copy, name))
                for file in ("Chart.yaml", "values.yaml", "README.md.gotmpl"):
                    shutil.copy(os.path.join(folder, file), os.path.join(copy, name))
            output(tool("helm-docs"), "--chart-search-root", copy, "--sort-values-order", "file", "--log-level", "warning")
            for folder in (CHART, SIDECAR):
                name = os.path.basename(folder)
                made = read(copy, name, "README.md")
                with self.subTest(name):
                    for line in made.split("## Values")[1].splitlines():
                        self.assertNotRegex(line, r"\|\s*\|$", "a value without a comment")
                    if UPDATE:
                        shutil.copy(os.path.join(copy, name, "README.md"), folder)
                        continue
                    path = os.path.join(folder, "README.md")
                    before = read(path) if os.path.exists(path) else ""
                    diff = "".join(difflib.unified_diff(before.splitlines(True), made.splitlines(True), f"helm/{name}/README.md", "made"))
                    self.assertEqual(diff, "", f"is not current: scripts/check-charts --update\n{diff}")

    def test_their_links_lead_somewhere(self):
        for folder in (CHART, SIDECAR):
            links = re.findall(r"\]\((https://github\.com/wsproxy/wsproxy/(?:blob|tree)/main/([^)#]+))", read(folder, "README.md"))
            self.assertGreater(len(links), 2)
            for link, path in links:
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)), link)

    def test_the_values_that_they_show_are_taken(self):
        shown = re.findall(r"```yaml\n(.*?)```", read(CHART, "README.md"), re.S)
        self.assertEqual(len(shown), 1)
        render(yaml.load(shown[0], Unique))
        last = re.findall(r"```yaml\n(.*?)```", read(SIDECAR, "README.md"), re.S)[-1]
        render(yaml.load(last, Unique), chart=EXAMPLE)

    def test_what_the_library_s_shows_works(self):
        """A chart made of nothing else than what its README shows."""
        blocks = re.findall(r"```yaml\n(.*?)```", read(SIDECAR, "README.md"), re.S)
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "charts"))
            os.makedirs(os.path.join(folder, "templates"))
            shutil.copytree(SIDECAR, os.path.join(folder, "charts", "wsproxy-sidecar"))
            head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  selector: {matchLabels: {a: b}}\n"
            for name, text in (
                ("Chart.yaml", "apiVersion: v2\nname: mine\nversion: 1.0.0\n" + blocks[0]),
                ("values.yaml", blocks[2]),
                ("templates/all.yaml", head + blocks[1]),
            ):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            for version, where in (("1.31.0", "initContainers"), ("1.28.0", "containers")):
                rendered = render({}, version, chart=folder)
                self.assertIn("wsproxy", [one["name"] for one in rendered.pod[where]])
                self.assertEqual(rendered.config["upstream"]["url"], "ws://127.0.0.1:8080")
