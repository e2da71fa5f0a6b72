"""What the end-to-end suites stand on. Nothing here knows how the proxy works inside."""

from . import deflate, frames, http_head, http_message, http_soak
from .app import AppSide, EchoApp, ManualApp, NamedApp, wait_until
from .case import SharedProxyTest, SystemTest, main
from .client import Client, connect_tcp
from .drain import Drain
from .http_app import HttpApp, HttpSide, readable
from .http_case import HttpTest, SharedHttpTest
from .http_wire import Answer, Body, Cut, HttpClient, HttpWire
from .ports import free_port, has_ipv6
from .proxy import SANITIZED, WSPROXY, Process, Proxy, environment, merged, refuses_connections, run_command
from .wire import DEADLINE, Ended, Message, Wire

__all__ = [name for name in dir() if not name.startswith("_")]
