"""The attacks: what each is, what bounds it in wsproxy, and which peers can be asked the same."""

from dataclasses import dataclass

LIMITED = "limits: {max_connections: 1000}\n"


@dataclass(frozen=True)
class Attack:
    """`extra` is for the end of wsproxy's configuration."""

    title: str
    bound: str
    peers: tuple = ("wsproxy", "nginx", "haproxy")
    tls: str = ""
    extra: str = ""


ATTACKS = {
    "slow_head": Attack("2000 connections that send a request head, a byte a second", "`timeouts.handshake`"),
    "slow_tls": Attack("1000 connections that send a ClientHello, a byte a second", "`timeouts.handshake`", tls="ecdsa"),
    "slow_frame": Attack("500 connections that send a frame of 60 KB, a byte a second", "3 KB a connection; `limits.max_connections`"),
    "slow_readers": Attack("50 clients that ask for echoes of 1 MiB and read none", "`limits.write_buffer`"),
    "bare_connects": Attack("connections that are reset at once", "none is needed"),
    "reconnects": Attack("handshakes that are reset at once", "`limits.handshakes_per_second_per_ip`"),
    "tls_reconnects": Attack("TLS handshakes that are reset at once", "their place behind messages in the loop's turns", tls="ecdsa"),
    "too_many": Attack("3000 clients that stay, where 1000 may", "`limits.max_connections`", ("wsproxy",), extra=LIMITED),
    "endless_heads": Attack("request heads that do not end", "`limits.max_header_size`"),
    "many_headers": Attack("handshakes with 1100 header lines", "`limits.max_header_size`"),
    "pings": Attack("a flood of pings", "`limits.control_frames_per_second`"),
    "tiny_messages": Attack("a flood of messages of one byte", "`limits.messages_per_second` (none by default)"),
    "tiny_fragments": Attack("a message in fragments of one byte, without an end", "`limits.max_message_size`"),
    "empty_fragments": Attack("a message in empty fragments, without an end", "1024 a message"),
    "bomb": Attack("1 GB of zeros in 1 MB, again and again", "`limits.max_message_size`", ("wsproxy", "python")),
    "bomb_in_fragments": Attack("the same in 1000 fragments, empty ones between", "`limits.max_message_size`", ("wsproxy", "python")),
    "empty_blocks": Attack("compressed messages of 200,000 empty blocks", "`limits.max_message_size`; the turns of the loop", ("wsproxy", "python")),
    "tables": Attack("a flood of small compressed messages, each with Huffman tables of its own", "`limits.messages_per_second` (none by default)", ("wsproxy", "python")),
    "side_port": Attack("a flood of `/metrics` on the side port", "a thread of its own that gives way", ("wsproxy",)),
}
