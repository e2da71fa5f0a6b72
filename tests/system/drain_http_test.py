"""What becomes of plain HTTP when the proxy drains (DESIGN sections 4 and 8)."""

from harness import HttpTest, http_message, main, wait_until


class DrainHttp(HttpTest):
    def test_a_kept_connection_without_a_request_is_closed(self):
        self.start()
        client, fresh = self.client(), self.client()
        self.assert_serves(client)
        self.proxy.wait_metric("wsproxy_connections_active", 2)
        self.proxy.drain()
        client.read_end()
        fresh.read_end()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_request_in_flight_gets_its_whole_answer_and_is_the_last(self):
        self.start()
        client = self.client()
        body = b"x" * 100_000
        request = http_message.request("/upload", "POST", body=body)
        client.send_bytes(request[:-50_000])
        side = self.app.next()
        self.proxy.drain()
        client.send_bytes(request[-50_000:])
        self.assertEqual(side.body().data, body)
        answer = http_message.answer(body=b"y" * 300_000)
        side.send_bytes(answer[:100_000])
        side.send_bytes(answer[100_000:])
        got = client.read_answer("POST")
        self.assertEqual((got.status, got.data), (200, b"y" * 300_000))
        self.assertEqual(got.head.get("Connection"), "close")
        client.read_end()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_an_answer_that_streams_is_not_cut_before_drain_timeout(self):
        self.start()
        client = self.client()
        client.ask("/events")
        side = self.app.next()
        side.send_bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        client.read_head()
        self.proxy.drain()
        side.send_bytes(b"6\r\nsecond\r\n0\r\n\r\n")
        while b"0\r\n\r\n" not in client.buffer:
            client.receive_some()
        self.assertIn(b"second", client.buffer)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_and_is_cut_then(self):
        self.start(drain={"timeout": "1s"})
        client = self.client()
        client.ask("/events")
        side = self.app.next()
        side.send_bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        client.read_head()
        self.proxy.terminate()
        self.assertNotIn(b"0\r\n\r\n", client.read_to_end())
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_while_the_delay_lasts_kept_connections_are_served(self):
        self.start(drain={"delay": "1s"})
        client = self.client()
        self.assert_serves(client)
        self.proxy.terminate()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to be off")
        self.assert_serves(client)
        client.read_end()
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
