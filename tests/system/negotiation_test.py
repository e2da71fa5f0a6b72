"""What is agreed for every offer, and that both sides then keep to it exactly (DESIGN section 5, RFC 7692 section 7.1).

Whatever was agreed is tried out: the inflater refuses the first byte beyond the agreed window, and
forgets after each message when the answer says so.
"""

import os
import random

from harness import SANITIZED, EchoApp, SharedProxyTest, SystemTest, frames, main, wait_until
from harness.deflate import BlockWriter, FastInflater, StrictInflater, parse_extensions

PMD = "permessage-deflate"
WORDS = "price order größe update status ok 日本 item customer balance".split()


def chatter(count, seed):
    """Messages that share much with each other, of 20 bytes to 3 KB."""
    chance = random.Random(seed)
    return [f'{{"id":{at},"text":"{" ".join(chance.choices(WORDS, k=chance.choice((3, 20, 60, 400))))}"}}' for at in range(count)]


class Negotiation(SharedProxyTest):
    app_kind = EchoApp

    def agreed_for(self, offer):
        """The parameters of the answer, or None when it has no extension header; the agreement is tried out."""
        client = self.echo_client(extensions=offer)
        answers = client.answer.all("Sec-WebSocket-Extensions")
        self.assertLessEqual(len(answers), 1)
        if answers:
            self.exchange(client)
            [(name, parameters)] = parse_extensions(answers[0])
            self.assertEqual(name, PMD)
        else:
            client.send("without any compression " * 10)
            self.assertFalse(client.read_message().compressed)
        client.finish()
        return parameters if answers else None

    def exchange(self, client):
        compressed = 0
        for sent in chatter(25, seed=len(client.agreed.parameters)):
            client.send(sent)
            got = client.read_message()
            self.assertEqual(got.text, sent)
            compressed += got.compressed
        self.assertGreater(compressed, 10)  # a short one without a history may not shrink

    def assert_agreed(self, table):
        for offer, wanted in table:
            with self.subTest(offer=offer):
                self.assertEqual(self.agreed_for(offer), wanted)


class Offers(Negotiation):
    def test_nothing_offered_nothing_answered(self):
        self.assert_agreed([(None, None), ("x-webkit-deflate-frame", None), ("permessage-bzip2; level=9", None)])

    def test_a_bare_offer_gets_a_bare_answer(self):
        self.assert_agreed([(PMD, {}), (f"  {PMD}  ", {})])

    def test_a_client_that_lets_us_choose_its_window_is_asked_for_12_bits_at_most(self):
        asked = "client_max_window_bits"
        self.assert_agreed([(f"{PMD}; {asked}", {asked: "12"})]
                           + [(f"{PMD}; {asked}={bits}", {asked: str(min(bits, 12))}) for bits in range(8, 16)])

    def test_the_client_s_window_is_not_answered_when_it_was_not_offered(self):
        self.assertNotIn("client_max_window_bits", self.agreed_for(f"{PMD}; server_max_window_bits=12"))

    def test_every_server_window_is_honoured(self):
        for bits in range(8, 16):
            with self.subTest(bits=bits):
                agreed = self.agreed_for(f"{PMD}; server_max_window_bits={bits}")
                self.assertIn("server_max_window_bits", agreed or {})
                self.assertLessEqual(int(agreed["server_max_window_bits"]), bits)

    def test_a_server_that_is_asked_to_forget_says_so_and_does(self):
        self.assert_agreed([(f"{PMD}; server_no_context_takeover", {"server_no_context_takeover": None})])

    def test_a_client_that_offers_both_to_forget_gets_both(self):
        both = {"server_no_context_takeover": None, "client_no_context_takeover": None}
        self.assert_agreed([(f"{PMD}; server_no_context_takeover; client_no_context_takeover", both),
                            (f"{PMD};client_no_context_takeover;server_no_context_takeover", both)])

    def test_a_client_that_may_forget_by_itself_is_accepted(self):
        agreed = self.agreed_for(f"{PMD}; client_no_context_takeover")
        self.assertIn(agreed, ({}, {"client_no_context_takeover": None}))

    def test_every_combination_of_windows_and_takeover_works(self):
        for server_bits in (8, 9, 12, 15):
            for client_bits in (8, 9, 11, 15):
                for forget in ("", "; server_no_context_takeover", "; client_no_context_takeover",
                               "; server_no_context_takeover; client_no_context_takeover"):
                    offer = f"{PMD}; server_max_window_bits={server_bits}; client_max_window_bits={client_bits}{forget}"
                    with self.subTest(offer=offer):
                        self.assertIsNotNone(self.agreed_for(offer))

    def test_a_quoted_value_is_a_value(self):
        self.assert_agreed([(f'{PMD}; client_max_window_bits="10"', {"client_max_window_bits": "10"})])

    def test_an_offer_that_is_wrong_is_declined_without_any_header(self):
        wrong = ["unknown_parameter", "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16",
                 "server_max_window_bits=010", "server_max_window_bits=-9", "server_max_window_bits=1x",
                 "server_max_window_bits=99999999999999999999", "client_max_window_bits=7", "client_max_window_bits=16",
                 "client_max_window_bits=", "client_max_window_bits=08", "server_no_context_takeover=1",
                 "client_no_context_takeover=true", "server_no_context_takeover; server_no_context_takeover",
                 "client_max_window_bits; client_max_window_bits=10", "server_max_window_bits=10; server_max_window_bits=10",
                 "SERVER_MAX_WINDOW_BITS_=10"]
        self.assert_agreed([(f"{PMD}; {parameters}", None) for parameters in wrong])

    def test_what_is_no_header_by_the_grammar_declines_and_does_no_harm(self):
        self.assert_agreed([(f"{PMD};", None), (f"{PMD};;client_max_window_bits", None), (f"{PMD}; =10", None), ("", None),
                            (f'{PMD}; server_max_window_bits="10', None)])

    def test_the_first_acceptable_offer_wins(self):
        self.assert_agreed([
            (f"{PMD}; server_max_window_bits=77, {PMD}; client_max_window_bits=10, {PMD}", {"client_max_window_bits": "10"}),
            (f"{PMD}; server_no_context_takeover, {PMD}", {"server_no_context_takeover": None}),
            (f"{PMD}, {PMD}; server_no_context_takeover", {}),
            (f"x-first; a=1, {PMD}", {}),
            (f'x-first; a="1.5"; b, {PMD}', {}),
        ])

    def test_offers_may_stand_in_several_header_lines(self):
        self.assert_agreed([
            ([f"{PMD}; unknown", f"{PMD}; client_max_window_bits=9"], {"client_max_window_bits": "9"}),
            (["x-other", PMD], {}),
            ([f"{PMD}; unknown", f"{PMD}; server_max_window_bits=0"], None),
        ])

    def test_a_name_that_only_resembles_ours_is_not_ours(self):
        self.assert_agreed([("permessage-deflat", None), ("permessage-deflate2", None), ("permessage-edflate", None)])


class ClientWindow(SharedProxyTest):
    def test_a_client_may_refer_back_exactly_as_far_as_it_was_asked_to(self):
        for bits in range(8, 13):
            with self.subTest(bits=bits):
                client, app = self.deflated_pair(f"{PMD}; client_max_window_bits={bits}")
                self.assertEqual(client.agreed.client_bits, bits)
                past = os.urandom(1 << bits)
                for part in (past[:100], past[100:]):  # the history spans messages
                    client.send_frame(frames.BINARY, BlockWriter().stored(part).message(), rsv=frames.RSV1)
                    self.assertEqual(app.read_message().data, part)
                client.send_frame(frames.BINARY, BlockWriter().fixed([1 << bits]).message(), rsv=frames.RSV1)
                self.assertEqual(app.read_message().data, past[:3])


class NarrowConfig(Negotiation):
    settings = {"compression": {"window_bits": 10, "client_window_bits": 9}}

    def test_the_operator_s_windows_are_upper_bounds(self):
        agreed = self.agreed_for(f"{PMD}; server_max_window_bits=15; client_max_window_bits")
        self.assertLessEqual(int(agreed["server_max_window_bits"]), 10)
        self.assertEqual(agreed["client_max_window_bits"], "9")
        self.assertEqual(self.agreed_for(f"{PMD}; client_max_window_bits=8")["client_max_window_bits"], "8")

    def test_the_narrow_server_window_is_kept_even_if_the_client_did_not_ask(self):
        client = self.echo_client(extensions=PMD)
        client.inflater = StrictInflater(10)
        self.exchange(client)


class WithoutTakeover(Negotiation):
    settings = {"compression": {"context_takeover": False, "client_context_takeover": False}}

    def test_an_operator_s_no_is_in_every_answer(self):
        both = {"server_no_context_takeover": None, "client_no_context_takeover": None}
        self.assert_agreed([(PMD, both), (f"{PMD}; client_max_window_bits=9", {**both, "client_max_window_bits": "9"})])


class WithoutHistory(Negotiation):
    settings = {"compression": {"history": 0}}

    def test_no_history_means_that_every_message_stands_alone(self):
        client = self.echo_client(extensions=PMD)
        client.inflater = StrictInflater(15, takeover=False)
        self.exchange(client)


class ShortMemory(Negotiation):
    settings = {"compression": {"history": "32KiB", "memory": "1MiB"}, "workers": 1}

    def test_when_no_history_fits_any_more_new_connections_are_offered_none(self):
        asked = f"{PMD}; client_max_window_bits=8"
        clients = [self.echo_client(extensions=asked)]
        while "server_no_context_takeover" not in clients[-1].agreed.parameters:
            self.assertLess(len(clients), 32)  # with as many full histories nothing else would fit
            # Not twice the same: what is equal is kept once.
            long = " ".join(random.Random(len(clients)).choices(WORDS, k=8000))
            clients[-1].send(long)
            self.assertEqual(clients[-1].read_message().text, long)
            clients.append(self.echo_client(extensions=asked))
        self.exchange(clients[-1])
        self.assertEqual(self.proxy.metrics().sum("wsproxy_compression_sacrifices_total", stage="takeover_refused"), 1)


class BoundedMemory(SystemTest):
    MEMORY, COUNT = 1 << 20, 150

    def open_one(self):
        client = self.echo_client(extensions=PMD)
        client.inflater = FastInflater(15, client.agreed.server_takeover)
        return client

    def keeps_takeover(self):
        client = self.open_one()
        client.finish()
        return client.agreed.server_takeover

    def test_memory_bounds_what_all_connections_together_remember_and_no_message_fails(self):
        # What a client may refer to has to be kept even over the limit; so these may not.
        self.start_echo(compression={"history": "32KiB", "memory": self.MEMORY, "client_context_takeover": False}, workers=1)
        self.open_one().finish()
        before = self.proxy.memory()
        clients = [self.open_one() for _ in range(self.COUNT)]
        is_granted = []  # asked now and then, as what is idle for a moment on a busy machine gives memory back
        for turn in range(2):  # 150 histories of 32 KiB are five times what there is
            for at, client in enumerate(clients):
                text = " ".join(random.Random(at * 2 + turn).choices(WORDS, k=7000))
                client.send(text)
                got = client.read_message()
                self.assertEqual((got.text, got.compressed), (text, True))
                if turn == 1 and at % 10 == 9:
                    is_granted.append(self.keeps_takeover())
            self.assertLessEqual(self.proxy.metrics().sum("wsproxy_compression_memory_bytes"), self.MEMORY)
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 3.5 * self.MEMORY)
        self.assertIn(False, is_granted, "there is nothing left to remember with")
        for client in clients:
            client.finish()
        wait_until(self.keeps_takeover, "what the others gave back to be granted again")


class LargeHistory(Negotiation):
    settings = {"compression": {"history": "32KiB", "client_window_bits": 15}}

    def test_the_largest_history_stays_inside_every_window(self):
        for bits in range(8, 16):
            with self.subTest(bits=bits):
                self.assertIsNotNone(self.agreed_for(f"{PMD}; server_max_window_bits={bits}; client_max_window_bits=15"))

    def test_it_reaches_further_back_than_the_default(self):
        client = self.echo_client(extensions=PMD)
        memorable = "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=600))
        client.send(memorable)
        client.read_message()
        for at in range(10):
            client.send(f"{at} " + " ".join(random.Random(at).choices(WORDS, k=300)))
            client.read_message()
        client.send(memorable)
        self.assertLess(client.read_message().wire_size, 60)


class SwitchedOff(Negotiation):
    settings = {"compression": {"enabled": False}}

    def test_no_offer_is_taken(self):
        self.assert_agreed([(PMD, None), (f"{PMD}; client_max_window_bits", None)])


class WhatIsCompressed(SharedProxyTest):
    app_kind = EchoApp

    def echoed(self, client, data):
        client.send(data)
        got = client.read_message()
        self.assertEqual(got.data, data.encode() if isinstance(data, str) else data)
        return got

    def test_messages_under_min_size_go_raw_and_those_of_min_size_do_not(self):
        client = self.echo_client(extensions=PMD)
        for size in (0, 1, 31):
            self.assertFalse(self.echoed(client, "a" * size).compressed, size)
        for size in (32, 33, 1000):
            self.assertTrue(self.echoed(client, "a" * size).compressed, size)

    def test_random_bytes_go_raw_and_text_behind_them_is_compressed(self):
        client = self.echo_client(extensions=PMD)
        for _ in range(3):
            self.assertFalse(self.echoed(client, os.urandom(5000)).compressed)
        self.assertTrue(self.echoed(client, "text again " * 50).compressed)

    def test_no_message_grows_by_compression(self):
        client = self.echo_client(extensions=PMD)
        for size in (*range(30, 300, 7), 1000, 70_000):
            sent = os.urandom(size)
            self.assertLessEqual(self.echoed(client, sent).wire_size, size + 10 + 4 * (size // 16384), size)


class Level(SystemTest):
    def wire_size(self, level):
        self.start_echo(compression={"level": level})
        client = self.echo_client(extensions=PMD)
        text = " ".join(random.Random(5).choices(WORDS, k=5000))
        client.send(text)
        got = client.read_message()
        self.assertEqual(got.text, text)
        return got.wire_size

    def test_a_higher_level_makes_the_same_message_smaller(self):
        sizes = [self.wire_size(level) for level in (1, 6, 9)]
        self.assertLess(sizes[2], 0.9 * sizes[0])
        self.assertEqual(sizes, sorted(sizes, reverse=True))


class MinSize(SystemTest):
    def test_min_size_is_what_the_operator_says(self):
        self.start_echo(compression={"min_size": "1KiB"})
        client = self.echo_client(extensions=PMD)
        for size, compressed in ((1023, False), (1024, True)):
            client.send("a" * size)
            self.assertEqual(client.read_message().compressed, compressed, size)


if __name__ == "__main__":
    main()
