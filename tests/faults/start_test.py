"""Each call fails that the proxy makes while it starts: it starts all the same, or says why not and ends with 1. It never crashes or hangs."""

import json
import os
import tempfile

from failing import FOR_EVER, FaultPlan
from harness import SANITIZED, EchoApp, Process, SystemTest, free_port, main, wait_until
from markdown import print_table, wants_table

MUST_SAY_WHY, MAY_START = "ends with 1 and says why", "starts all the same"
# Not epoll_ctl(): Asio does not look at what it says of the descriptors that a loop has for itself.
CALLS = {
    "socket": (["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAFNOSUPPORT", "EACCES"], MUST_SAY_WHY),
    "bind": (["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "ENOMEM"], MUST_SAY_WHY),
    "listen": (["EADDRINUSE", "EOPNOTSUPP"], MUST_SAY_WHY),
    "epoll_create1": (["EMFILE", "ENFILE", "ENOMEM"], MUST_SAY_WHY),
    "eventfd": (["EMFILE", "ENFILE", "ENOMEM", "ENODEV"], MAY_START),  # there is pipe()
    "timerfd_create": (["EMFILE", "ENFILE", "ENOMEM", "ENODEV"], MAY_START),
    "pipe": (["EMFILE", "ENFILE"], MUST_SAY_WHY),
    "pthread_create": (["EAGAIN"], MUST_SAY_WHY),
    "inotify_init1": (["EMFILE", "ENFILE", "ENOMEM"], MAY_START),
    "inotify_add_watch": (["ENOSPC", "ENOMEM", "EACCES"], MAY_START),
    "mkdir": (["EACCES", "EROFS", "ENOSPC"], MAY_START),
    "open": (["EMFILE", "ENFILE", "ENOMEM", "EACCES"], MUST_SAY_WHY),
    "setsockopt": (["ENOMEM", "ENOBUFS"], MUST_SAY_WHY),
    "getsockname": (["ENOBUFS"], MUST_SAY_WHY),
    "ioctl": (["EINVAL"], MUST_SAY_WHY),
}
MOST = 60  # calls of one kind while it starts


class Start(SystemTest):
    def setUp(self):
        super().setUp()
        if SANITIZED:
            self.skipTest("a sanitizer's library must be the first that is loaded, and takes these calls itself")
        self.plan = FaultPlan()
        self.app = EchoApp()
        self.addCleanup(self.app.stop)
        folder = tempfile.TemporaryDirectory(prefix="wsproxy-start-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def begin(self):
        port, admin = free_port(), free_port()
        config = os.path.join(self.folder, "wsproxy.yaml")
        with open(config, "w") as file:
            json.dump({"listeners": [{"address": f"127.0.0.1:{port}"}], "upstream": {"url": self.app.url}, "workers": 1,
                       "admin": {"address": f"127.0.0.1:{admin}"}, "sentry": {"crash_directory": os.path.join(self.folder, "crashes")}}, file)
        process = Process("run", "--config", config, **self.plan.environment())
        process.exit_code_matters = False  # it is looked at here
        return process

    def outcome(self, process):
        wait_until(lambda: not process.running() or any('"serving"' in line for line in process.lines), "it to serve or to end")
        if process.running():
            process.signal(15)
            self.assertEqual(process.wait_exit(), 0)
            return MAY_START
        self.assertEqual(process.wait_exit(), 1, "\n".join(process.lines))
        self.assertTrue(process.lines, "it did not say why")
        return MUST_SAY_WHY

    def test_each_call_in_turn(self):
        for call, (errors, _) in CALLS.items():
            for at in range(MOST):
                # Each errno has its turn; the first call has them all.
                for error in errors if at == 0 else [errors[at % len(errors)]]:
                    with self.subTest(f"{call} {at}: {error}"):
                        self.plan.arm(call, error, skip=at)
                        process = self.begin()
                        try:
                            self.outcome(process)
                        finally:
                            process.stop()
                if self.plan.disarm() == 0:
                    break
            self.assertGreater(at, 0, f"{call} is never called")

    def test_one_that_stays_is_said_or_done_without(self):
        for call, (errors, expected) in CALLS.items():
            with self.subTest(call):
                self.plan.arm(call, errors[0], times=FOR_EVER)
                process = self.begin()
                try:
                    self.assertEqual(self.outcome(process), expected)
                finally:
                    process.stop()


if __name__ == "__main__":
    if wants_table():
        print_table("Calls that fail while it starts", [
            (f"{call}(): {', '.join(errors)}", "-", "-", f"it {outcome}") for call, (errors, outcome) in CALLS.items()])
    else:
        main()
