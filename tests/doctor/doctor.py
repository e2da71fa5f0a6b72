"""The command under test, and the base of the tests with broken servers."""

import concurrent.futures
import json
import re
import shutil
import subprocess
import tempfile
import unittest

import surroundings  # noqa: F401, first
from harness import DEADLINE, SANITIZED, WSPROXY, environment
from harness.authority import Authority

from echo_server import Connection, EchoServer
from tls_faults import context_of


class Report:
    def __init__(self, done):
        self.code, self.text, self.errors = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.text)

    def checks(self, *statuses):
        return [check for check in self.json["checks"] if not statuses or check["status"] in statuses]

    def told(self, *statuses):
        """For a test's message."""
        return "\n".join(f"{check['id']} {check['status']}: {check['detail']}" for check in self.checks(*statuses)) + self.errors


def patience(timeout):
    """The timeout, and under a sanitizer several times it: a late answer is not what these tests are about."""
    number, unit = re.fullmatch(r"(\d+)(ms|s)", timeout).groups()
    return f"{int(number) * (4 if SANITIZED else 1)}{unit}"


def examine(url, *args, deadline=6 * DEADLINE, **env):
    return Report(subprocess.run([WSPROXY, "doctor", url, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=deadline, env=environment(**env)))


class DoctorTest(unittest.TestCase):
    longMessage = True
    maxDiff = None

    def serve(self, kind=Connection, **how):
        server = EchoServer(kind, **how)
        self.addCleanup(server.stop)
        return server

    def run_app(self, start):
        app = start()
        self.addCleanup(app.stop)
        return app

    @staticmethod
    def changed(changes):
        """A kind of server in which these attributes and methods are other ones."""
        return type("ChangedConnection", (Connection,), changes)

    @classmethod
    def make_authorities(cls):
        folder = tempfile.mkdtemp(prefix="wsproxy-doctor-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.ca, cls.stranger = Authority(folder), Authority(folder, "somebody else")

    def serve_tls(self, kind=Connection, **how):
        return self.serve(kind, context=context_of(self.ca, self.stranger, **how))

    @property
    def trusting(self):
        """The environment of a doctor who believes the test's authority."""
        return {"SSL_CERT_FILE": self.ca.crt}

    def examine_fault(self, fault):
        """What is wrong with what the doctor says of it, or None."""
        server = self.serve(self.changed(fault.changes)) if fault.tls is None else self.serve_tls(**fault.tls)
        env = {} if fault.tls is None else self.trusting
        ids = [word for check in (fault.check, *fault.beside) for word in ("--only", check)]
        report = examine(server.url, *ids, "--json", "--timeout", patience(fault.timeout), *["--deep"] * fault.deep, **env)
        server.stop()
        if not report.text:
            return f"{fault}: exit code {report.code}, no report: {report.errors}"
        found = {check["id"]: check for check in report.json["checks"]}
        if not fault.beside and list(found) != [fault.check]:
            return f"{fault}: --only gave {list(found)}"
        check = found[fault.check]
        seen, wanted = (check["status"], report.code), (fault.status, {"fail": 1, "warn": 3}[fault.status])
        if seen != wanted:
            return f"{fault}: {seen}, not {wanted}: {check['detail']} {report.errors}"
        if not check["detail"] or not check["meaning"]:
            return f"{fault}: nothing is said of it: {check}"
        return None

    def examine_faults(self, faults, at_once=6):
        """Most of the time is the doctor's waiting for what does not come."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            wrong = [said for said in pool.map(self.examine_fault, faults) if said]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
