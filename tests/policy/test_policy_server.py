"""`takt serve-policy`: openpi's own client against ours, and what clients may do wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_policy import Nods, Watched, nod

from takt import TaktError, run_shift
from takt.cli import main
from takt.stations.nutcell import NutCell
from takt.workers.policy import Policy
from takt.workers.policy.connection import Connection, NoAnswer
from takt.workers.policy.server import PolicyServer
from takt.workers.policy.wire import decode, encode

HERE = Path(__file__).parent


class Raises:
    """A worker that has enough of it at its third observation."""

    def begin(self, spec: Any, seed: int) -> None:
        self.asked = 0

    def act(self, observation: Any) -> Any:
        self.asked += 1
        if self.asked == 3:
            raise RuntimeError("no idea")
        return [np.full(15, np.nan if "nan" in observation.get("order", "") else 0.0, np.float32)]

    def end(self) -> None: ...


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    cell = NutCell(cameras=[])
    observation, _ = cell.reset(seed=3)
    cell.close()
    return observation


@pytest.fixture
def server() -> Iterator[PolicyServer]:
    with PolicyServer(Nods, station_options={"cameras": []}, port=0) as serving:
        yield serving


def test_messages_are_openpis_own() -> None:
    theirs = pytest.importorskip("openpi_client.msgpack_numpy", reason="openpi-client is not installed")
    message = {
        "images": {"cam_high": np.arange(24, dtype=np.uint8).reshape(2, 4, 3)},
        "state": np.linspace(0, 1, 5, dtype=np.float32),
        "prompt": "左侧M6",
        "n": np.float32(0.5),
        "list": [1, 2.5, None, True],
    }
    for back in (theirs.unpackb(encode(message)), decode(theirs.packb(message))):
        assert back.keys() == message.keys() and back["prompt"] == "左侧M6" and back["list"] == message["list"]
        assert (back["images"]["cam_high"] == message["images"]["cam_high"]).all()  # type: ignore[index]
        assert back["state"].dtype == np.float32 and (back["state"] == message["state"]).all()
    assert encode({"a": (1, 2)}) == encode({"a": [1, 2]})


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x93\x01\x02\x03", encode({"a": 1})[:-1]])
def test_what_is_no_message_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError):
        decode(junk)


def test_nothing_from_the_wire_is_unpickled() -> None:
    import msgpack

    evil = {b"__ndarray__": True, b"data": b"12345678", b"dtype": "|O", b"shape": [1]}
    with pytest.raises(ValueError):
        decode(msgpack.packb({"state": evil}))


def test_openpis_client_is_served(server: PolicyServer, seen: dict[str, Any]) -> None:
    pytest.importorskip("openpi_client", reason="openpi-client is not installed")
    from openpi_client.websocket_client_policy import WebsocketClientPolicy

    client = WebsocketClientPolicy(host=server.url)
    greeting = client.get_server_metadata()
    assert greeting["station"] == "nutcell" and greeting["action"]["shape"] == [15]
    answers = [client.infer(dict(seen)) for _ in range(3)]
    assert all((answer["actions"] == nod(seen)).all() for answer in answers)
    assert answers[0]["actions"].dtype == np.float32
    assert answers[0]["server_timing"]["infer_ms"] >= 0 and answers[1]["server_timing"]["prev_total_ms"] > 0
    with pytest.raises(RuntimeError, match=r"lacks 'observation\.setpoint'"):
        client.infer({"state": np.zeros(8), "prompt": "help"})
    other = WebsocketClientPolicy(host=server.url)
    assert (other.infer(dict(seen))["actions"] == nod(seen)).all(), "the server serves on"


def test_it_is_healthy(server: PolicyServer) -> None:
    with urllib.request.urlopen(server.url.replace("ws://", "http://") + "/healthz", timeout=5) as answer:
        assert answer.status == 200 and answer.read() == b"OK\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observation.state": np.zeros(47)}, "'observation.state' has shape (47,); it must be (48,)"),
        ({"observation.touch": np.full((2, 2, 3, 4, 4), np.nan)}, "NaN or infinity in 'observation.touch'"),
        ({"observation.takt_left": "soon"}, "'observation.takt_left' is no array of float32"),
    ],
)
def test_an_observation_that_cannot_be_is_one_line(
    server: PolicyServer, seen: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoAnswer) as error:
        Connection(server.url).ask({**seen, **change}, 5.0)
    assert error.value.kind == "server_error" and said in error.value.text


def test_each_client_has_a_worker_of_its_own_and_its_troubles_are_told(seen: dict[str, Any]) -> None:
    troubles: list[str] = []
    options = {"cameras": [], "line": "mixed"}
    with PolicyServer(Raises, station_options=options, port=0, on_trouble=troubles.append) as server:
        one, other = Connection(server.url), Connection(server.url)
        for connection in (one, other):
            for _ in range(2):
                answer = connection.ask({**seen, "prompt": "M6 left"}, 5.0)
                assert answer["actions"].shape == (1, 15)
        with pytest.raises(NoAnswer, match="RuntimeError: no idea"):
            one.ask({**seen, "prompt": "M6 left"}, 5.0)
        assert one.ask({"endpoint": "reset"}, 5.0) == {"status": "reset"}
        with pytest.raises(NoAnswer, match="NaN or infinity in action 0"):
            one.ask({**seen, "prompt": "nan"}, 5.0)
        with pytest.raises(NoAnswer, match="lacks the order's words"):
            one.ask(seen, 5.0)
        one.close()
        other.close()
    assert len(troubles) == 3 and troubles[0] == "RuntimeError: no idea"


def test_what_cannot_be_served_is_one_line(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    assert main(["serve-policy", "--worker", str(tmp_path / "broken.onnx")]) == 2
    told = capsys.readouterr().err
    assert "broken.onnx" in told and told.count("\n") == 1
    assert main(["serve-policy", "--worker", "expert"]) == 2
    assert "works from privileged state" in capsys.readouterr().err
    assert main(["serve-policy", "--worker", "nobody"]) == 2
    assert "no worker named 'nobody'" in capsys.readouterr().err
    assert main(["serve-policy", "--worker", "not_there.onnx"]) == 2
    assert "there is no model not_there.onnx" in capsys.readouterr().err
    blind: dict[str, Any] = {"cameras": []}
    with PolicyServer(Nods, station_options=blind, port=0) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(TaktError, match=rf"cannot listen at 127\.0\.0\.1 port {port}"):
            PolicyServer(Nods, station_options=blind, port=port).start()


def test_the_learned_worker_does_what_it_does_unserved() -> None:
    """The cell's own policy, pictures and all, from behind a socket."""
    pytest.importorskip("onnxruntime")
    from takt.stations.nutcell.vla.worker import Vla

    here, there = (Watched(**Vla.station_options) for _ in range(2))
    try:
        here.look()
    except TaktError as error:
        pytest.skip(str(error))
    with PolicyServer("vla", port=0) as server:
        assert server.asks["line"] == "mixed"
        shift = run_shift(there, Policy(url=server.url, timeout_s=60.0), hours=5 / 3600, clock="fixed:0.08")
    run_shift(here, Vla(), hours=5 / 3600, clock="fixed:0.08")
    assert not shift.broken and len(there.given) == 250
    assert [action.tolist() for _, action, _ in there.given] == [action.tolist() for _, action, _ in here.given]


def test_the_command_serves_until_it_is_ended(seen: dict[str, Any]) -> None:
    command = [
        sys.executable,
        "-m",
        "takt.cli",
        "serve-policy",
        "--worker",
        "fake_policy:Nods",
        "--port",
        "0",
        "-o",
        "cameras=[]",
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving fake_policy:Nods at ws://127.0.0.1:"), line + str(process.poll())
        connection = Connection(line.split()[3].rstrip(";"))
        assert (connection.ask(seen, 10.0)["actions"] == nod(seen)).all()
        connection.close()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 0 and err == ""
    finally:
        process.kill()
        process.communicate()
