"""A table of faults as docs/reliability.md has it: `x_test.py --table` prints the one that the suite is made of."""

import sys

HEAD = ("fault", "what the client sees", "what the app sees", "what tells it")


def print_table(title, rows):
    print(f"**{title}**\n")
    print("| " + " | ".join(HEAD) + " |")
    print("|---" * len(HEAD) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def wants_table():
    return "--table" in sys.argv
