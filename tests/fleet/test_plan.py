"""fleet.toml: what it comes to, and that whatever is wrong with one is a line that names it."""

from __future__ import annotations

import json
import math
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError
from takt.cli import main
from takt.fleet.endpoints import check_answers
from takt.fleet.text import text_of
from takt.fleet.toml import plan_of, read_plan
from takt.secret import masked, secrets_in
from takt.shift import run_shift

PLAN = """
name = "few"
seeds = "0-2"
units = 5
clock = "lockstep"

[[station]]
name = "gym"
options = { id = "CartPole-v1", success = "return>=15" }
vary = { takt_s = [0.5, 1.0] }

[[worker]]
name = "hands:Balances"
label = "balances"

[[worker]]
name = "hands:Sometimes"
label = "sometimes"
vary = { share = [0.2, 0.8] }

[[exclude]]
worker = "balances"
takt_s = 1.0
seeds = "1-2"
"""


def test_a_plan_is_the_product_of_its_tables_without_what_is_excluded() -> None:
    plan = plan_of(PLAN)
    assert [arm.name for arm in plan.arms] == [
        "balances @ gym takt_s=0.5",
        "sometimes share=0.2 @ gym takt_s=0.5",
        "sometimes share=0.8 @ gym takt_s=0.5",
        "balances @ gym takt_s=1.0",
        "sometimes share=0.2 @ gym takt_s=1.0",
        "sometimes share=0.8 @ gym takt_s=1.0",
    ]
    assert len(plan.shifts) == 6 * 3 - 2 == len({shift.id for shift in plan.shifts})
    assert [shift.seed for shift in plan.shifts] == sorted(shift.seed for shift in plan.shifts), "seed by seed"
    assert plan.arms[2].columns == {"station": "gym", "takt_s": 0.5, "worker": "sometimes", "share": 0.8}


def ids(text: Any) -> list[Any]:
    return [shift.id for shift in plan_of(text).shifts]


def test_a_shift_is_the_same_however_it_is_written_and_another_if_anything_of_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    at_rest = PLAN.replace("[[exclude]]", '[[worker]]\nname = "hands:Sometimes"\nlabel = "x"\n[[exclude]]')
    said = at_rest.replace('label = "x"', 'label = "y"\noptions = { share = 0.5 }')
    assert ids(at_rest) == ids(said), "an option at its default is no other shift, nor is another label"
    changes = ('clock = "lockstep"', 'clock = "fixed:0.01"'), ("units = 5", "units = 6"), ("=15", "=16"), ("0-2", "3-5")
    assert not any(set(ids(PLAN)) & set(ids(PLAN.replace(*change).partition("[[exclude]]")[0])) for change in changes)
    act = PLAN.partition("[[exclude]]")[0] + '[[worker]]\nname = "hands:Dies"\noptions = { mark = "act" }\n'
    word = ids(act)
    Path("act").mkdir()
    contents = []
    for weights in (b"old", b"new"):
        Path("act/weights").write_bytes(weights)
        contents.append(ids(act))
        assert contents[-1] == ids(act.replace('"act"', '"act/"')), "a folder is one without a slash, too"
    assert len({shift for found in (word, *contents) for shift in found}) == len(word) * 6 // 4
    model = Path("a.onnx")
    with_file = PLAN.replace("share = [0.2, 0.8]", "share = [0.2]").partition("[[exclude]]")[0]
    with_file += '[[worker]]\nname = "hands:Dies"\noptions = { mark = "a.onnx" }\n'
    model.write_bytes(b"first")
    first = ids(with_file)
    model.rename("b.onnx")
    assert ids(with_file.replace("a.onnx", "b.onnx")) == first, "a file is what it contains, whatever it is called"
    Path("b.onnx").write_bytes(b"second")
    assert len(set(first) & set(ids(with_file.replace("a.onnx", "b.onnx")))) == len(first) * 2 // 3


def test_values_are_written_as_the_toml_that_says_them() -> None:
    told = {"name": 'a "b" \\ \n \x7f \t é', "seeds": [0, 2**70], "hours": 1e-7, "stop": {"verdict": True}}
    told |= {"station": [{"name": "gym", "options": {"a.b": [], "": {}, "x": -0.5, "y": [[1], ["z"]]}}]}
    assert tomllib.loads(text_of(told)) == told
    assert [text_of({"a": wrong}) for wrong in (None, "\ud800", {"b": [object()]})] == [""] * 3
    assert tomllib.loads(text_of({"a": math.inf, "b": -math.inf})) == {"a": math.inf, "b": -math.inf}


SECRETS: list[dict[str, Any]] = [
    {"store": "postgresql://me:hunter2@db/takt"},
    {"store": "postgresql://db/takt?password=hunter2"},
    {"url": "ws://hunter2@gpu:8000"},
    {"url": "https://gpu/v1?api-key=hunter2"},
    {"url": "http://gpu/?a=1&X-Api-Key=hunter2"},
    {"url": "http://gpu/?clientSecret=hunter2"},
    {"url": "https://gpu/?X-Amz-Signature=hunter2"},
    {"url": "gpu:80/?token=hunter2"},
    {"header": "Authorization: Bearer hunter2hunter2"},
    {"h": ["x", "authorization=hunter2"]},
    {"label": "Bearer hunter2hunter2"},
    {"api-key": "hunter2"},
    {"clientSecret": "hunter2"},
    {"X-Api-Key": "hunter2"},
    {"token": ["hunter2"]},
    {"auth": "hunter2"},
    {"label": "with sk-hunter2hunter2hunter2"},
    {"note": "ghp_hunter2hunter2"},
    {"http://a:hunter2@b": 1},
    {"store": "postgresql://me:hunter2/x@db/takt"},
    {"store": "mysql://me:hunter2#x@db"},
    {"store": "postgresql://me@db/takt?sslpassword=hunter2"},
    {"store": "host=db user=me password=hunter2 dbname=takt"},
    {"dsn": "user=me password='hunter2 x'"},
    {"openai_key": "hunter2"},
    {"dbpassword": "hunter2"},
    {"env": ["A=1", "API_KEY=hunter2"]},
    {"args": "serve --password hunter2 --port 5"},
    {"args": ["--api-key", "hunter2"]},
    {"args": ["--token=hunter2"]},
    {"headers": "Cookie: session=hunter2"},
    {"headers": "{'x-auth-token': 'hunter2'}"},
]
PLAIN: list[dict[str, Any]] = [
    {"store": "postgresql://me@db/takt"},
    {"url": "https://gpu:8000/v1?model=a&max_tokens=5"},
    {"api_key_env": "KEY"},
    {"label": "risk-averse and task-specific, sk-learn"},
    {"tokens": 5e6},
    {"note": "me@plant.example"},
    {"key": "enter"},
    {"success": "return>=15"},
    {"store": {"env": "TAKT_STORE"}},
    {"token": ""},
    {"label": "basic"},
    {"monkey": "see"},
    {"args": "--max-token 512 --password-file secrets/db --token-env HF --key-frames 3"},
    {"args": ["--token", "--verbose"]},
    {"env": ["API_KEY=$KEY", "HOME=/root"]},
    {"image_key": "observation.image", "primary_key": "id", "obs_keys": ["a"]},
    {"label": "basic manipulation, bearer of trays"},
    {"store": "postgresql://me@db/takt?sslkey=me.key&require_auth=scram-sha-256"},
    {"model": "hf://org/model@v2", "url": "http://gpu:8000/v1/models/a@b"},
]


def test_passwords_and_keys_are_seen_in_whatever_form_they_stand_and_words_like_them_are_none() -> None:
    for told in SECRETS:
        (place,) = secrets_in({"worker": [{"options": told}]})
        assert "hunter2" not in place and place.startswith(("worker[0].options.", "a key of worker[0].options")), told
    assert [told for told in PLAIN if list(secrets_in(told))] == []
    assert "hunter2" not in masked("by 0my-store.postgresql://me:hunter2@db/takt")
    assert masked(words := "if it is for both, say so: TAKT_KEY_HOSTS=OPENAI_API_KEY=proxy.example.org") == words
    for told in SECRETS:
        if isinstance(text := next(iter(told.values())), str) and list(secrets_in([text])):
            assert "hunter2" not in masked(f"cannot reach {text}, it says") and masked(text) != text


def test_what_a_worker_raises_is_kept_without_the_password_that_its_process_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In whatever form, and alone too; as a part of a word it is no password."""
    monkeypatch.setattr("takt.secret._kept", {"hunter2"})
    said = "no postgresql://me:hunter2/x@db/takt, no 'hunter2', but hunter2000 at https://db:5432/x"
    options = {"id": "CartPole-v1", "takt_s": 0.5}
    for how in ("raises", "ends", "answers"):
        worker = {"how": how, "what": said}
        shift = run_shift("gym", "hands:Tells", seed=0, units=1, station_options=options, worker_options=worker)
        told = json.dumps([event.data for event in shift.events[1:]])
        assert "hunter2/" not in told and "'hunter2'" not in told, how
        assert how == "answers" or ("hunter2000 at https://db:5432/x" in told and "me:***@db/takt" in told), how


def test_of_a_plan_is_kept_what_it_says_and_not_what_stands_in_its_comments() -> None:
    text = "# store = 'postgresql://me:hunter2@db/takt'\nunits = 3 # hunter2\n" + GYM + "\n" + WORKER
    plan = plan_of(text)
    assert "hunter2" not in plan.text and plan_of(plan.text).shifts == plan.shifts


@pytest.mark.parametrize("label", ["日本語" * 80, "é" * 200, "a" * 300, "x" + "😀" * 90])
def test_a_ledgers_file_has_a_name_that_a_disk_takes_however_long_its_label_is(tmp_path: Path, label: Any) -> None:
    plan = plan_of(PLAN.replace('"balances"', f'"{label}"', 1).replace('worker = "balances"', f'worker = "{label}"'))
    for shift in plan.shifts:
        assert len(shift.file.encode()) <= 140 and shift.file.endswith(f"-{shift.id[:12]}.takt")
        (tmp_path / f"{shift.file}-wal").touch()


GYM, WORKER = '[[station]]\nname = "gym"', '[[worker]]\nname = "hands:Balances"'
WRONG = [
    ("seeds = ", "no TOML"),
    ('[[station]]\nname = "gymm"\n' + WORKER, "station[0]: no station named 'gymm', did you mean 'gym'?"),
    (GYM + '\n[[worker]]\nname = "idel"', "worker[0] no worker named 'idel' at gym, did you mean 'idle'?"),
    (GYM + "\n" + WORKER + '\nat = ["gym", "nutcel"]', "worker[0].at names no station of the plan: 'nutcel'"),
    (GYM + "\n" + WORKER + "\nvary = {share = [2026-11-29]}", "worker[0].vary.share[0] is a date or time"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[[exclude]]\nseeds = 'x'", "exclude[0].seeds: cannot read the seeds 'x'"),
    (GYM + "\n" + WORKER + "\n[[exclude]]\nseeds = 07:30:00", "exclude[0].seeds is a date or time"),
    (GYM + '\n[[worker]]\nname = "hands:Nobody"', "cannot import the worker 'hands:Nobody'"),
    ("seeds = '0-99999'\n" + GYM + "\nvary = {takt_s = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}\n" + WORKER, "1,000,000"),
    ("seeds = '0-999999999'\n" + GYM + "\n" + WORKER, "1,000,000,000 seeds"),
    (GYM + "\noptions = {takt_s = 'long'}\n" + WORKER, "station 'gym' has takt_s='long'; it must be a number"),
    (GYM + "\n" + WORKER + "\noptions = {speed = 3}", "worker 'hands:Balances' has no options"),
    ("sedes = 3\n" + GYM + "\n" + WORKER, "there is no 'sedes', did you mean 'seeds'?"),
    (GYM + "\nclok = 'lockstep'\n" + WORKER, "station[0] has no 'clok', did you mean 'clock'?"),
    (GYM + "\n" + WORKER, "has no length: give hours or units"),
    (f"seeds = [1, {2**128}]\nunits = 3\n" + GYM + "\n" + WORKER, "seeds has one of 129 bits; a seed has 128 at most"),
    (f"seeds = '{2**128}'\nunits = 3\n" + GYM + "\n" + WORKER, "seeds has one of 129 bits; a seed has 128 at most"),
    ("units = 3\nclock = 'fast'\n" + GYM + "\n" + WORKER, "station[0].clock"),
    ("units = 3\nfaults = ['jam at 3']\n" + GYM + "\n" + WORKER, "cannot read the fault 'jam at 3'"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\nendpoint = 'gpu'", "asks the endpoint 'gpu'; the plan has: none"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[[exclude]]\nworker = 'balance'", "exclude[0] excludes nothing"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n" + WORKER, "two arms are both called"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n" + WORKER + "\nlabel = 'again'", "are the same shifts"),
    ("units = 3\naccept = 'figure-bwm'\n" + GYM + "\n" + WORKER, "did you mean 'figure-bmw'?"),
    ("units = 3\nstore = 'postgresql://me:hunter2@db/takt'\n" + GYM + "\n" + WORKER, "store has a password or key"),
    ("units = 3\nstore = 'postgresql://db/takt?password=hunter2'\n" + GYM + "\n" + WORKER, "store has a password"),
    ("units = 3\nstore = 'mysql://db/takt'\n" + GYM + "\n" + WORKER, "store: mysql://db/takt is no place for a ledger"),
    ("units = 3\nstore = {env = 'NOWHERE'}\n" + GYM + "\n" + WORKER, "environment variable 'NOWHERE', and there is"),
    ("units = 3\nstore = 'fleet.toml'\n" + GYM + "\n" + WORKER, "store: it is fleet.toml, and that is no folder"),
    ("units = 3\n[endpoint.gpu]\nurl = 'http://gpu/v1?api_key=hunter2'\n" + GYM + "\n" + WORKER, "gpu.url has a"),
    ("units = 3\n[endpoint.gpu]\nurl = 'gpu:80'\n" + GYM + "\n" + WORKER, "endpoint 'gpu' has url 'gpu:80'; it"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\noptions = {api_key = 'hunter2'}", "worker[0].options.api_key has"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[limits]\nsilent_s = 0", "limits.silent_s is 0; a process needs 5 s"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\ncores = 0", "worker[0].cores is 0; a shift is a process"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\ncall_timeout_s = 0", "worker[0].call_timeout_s is 0; it must be above"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\nmemory_gb = 0.01", "worker[0].memory_gb is 0.01, in 10^9 bytes; a"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\nmemory_gb = 0.0", "worker[0].memory_gb is 0; it must be above 0"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[[exclude]]\nseeds = [1, '2']", "exclude[0].seeds is [1, '2']; write"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[[exclude]]\nseeds = 1.5", "exclude[0].seeds is 1.5; write"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[[exclude]]\n", "exclude[0] is empty"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\nlabel = ''", "worker[0].label is ''; it must be a text"),
    ("units = 3\n" + GYM + "\nlabel = 5\n" + WORKER, "station[0].label is 5; it must be a text"),
    ("units = 3\nfolder = ''\n" + GYM + "\n" + WORKER, "folder is ''; it must be a text that is not empty"),
    ("units = 3\nstore = ''\n" + GYM + "\n" + WORKER, "store must be a folder, a URI"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[stop]\nby = 'day'", "stop.by is 'day'"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[stop]\nby = ''", "stop.by is ''; it can be"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[budget]\nmoney = -1", "budget.money is -1"),
    ("name = '..'\nunits = 3\n" + GYM + "\n" + WORKER, "name is '..'; it must be letters"),
    ("units = 3\n" + GYM + "\n" + WORKER + '\nlabel = "a\\u0000b"', "worker[0].label has a control character"),
    ("units = 3\nfolder = \"a\\u0000\"\n" + GYM + "\n" + WORKER, "folder has a control character"),
    ("units = 3\n" + GYM + "\n" + WORKER + '\nvary = {"a\\u001b" = [1]}', "a key of worker[0].vary has a control"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[limits]\nbackoff_s = 1e300", "limits.backoff_s is 1e+300; 604,800 is"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[limits]\nretries = 99999", "limits.retries is 99999; 10,000 is the"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\ncall_timeout_s = 1e99", "worker[0].call_timeout_s is 1e+99; 604,800"),
    ("units = 3\n" + GYM + "\n" + WORKER + "\n[budget]\nhours = 0", "budget.hours is 0; it must be above 0, or left"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said[:30] for _, said in WRONG])
def test_what_is_wrong_with_a_plan_is_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: Any, said: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.toml").write_text(text)
    for command in ("status", "run"):
        assert main(["fleet", command, "fleet.toml"]) == 2
        out, err = capsys.readouterr()
        assert not out and err.count("\n") == 1 and said in err and "hunter2" not in err
    assert [path.name for path in Path().iterdir()] == ["fleet.toml"], "nothing is made by a plan that is wrong"


def test_a_server_that_does_not_answer_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        port = listens.getsockname()[1]
        asks = f'\n[endpoint.gpu]\nurl = "http://127.0.0.1:{port}/v1"\nslots = 2\n'
        Path("fleet.toml").write_text(
            f"units = 3\n{GYM}\noptions = {{id = 'CartPole-v1'}}\n{WORKER}\nendpoint = 'gpu'\n{asks}"
        )
        plan = read_plan(Path("fleet.toml"))
        listens.listen()
        check_answers(plan.endpoints.values())
    with pytest.raises(TaktError, match=f"endpoint 'gpu' does not answer at http://127.0.0.1:{port}/v1: "):
        check_answers(plan.endpoints.values())
    assert main(["fleet", "run", "fleet.toml", "--jobs", "1"]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("takt: ")]
    assert len(told) == 1 and "endpoint 'gpu'" in told[0] and not list(Path().rglob("*.takt"))
