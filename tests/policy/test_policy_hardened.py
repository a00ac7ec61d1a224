"""`takt serve-policy` and its client among strangers: what they send costs what it is; who may not call is told so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from fake_policy import Nods
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from takt import TaktError
from takt.stations.nutcell.vla.worker import Network, _network
from takt.workers.policy.connection import Connection, NoAnswer
from takt.workers.policy.server import PolicyServer
from takt.workers.policy.wire import decode, encode
from takt.workers.policy.worker import _in_short

BLIND = {"cameras": []}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with PolicyServer(Nods, station_options=BLIND, port=0, key="hush-hush", most_clients=2, idle_s=30.0) as server:
        yield server


def opened(server: Any, **more: Any) -> Any:
    headers = {"Authorization": "Api-Key hush-hush", **more}
    return connect(server.url, additional_headers=headers, compression=None, proxy=None, open_timeout=10)


def test_sixty_bytes_do_not_cost_two_gigabytes(server: Any) -> None:
    bomb = msgpack.packb({"x": {b"__npgeneric__": True, b"data": 2 * 10**9, b"dtype": "|S1"}})
    assert len(bomb) < 64
    with pytest.raises(ValueError):
        decode(bomb)
    with opened(server) as client:
        client.recv()
        client.send(bomb)
        assert "no message" in client.recv()


def test_a_message_is_no_longer_than_an_observation_can_be(server: Any) -> None:
    with opened(server) as client:
        client.recv()
        with pytest.raises(ConnectionClosed) as closed:
            client.send(bytes(10 * 2**20))
            client.recv()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403),
        ({"Authorization": "Api-Key hush-hus"}, 401),
        ({"Authorization": "Api-Key \u00e9"}, 401),
        ({"Authorization": ""}, 401),
    ],
)
def test_who_may_not_call_is_refused(server: Any, headers: Any, status: Any) -> None:
    import socket

    sent = {"Host": "127.0.0.1", "Authorization": "Api-Key hush-hush", **headers}
    lines = [f"{name}: {value}" for name, value in sent.items()]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    with socket.create_connection(server._server.socket.getsockname(), timeout=10) as wire:
        wire.sendall(("GET / HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        assert wire.recv(100).split()[1] in (str(status).encode(), b"400")


def test_there_are_only_so_many_clients(server: Any) -> None:
    with opened(server) as one, opened(server) as two:
        one.recv(), two.recv()
        with opened(server) as three, pytest.raises(ConnectionClosed) as closed:
            three.recv(timeout=10)
        assert closed.value.rcvd.code == 1013


def test_a_client_that_says_nothing_is_let_go() -> None:
    server = PolicyServer(Nods, station_options=BLIND, port=0, idle_s=0.2)
    with server, connect(server.url, compression=None, proxy=None) as client:
        client.recv()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=20)


def test_a_server_that_others_reach_needs_a_key() -> None:
    with pytest.raises(TaktError, match="give a key: --key-env"):
        PolicyServer(Nods, station_options=BLIND, host="0.0.0.0", port=0)


def test_clients_one_after_the_other_do_not_load_the_worker_again() -> None:
    made = []

    def make() -> Any:
        made.append(1)
        return Nods()

    with PolicyServer(make, station_options=BLIND, port=0) as server:
        for _ in range(4):
            with connect(server.url, compression=None, proxy=None) as client:
                client.recv()
                client.send(encode({"endpoint": "reset"}))
                assert decode(client.recv()) == {"status": "reset"}  # type: ignore[arg-type]
            while server._open:
                pass
    assert len(made) == 1


def test_a_servers_metadata_may_have_any_keys() -> None:
    odd = {"a": {1: 2, "b": 3, b"c": 4}, "\x1b[2J": ["\x07", (b"x", None)], "n": float("nan")}
    assert "\x1b" not in _in_short(odd) and '"a"' in _in_short(odd)


def test_no_part_of_a_key_is_left_where_a_text_is_cut() -> None:
    key = "hush-hush-hush-hush"
    connection = Connection("ws://127.0.0.1:1", key)
    for before in range(280, 300):
        assert "hush" not in connection._clean(NoAnswer("refused", "x" * before + key).text)


def test_weights_outside_a_policys_file_are_read_from_beside_it_alone(tmp_path: Path) -> None:
    """An ONNX file may name any path for its weights."""
    onnx = pytest.importorskip("onnx")
    secret = tmp_path / "secret"
    secret.write_bytes(np.ones(4, np.float32).tobytes())
    folder = tmp_path / "models"
    folder.mkdir()
    for location in (str(secret), "../secret"):
        weights = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
        weights.external_data.append(onnx.StringStringEntryProto(key="location", value=location))
        node = onnx.helper.make_node("Identity", ["w"], ["y"])
        out = onnx.helper.make_tensor_value_info("y", 1, [4])
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [out], [weights]))
        (folder / "policy.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(TaktError, match="is no policy that ONNX Runtime can read"):
            Network(folder / "policy.onnx")


def test_a_network_is_loaded_once_for_all_workers() -> None:
    from takt.stations.nutcell.vla.worker import MODEL

    assert _network(MODEL, 1) is _network(MODEL, 1)
