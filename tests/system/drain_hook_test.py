"""/drain, as a preStop hook asks for it: it drains, answers when that is over, and the process lives on (DESIGN section 8)."""

import signal
import time

from harness import HttpApp, HttpClient, SystemTest, main, readable, refuses_connections, wait_until

# A client that does not answer keeps the proxy draining, so that a test can look at it.
PATIENT = {"timeouts": {"close": "60s"}, "drain": {"spread": "0s", "timeout": "60s"}}


class HookTest(SystemTest):
    def hook(self, target="/drain", method="GET", **how):
        """A request whose answer comes later."""
        return self.closing(self.proxy.side()).ask(target, method, **how)

    def assert_waits(self, *hooks):
        """None of them has an answer, though the side port has answered others since they asked."""
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertEqual(readable(hooks, 0.05), [])

    def assert_drained(self, answer, closed, cut=0):
        self.assertEqual(answer.status, 200, answer.data)
        text = answer.data.decode()
        self.assertRegex(text, rf"\b{closed}\b[^,]*closed")
        self.assertRegex(text, rf"\b{cut} cut")

    def assert_over(self):
        """Drained: nobody is served any more, and the process lives."""
        self.assertTrue(self.proxy.running())
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertEqual(self.proxy.get("/readyz")[0], 503)
        self.assertTrue(refuses_connections(self.proxy.port))
        metrics = self.proxy.metrics()
        self.assertEqual((metrics.sum("wsproxy_draining"), metrics.sum("wsproxy_connections_active")), (1, 0))

    def draining(self, method="GET", count=1, **settings):
        """(the hook's connection, clients that have had their close frame and have not answered)."""
        self.start_echo(**{**PATIENT, **settings})
        clients = [self.echo_client() for _ in range(count)]
        hook = self.hook(method=method)
        for client in clients:
            client.answers_pings = False
            self.assertEqual(client.read_close()[0], 1001)
        return hook, clients


class Answer(HookTest):
    def test_when_the_last_connection_is_gone_with_how_many_there_were(self):
        for method in ("GET", "POST"):
            with self.subTest(method):
                hook, clients = self.draining(method, count=3)
                for client in clients:
                    self.assert_waits(hook)
                    client.answer_close(1001)
                self.assert_drained(hook.read_answer(), 3)
                self.assert_over()

    def test_at_once_when_there_are_no_connections(self):
        self.start(drain={"spread": "60s", "timeout": "100s"})
        self.assert_drained(self.hook().read_answer(), 0)
        self.assert_over()

    def test_at_the_timeout_with_how_many_were_cut(self):
        hook, clients = self.draining(count=3, drain={"spread": "0s", "timeout": "1s"})
        clients.pop().answer_close(1001)
        answer = hook.read_answer()
        self.assert_drained(answer, 1, cut=2)
        for client in clients:
            client.read_to_end()
        self.assert_over()

    def test_after_the_delay_during_which_new_ones_are_served(self):
        self.start_echo(drain={"delay": "1s", "spread": "0s"})
        begin = time.monotonic()
        hook = self.hook()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to be off")
        late = self.echo_client()
        late.send("just in time")
        self.assertEqual(late.read_message().text, "just in time")
        self.assertEqual(late.read_close()[0], 1001)
        self.assertGreater(time.monotonic() - begin, 0.9)
        late.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        self.assert_over()

    def test_again_at_once_when_it_is_drained_already(self):
        hook, [client] = self.draining()
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        for method in ("GET", "POST", "GET"):
            self.assert_drained(self.hook(method=method).read_answer(), 1)
        self.assert_over()

    def test_two_wait_for_the_same_drain(self):
        first, [client] = self.draining()
        second, third = self.hook(), self.hook(method="POST")
        self.assert_waits(first, second, third)
        client.answer_close(1001)
        for hook in (first, second, third):
            self.assert_drained(hook.read_answer(), 1)

    def test_on_a_kept_connection_of_http_1_0_and_with_a_query(self):
        hook, [client] = self.draining()
        more = [self.hook("/drain?why=deploy"), self.closing(self.proxy.side()).ask("/drain", version="HTTP/1.0"),
                self.hook(fields=[("User-Agent", "kube-lifecycle/1.29"), ("Connection", "close")])]
        self.assert_waits(hook, *more)
        client.answer_close(1001)
        for one in (hook, *more):
            self.assert_drained(one.read_answer(), 1)
        self.assert_drained(hook.ask("/drain").read_answer(), 1)

    def test_of_plain_http_too(self):
        self.start(HttpApp(), drain={"spread": "0s"})
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        client.ask("/slow")
        side = self.app.next()
        hook = self.hook()
        wait_until(lambda: refuses_connections(self.proxy.port), "the listener to be closed")
        self.assert_waits(hook)
        side.answer(body=b"whole answer")
        self.assertEqual(client.read_answer().data, b"whole answer")
        client.read_end()
        # the last ones that looked whether it listens may be among them
        self.assert_drained(hook.read_answer(), r"\d+")
        self.assert_over()


class Meanwhile(HookTest):
    def test_the_side_port_answers_others(self):
        hook, [client] = self.draining()
        for _ in range(20):
            self.assertEqual(self.proxy.get("/livez")[0], 200)
            self.assertEqual(self.proxy.get("/readyz")[0], 503)
            metrics = self.proxy.metrics()
            self.assertEqual((metrics.sum("wsproxy_draining"), metrics.sum("wsproxy_connections_active")), (1, 1))
        self.assert_waits(hook)
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)

    def test_many_hooks_do_not_take_the_places_of_probes(self):
        hook, [client] = self.draining()
        more = [self.hook() for _ in range(80)]
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.proxy.metrics()
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        self.assert_over()
        for one in more:
            one.close()

    def test_hooks_that_hang_up_leave_their_places_to_others(self):
        hook, [client] = self.draining()
        for _ in range(40):
            self.hook().close()
        # each that hung up is seen before the next one asks
        late = wait_until(self.hook_that_waits, "a place to wait for the drain")
        client.answer_close(1001)
        self.assert_drained(late.read_answer(), 1)
        self.assert_drained(hook.read_answer(), 1)

    def hook_that_waits(self):
        one = self.hook()
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        if not readable([one], 0.05):
            return one
        one.close()
        return None

    def test_it_goes_on_when_the_one_who_asked_hangs_up(self):
        hook, [client] = self.draining()
        hook.reset()
        self.assertEqual(self.proxy.get("/readyz")[0], 503)
        client.answer_close(1001)
        self.proxy.wait_for_line('"message":"drained"')
        self.assert_over()
        self.assert_drained(self.hook().read_answer(), 1)


class OfTheApp(HookTest):
    """/drained: the hook of the container beside the proxy."""

    def test_it_begins_no_drain_as_the_app_may_be_restarted_alone(self):
        self.start_echo()
        client = self.echo_client()
        answer = self.proxy.ask("/drained")
        self.assertEqual((answer.status, answer.data), (200, b"not draining\n"))
        client.send("still here")
        self.assertEqual(client.read_message().data, b"still here")
        self.assertEqual(self.proxy.get("/readyz")[0], 200)

    def test_it_is_answered_when_the_drain_is_over_whichever_came_first(self):
        self.start_echo(**PATIENT)
        client = self.echo_client()
        client.answers_pings = False
        first = self.hook("/drained")
        self.assert_waits(first)
        hook, after = self.hook(), self.hook("/drained")
        self.assertEqual(client.read_close()[0], 1001)
        with self.assertRaises(TimeoutError):
            first.receive_some(2.5)
        self.assert_waits(first, hook, after)
        client.answer_close(1001)
        for one in (hook, first, after):
            self.assert_drained(one.read_answer(), 1)

    def test_sixteen_wait_and_the_next_is_told_so(self):
        self.start()
        hooks = [self.hook("/drained") for _ in range(16)]
        self.assert_waits(*hooks)
        self.assertEqual(self.proxy.ask("/drained").status, 503)
        self.assertEqual({hook.read_answer().data for hook in hooks}, {b"not draining\n"})

    def test_it_is_only_asked(self):
        self.start()
        for method in ("HEAD", "POST", "PUT"):
            self.assertEqual(self.proxy.ask("/drained", method).status, 405)


class Refused(HookTest):
    def assert_serving(self):
        self.assertEqual(self.proxy.get("/readyz")[0], 200)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_draining"), 0)

    def test_other_methods_and_paths_drain_nothing(self):
        self.start()
        for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
            with self.subTest(method):
                self.assertEqual(self.proxy.ask("/drain", method).status, 405)
                self.assert_serving()
        for target in ("/drain/", "/drains", "/Drain", "//drain", "/x/../drain", "/%64rain"):
            with self.subTest(target):
                self.assertEqual(self.proxy.ask(target).status, 404)
                self.assert_serving()

    def test_a_browser_s_page_may_not_even_from_this_machine(self):
        for rule in ("hook", "local", "any"):
            self.start(admin={"drain": rule})
            for name, value in (("Origin", "https://evil.example"), ("Referer", "http://127.0.0.1/"), ("Sec-Fetch-Site", "same-origin"),
                                ("Origin", "null"), ("sec-fetch-site", "none")):
                for method in ("GET", "POST"):
                    with self.subTest(rule=rule, method=method, field=f"{name}: {value}"):
                        self.assertEqual(self.proxy.ask("/drain", method, fields=[(name, value)]).status, 403)
                        self.assert_serving()

    def test_this_machine_may_whatever_the_rule(self):
        for rule in ("hook", "local", "any"):
            for method in ("GET", "POST"):
                with self.subTest(rule=rule, method=method):
                    self.start(admin={"drain": rule})
                    self.assert_drained(self.hook(method=method).read_answer(), 0)


class Signals(HookTest):
    def test_sigterm_when_it_is_drained_ends_it_at_once(self):
        hook, [client] = self.draining()
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        begin = time.monotonic()
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLess(time.monotonic() - begin, 3)

    def test_sigterm_during_a_hook_s_drain_joins_it(self):
        hook, [client] = self.draining()
        self.proxy.terminate()
        self.assert_waits(hook)
        client.expect_silence(0.1)  # not cut, as by a second signal
        self.assertTrue(self.proxy.running())
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_and_a_second_one_ends_it_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)):
            with self.subTest(f"{first.name}, {second.name}"):
                hook, [client] = self.draining()
                self.proxy.signal(first)
                self.assert_waits(hook)
                begin = time.monotonic()
                self.proxy.signal(second)
                self.proxy.exit_code_matters = False  # at once is what was promised, not how
                self.assertNotIn(self.proxy.wait_exit(), (-signal.SIGSEGV, -signal.SIGABRT))
                self.assertLess(time.monotonic() - begin, 3)
                client.close()

    def test_a_hook_during_a_signal_s_drain_waits_for_it(self):
        self.start_echo(**PATIENT)
        client = self.echo_client()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        hook = self.hook()
        self.assert_waits(hook)
        client.answer_close(1001)
        # the process ends with the drain: its last answer is still sent
        self.assert_drained(hook.read_answer(), 1)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_sighup_of_a_drained_process_serves_nobody_again(self):
        hook, [client] = self.draining()
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        self.proxy.signal(signal.SIGHUP)
        wait_until(lambda: self.proxy.metrics().text.count("wsproxy_config_reloads_total"), "the metric")
        self.assert_over()


class Log(HookTest):
    def test_it_tells_start_progress_and_end(self):
        hook, [client] = self.draining()
        start = self.proxy.wait_for_line('"message":"draining"').string
        self.assertIn('"connections":1', start)
        progress = self.proxy.wait_for_line('"message":"still draining"', deadline=15).string
        self.assertIn('"connections":1', progress)
        client.answer_close(1001)
        self.assert_drained(hook.read_answer(), 1)
        end = self.proxy.wait_for_line('"message":"drained"').string
        self.assertIn('"closed":1', end)


if __name__ == "__main__":
    main()
