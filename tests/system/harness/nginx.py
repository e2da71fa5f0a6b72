"""nginx as a plain reverse proxy in front of the same app, set up to do what wsproxy does by default."""

import os
import shutil
import subprocess
import tempfile

from .app import wait_until
from .client import connect_tcp
from .ports import free_port

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")

CONFIG = """
daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_max_body_size 0; large_client_header_buffers 4 64k; keepalive_requests 100000; tcp_nodelay on;
  underscores_in_headers on; ignore_invalid_headers off; merge_slashes off; server_tokens off;
  upstream app {{ server {app}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://app; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off; proxy_buffer_size 64k; proxy_buffers 4 64k;
      proxy_redirect off; proxy_next_upstream off; proxy_pass_header Server; proxy_pass_header Date;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header Forwarded 'for=$remote_addr;host="$http_host";proto=$scheme'; proxy_set_header X-Request-Id $request_id;
    }}
  }}
}}
"""


class Nginx:
    def __init__(self, app_address):
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="wsproxy-nginx-")
        config = os.path.join(self._folder.name, "nginx.conf")
        with open(config, "w") as file:
            file.write(CONFIG.format(port=self.port, app=f"{app_address[0]}:{app_address[1]}"))
        self._process = subprocess.Popen([NGINX, "-p", self._folder.name, "-c", config, "-e", "stderr"], stdin=subprocess.DEVNULL)
        wait_until(self._listens, "nginx to listen")

    def _listens(self):
        assert self._process.poll() is None, "nginx ended while starting"
        try:
            connect_tcp(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
