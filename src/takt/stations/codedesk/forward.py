"""In a sandbox: a port of the loopback that leads to the model's socket, and the command that may use it.

    python3 -I -S forward.py SOCKET PORT COMMAND...

Standard library only. It ends with the command: all processes of a sandbox do.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import threading


def main() -> None:
    path, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    server = socket.create_server(("127.0.0.1", port), backlog=64)
    if os.fork():
        server.close()
        os.execvp(command[0], command)  # nosec B606: what was asked for
    for number in (0, 1, 2):  # the command's output is not ours to hold open
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    while True:
        came, _ = server.accept()
        threading.Thread(target=carry, args=(came, path), daemon=True).start()


def carry(inner: socket.socket, path: str) -> None:
    with inner, socket.socket(socket.AF_UNIX) as outer, selectors.DefaultSelector() as look:
        try:
            outer.connect(path)
            look.register(inner, selectors.EVENT_READ, outer)
            look.register(outer, selectors.EVENT_READ, inner)
            while look.get_map():
                for key, _ in look.select():
                    data = os.read(key.fd, 1 << 16)
                    if data:
                        key.data.sendall(data)
                    else:
                        look.unregister(key.fileobj)
                        key.data.shutdown(socket.SHUT_WR)
        except OSError:
            return


if __name__ == "__main__":
    main()
