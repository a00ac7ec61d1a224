"""Claimed, verified, signed: what stands behind the figures of a ledger that somebody sent."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from takt import Ledger, TaktError, run_shift
from takt.cli import main
from takt.ledger.signature import known_signers, looked_at, message
from takt.ledger.signature import sign as signed
from takt.shift.verification import verify

CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own folders."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=4, seed=1, station_options=CART, ledger=path)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Any:
    made = Ed25519PrivateKey.generate()
    path = tmp_path / "id"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (tmp_path / "config" / "takt").mkdir(parents=True)
    (tmp_path / "config" / "takt" / "signers").write_text(f"# mine\nrather@odd line\nada@plant {public} ada\n")
    return path


def altered(path: Any, *statements: Any) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()


def test_a_shift_that_comes_out_the_same_is_verified_and_reports_say_so(
    ledger: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(ledger), "--no-pictures"]) == 0
    assert "claimed, not verified here" in ledger.with_suffix(".html").read_text()
    assert main(["verify", str(ledger)]) == 0
    assert "claimed: --work-again" in capsys.readouterr().out
    assert main(["verify", str(ledger), "--work-again", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is True and told["good"] is True and told["wrong"] == []
    assert main(["report", str(ledger), "--no-pictures"]) == 0
    assert "verified: worked again here on" in ledger.with_suffix(".html").read_text()
    assert main(["verify", str(ledger)]) == 0
    out = capsys.readouterr().out
    assert "verified: worked again here on" in out and "claimed" not in out, "as the report says, without working again"


def test_figures_that_were_made_up_are_found_out(ledger: Any, capsys: pytest.CaptureFixture[str]) -> None:
    altered(ledger, "UPDATE events SET kind = 'unit_bad' WHERE kind = 'unit_good' AND unit = 2")
    assert main(["verify", str(ledger)]) == 0, "nothing is wrong with it, as far as can be seen"
    assert main(["verify", str(ledger), "--work-again"]) == 2
    out, err = capsys.readouterr()
    assert "not as claimed" in out and "it differs from event" in err
    assert main(["report", str(ledger), "--no-pictures"]) == 0
    assert "claimed, not verified here" in ledger.with_suffix(".html").read_text()


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("DELETE FROM events WHERE kind = 'shift_started'", "does not begin with shift_started"),
        ("UPDATE meta SET value = '7' WHERE key = 'seed'", "its meta and its first event differ in seed"),
        ("UPDATE events SET t_s = 0 WHERE kind = 'shift_ended'", "time goes back"),
        ("UPDATE events SET unit = 0 WHERE kind = 'unit_good'", "a unit ended twice"),
        ("UPDATE events SET kind = 'x' WHERE kind = 'unit_due'", "a unit ended that never fell due"),
        ("UPDATE meta SET value = '0.0001' WHERE key = 'hours'", "its meta and its first event differ in hours"),
        ("UPDATE snapshots SET seq = seq + 9999", "a snapshot is from after the end"),
        ("UPDATE snapshots SET state = x'00'", "a snapshot that"),
        (
            "INSERT INTO events SELECT max(seq) + 1, max(t_s), 'unit_due', 9, '{}' FROM events",
            "it goes on after its end",
        ),
    ],
)
def test_what_cannot_be_in_a_shift_is_named(
    ledger: Any, capsys: pytest.CaptureFixture[str], statement: Any, line: Any
) -> None:
    altered(ledger, statement)
    assert main(["verify", str(ledger)]) == 2
    assert line in capsys.readouterr().err


def test_a_worker_by_import_is_verified_only_if_it_is_named_again(
    ledger: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(ledger, "UPDATE meta SET value = '\"subprocess:Popen\"' WHERE key = 'worker'")
    assert main(["verify", str(ledger), "--work-again"]) == 2
    assert "name it again" in capsys.readouterr().err


# --- signatures -------------------------------------------------------------------------------------------------------


def test_a_signed_ledger_says_who_made_it(ledger: Any, key: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(ledger) as book:
        digest = book.digest()
    assert main(["sign", str(ledger), "--key", str(key)]) == 0
    assert main(["verify", str(ledger), "--work-again"]) == 0
    assert "signed by ada@plant (SHA256:" in " ".join(capsys.readouterr().out.split())
    with Ledger.open(ledger) as book:
        assert book.digest() == digest, "a signature is no part of the shift"
    assert main(["report", str(ledger), "--no-pictures"]) == 0
    assert "signed by ada@plant" in ledger.with_suffix(".html").read_text()
    shutil.copy(ledger, ledger.with_name("b.takt"))
    altered(ledger.with_name("b.takt"), "UPDATE meta SET value = replace(value, '\"a\"', '\"b\"')")
    assert main(["compare", str(ledger), str(ledger.with_name("b.takt"))]) in (0, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET kind = 'unit_bad' WHERE kind = 'unit_good' AND unit = 2",
        "UPDATE events SET t_s = t_s + 0.25 WHERE unit = 2",
        "UPDATE meta SET value = '\"yesterday\"' WHERE key = 'begun_utc'",
        "UPDATE snapshots SET state = (SELECT state FROM snapshots ORDER BY seq LIMIT 1)",
        "DELETE FROM snapshots WHERE unit = 2",
        "INSERT INTO meta VALUES ('more', '1')",
    ],
)
def test_whatever_is_changed_the_signature_is_of_another_ledger(
    ledger: Any, key: Any, capsys: pytest.CaptureFixture[str], statement: Any
) -> None:
    assert main(["sign", str(ledger), "--key", str(key)]) == 0
    altered(ledger, statement)
    assert main(["verify", str(ledger)]) == 2
    assert "a signature that is not of this ledger" in capsys.readouterr().err


def test_a_signature_of_a_key_that_nobody_knows_is_said_to_be(ledger: Any, key: Any, tmp_path: Path) -> None:
    with Ledger.open(ledger) as book:
        seal = book.seal()
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "other").write_bytes(other)
    found = looked_at(signed(seal, tmp_path / "other"), seal, known_signers())
    assert found.good and found.name == "" and "a key that is not known here" in str(found)
    for junk in ("", "x", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"):
        assert looked_at(junk, seal, {}).good is False


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not here")
def test_openssh_reads_our_signatures_and_we_read_its(ledger: Any, key: Any, tmp_path: Path) -> None:
    with Ledger.open(ledger) as book:
        seal = book.seal()
    (tmp_path / "a.sig").write_text(signed(seal, key))
    signers = tmp_path / "config" / "takt" / "signers"
    names = ["-I", "ada@plant", "-n", "takt-ledger"]
    signers.write_text("".join(line for line in signers.open() if line.startswith("ada")))
    check = ["ssh-keygen", "-Y", "verify", "-f", str(signers), *names, "-s", str(tmp_path / "a.sig")]
    told = subprocess.run(check, input=message(seal), capture_output=True)
    assert told.returncode == 0, told.stderr
    (tmp_path / "message").write_bytes(message(seal))
    key.chmod(0o600)
    make = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "takt-ledger", str(tmp_path / "message")]
    subprocess.run(make, check=True, capture_output=True)
    assert looked_at((tmp_path / "message.sig").read_text(), seal, known_signers()).name == "ada@plant"


def test_what_cannot_be_signed_or_signed_with_is_one_line(
    ledger: Any, key: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"hush")
    )
    (tmp_path / "locked").write_bytes(locked)
    (tmp_path / "text").write_text("no key")
    for name, line in (("none", "cannot read the key"), ("text", "no private key"), ("locked", "has a passphrase")):
        assert main(["sign", str(ledger), "--key", str(tmp_path / name)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and line in err
    with Ledger.open(ledger) as book:
        seal = book.seal()
    assert signed(seal, tmp_path / "locked", b"hush")
    altered(ledger, "DELETE FROM events WHERE kind = 'shift_ended'")
    assert main(["sign", str(ledger), "--key", str(key)]) == 2
    assert "has not ended" in capsys.readouterr().err


def test_what_was_verified_is_believed_only_from_a_folder_of_ones_own(ledger: Any, tmp_path: Path) -> None:
    assert verify(ledger, work_again=True).same
    folder = tmp_path / "state" / "takt" / "verified"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert main(["report", str(ledger), "--no-pictures"]) == 0
    assert "claimed, not verified here" in ledger.with_suffix(".html").read_text()
    with pytest.raises(TaktError, match="others can write"):
        verify(ledger, work_again=True)
