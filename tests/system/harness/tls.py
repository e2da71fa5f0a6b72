"""A client and an app that speak TLS, and the bases of tests with an authority and a wss:// listener."""

import select
import shutil
import socket
import ssl
import tempfile
import threading
import time

from .app import EchoApp, ManualApp, NamedApp, wait_until
from .authority import Authority
from .case import SharedProxyTest, SystemTest
from .client import Client, connect_tcp
from .ports import free_port
from .wire import DEADLINE, Ended, Wire

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def context_for(ca, *, certificate=None, versions=(), ciphers=None, alpn=("http/1.1",)):
    """What a client believes and speaks. `versions` is the one, or the lowest and the highest."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if certificate is not None:
        context.load_cert_chain(certificate.crt, certificate.key)
    if versions:
        context.minimum_version, context.maximum_version = versions[0], versions[-1]
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class TlsClient(Client):
    """`address` may be a socket that is connected already."""

    def __init__(self, address, context, *, name="localhost", session=None, **how):
        sock = address if isinstance(address, socket.socket) else connect_tcp(address, **how)
        try:
            sock = context.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise
        Wire.__init__(self, sock, masks=True)
        self.answer = self.agreed = None

    def receive_some(self, deadline=DEADLINE):
        """`end of file` is close_notify here; an end without it is none."""
        try:
            super().receive_some(deadline)
        except ssl.SSLEOFError as cut:
            raise Ended("cut") from cut

    @property
    def certificate(self):
        """What the proxy has shown, as DER."""
        return self.sock.getpeercert(binary_form=True)


class TwoThreadTlsClient(TlsClient):
    """Sends on one thread and receives on another: an SSL object is for one of them at a time."""

    def __init__(self, *args, **how):
        super().__init__(*args, **how)
        self._turn = threading.Lock()

    def send_bytes(self, data):
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._in_turn(lambda: self.sock.send(rest), DEADLINE):]
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as gone:
            raise Ended("while sending") from gone

    def receive_some(self, deadline=DEADLINE):
        try:
            data = self._in_turn(lambda: self.sock.recv(1 << 18), deadline)
        except ssl.SSLEOFError as cut:
            raise Ended("cut") from cut
        except (ConnectionResetError, BrokenPipeError) as gone:
            raise Ended("reset") from gone
        if not data:
            raise Ended("end of file")
        self.buffer += data

    def _in_turn(self, step, deadline):
        end = time.monotonic() + deadline
        while True:
            with self._turn:
                self.sock.settimeout(0)
                try:
                    return step()
                except ssl.SSLWantReadError:
                    wanted = [self.sock], []
                except ssl.SSLWantWriteError:
                    wanted = [], [self.sock]
            left = end - time.monotonic()
            if left <= 0 or not any(select.select(*wanted, [], left)):
                raise TimeoutError(f"nothing moved for {deadline} s")


class TlsListener:
    """Mixed into an app: it speaks TLS. `names` are those that it was asked for (SNI), `certificates` what its clients
    have shown (DER or None), `failures` the errors of handshakes that failed; `ahead` is called with each new socket
    before TLS begins."""

    def __init__(self, certificate, *, client_ca=None, versions=(), address=None, ahead=None, **how):
        self.names, self.certificates, self.failures, self._ahead = [], [], [], ahead
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.crt, certificate.key)
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        if versions:
            self.context.minimum_version, self.context.maximum_version = versions[0], versions[-1]
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        super().__init__(address=address, **how)

    def url_as(self, host):
        return f"wss://{host}:{self.port}"

    @property
    def url(self):
        return self.url_as("localhost")

    def _read_request(self, sock):
        try:
            sock.settimeout(DEADLINE)
            if self._ahead:
                self._ahead(sock)
            sock = self.context.wrap_socket(sock, server_side=True)
        except OSError as error:
            self.failures.append(error)
            return sock.close()
        self.certificates.append(sock.getpeercert(binary_form=True))
        super()._read_request(sock)


class TlsEchoApp(TlsListener, EchoApp):
    pass


class TlsManualApp(TlsListener, ManualApp):
    pass


class TlsNamedApp(TlsListener, NamedApp):
    pass


class TlsTest(SystemTest):
    """A folder, an authority and a certificate for localhost, made once for the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_authority()

    @classmethod
    def make_authority(cls):
        cls.folder = tempfile.mkdtemp(prefix="wsproxy-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.ca = Authority(cls.folder)
        cls.certificate = cls.ca.issue("localhost")

    def context(self, **how):
        return context_for(how.pop("ca", self.ca.crt), **how)

    def tls_client(self, *, context=None, name="localhost", session=None, port=None, source=None, receive_buffer=None,
                   kind=TlsClient, **how):
        """A client past its TLS handshake."""
        context = context or self.context(**how)
        address = ("127.0.0.1", port or self.proxy.port)
        return self.closing(kind(address, context, name=name, session=session, source=source, receive_buffer=receive_buffer))

    def shown(self, name="localhost", *, port=None, **how):
        """The certificate that a client gets who asks for that name, as DER; it need not be of that name."""
        context = self.context(**how)
        context.check_hostname = False
        client = self.tls_client(context=context, name=name, port=port)
        shown = client.certificate
        client.close()
        return shown

    def refusal(self, **how):
        """The alert with which a client is refused, whether in its handshake or (1.3) right behind it."""
        try:
            client = self.tls_client(**how)
            got = client.sock.recv(1)
        except ssl.SSLError as error:
            return error.reason.lower().replace("_", " ")
        raise AssertionError(f"instead of an alert: {got!r}")

    def failures(self, **labels):
        return self.proxy.metrics().sum("wsproxy_tls_handshake_errors_total", **labels)

    def wait_failure(self, reason, at_least=1):
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", at_least, reason=reason)

    def start_tls(self, app=None, *, tls=None, listener=None, **settings):
        """A proxy whose one listener speaks TLS; `tls` changes its settings."""
        port = free_port()
        one = {"name": "public", "address": f"127.0.0.1:{port}", "tls": {**self.certificate.tls, **(tls or {})}, **(listener or {})}
        proxy = self.start(app, listeners=[one], log={"format": "json", "level": "debug"}, **settings)
        proxy.port = port
        return proxy

    def start_in_front(self, app, *, host="localhost", tls=None, wait="live", **settings):
        upstream = {"tls": {"ca": self.ca.crt, **(tls or {})}, **settings.pop("upstream", {})}
        return self.start(app, app_url=app.url_as(host), wait=wait, upstream=upstream, **settings)

    @property
    def secure_url(self):
        return f"wss://localhost:{self.proxy.port}"

    def secure_pair(self, path="/", client=None, **how):
        return self.pair(path, client=client or self.tls_client(), **how)


class SharedTlsTest(TlsTest, SharedProxyTest):
    """One proxy with TLS for a whole class."""

    app_kind = EchoApp

    @classmethod
    def listeners(cls):
        """What differs from a listener with the class's certificate, by name; the first is where clients go."""
        return {"public": {}}

    @classmethod
    def setUpClass(cls):
        cls.make_authority()
        listeners = cls.listeners()
        cls.ports = {name: free_port() for name in listeners}
        cls.settings = {**cls.settings, "log": {"format": "json", "level": "debug"}, "listeners": [
            {"name": name, "address": f"127.0.0.1:{cls.ports[name]}",
             **({} if changes is None else {"tls": {**cls.certificate.tls, **changes}})} for name, changes in listeners.items()]}
        SharedProxyTest.setUpClass.__func__(cls)
        cls.proxy.port = cls.ports[next(iter(listeners))]

    def assert_all_is_well(self):
        """For tearDown: the process lives, has let go of everybody, and serves the next client."""
        self.doCleanups()
        self.assertTrue(self.proxy.running(), "the proxy died")
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "everybody to be let go")
        client = self.tls_client()
        if isinstance(self.app, EchoApp):
            reader = client.open()
        else:
            client, reader = self.pair(client=client)
        client.send("next one, please")
        self.assertEqual(reader.read_message().text, "next one, please")


def in_background(call):
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread
