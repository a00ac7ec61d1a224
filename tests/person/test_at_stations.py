"""Whole units at each station of tools, worked by what its page shows and by calls of its forms."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN, asked
from series import write_series

from takt import Shift, run_shift
from takt.board.person.folder import Folder
from takt.board.person.server import PersonServer
from takt.contract.station import open_station
from takt.errors import TaktError
from takt.export import export
from takt.workers.person import Person
from takt.workers.person.hatch import Hatch

refusals: list[str] = []  # what an editor was told


class AtPage:
    """Somebody who has the page open: what is shown there, and calls made by its forms."""

    def __init__(self, server: PersonServer, hatch: Hatch) -> None:
        self.server, self.hatch = server, hatch

    def shown(self) -> str:
        assert self.hatch.wait_seen(0, 60) is not None
        return str(asked(self.server, "/").text)

    def call(self, tool: str, **given: Any) -> str:
        """The answer's HTML; it must be done, or have ended the shift."""
        body = json.dumps({"name": tool, "arguments": given})
        told = json.loads(asked(self.server, "/call", method="POST", body=body).text)
        assert told["done"] or "The shift is over" in told["html"], told["html"]
        return str(told["html"])


def by_page(station: Any, units: int, work: Callable[[AtPage], None], folder: Path | None = None) -> Shift:
    """A shift that `work` works at the page, in a thread of its own; with a folder for its editor, perhaps."""
    hatch, wrong, beside = Hatch(), list[BaseException](), None
    with ExitStack() as there:
        server = there.enter_context(PersonServer(hatch, station.spec, None, "127.0.0.1", 0, TOKEN))
        if folder is not None:
            beside = there.enter_context(Folder(hatch, station, folder, refusals.append)).hand_over

        def working() -> None:
            hatch.come()
            try:
                work(AtPage(server, hatch))
            except BaseException as error:
                wrong.append(error)

        somebody = threading.Thread(target=working, daemon=True)
        somebody.start()
        shift = run_shift(station, Person(hatch, beside), units=units, seed=1, clock="live:10", worker_name="person")
        somebody.join(60)
    assert not wrong, wrong
    return shift


def test_a_fixture_is_inspected_by_the_picture_on_the_page() -> None:
    pytest.importorskip("takt.stations.nutcell.station")
    station: Any = open_station("inspection", difficulty="nominal")
    looked: list[bytes] = []

    def work(page: AtPage) -> None:
        for where in ("left", "closer"):
            page.call("look", where=where)
            at = re.search(r'<img src="(/still/\w+\.png)" width="224" height="224" alt="eyes">', page.shown())
            assert at is not None, "the page shows what the camera sees"
            got = asked(page.server, at[1])
            assert got.status == 200 and got.headers["content-type"] == "image/png"
            assert asked(page.server, at[1], token=None).status == 401
            looked.append(at[1].encode())
        assert asked(page.server, "/still/0123456789abcdef.png").status == 404
        page.call("verdict", left="good", right="good")

    shift = by_page(station, 1, work)
    assert len(set(looked)) == 2, "each look is another picture"
    (judged,) = [event for event in shift.events if event.kind == "judged"]
    assert judged.data["said"] == {"left": "good", "right": "good"}
    station.close()


def test_a_ticket_is_mended_by_the_forms_of_the_code_desk_and_in_an_editor_of_ones_own(tmp_path: Path) -> None:
    from takt.stations.codedesk.sandbox import check_works

    try:
        check_works()
    except TaktError as error:
        pytest.skip(str(error))
    station: Any = open_station("codedesk", tickets=str(write_series(tmp_path / "tiny", 2)), takt_s=400.0)
    folder = tmp_path / "editor"
    refusals.clear()

    def work(page: AtPage) -> None:
        assert "pkg.m needs f1" in page.call("ticket", ticket=0)
        text = page.call("read", path="pkg/m.py")
        assert '<pre class="text" tabindex="0">def f0():\n    return 0\n</pre>' in text, "code keeps its lines"
        assert re.search(r'<textarea name="new" data-kind="text"', html.unescape(page.shown())), (
            "and is written in them"
        )
        page.call("edit", path="pkg/m.py", old="    return 0\n", new="    return 0\n\n\ndef f1():\n    return 7\n")
        module = folder / "pkg/m.py"
        assert wait_for(lambda: module.exists() and "def f1()" in module.read_text()), "it is in one's own editor too"
        (folder / "pkg/.m.py.swp").write_text("an editor's own")
        module.write_text(module.read_text().replace("return 7", "return 1"))
        (folder / "notes.txt").write_text("one\n")
        (folder / "README.md").unlink()
        (folder / "raw").write_bytes(b"\xff\xfe")
        (folder / "link").symlink_to("/etc/passwd")
        assert wait_for(lambda: b"return 1" in station.files["pkg/m.py"] and "notes.txt" in station.files)
        assert wait_for(lambda: "README.md" not in station.files and len(refusals) > 1)
        assert sorted(text.split(":")[0] for text in refusals) == [
            "link is no file of its own, but a link or a device",
            "raw is no text, or longer than 1,048,576 bytes",
        ]
        shown = page.shown()
        assert all(text in shown for text in refusals), "and at the page"
        assert re.search(r"write.*notes\.txt", shown), "what was saved in the editor is among the results"
        assert "1 passed" in page.call("run", command="echo two >> notes.txt; ls -a . pkg; python3 -m pytest -q")
        assert wait_for(lambda: (folder / "notes.txt").read_text() == "one\ntwo\n"), "what a command did is there"
        page.call("submit", ticket=0)

    shift = by_page(station, 1, work, folder)
    (good,) = [event.unit for event in shift.events if event.kind in ("unit_good", "unit_bad")]
    assert good == 0 and shift.events[-1].data["reason"] == "units"
    calls = [event.data["call"] for event in shift.events if event.kind == "said" and "call" in event.data]
    saved = [(name, json.loads(given)["path"]) for name, given in calls if name in ("write", "delete")]
    assert sorted(saved) == [("delete", "README.md"), ("write", "notes.txt"), ("write", "pkg/m.py")]
    station.close()
    with pytest.raises(TaktError, match="is not empty"):
        Folder(Hatch(), station, folder, refusals.append)


def test_a_folder_for_an_editor_takes_no_file_out_of_itself(tmp_path: Path) -> None:
    class Strange:
        files = {"ok.py": b"1\n", "../out.py": b"2\n", "/tmp/out.py": b"3\n", "a/../../out.py": b"4\n"}  # noqa: RUF012

    hatch = Hatch()
    with Folder(hatch, Strange(), tmp_path / "in", refusals.append) as folder:
        folder.hand_over()
        assert wait_for(lambda: (tmp_path / "in/ok.py").exists())
        hatch.end("The shift is over.")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "ok.py"]


def wait_for(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold."""
    for _ in range(1200):
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_persons_shift_at_the_cell_becomes_demonstrations(tmp_path: Path) -> None:
    """What the hands did is in the rows, and the unit comes out the same again: no digest depends on pictures."""
    pq = pytest.importorskip("pyarrow.parquet", reason="the extra `export` is not installed")
    pytest.importorskip("takt.stations.nutcell.station")
    hatch, path, cell = Hatch(), tmp_path / "p.takt", open_station("nutcell", difficulty="nominal")

    def steers() -> None:
        hatch.come()
        for held in ({"left.z": 1.0}, {"left.z": 1.0, "right.grip": 1.0}, {"right.grip": 1.0}):
            hatch.steer(held)
            seen = hatch.seen
            hatch.wait_seen(25 + (0 if seen is None else seen.number), 60)  # for a second

    somebody = threading.Thread(target=steers, daemon=True)
    somebody.start()
    run_shift(cell, Person(hatch), units=1, seed=3, clock="live:100", ledger=path, worker_name="person")
    somebody.join(60)
    cell.close()
    told = export(path, tmp_path / "out", "lerobot", fps=50, cameras="")
    assert told["episodes"] == 1 and "units_that_came_out_differently" not in told
    rows = pq.read_table(tmp_path / "out" / "data/chunk-000/file-000.parquet").to_pydict()
    up, grip = ([row[i] for row in rows["action"]] for i in (2, 13))
    assert max(up) == pytest.approx(0.2 * 0.02) and up[-1] == 0.0, "20 cm/s, then let go"
    assert (grip[0], grip[-1]) == (1.0, 0.0) and len(grip) < 50 * 76, "the wait is left out"
