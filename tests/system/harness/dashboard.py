"""What a Grafana dashboard asks Prometheus for, with its variables filled in as Grafana does. Pure: asks nobody."""

import collections
import re

Query = collections.namedtuple("Query", "where expression legend")
"""`where` is the panel's title and the query's letter; `legend` has `{{label}}` for what the results differ by."""

Label = collections.namedtuple("Label", "variable selector label")
"""What a variable offers: the values of a label among the series that a selector finds."""

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
SELECTOR = re.compile(r'([a-zA-Z_:][\w:]*)\s*\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
# Words that may stand where a metric's name may.
OPERATORS = {"and", "or", "unless", "bool", "offset"}


def panels(dashboard):
    """All but rows; those in rows that are folded up too."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def fill(text, variables):
    """`$name` and `${name}`; one that is not known is an error, since Grafana would send it as it stands."""
    def value(match):
        name = match[1] or match[2]
        assert name in variables, f"no variable {match[0]}, in {text}"
        return variables[name]
    return VARIABLE.sub(value, text)


def queries(dashboard, variables, *, rate_interval="1m"):
    """Each query as Prometheus gets it. `rate_interval` is what rates look back: in Grafana four scrapes, or a step of the graph."""
    values = {**variables, "__rate_interval": rate_interval}
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield Query(f"{panel['title']} {target['refId']}", fill(target["expr"], values), target["legendFormat"])
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield Query(f"annotation {annotation['name']}", fill(annotation["expr"], values), annotation["textFormat"])


def expressions(dashboard, variables, *, rate_interval="1m"):
    """What is asked, each thing once."""
    return list(dict.fromkeys(query.expression for query in queries(dashboard, variables, rate_interval=rate_interval)))


def labels(dashboard, variables):
    """What the variables offer, in their order: each may use those before it."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.+),\s*(\w+)\)", variable["query"]["query"])
            assert match, f"not label_values(SELECTOR, LABEL): {variable['query']['query']}"
            yield Label(variable["name"], fill(match[1], variables), match[2])


def selectors(expression):
    """(metric, {label: value}) of each selector; one without braces has no labels."""
    yield from ((metric, dict(MATCHER.findall(inside))) for metric, inside in SELECTOR.findall(expression))
    rest = GROUPING.sub(" ", re.sub(r"\[[^\]]*\]", " ", SELECTOR.sub(" ", expression)))
    for word, call in re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(\s*\()?", rest):
        if not call and word not in OPERATORS:
            yield word, {}


def grouping_labels(expression):
    """Those named in by(), on() and the like."""
    return {label for group in GROUPING.findall(expression) for label in re.findall(r"\w+", group)}


def legend_labels(query):
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", query.legend))
