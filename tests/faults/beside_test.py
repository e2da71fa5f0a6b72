"""What is not on the way of a connection fails: the calls of the side port, and those of a reload."""

import json
import signal

from failing import FOR_EVER, MAIN_THREAD, FailingTest
from harness import free_port, main, wait_until
from markdown import print_table, wants_table

TABLE = [
    ("the side port's calls fail", "nothing", "nothing", "that probe's connection ends; the next one is answered"),
    ("the configuration cannot be read on reload", "nothing", "nothing", '`wsproxy_config_reloads_total{result="failure"}`, log line'),
]


class SidePortCalls(FailingTest):
    CALLS = {
        "accept": ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPROTO", "EPERM", "EINTR", "ENETDOWN"],
        "recvmsg": ["ECONNRESET", "ENOMEM", "ETIMEDOUT", "ENOTCONN", "EINTR", "EAGAIN", 0],
        "sendmsg": ["EPIPE", "ECONNRESET", "ENOMEM", "ENOBUFS", "EINTR", "EAGAIN", 0],
        "epoll_ctl": ["ENOMEM", "ENOSPC"],
        "setsockopt": ["ENOMEM", "EINVAL"],
        "getpeername": ["ENOTCONN", "ENOBUFS"],
        "open": ["EMFILE", "ENOMEM", "EACCES"],
        "timerfd_settime": ["EINVAL"],
        "epoll_wait": ["EINTR"],
    }

    def test_a_probe_that_fails_is_the_only_one(self):
        self.start_failing()
        bystander = self.echo("the bystander")
        for call, errors in self.CALLS.items():
            for error in errors:
                hits = 0
                for path in ("/livez", "/metrics", "/status"):
                    with self.subTest(f"{call}: {error or 'a byte at a time'}: {path}"):
                        self.plan.arm(call, error, thread="side port")
                        try:
                            self.assertEqual(self.proxy.get(path)[0], 200)
                        except OSError as failed:
                            self.assertNotIsInstance(failed, TimeoutError)
                        hits += self.plan.disarm()
                        self.assertEqual(self.proxy.get(path)[0], 200)
                self.assertGreater(hits, 0, f"{call}: {error}: never called on any of the paths")
                self.assert_all_is_well(bystander)


class Reload(FailingTest):
    CALLS = {"open": ["EMFILE", "ENFILE", "ENOMEM", "EACCES", "EIO"], "read": ["EIO", "ENOMEM", "EISDIR"],
             "inotify_add_watch": ["ENOSPC", "ENOMEM"], "socket": ["EMFILE", "ENOBUFS"], "bind": ["EADDRINUSE", "EACCES", "EADDRNOTAVAIL"],
             "listen": ["EADDRINUSE"], "epoll_ctl": ["ENOMEM", "ENOSPC"]}

    def reloads(self, result):
        return self.proxy.metrics().sum("wsproxy_config_reloads_total", result=result)

    def test_a_reload_during_which_a_call_fails_is_refused_or_works_and_the_next_one_works(self):
        self.start_failing()
        bystander = self.echo("the bystander")
        for call, errors in self.CALLS.items():
            for error in errors:
                with self.subTest(f"{call}: {error}"):
                    extra = free_port()
                    before = self.reloads("success") + self.reloads("failure")
                    self.plan.arm(call, error, thread=MAIN_THREAD, times=FOR_EVER)
                    settings = {**self.proxy.settings, "listeners": [*self.proxy.settings["listeners"], {"name": "more", "address": f"127.0.0.1:{extra}"}]}
                    with open(self.proxy.config_file, "w") as file:
                        json.dump(settings, file)
                    self.proxy.signal(signal.SIGHUP)
                    wait_until(lambda: self.reloads("success") + self.reloads("failure") > before, "a reload to be counted")
                    self.plan.wait_hits()
                    self.plan.disarm()
                    self.echo("the bystander", bystander)
                    with open(self.proxy.config_file, "w") as file:
                        json.dump(self.proxy.settings, file)
                    good = self.reloads("success")
                    self.proxy.signal(signal.SIGHUP)
                    wait_until(lambda: self.reloads("success") > good, "the next reload to work")
                    self.assert_all_is_well(bystander)


if __name__ == "__main__":
    if wants_table():
        print_table("Side port and reload", TABLE)
    else:
        main()
