"""Certificates that are not to be believed, and versions that are not to be spoken (RFC 8996)."""

import ssl

from faults import fails, warns


def context_of(authority, other, *, dns=("localhost",), ends=20, begins=-1, own=True, lowest=ssl.TLSVersion.TLSv1_2):
    """What the server speaks. `own`: of the authority that the doctor believes, not of the other one."""
    certificate = (authority if own else other).issue("localhost", dns=dns, ips=(), begins=begins, ends=ends)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if lowest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")  # the old versions' signatures are below level 1
    context.minimum_version = lowest
    context.load_cert_chain(certificate.crt, certificate.key)
    return context


FAULTS = [
    fails("tls.certificate", "signed by nobody known", tls={"own": False}),
    fails("tls.certificate", "of another host", tls={"dns": ("elsewhere.example",)}),
    fails("tls.certificate", "expired", tls={"begins": -20, "ends": -2}),
    fails("tls.certificate", "not valid yet", tls={"begins": 2}),
    warns("tls.old_versions", "speaks TLS 1.0", tls={"lowest": ssl.TLSVersion.TLSv1}),
    warns("tls.old_versions", "speaks TLS 1.1", tls={"lowest": ssl.TLSVersion.TLSv1_1}),
]
