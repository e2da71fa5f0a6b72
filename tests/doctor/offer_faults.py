"""Illegal answers to offers of permessage-deflate (RFC 7692 section 7.1)."""

from echo_server import Connection
from faults import fails
from server_deflate import parse_offers


def answers(change):
    """`change` makes the answer of (the correct one, the parameters of the first offer that was granted)."""
    def answer_to(self, parameters):
        return change(Connection.answer_to(self, parameters), dict(parameters))
    return {"answer_to": answer_to}


def without(word):
    return answers(lambda answer, asked: "; ".join(part for part in answer.split("; ") if not part.startswith(word)))


def also(word):
    """Says this too, where it says nothing of that parameter."""
    return answers(lambda answer, asked: answer if word.split("=")[0] in answer else f"{answer}; {word}")


def wider(name):
    """One more than what was asked for."""
    def change(answer, asked):
        if (asked.get(name) or "15") == "15":
            return answer
        rest = [part for part in answer.split("; ") if not part.startswith(name)]
        return "; ".join([*rest, f"{name}={int(asked[name]) + 1}"])
    return answers(change)


def takes(name, value):
    return {"is_valid": lambda self, given, said: (given, said) == (name, value) or Connection.is_valid(self, given, said)}


def takes_any(name):
    return lambda self, given, said: given == name or Connection.is_valid(self, given, said)


def takes_unknown(self, name, value):
    known = name.endswith(("_no_context_takeover", "_max_window_bits"))
    return Connection.is_valid(self, name, value) if known else True


def header(change):
    """`change` makes the whole header of the correct answer, where something was offered."""
    def negotiate(self, offers):
        answer = Connection.negotiate(self, offers)
        return change(answer) if offers else answer
    return {"negotiate": negotiate}


def unoffered_client_window(answer, asked):
    return answer if "client_max_window_bits" in asked else answer + "; client_max_window_bits=12"


def agree_to_two(self, offers):
    answer = Connection.negotiate(self, offers)
    return f"{answer}, {answer}" if answer and len(parse_offers(offers)) > 1 else answer


CHECK = "deflate.offers"
FAULTS = [
    fails(CHECK, "answers client_max_window_bits, which was not offered", **answers(unoffered_client_window)),
    fails(CHECK, "a larger server_max_window_bits", **wider("server_max_window_bits")),
    fails(CHECK, "does not confirm server_no_context_takeover", **without("server_no_context_takeover")),
    fails(CHECK, "does not confirm server_max_window_bits", **without("server_max_window_bits")),
    fails(CHECK, "a parameter that nobody knows", **also("server_dictionary=3")),
    fails(CHECK, "server_no_context_takeover twice",
          **answers(lambda answer, asked: f"{answer}; server_no_context_takeover; server_no_context_takeover")),
    fails(CHECK, "client_no_context_takeover twice",
          **answers(lambda answer, asked: f"{answer}; client_no_context_takeover; client_no_context_takeover")),
    fails(CHECK, "server_max_window_bits of 16", **also("server_max_window_bits=16")),
    fails(CHECK, "server_max_window_bits of 7", **also("server_max_window_bits=7")),
    fails(CHECK, "server_max_window_bits of 015", **also("server_max_window_bits=015")),
    fails(CHECK, "server_max_window_bits without a value", **also("server_max_window_bits")),
    fails(CHECK, "client_max_window_bits without a value",
          **answers(lambda answer, asked: f"{answer}; client_max_window_bits" if asked.get("client_max_window_bits", 0) is None else answer)),
    fails(CHECK, "server_no_context_takeover with a value", **also("server_no_context_takeover=1")),
    fails(CHECK, "client_no_context_takeover with a value", **also("client_no_context_takeover=true")),
    fails(CHECK, "grants an offer with a parameter that nobody knows", is_valid=takes_unknown),
    fails(CHECK, "grants an offer with a parameter twice", accepts_duplicates=True),
    *(fails(CHECK, f"grants server_max_window_bits={value}", **takes("server_max_window_bits", value)) for value in ("7", "16", "08")),
    fails(CHECK, "grants server_max_window_bits without a value", **takes("server_max_window_bits", None)),
    fails(CHECK, "grants client_no_context_takeover with any value", is_valid=takes_any("client_no_context_takeover")),
    fails(CHECK, "grants server_no_context_takeover with any value", is_valid=takes_any("server_no_context_takeover")),
    fails(CHECK, "grants any client_max_window_bits", is_valid=takes_any("client_max_window_bits")),
    fails(CHECK, "grants each of two offers", negotiate=agree_to_two),
    fails(CHECK, "the answer is there twice", **header(lambda answer: f"{answer}, {answer}" if answer else answer)),
    fails(CHECK, "an empty header", **header(lambda answer: answer or "")),
    fails(CHECK, "an empty header for every offer", **header(lambda answer: "")),
    fails(CHECK, "another extension's name", **header(lambda answer: answer and answer.replace("permessage", "perframe"))),
]
