"""What libraries say is wrong reaches nobody in their words: users, workers and model servers are told in ours."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from takt import run_shift
from takt.cli import main
from takt.contract.station import TaktError
from takt.hub import why_not
from takt.ledger.pack import unpack
from takt.plainly import plainly

# Words that only libraries use, of those that Takt calls: Pydantic, Typer, msgpack, SQLite, Python's json and csv.
THEIRS = re.compile(
    r"Input should|unable to parse|Field required|Extra inputs|Value error|type=\w+_type|validation error|Invalid value"
    r"|Missing (argument|option|command)|No such (option|command)|Got unexpected|requires an argument|\bUsage\b"
    r"|Expecting (value|property|','|':')|Unterminated string|Extra data|Invalid control character|\(char \d+\)"
    r"|malformed|SQLITE_|no such table|file is not a database|disk image|unable to open database|database is locked"
    r"|Unpack failed|ExtraData|codec can't|Out of range float|JSON serializable|line contains NUL|field larger"
    r"|invalid literal|could not convert|Traceback|pydantic|msgpack|sqlite3",
    re.IGNORECASE,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    people: int = Field(1, ge=1)
    rows: list[str] = []
    why: str = Field("", max_length=5)
    share: float = 0.5
    sure: bool = False


def raised(work: Any, *arguments: Any) -> Any:
    with pytest.raises(Exception) as caught:
        work(*arguments)
    return caught.value


def locked(path: Any) -> Any:
    holder = sqlite3.connect(path)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        return raised(sqlite3.connect(path, timeout=0).execute, "INSERT INTO t VALUES (1)")
    finally:
        holder.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"people": "3"}, "people must be a whole number, not '3'"),
        ({"people": 0}, "people must be 1 or more, not 0"),
        ({"persons": 1}, "persons is none of them"),
        ({"rows": [1]}, "rows[0] must be a text, not 1"),
        ({"rows": "FRA"}, "rows must be a list, not 'FRA'"),
        ({"why": "too long"}, "why must have 5 characters at most, not 'too long'"),
        ({"share": "half"}, "share must be a number, not 'half'"),
        ({"sure": 1}, "sure must be true or false, not 1"),
        ({"people": None}, "people must be a whole number, not null"),
    ],
)
def test_wrong_arguments_are_told_by_what_they_must_be(given: Any, said: Any) -> None:
    error = raised(Strict.model_validate, given)
    assert isinstance(error, ValidationError) and plainly(error) == said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: raised(json.loads, '{"a": }'), "it is no JSON from line 1, column 7 on"),
        (lambda _: raised(json.loads, '{"a": 1'), "it is JSON that ends too soon"),
        (lambda _: raised(json.loads, ""), "there is nothing where JSON is due"),
        (lambda _: raised(json.loads, "[" * 100_000), "it is nested too deep"),
        (lambda _: raised(tomllib.loads, "a = "), "it is no TOML: see "),
        (lambda _: raised(b"ab\xff".decode), "its byte 2 is no UTF-8 text; save it as UTF-8"),
        (lambda _: raised(msgpack.unpackb, b"\x93\x01"), "it promises more than there is"),
        (lambda _: raised(msgpack.unpackb, b"\x01\x02"), "something follows after its end"),
        (lambda _: raised(unpack, b"\xc1"), ""),
        (lambda _: raised(zlib.decompress, b"no"), "its packed bytes are damaged"),
        (lambda here: raised(sqlite3.connect, here / "no" / "such"), "it cannot be opened"),
        (lambda here: locked(here / "a.db"), "another program is writing it; try again when that is done"),
    ],
)
def test_what_libraries_raise_is_told_in_our_words(make: Any, said: Any, tmp_path: Path) -> None:
    told = plainly(make(tmp_path))
    assert told.startswith(said) and told and not THEIRS.search(told), told


HUB = [  # what transformers 5 and huggingface_hub raise, and what it means
    (
        OSError("We couldn't connect to 'https://hub' to load the files, and couldn't find them"),
        "hub",
    ),
    (OSError("x is not a local folder and is not a valid model identifier listed on"), "no such folder here"),
    (OSError("Repo id must use alphanumeric chars, '-', '_' or '.'. The name cannot start"), "no such folder here"),
    (
        OSError("You are trying to access a gated repo. Make sure to have"),
        "its owner gives it to those",
    ),
    (OSError("m does not appear to have a file named config.json. Checkout 'https://"), "it has no config.json"),
    (OSError("It looks like the config file at 'm/config.json' is not a valid JSON file."), "config.json is no JSON"),
    (
        ValueError("Unrecognized model in m. Should have a `model_type` key in its config.json."),
        "installed transformers",
    ),
    (ValueError("Unrecognized configuration class <class 'X'> for this kind of AutoModel"), "another kind"),
    (ValueError("Couldn't instantiate the backend tokenizer from one of: (1)"), "its tokenizer's files"),
    (type("SafetensorError", (Exception,), {})("Error while deserializing header: incomplete metadata"), "cut off"),
    (RuntimeError("something\nnobody has seen"), "it cannot be read (RuntimeError)"),
]


@pytest.mark.parametrize(("error", "said"), HUB)
def test_why_a_model_cannot_be_loaded_is_told_in_our_words(error: Any, said: Any) -> None:
    told = why_not(error)
    assert said in told and "\n" not in told and "http" not in told and len(told) < 100


DUCKDB = [
    "SELECT 'x'::INTEGER",
    "SELECT 9223372036854775807 + 1",
    "SELECT nothing",
    "SELEC",
    "FROM read_csv('not there')",
    "SELECT sum(x)::BIGINT FROM (VALUES (9223372036854775807), (9223372036854775807)) AS t (x)",
]


@pytest.mark.parametrize("query", DUCKDB)
def test_what_duckdb_raises_is_told_in_our_words(query: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    from takt.stations.flightdesk.situation.files import in_our_words

    with pytest.raises(TaktError) as caught, in_our_words([Path("x.csv")]):
        duckdb.connect().execute(query)
    told = str(caught.value)
    assert told.startswith("cannot make a board of x.csv: ") and len(told) < 100
    assert not re.search("error|exception|binder|catalog|parser|cast|candidate|line 1|select", told, re.IGNORECASE), (
        told
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_shift("gym", "idle", units=1, station_options={"id": "CartPole-v1", "takt_s": 0.5}, ledger="a.takt")
    Path("no.takt").write_bytes(Path("a.takt").read_bytes()[:4096] + b"\xff" * 4096)
    with sqlite3.connect("json.takt") as copy, sqlite3.connect("a.takt") as book:
        book.backup(copy)
        copy.execute("UPDATE meta SET value = '{' WHERE key = 'options'")
    with sqlite3.connect("text.takt") as copy, sqlite3.connect("a.takt") as book:
        book.backup(copy)
        copy.execute("UPDATE events SET data = CAST(x'ff' AS TEXT)")
    Path("defaults.toml").write_text("= 1")
    Path("quote.csv").write_text('date,origin,dest,sched_dep_time\n2026-01-01,"A,B,600\n')
    Path("bad.zip").write_bytes(b"PK\x03\x04 and no more")
    Path("bad.csv.gz").write_bytes(b"\x1f\x8b\x08 and no more")
    Path("latin.csv").write_bytes("date,origin,dest,sched_dep_time\n2026-01-01,Zürich,B,600\n".encode("latin-1"))


IMPORT = "flightdesk import x --schedule s --aircraft a --bookings b --from 2026-01-07T15:00Z --to 2026-01-08T15:00Z"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "run",
            "run gym",
            "run gym --worker",
            "run gym --worker idle --units x",
            "run gym --wrker idle",
            "rn",
            "kpis",
        ),
        *("kpis a.takt b", "kpis a.takt --json=3", "serve-policy x --port 99999", "flightdesk baseline x --by foo"),
        *("run gym --worker idle --hours ten", "compare --alpha x", "flightdesk", "flightdesk foo", "-x", "ledger foo"),
        *("kpis no.takt", "kpis json.takt", "kpis text.takt", "ledger events text.takt", "resume json.takt"),
        *(f"{IMPORT} --defaults defaults.toml", "flightdesk situation quote.csv", "flightdesk situation latin.csv"),
        *("flightdesk situation bad.zip", "flightdesk situation bad.csv.gz", "flightdesk situation a.takt"),
        "run gym --worker idle --units 1 -o id=CartPole-v1 -o takt_s=x",
        "run flightdesk --worker llm -w model=m -w base_url=http:// --units 1",
        "train flightdesk --model x --out y --data a.takt",
    ],
)
def test_a_wrong_command_line_or_file_is_one_line_in_our_words(
    line: Any, here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("takt: ") and err.count("\n") == 1, err
    assert not THEIRS.search(err), err


def test_a_near_miss_is_answered_with_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    for line, meant in {
        "run gym --wrker idle": "did you mean --worker?",
        "kpsi a.takt": "did you mean kpis?",
        "flightdesk recove x": "did you mean recover?",
        "flightdesk baseline x --by do-nothin": "did you mean do-nothing?",
    }.items():
        assert main(line.split()) == 2 and meant in capsys.readouterr().err
