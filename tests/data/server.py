"""A server on this machine that answers as it is told."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from unrolled.data.fetch import Source

CONTENT = bytes(range(256)) * 900  # several chunks


class Server:
    """Answers each request with the next of `answers`, and with the last of them from then on."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, bytes]] = [("whole", CONTENT)]
        self.requests: list[str] = []
        self.stalled, self.released = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                how, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(404 if how == "missing" else 200)
                self.send_header(
                    "Content-Length", str(len(CONTENT) if how in ("broken off", "stalls") else len(body))
                )
                self.end_headers()
                self.wfile.write(body)
                if how == "stalls":
                    self.wfile.flush()
                    outer.stalled.set()
                    outer.released.wait(60)
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.released.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def source(self, content: bytes = CONTENT, name: str = "set/file.bin") -> Source:
        url = f"http://127.0.0.1:{self.http.server_port}/{name}"
        return Source(name, url, hashlib.sha256(content).hexdigest(), len(content))
