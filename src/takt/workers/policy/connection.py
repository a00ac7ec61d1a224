"""A connection to a policy server: one question, one answer, and a time limit that holds whatever the server does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from takt.printable import printable
from takt.workers.policy.wire import LARGEST, decode, encode

CLOSE_S = 1.0  # wall time that a farewell may take
GRACE_S = 0.25  # wall time after the limit until the socket is cut


@dataclass(frozen=True, slots=True)
class Attempt:
    """A question that came to nothing: `kind` (see `NoAnswer`), and how long was waited after it (wall time)."""

    kind: str
    text: str
    waited_s: float = 0.0


class NoAnswer(Exception):
    """The server gave no answer that can be used.

    kind   "connect" (nobody listens), "refused" (HTTP says no: a wrong key or path), "timeout", "dropped" (gone in the
           middle), "server_error" (it answered with a text, a traceback), "not_an_answer" (no map with actions in it),
           "shape" (actions, but not of this layout), "not_finite" (NaN or infinity among them).
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, printable(" ".join(text.split()))


class Connection:
    """Opened at the first question, and again at the next one after anything went wrong.

    url      ws://HOST:PORT, or wss://.
    key      sent as `Authorization: Api-Key KEY`, and never told; "" for none.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self.url, self._key = url, key
        self._socket: Any = None
        self.metadata: dict[str, Any] = {}  # what the server said when it was first connected to

    def ask(self, request: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The server's answer to a request. Raises NoAnswer; the connection is then closed, for an answer that comes
        after its time must not be taken for the next one's."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

        try:
            with self._within(timeout_s):
                if self._socket is None:
                    self._open(timeout_s)
                self._socket.send(encode(request))
                answer = self._socket.recv(timeout_s)
            if isinstance(answer, str):
                raise NoAnswer("server_error", f"the server answers with an error: {_last_line(answer)}")
            return decode(answer)
        except NoAnswer as failure:
            self.close()
            raise NoAnswer(failure.kind, self._clean(failure.text)) from None
        except ValueError as error:
            self.close()
            raise NoAnswer("not_an_answer", self._clean(f"the server answers with {error}")) from error
        except InvalidURI as error:
            raise NoAnswer("refused", self._clean(str(error))) from error
        except TimeoutError as error:
            self.close()
            raise NoAnswer("timeout", f"no answer within {timeout_s:g} s") from error
        except InvalidStatus as error:
            self.close()
            status = error.response.status_code
            kind = "connect" if status >= 500 else "refused"
            raise NoAnswer(kind, f"{self.url} answers HTTP {status} where a policy server is due") from error
        except (ConnectionClosed, InvalidHandshake, OSError, EOFError) as error:
            was_open = self._socket is not None
            cut, self._was_cut = self._was_cut, False
            self.close()
            if cut:
                raise NoAnswer("timeout", f"no answer within {timeout_s:g} s") from error
            if was_open:
                raise NoAnswer("dropped", "the server closed the connection before it had answered") from error
            raise NoAnswer("connect", f"no policy server at {self.url}: {self._clean(_cause(error))}") from error

    def close(self) -> None:
        """Say farewell, if that goes quickly."""
        going, self._socket = self._socket, None
        if going is not None:
            cut = threading.Timer(CLOSE_S, _cut, (going.socket,))
            cut.start()
            with contextlib.suppress(Exception):
                going.__exit__(None, None, None)
            cut.cancel()

    _was_cut = False

    def _open(self, timeout_s: float) -> None:
        from websockets.sync.client import connect

        opening = connect(
            self.url,
            open_timeout=timeout_s,
            close_timeout=CLOSE_S,
            compression=None,
            max_size=LARGEST,
            ping_interval=None,  # a server that computes in its event loop answers no ping meanwhile
            proxy=None,
            additional_headers={"Authorization": f"Api-Key {self._key}"} if self._key else None,
        )
        self._socket = opened = opening.__enter__()  # left in `close`
        greeting = opened.recv(timeout_s)
        if isinstance(greeting, str):
            raise NoAnswer("server_error", f"the server greets with an error: {_last_line(greeting)}")
        self.metadata = self.metadata or decode(greeting)

    @contextlib.contextmanager
    def _within(self, timeout_s: float) -> Iterator[None]:
        """Cut the socket when the time is up: a server that does not read leaves `send` waiting for ever."""
        self._was_cut = False

        def cut() -> None:
            going = self._socket
            if going is not None:
                self._was_cut = True
                _cut(going.socket)

        timer = threading.Timer(timeout_s + GRACE_S, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _clean(self, text: str) -> str:
        """Without the key; cut only then, or half of it would stay."""
        return (text.replace(self._key, "[key]") if self._key else text)[:300]


def _cut(going: socket.socket) -> None:
    with contextlib.suppress(OSError):
        going.shutdown(socket.SHUT_RDWR)


def _last_line(traceback: str) -> str:
    """What a traceback comes to."""
    lines = [line.strip() for line in traceback.splitlines() if line.strip()]
    return lines[-1] if lines else "an empty text"


def _cause(error: BaseException) -> str:
    return str(error.__cause__ or error) or type(error).__name__
