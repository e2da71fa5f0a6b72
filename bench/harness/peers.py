"""What is measured: wsproxy and the proxies it is compared with."""

import sys
from dataclasses import dataclass
from pathlib import Path

from . import certificates
from .process import Failed, Process, free_port, require

BENCH = Path(__file__).resolve().parent.parent
# Debian's python3-websockets belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


@dataclass(frozen=True)
class Peer:
    """`template` is filled in with PORT, APP_PORT, ADMIN_PORT, DIRECTORY, WORKERS and an entry's settings.

    Its lines with @TLS@ are for loads over TLS, which have CERTIFICATE, PRIVATE_KEY and BOTH, those with @PLAIN@ for the
    others.
    """

    command: tuple
    template: str = ""
    defaults: tuple = ()
    removes_extensions: bool = False  # the app must not see the client's offer


PEERS = {
    "wsproxy": Peer(
        ("@WSPROXY@", "run", "--config", "@CONFIG@"), "wsproxy.yaml.in", removes_extensions=True
    ),
    "nginx": Peer(
        ("nginx", "-e", "stderr", "-p", "@DIRECTORY@", "-c", "@CONFIG@"),
        "nginx.conf.in",
        (("BUFFER_SIZE", "4k"),),
    ),
    "haproxy": Peer(("haproxy", "-db", "-f", "@CONFIG@"), "haproxy.cfg.in"),
    "python": Peer(
        (SYSTEM_PYTHON, str(BENCH / "python_proxy.py"), "@PORT@", "@APP_PORT@"), removes_extensions=True
    ),
    # The generator talks to the app itself: what there is without any proxy.
    "direct": Peer(()),
}


def start(entry, setting, directory, app_port, tls=""):
    """Returns the running process and its port. `tls` is the kind of its certificate; plain without."""
    peer = PEERS[entry.peer]
    port = free_port()
    config = Path(directory) / f"{entry.peer}.conf"
    values = {
        "PORT": port,
        "APP_PORT": app_port,
        "SINK_PORT": app_port,  # of the app for /attack, where it is another
        "ADMIN_PORT": free_port(),
        "DIRECTORY": directory,
        "CONFIG": config,
        "WSPROXY": Path(setting.build) / "wsproxy",
        "WORKERS": setting.workers,
        # Each of nginx's counts one leg, each of HAProxy's both.
        "CONNECTIONS": 8192,
        "DESCRIPTORS": 16384,
        # Else nginx's workers get unequal shares of the connections; ours and HAProxy's threads do not.
        "SHARED_PORT": "reuseport" if setting.workers > 1 else "",
        **certificate_values(setting, tls),
        **dict(peer.defaults),
        **dict(entry.settings),
    }
    if peer.template:
        config.write_text(configuration(peer, values))
    command = [_fill(word, values) for word in peer.command]
    require(command[0])
    process = Process(command, Path(directory) / f"{entry.peer}.log", setting.proxy_cpus())
    try:
        process.await_port(port)
    except Failed:
        process.__exit__()
        raise
    return process, port


def certificate_values(setting, tls):
    if not tls:
        return {}
    files = certificates.at(setting.certificates, tls)
    return {"CERTIFICATE": files.certificate, "PRIVATE_KEY": files.private_key, "BOTH": files.both}


def configuration(peer, values):
    wanted, unwanted = ("@TLS@ ", "@PLAIN@ ") if "CERTIFICATE" in values else ("@PLAIN@ ", "@TLS@ ")
    lines = (BENCH / peer.template).read_text().splitlines(keepends=True)
    text = "".join(line.replace(wanted, "") for line in lines if unwanted not in line)
    return _fill(text, values) + str(values.get("EXTRA", ""))


def _fill(text, values):
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text
