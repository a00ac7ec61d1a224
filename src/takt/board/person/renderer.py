"""The process that draws a person's pictures: `python -m takt.board.person.renderer FD`, begun by `pictures.Apart`.

It is told which station's renderer to open and answers with "" or why there is none; then it draws each state that it
is sent, and ends when nobody sends any.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from multiprocessing.connection import Connection

from takt.board.person.pictures import as_jpeg
from takt.contract.steering import renderer_of
from takt.errors import TaktError

NICER = 5  # than the shift, which is to be in time


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the shift, which closes the wire
    os.nice(NICER)
    wire = Connection(descriptor)
    try:
        station, options, shown = json.loads(wire.recv_bytes())
        try:
            renderer = renderer_of(station, options, shown)
        except TaktError as error:
            wire.send_bytes(str(error).encode())
            return
        wire.send_bytes(b"")
        while True:
            pictures = {name: as_jpeg(one) for name, one in renderer.render(wire.recv_bytes()).items()}
            wire.send_bytes(json.dumps([[name, len(one)] for name, one in pictures.items()]).encode())
            wire.send_bytes(b"".join(pictures.values()))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
