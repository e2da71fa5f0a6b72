"""Who may drain and set the log level by the side port: admin.drain, and never a browser's page (DESIGN section 8)."""

import unittest

from harness import EchoApp, SystemTest, main
from harness.own_network import HERE, THERE, enter, is_inside

LOCAL = {"this machine": {"host": "127.0.0.1"}, "the pod by its own address": {"host": HERE, "source": HERE},
         "this machine by its name": {"host": HERE, "source": "127.0.0.1"}}
STRANGER = {"host": HERE, "source": THERE}
PAGE = [("Origin", "https://evil.example")]


@unittest.skipUnless(is_inside(), "no network namespace here")
class RightsTest(SystemTest):
    def start_with(self, rule=None, host="0.0.0.0"):
        self.start(EchoApp(), admin={"address": f"{host}:*", **({"drain": rule} if rule else {})})

    def is_draining(self):
        return self.proxy.metrics().sum("wsproxy_draining") == 1

    def assert_may(self, may, target, method, who, **how):
        status = self.proxy.ask(target, method, **who, **how).status
        self.assertEqual(status, 200 if may else 403)


class Drain(RightsTest):
    def test_the_rule_says_who(self):
        rules = {"local": {"GET": False, "POST": False}, "hook": {"GET": True, "POST": False}, "any": {"GET": True, "POST": True}}
        for rule, strangers in rules.items():
            for method, may in strangers.items():
                with self.subTest(rule=rule, method=method):
                    self.start_with(rule)
                    self.assert_may(may, "/drain", method, STRANGER)
                    self.assertEqual(self.is_draining(), may)
                    for where, who in LOCAL.items():
                        with self.subTest(where):
                            self.assert_may(True, "/drain", method, who)

    def test_the_default_is_hook(self):
        self.start_with()
        self.assert_may(False, "/drain", "POST", STRANGER)
        self.assertFalse(self.is_draining())
        self.assert_may(True, "/drain", "GET", STRANGER)
        self.assertTrue(self.is_draining())

    def test_addresses_of_ipv4_on_a_socket_of_ipv6_are_the_same(self):
        self.start_with("local", host="[::]")
        self.assert_may(False, "/drain", "GET", STRANGER)
        self.assertFalse(self.is_draining())
        self.assert_may(True, "/drain", "GET", LOCAL["the pod by its own address"])

    def test_a_page_never_may(self):
        self.start_with("any")
        for who in (STRANGER, *LOCAL.values()):
            for method in ("GET", "POST"):
                self.assert_may(False, "/drain", method, who, fields=PAGE)
        self.assertFalse(self.is_draining())

    def test_what_a_header_says_of_the_client_does_not_count(self):
        self.start_with("local")
        self.assert_may(False, "/drain", "GET", STRANGER, fields=[("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")])
        self.assertFalse(self.is_draining())

    def test_the_rule_changes_with_a_reload(self):
        self.start_with("local")
        self.assert_may(False, "/drain", "GET", STRANGER)
        with open(self.proxy.config_file) as file:
            text = file.read().replace('"local"', '"hook"')
        with open(self.proxy.config_file, "w") as file:
            file.write(text)
        self.proxy.wait_for_line('"message":"configuration reloaded"')
        self.assert_may(True, "/drain", "GET", STRANGER)


class LogLevel(RightsTest):
    def test_a_post_is_for_this_machine_and_with_any_for_everybody(self):
        for rule, may in (("local", False), ("hook", False), ("any", True)):
            with self.subTest(rule):
                self.start_with(rule)
                self.assert_may(may, "/log-level", "POST", STRANGER, body=b"debug")
                for where, who in LOCAL.items():
                    with self.subTest(where):
                        self.assert_may(True, "/log-level", "POST", who, body=b"debug")
                        self.assert_may(False, "/log-level", "POST", who, body=b"debug", fields=PAGE)

    def test_reading_it_is_for_everybody(self):
        self.start_with("local")
        self.assert_may(True, "/log-level", "GET", STRANGER)

    def test_probes_and_metrics_are_for_everybody(self):
        self.start_with("local")
        for target in ("/livez", "/readyz", "/metrics"):
            self.assert_may(True, target, "GET", STRANGER)


if __name__ == "__main__":
    enter()
    main()
