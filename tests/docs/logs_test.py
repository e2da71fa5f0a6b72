"""Holds docs/logs.md against the lines that src/ can write: each message has a row with its levels and fields, and no row is stale.

usage: logs_test.py SOURCE_TREE
"""

import re
import sys
import unittest
from pathlib import Path

CALL = re.compile(r"\blog_?(?:\(\))?\.write\(")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
LEVEL = re.compile(r"\bLevel::(\w+)")
ADDED = re.compile(r'\b(?:fields|out)\.(?:emplace_back|add\w*)\(\s*"(\w+)"')
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|", re.MULTILINE)


def balanced(text, at):
    """What is between the bracket at `at` and its partner; brackets in strings do not count."""
    depth, in_string, i = 0, False, at
    while True:
        letter = text[i]
        if in_string:
            i += letter == "\\"
            in_string = letter != '"' or text[i] != '"'
        elif letter == '"':
            in_string = True
        elif letter in "({":
            depth += 1
        elif letter in ")}":
            depth -= 1
            if depth == 0:
                return text[at + 1:i]
        i += 1


def parse(call):
    """(messages, levels, fields) of the arguments of one call."""
    head = call.split("{", 1)[0]
    messages = [text for text in STRING.findall(head)]
    fields = re.findall(r'\{\s*"(\w+)"\s*,', call)
    return messages, LEVEL.findall(head), fields


def calls(source):
    """(file, messages, levels, fields) of each line that is written; fields of a vector are those of its whole file."""
    for file in sorted(source.rglob("*.cpp")):
        text = re.sub(r"^\s*//.*$", "", file.read_text(), flags=re.MULTILINE)
        for match in CALL.finditer(text):
            messages, levels, fields = parse(balanced(text, match.end() - 1))
            yield file.relative_to(source), messages, levels, fields
        for match in re.finditer(r"std::vector<telemetry::LogField> fields\{", text):
            yield file.relative_to(source), None, [], re.findall(r'\{"(\w+)"', balanced("{" + text[match.end():], 0)) + ADDED.findall(text)


def own_lines():
    """Of src/telemetry itself, which writes without going through a Log."""
    return {"log lines dropped": "warning", "other log lines left out": "warning", "access": "info"}


class Reading(unittest.TestCase):
    def test_a_call_is_taken_apart(self):
        self.assertEqual(parse('late ? Level::warning : Level::info, late ? "a (b)" : "c", {{"key", f("x")}, {"n", g({1})}}'),
                         (["a (b)", "c"], ["warning", "info"], ["key", "n"]))
        self.assertEqual(balanced('w(a, ")\\"(", {"x", 1}) rest', 1), 'a, ")\\"(", {"x", 1}')


class Documented(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.docs = (TREE / "docs" / "logs.md").read_text()
        cls.rows = {row[0]: row[1:] for row in ROW.findall(cls.docs)}
        cls.calls = list(calls(TREE / "src"))
        cls.written = {message for _, messages, _, _ in cls.calls for message in messages or ()} | own_lines().keys()

    def test_lines_are_found(self):
        self.assertGreater(len(self.calls), 25)

    def test_each_message_is_a_literal_that_has_a_row_with_its_level_and_fields(self):
        for file, messages, levels, fields in self.calls:
            with self.subTest(file=str(file), messages=messages):
                if messages is None:
                    for field in fields:
                        self.assertTrue(f"`{field}`" in self.docs, f"`{field}` is not in docs/logs.md")
                    continue
                self.assertTrue(messages, "the message is no literal: nobody can search for it")
                for message in messages:
                    self.assertTrue(message in self.rows, "not in docs/logs.md")
                    level, named = self.rows[message]
                    self.assertTrue(any(f"`{one}`" in level for one in levels), f"{level} is none of {levels}")
                    for field in fields:
                        self.assertIn(f"`{field}`", named, f"of {message}")

    def test_lines_of_the_log_itself_have_a_row(self):
        for message, level in own_lines().items():
            self.assertIn(f"`{level}`", self.rows[message][0])

    def test_each_field_of_the_access_line_has_a_row(self):
        text = (TREE / "src/telemetry/access_log.cpp").read_text()
        fields = re.findall(r'fields\.add\w*\("(\w+)"', text)
        self.assertGreater(len(fields), 20)
        for field in fields:
            self.assertTrue(re.search(rf"(?m)^\| [^|]*`{field}`[^|]* \| (?:text|number) \|", self.docs), field)

    def test_no_row_is_about_a_line_that_is_gone(self):
        about_lines = {name for name, (level, _) in self.rows.items() if re.search(r"`(?:error|warning|info|debug)`", level)}
        self.assertEqual(about_lines - self.written, set())


if __name__ == "__main__":
    TREE = Path(sys.argv.pop(1))
    unittest.main()
