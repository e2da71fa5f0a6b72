"""The certificates that all peers show under the TLS loads: self-signed for localhost, made for each run of the bench."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .process import Failed, require

KEYS = {
    "ecdsa": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    "rsa": ("-newkey", "rsa:2048"),
}


@dataclass(frozen=True)
class Certificate:
    certificate: Path
    private_key: Path
    both: Path  # in one file, as HAProxy wants them


def at(directory, kind):
    """Where those of this kind are."""
    directory = Path(directory)
    return Certificate(directory / f"{kind}.crt", directory / f"{kind}.key", directory / f"{kind}.pem")


def make(directory):
    """One of each kind."""
    require("openssl")
    for kind, key in KEYS.items():
        files = at(directory, kind)
        command = ["openssl", "req", "-x509", *key, "-nodes", "-days", "30", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        command += ["-keyout", str(files.private_key), "-out", str(files.certificate)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"openssl makes no certificate: {done.stderr}")
        files.both.touch(mode=0o600)
        files.both.write_text(files.certificate.read_text() + files.private_key.read_text())
