"""`takt mine`: light until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def mine(
    repository: Annotated[Path, typer.Argument(metavar="REPO", help="A local git repository, bare or not.")],
    out: Annotated[Path, typer.Option("--out", help="The folder that is made, for `-o tickets=`.", show_default=False)],
    since: Annotated[
        str | None,
        typer.Option(
            help="Only commits after this commit, tag or branch, or this day (2026-01-31).", show_default=False
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(min=1, max=10_000_000, help="At most so many of the newest commits.", show_default=False),
    ] = None,
    python: Annotated[
        str, typer.Option(help="The Python for tests: of a virtual environment that has what they need.")
    ] = "python3",
    install: Annotated[
        str | None,
        typer.Option(
            help="A command to run in each commit's tree, in the sandbox, before its tests.", show_default=False
        ),
    ] = None,
    root: Annotated[
        str,
        typer.Option(
            help="The folder of the repository that holds the package and its tests, if not its top: backend.",
            show_default=False,
        ),
    ] = "",
    suite: Annotated[
        str,
        typer.Option(
            help="Which test files an inspection runs: `touched` (those that tickets change), `all`, or `auto`: all, "
            "unless they take more than a minute."
        ),
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make tickets for the code desk of a repository's own history.

    takt mine ~/src/project --out tickets --python ~/src/project/.venv/bin/python
    """
    import json
    import sys

    from takt.cli.working import left_by_signal
    from takt.errors import TaktError
    from takt.printable import printable
    from takt.stations.codedesk.mining.found import write
    from takt.stations.codedesk.mining.kept import SUFFIX
    from takt.stations.codedesk.mining.mine import mine as mined
    from takt.stations.codedesk.mining.owning import SUITES

    which = next((one for one in SUITES if one == suite), None)
    if which is None:
        raise TaktError(f"--suite is one of {', '.join(SUITES)}, not {printable(suite)[:100]!r}")
    if out.exists():
        raise TaktError(f"{out} is there already; name a new folder")

    def told(done: int, of: int, what: str) -> None:
        print(f"{done}/{of} {printable(what)[:240]}", file=sys.stderr, flush=True)

    kept = out.parent / f"{out.name}{SUFFIX}"
    goes_on = f"; the same command goes on with what {printable(str(kept))} keeps"
    with left_by_signal(lambda: f"interrupted{goes_on if kept.exists() else ''}"):
        found = mined(repository, since, most, python, install, told, root=root, suite=which, kept=kept)
    try:
        write(found, out)
    finally:
        if out.exists() or not found.tickets:
            kept.unlink(missing_ok=True)
    if as_json:
        print(
            json.dumps(
                {
                    "tickets": len(found.tickets),
                    "commits": found.commits,
                    "rejected": found.counts(),
                    "suite": found.suite,
                    "tests": dict(zip(("tickets", "repository"), found.owned(), strict=True)),
                    "left_out": sum(map(len, found.left_out.values())),
                    "seconds": round(found.seconds, 1),
                    "out": str(out),
                }
            )
        )
        return
    print(
        f"{out}: {len(found.tickets)} tickets of {found.commits} commits of {printable(found.name)}, "
        f"in {found.seconds:.0f} s"
    )
    print("  suite: {}; {} tests are tickets', {} the repository's".format(found.suite, *found.owned()))
    if left := sum(map(len, found.left_out.values())):
        print(
            f"  {left} tests, or whole files, of tickets' own are left out: with the commit they fail here, or at times"
        )
    for reason, count in found.counts().items():
        print(f"  {count:4} {reason}")
    print(f"what was rejected, commit by commit: {out / 'rejected.json'}")
    print(f"takt run codedesk -o tickets={out} --worker reference --units {len(found.tickets)}")
