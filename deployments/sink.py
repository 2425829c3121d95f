"""A mail server on loopback, where the letters of a simulation end."""

import socketserver
import threading
from functools import partial
from pathlib import Path


class Sink:
    """Keeps every letter as a file; listens from the start until the end of a with-block.

    Args:
        folder: where the letters lie, made with the first of them.
        refused: the one address that does not exist here (550).
    """

    def __init__(self, folder: Path, refused: str) -> None:
        self.folder = folder
        self.refused = refused
        self.taken = len(list(folder.glob("*.eml")))
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), partial(_Conversation, self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def keep(self, recipient: str, content: bytes) -> None:
        """Writes one letter into the folder."""
        with self._lock:
            self.taken += 1
            number = self.taken
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{number:05}-{recipient.partition('@')[0]}.eml"
        (self.folder / name).write_bytes(content)

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away without a word is nothing to report."""


class _Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def __init__(self, sink: Sink, *given: object) -> None:
        self.sink = sink
        self.recipient = ""
        super().__init__(*given)  # pyright: ignore[reportArgumentType]

    def handle(self) -> None:
        self._say("220 simulated")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._take()
            else:
                self._say(self._answer(verb, line.decode(errors="replace")))
            if verb == b"QUIT":
                return

    def _answer(self, verb: bytes, line: str) -> str:
        if verb == b"RCPT":
            self.recipient = line.partition("<")[2].partition(">")[0]
            return "550 no such mailbox" if self.recipient == self.sink.refused else "250 ok"
        return "221 bye" if verb == b"QUIT" else "250 ok"

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        self.sink.keep(self.recipient, b"".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
