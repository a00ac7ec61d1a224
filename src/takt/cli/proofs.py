"""takt verify, sign: what stands behind a ledger."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.app import app
from takt.cli.options import Again, AgainStation, Json, ShiftPath, Trust, named_again
from takt.cli.printing import print_json, quiet
from takt.errors import TaktError
from takt.program import complain
from takt.show import terminal


@app.command()
def verify(
    path: ShiftPath,
    work_again: Annotated[
        bool, typer.Option("--work-again", help="Work the shift once more and see that it comes out the same.")
    ] = False,
    signers: Annotated[
        Path | None, typer.Option(help="Whose keys are whose, as OpenSSH's allowed signers.", show_default="yours")
    ] = None,
    worker: Again = None,
    option: AgainStation = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Say what stands behind a ledger: structure, digest, signatures; with --work-again, whether it happened so.

    takt verify shifts/theirs.takt --work-again
    """
    from takt.shift.verification import verify as verified
    from takt.show.screen import verification_table

    with quiet(as_json):
        found = verified(path, work_again=work_again, signers=signers, named=named_again(worker, None, option, trust))
    if as_json:
        told = {**asdict(found), "good": found.good, "signatures": [str(one) for one in found.signatures]}
        print_json({"ledger": str(path), **told})
    else:
        terminal.out().print(verification_table(found))
    for line in [*found.wrong, *(str(one) for one in found.signatures if one.good is False)]:
        complain(f"{path}: {line}")
    if found.same is False:
        complain(f"not the shift that {path} says: it differs from event {found.differs} on")
    if not found.good:
        raise typer.Exit(2)


@app.command()
def sign(
    path: ShiftPath,
    key: Annotated[Path, typer.Option(help="Your private key, as ssh-keygen -t ed25519 makes it.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Sign a finished ledger with your SSH key (Ed25519), so that it says who made it.

    takt sign shifts/mine.takt --key ~/.ssh/id_ed25519
    """
    from takt.ledger import Ledger
    from takt.ledger.signature import Locked, known_signers, looked_at
    from takt.ledger.signature import sign as signed

    with Ledger.open(path) as book:
        seal = book.seal()
    try:
        made = signed(seal, key)
    except Locked:
        if not sys.stdin.isatty():
            raise
        made = signed(seal, key, typer.prompt("Passphrase", hide_input=True, err=True).encode())
    with Ledger.resume(path) as book:
        if book.seal() != seal:
            raise TaktError(f"{path} has just changed; sign it again")
        book.signed(made)
    told = looked_at(made, seal, known_signers())
    if as_json:
        print_json({"ledger": str(path), "key": told.key})
    else:
        print(f"signed: {path} ({told.key})")
