# SPDX-License-Identifier: Apache-2.0
"""Serve a running node as a page: its overlays as MJPEG, its figures and topics as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from panoptic_ros.core.errors import ConfigError

BOUNDARY = "frame"
STREAM = "/stream/"
PATIENCE_S = 1.0
"""How long a stream waits for an image before it looks whether the browser is still there."""


MakePage = Callable[[dict[str, Any]], str]


class Watched(Protocol):
    """What is shown: a node that somebody listens to."""

    def snapshot(self) -> dict[str, Any]:
        """Say what is known now, in JSON types."""

    def next_image(self, camera: str, after: int, patience_s: float) -> tuple[int, bytes] | None:
        """Wait for an image of a camera after the one of that number; None where none came."""


class WatchServer(ThreadingHTTPServer):
    """Answers browsers, each in a thread of its own; the owner closes it.

    It only gives, nothing can be changed through it.

    Args:
        watched: What is shown.
        host: Address to listen on.
        port: Port, 0 for any that is free.
        make_page: Makes the page of what is known.

    Raises:
        ConfigError: The address is taken or not one of this machine.
    """

    daemon_threads = True

    def __init__(self, watched: Watched, host: str, port: int, make_page: MakePage) -> None:
        self.is_open = True
        try:
            super().__init__((host, port), partial(_Answer, watched, make_page))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            why = str(why).rstrip(".")
            raise ConfigError(f"{host}:{port}: {why}; choose another --port or --host") from error

    @property
    def url(self) -> str:
        """Address for a browser on this machine."""
        host, port = self.server_address[:2]
        shown = "127.0.0.1" if str(host) in ("0.0.0.0", "::") else str(host)
        return f"http://{shown}:{port}/"

    def server_close(self) -> None:
        """Stop listening; streams end with their next image."""
        self.is_open = False
        super().server_close()


class _Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: WatchServer

    def __init__(self, watched: Watched, make_page: MakePage, *args: Any) -> None:
        self._watched = watched
        self._make_page = make_page
        super().__init__(*args)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            page = self._make_page(self._watched.snapshot())
            self._send(page.encode(), "text/html; charset=utf-8")
        elif path == "/state.json":
            state = json.dumps(self._watched.snapshot()).encode()
            self._send(state, "application/json")
        elif path.startswith(STREAM):
            self._stream(path.removeprefix(STREAM))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""

    def _head(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")

    def _send(self, body: bytes, kind: str) -> None:
        self._head(kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, camera: str) -> None:
        """Send images as they come, until the browser goes."""
        self._head(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        number = 0
        try:
            while self.server.is_open:
                found = self._watched.next_image(camera, number, PATIENCE_S)
                if found is None:
                    continue
                number, jpeg = found
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                self.wfile.write(f"{head}\r\n\r\n".encode() + jpeg + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
