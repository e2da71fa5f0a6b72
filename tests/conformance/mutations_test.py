"""Whether the cases can fail: a model that keeps the rules passes all of them, and each rule that it breaks is seen.

Without arguments each fault, and a sample of all cases on the model without one; `--all` plays them all on that.
"""

import concurrent.futures
import importlib
import sys
import time

from judge import EchoGround
from model_proxy import ModelProxy
from suite import failures

from harness import DEADLINE

FAULTS = {
    "framing": ["takes either mask bit from the client", "takes either mask bit from the app", "takes lengths that are too long",
                "takes the top bit for a length", "has no limit", "does not mask", "masks what it sends to clients", "keeps the client's key",
                "has one key for all", "sends lengths that are too long", "drops empty messages", "takes text for binary",
                "loses an octet of what is large"],
    "pings": ["answers pings itself", "drops pongs", "cuts long pings", "takes long control frames", "sends long control frames"],
    "reserved": ["ignores RSV2 and RSV3", "ignores RSV1 where it may not be", "leaves the other end without a close frame"],
    "opcodes": ["takes reserved opcodes for data", "ignores reserved control opcodes"],
    "fragments": ["takes a message inside another", "takes a continuation of nothing", "takes control frames in parts",
                  "holds pings until a message ends", "ends a message with each fragment"],
    "utf8": ["lets any octets be text", "judges text when a frame is whole", "judges a text when it is whole", "judges each fragment on its own",
             "takes surrogates for text", "takes overlong letters", "refuses non-characters", "refuses the byte order mark",
             "calls bad text a protocol error", "judges binary as text", "does not judge compressed text", "lets a message end inside a letter",
             "takes any reason"],
    "closing": ["takes any code", "knows the codes of 2011 only", "refuses registered codes", "takes half a code", "takes any reason", "drops the reason",
                "makes 1000 of no code", "says 1005 aloud", "goes on behind a close frame", "takes control frames in parts"],
    "sizes": ["has no limit", "counts fragments one by one", "has a limit that is one octet too small", "loses an octet of what is large"],
    "misc": ["swaps two messages", "drops empty messages", "holds pings until a message ends", "takes text for binary"],
    "compression": ["refers back where it must not", "refers further back than was agreed", "forgets what the client sent before",
                    "inflates with too small a window", "does not say that it compressed", "marks every fragment as compressed",
                    "leaves the four octets at the end", "takes five octets from the end", "never compresses", "compresses noise",
                    "leaves RSV1 on what it inflated"],
    "blocks": ["remembers where it must forget", "forgets what the client sent before",
               "takes half a stream for a whole one", "ends a message at BFINAL", "forgets at BFINAL", "takes corrupt data for an empty message",
               "calls corrupt data a protocol error", "ignores RSV1 where it may not be"],
}
# Playing these takes the model long; the faults that only they show are played with them all the same.
HEAVY = ("sizes", "compression")


def cases_of(area):
    return importlib.import_module(f"{area}_test").CASES


def seen_by(area, fault):
    """The first case that fails with it, or None; a fault that never came to bear is not seen either."""
    cases = cases_of(area)
    if area == "sizes":
        cases = [case for case in cases if case.number.startswith(("9.9", "9.1.2"))]
    # A fault may leave an end waiting, which is one way to see it; what is large takes the model longer.
    ground = EchoGround(lambda url: ModelProxy(url, fault), DEADLINE if area == "sizes" else DEADLINE / 10)
    try:
        found = next(failures(ground.judge, cases), None)
        return found[0] if found and ground.proxy.was_wrong else None
    finally:
        ground.stop()


def without_fault(every):
    ground = EchoGround(ModelProxy, DEADLINE * 2)
    played = 0
    try:
        for area in FAULTS:
            step = 1 if every else 40 if area in HEAVY else 7
            cases = cases_of(area)[::step]
            played += len(cases)
            for case, faults in failures(ground.judge, cases):
                yield f"without a fault {case.number} {case.name} fails: {faults}"
    finally:
        ground.stop()
    print(f"the model without a fault: {played} cases")


def main():
    began = time.monotonic()
    wrong = list(without_fault("--all" in sys.argv))
    table = [(area, fault) for area, faults in FAULTS.items() for fault in faults]
    # Most of the time is waiting, for what a fault leaves without an end.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (area, fault), case in zip(table, pool.map(lambda each: seen_by(*each), table)):
            print(f"{area}: {fault}: {'NOT SEEN' if case is None else f'seen by {case.number}'}")
            if case is None:
                wrong.append(f"{area}: a proxy that {fault} passes all cases")
    print(*wrong, sep="\n")
    print(f"conformance mutations: {len(table)} faults, {len(wrong)} failed, {time.monotonic() - began:.1f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
