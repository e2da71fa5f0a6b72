"""A certificate authority of a test's own, what it issues, and a Kubernetes secret on disk, by the `openssl` command."""

import datetime
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile

from .wire import DEADLINE


def openssl(*words, stdin=None):
    result = subprocess.run(["openssl", *words], input=stdin, capture_output=True, timeout=6 * DEADLINE)
    assert result.returncode == 0, f"openssl {' '.join(words)}: {result.stderr.decode(errors='replace')}"
    return result.stdout


def stamp(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Certificate:
    """A PEM certificate and its key as files; `tls` is what a listener's configuration wants of it."""

    def __init__(self, crt, key):
        self.crt, self.key = crt, key

    @property
    def tls(self):
        return {"certificate": self.crt, "private_key": self.key}

    def texts(self):
        """What a Kubernetes secret of them has."""
        found = {}
        for name, path in (("tls.crt", self.crt), ("tls.key", self.key)):
            with open(path) as file:
                found[name] = file.read()
        return found

    @property
    def der(self):
        with open(self.crt) as file:
            return ssl.PEM_cert_to_DER_cert(file.read())

    @property
    def fingerprint(self):
        return hashlib.sha256(self.der).hexdigest()

    def expires(self):
        said = openssl("x509", "-in", self.crt, "-noout", "-enddate").decode().strip().removeprefix("notAfter=")
        return ssl.cert_time_to_seconds(said)


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder, name="the test's authority"):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.crt, self.key = self.path("ca.crt"), self.path("ca.key")
        for file in ("index.txt", "index.txt.attr"):
            open(self.path(file), "w").close()
        with open(self.path("ca.cnf"), "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.path('index.txt')}\nnew_certs_dir={self.folder}\n"
                       "rand_serial=yes\ndefault_md=sha256\ndefault_crl_days=30\npolicy=any\nunique_subject=no\n"
                       "copy_extensions=copy\nstring_mask=utf8only\n[any]\ncommonName=optional\norganizationName=optional\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.crt,
                "-days", "30", "-subj", f"/CN={name}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, *, dns=("localhost",), ips=("127.0.0.1",), uris=(), rsa=False, begins=-1, ends=20, subject=None, label=None,
              usage=None):
        """A certificate valid from `begins` to `ends` days from now; `usage`: as extendedKeyUsage says it."""
        label = label or f"{name.replace('*', 'any').replace('/', '_')}-{len(os.listdir(self.folder))}"
        crt, key, request = (self.path(f"{label}.{kind}") for kind in ("crt", "key", "csr"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        names = ",".join([*(f"DNS:{one}" for one in dns), *(f"IP:{one}" for one in ips), *(f"URI:{one}" for one in uris)])
        openssl("req", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-utf8", "-subj", subject or f"/CN={name}",
                *(["-addext", f"subjectAltName={names}"] if names else []), *(["-addext", f"extendedKeyUsage={usage}"] if usage else []))
        openssl("ca", "-config", self.path("ca.cnf"), "-batch", "-notext", "-in", request, "-out", crt, "-cert", self.crt,
                "-keyfile", self.key, "-startdate", stamp(begins), "-enddate", stamp(ends))
        os.chmod(key, 0o600)
        return Certificate(crt, key)

    def revoke(self, certificate):
        openssl("ca", "-config", self.path("ca.cnf"), "-cert", self.crt, "-keyfile", self.key, "-revoke", certificate.crt)

    def crl(self, file=None, *, ends=30):
        """The file of a fresh revocation list, good for that many days."""
        file = file or self.path("ca.crl")
        openssl("ca", "-config", self.path("ca.cnf"), "-cert", self.crt, "-keyfile", self.key, "-gencrl", "-out", file + ".new",
                "-crl_lastupdate", stamp(-9), "-crl_nextupdate", stamp(ends))
        os.replace(file + ".new", file)
        return file


class Secret:
    """Files as the kubelet mounts a Secret: links through `..data`, which is swapped for all of them at once."""

    def __init__(self, folder, files):
        self.folder = tempfile.mkdtemp(dir=folder)
        self._count = 0
        self.swap(files)
        for name in files:
            os.symlink(os.path.join("..data", name), self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def swap(self, files):
        """`files` by name: the paths of what they become."""
        self._count += 1
        old = os.readlink(self.path("..data")) if self._count > 1 else None
        fresh = f"..2026_11_28_{self._count:09}"
        os.mkdir(self.path(fresh))
        for name, source in files.items():
            shutil.copyfile(source, os.path.join(self.folder, fresh, name))
        os.symlink(fresh, self.path("..data_tmp"))
        os.rename(self.path("..data_tmp"), self.path("..data"))
        if old:
            shutil.rmtree(self.path(old))
