"""What surrounds the proxy fails: descriptors, disks, clocks, names, memory for compression."""

import os
import resource
import subprocess
import tempfile

from failing import FOR_EVER, FailingTest
from harness import EchoApp, Proxy, SystemTest, main, wait_until
from markdown import print_table, wants_table

EAI_AGAIN, EAI_FAIL, EAI_NONAME, EAI_MEMORY, EAI_SYSTEM = -3, -4, -2, -10, -11
YEAR = 365 * 24 * 3600
OFTEN = 30  # lines of a log that are too many for one fault

TABLE = [
    ("no descriptor is left (`RLIMIT_NOFILE`)", "waits to be accepted, or 502; who is there is undisturbed", "nothing", "log line `cannot accept connections`, each kind at most 10 times in 10 s"),
    ("the disk of the log is full", "nothing", "nothing", "nothing: lines are lost"),
    ("the real time jumps a year ahead or back", "nothing", "nothing", "the log's times"),
    ("the app's name cannot be resolved: not found, no answer, refused, no memory", "502", "no connection", '`wsproxy_upstream_errors_total{reason="resolve"}`, `/readyz` 503'),
    ("`compression.memory` is used up", "all messages, less compressed", "nothing", "`wsproxy_compression_sacrifices_total`"),
]


class Descriptors(FailingTest):
    def test_when_none_is_left_those_who_are_there_go_on_and_those_who_come_are_served_later(self):
        self.start_failing()
        bystander = self.echo("the bystander")
        since = len(self.proxy.lines)
        _, hard = resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE, (self.descriptors(), hard))
        crowd = [self.closing(self.proxy.client()) for _ in range(20)]
        for client in crowd:
            client.ask()
        with self.assert_no_spinning(seconds=2):
            wait_until(lambda: self.lines_about("cannot accept connections", since), "a line about it")
            for _ in range(20):
                self.echo("the bystander", bystander)
        self.assertLess(len(self.proxy.lines) - since, OFTEN)
        resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE, (hard, hard))
        for client in crowd:
            self.assertIn(client.read_answer().status, (101, 502))
            client.close()
        self.assert_all_is_well(bystander)

    def test_when_one_is_left_a_client_that_was_accepted_is_told_502(self):
        self.start_failing()
        _, hard = resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE, (self.lowest_free() + 1, hard))
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        client.close()
        resource.prlimit(self.proxy.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self.assertTrue(self.lines_about("Too many open files"))
        self.assert_all_is_well()

    def lowest_free(self):
        taken = {int(name) for name in os.listdir(f"/proc/{self.proxy.pid}/fd")}
        return next(number for number in range(len(taken) + 1) if number not in taken)


class FullDisk(SystemTest):
    def test_a_log_on_a_full_disk_of_its_own_is_lost_and_traffic_goes_on(self):
        """A tmpfs of 64 KiB, in a mount namespace where the machine has one to give; else /dev/full, which is as full."""
        folder = tempfile.mkdtemp(prefix="wsproxy-full-")
        self.addCleanup(os.rmdir, folder)
        script = 'mount -t tmpfs -o size=64k none "$0" && exec "$@" 2>"$0/log"'
        before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, folder]
        if subprocess.run([*before, "true"], capture_output=True).returncode != 0:
            before = ["sh", "-c", 'exec "$@" 2>/dev/full', folder]
        app = EchoApp()
        self.addCleanup(app.stop)
        self.proxy = self.watch(Proxy(app.url, {"log": {"level": "debug"}}, before=before))
        for turn in range(300):  # a debug line and an access line each are 200 KiB and more
            self.echo_client(f"/{turn}").finish()
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_total"), 300)
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)


class Clock(FailingTest):
    def test_the_real_time_may_jump_either_way(self):
        self.start_failing(timeouts={"ping_interval": "300ms", "ping_timeout": "1s", "idle": "60s"})
        bystander = self.echo("the bystander")
        for jump in (YEAR, -YEAR, -40 * YEAR, 0):
            with self.subTest(f"{jump} s"):
                self.plan.shift_clock(jump)
                with self.assert_no_spinning():
                    self.echo("the bystander", bystander)
                    bystander.read_control(9)  # the proxy's pings keep their time
                self.assertEqual(self.proxy.get("/readyz")[0], 200)
                self.assertEqual(self.proxy.get("/status")[0], 200)
                self.assert_all_is_well(bystander)


class Names(FailingTest):
    def resolve_errors(self):
        return self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="resolve")

    def test_a_name_that_cannot_be_resolved_is_502_until_it_can(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        self.start_failing(app, upstream={"url": f"ws://localhost:{app.port}", "connect_timeout": "400ms"})
        bystander = self.echo("the bystander")
        for error in (EAI_AGAIN, EAI_FAIL, EAI_NONAME, EAI_MEMORY, EAI_SYSTEM):
            with self.subTest(error):
                before, since = self.resolve_errors(), len(self.proxy.lines)
                self.plan.arm("getaddrinfo", error, times=FOR_EVER)
                with self.assert_no_spinning():
                    client = self.closing(self.proxy.client())
                    client.ask()
                    self.assertEqual(client.read_answer().status, 502)
                    client.close()
                    wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to notice")
                self.assertGreater(self.plan.disarm(), 1, "it was not tried again")
                self.assertEqual(self.resolve_errors(), before + 1)
                self.assertLess(len(self.proxy.lines) - since, OFTEN)
                wait_until(lambda: self.proxy.get("/readyz")[0] == 200, "readiness to come back")
                self.assert_all_is_well(bystander)

    def test_a_name_that_fails_once_is_asked_for_again(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        self.start_failing(app, upstream={"url": f"ws://localhost:{app.port}", "connect_timeout": "2s"})
        self.plan.arm("getaddrinfo", EAI_AGAIN)
        self.echo().finish()
        self.assertEqual(self.plan.disarm(), 1)

    def test_no_thread_to_look_up_with(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        self.app, plan = app, self.plan
        self.start(app, app_url=f"ws://localhost:{app.port}", env=plan.environment(), wait="live", workers=1, upstream={"connect_timeout": "400ms"})
        plan.arm("pthread_create", "EAGAIN", times=FOR_EVER)
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        self.assertGreater(plan.disarm(), 0)
        self.echo().finish()


class Budget(FailingTest):
    def test_a_budget_that_is_used_up_costs_compression_and_no_message(self):
        self.start_failing(compression={"memory": "1MiB", "history": "32KiB"})
        self.plan.arm("malloc", "ENOMEM", thread="nobody")
        clients = [self.echo_client(extensions="permessage-deflate") for _ in range(100)]
        for turn in range(4):
            for at, client in enumerate(clients):
                self.echo(f"{at} {turn} " + os.urandom(400).hex(), client)
        self.assertGreater(self.proxy.metrics().sum("wsproxy_compression_sacrifices_total"), 0)
        for client in clients:
            client.finish()
        self.assert_all_is_well()


if __name__ == "__main__":
    if wants_table():
        print_table("Surroundings that fail", TABLE)
    else:
        main()
