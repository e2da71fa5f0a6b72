"""What the doctor says of wsproxy: nothing, whatever is behind it."""

import concurrent.futures

import surroundings  # noqa: F401, first
from harness import Proxy, free_port, main

import real_servers
from doctor import DoctorTest, examine, patience


class Ours(DoctorTest):
    """Exit code 0: no fail and no warn, with every check applied."""

    def at_once(self, calls):
        """{name: what the call returned}; they are processes of their own, so they need not wait for each other."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(zip(calls, pool.map(lambda call: call(), calls.values())))

    def start_proxy(self, app, path="", *, tls=False, **settings):
        """The URL of a proxy in front of the app."""
        if not tls:
            proxy = Proxy(f"ws://127.0.0.1:{app.port}", settings)
            self.addCleanup(proxy.stop)
            return f"{proxy.url}/{path}"
        port = free_port()
        listener = {"name": "public", "address": f"127.0.0.1:{port}", "tls": self.ca.issue("localhost").tls}
        proxy = Proxy(f"ws://127.0.0.1:{app.port}", {"listeners": [listener], **settings})
        self.addCleanup(proxy.stop)
        return f"wss://localhost:{port}/{path}"

    def all_is_well(self, urls, *args):
        reports = self.at_once({name: lambda url=url: examine(url, "--json", *args, **self.trusting) for name, url in urls.items()})
        for name, report in reports.items():
            with self.subTest(name):
                self.assertEqual(report.code, 0, report.text and report.told("fail", "warn") or report.errors)
                skipped = {check["id"] for check in report.checks("skip")}
                self.assertEqual(skipped, set() if "--deep" in args else {check["id"] for check in report.checks() if check["deep"]})
                self.assertEqual("tls.certificate" in {check["id"] for check in report.checks("pass")}, urls[name].startswith("wss:"))

    def test_it_passes_as_it_comes_with_each_engine_plain_and_with_tls(self):
        self.make_authorities()
        apps = {"wsproxy echo": self.run_app(real_servers.wsproxy_echo), "websockets": self.run_app(real_servers.websockets_app)}
        self.all_is_well({f"{name}, {engine}, {'TLS' if tls else 'plain'}": self.start_proxy(app, tls=tls, compression={"engine": engine})
                          for name, app in apps.items() for engine in ("auto", "zlib") for tls in (False, True)}, "--timeout", patience("3s"))

    def test_it_passes_with_deep(self):
        self.make_authorities()
        echo, websockets = self.run_app(real_servers.wsproxy_echo), self.run_app(real_servers.websockets_app)
        self.all_is_well({"plain": self.start_proxy(echo, compression={"engine": "auto"}),
                          "TLS": self.start_proxy(websockets, tls=True, compression={"engine": "zlib"})}, "--deep", "--timeout", patience("3s"))

    def test_it_passes_in_front_of_apps_that_do_not_pass_by_themselves(self):
        self.make_authorities()
        apps = {"aiohttp": real_servers.aiohttp_app, **({"node": real_servers.unguarded_ws_app} if real_servers.HAS_EXPRESS else {}),
                **({"go": real_servers.go_app} if real_servers.HAS_GO else {})}
        running = {name: self.run_app(start) for name, start in apps.items()}
        self.all_is_well({name: self.start_proxy(app, "ws") for name, app in running.items()}, "--timeout", patience("3s"))
        for name, app in running.items():
            self.assertTrue(app.running(), f"{name} has ended")


if __name__ == "__main__":
    main()
