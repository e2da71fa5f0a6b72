"""Servers of others in processes of their own, and nginx in front of one, set up for WebSocket as its manual says."""

import os
import subprocess
import sys
import tempfile

import surroundings
from harness import WSPROXY, connect_tcp, free_port, wait_until
from harness.foreign import CLIENTS
from harness.nginx import NGINX

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.join(CLIENTS, "node", "app.cjs")
HAS_WS = os.path.isdir(os.path.join(CLIENTS, "node", "node_modules"))
HAS_GO = os.path.exists(os.path.join(CLIENTS, "go", "app"))
HAS_EXPRESS = os.path.isdir(os.path.join(CLIENTS, "node", "node_modules", "express"))


class Program:
    """Another process; `folder` is where it runs, `port` None for one that prints the port it chose."""

    def __init__(self, *command, port=None, folder=None):
        stdout = subprocess.PIPE if port is None else subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, text=True, cwd=folder,
                                         env={**os.environ, "NODE_ENV": "production"})
        if port is None:
            said = self._process.stdout.readline()
            assert said.startswith("port "), f"{command} said {said!r}"
            port = int(said.split()[1])
        self.port = port
        wait_until(self._listens, f"{command[0]} to listen")

    def _listens(self):
        assert self.running(), "it ended while starting"
        try:
            connect_tcp(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def running(self):
        return self._process.poll() is None

    def stop(self):
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def wsproxy_echo():
    port = free_port()
    return Program(WSPROXY, "echo", "--port", str(port), port=port)


def websockets_app():
    return Program(sys.executable, "-B", os.path.join(HERE, "websockets_app.py"))


def aiohttp_app():
    return Program(sys.executable, "-B", os.path.join(surroundings.SYSTEM, "python", "app.py"))


def ws_app():
    return Program("node", os.path.join(HERE, "node_app.cjs"), folder=os.path.join(CLIENTS, "node"))


def unguarded_ws_app():
    """Has no listener for a socket's errors, as many have not: a wrong frame that reaches it ends it."""
    return Program("node", NODE)


def go_app():
    return Program(os.path.join(CLIENTS, "go", "app"))


NGINX_CONFIG = """
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{app}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_set_header Host $host;
    }}
  }}
}}
"""


def nginx_before(app_port, cleanup):
    """`cleanup` gets what is to be called in the end."""
    folder = tempfile.TemporaryDirectory(prefix="wsproxy-nginx-")
    cleanup(folder.cleanup)
    port = free_port()
    with open(os.path.join(folder.name, "nginx.conf"), "w") as file:
        file.write(NGINX_CONFIG.format(port=port, app=app_port))
    program = Program(NGINX, "-p", folder.name, "-c", os.path.join(folder.name, "nginx.conf"), "-e", "stderr", port=port)
    cleanup(program.stop)
    return program
