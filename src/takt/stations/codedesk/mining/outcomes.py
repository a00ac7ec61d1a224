"""What a run of a commit's tests came to: which of them are lost, and why a commit is no ticket, in a line."""

from __future__ import annotations

from takt.stations.codedesk.judging import Inspection

MOST_DETAIL = 200  # characters
EGG_INFO = (
    "its metadata could not be made of what its files say; with setuptools in that Python, so they are: "
    """--install 'python3 -c "import setuptools; setuptools.setup()" -q egg_info'"""
)
ELSEWHERE = "if that comes from elsewhere: --python names the Python of an environment that has what the tests need"


def ended(after: Inspection) -> tuple[str, str]:
    message = after.tampered or after.build or after.message
    if after.message.endswith("ended by their limit: time"):
        return "takes too long", after.message
    where = next(iter([*after.failed, *(node for nodes in after.broken.values() for node in nodes)]), "")
    where = "" if after.tampered else where.removesuffix("::?")
    asks = f"; {EGG_INFO}" if "PackageNotFoundError" in message else ""
    asks = asks or (f"; {ELSEWHERE}" if "No module named" in message else "")
    return "fails after", in_short(message, where) + asks


def in_short(message: str, where: str = "") -> str:
    """What went wrong, in a line of some 200 characters: of pytest's report its lines that say so (`E`), of anything
    else the end, and before it the test or file where, if that is not named there."""
    errors = [line[1:].strip() for line in message.splitlines() if line[:2] in ("E ", "E\t")]
    said = " ".join(" ".join(errors or [message]).split())
    if len(said) > MOST_DETAIL and errors:
        said = said[:MOST_DETAIL].rpartition(" ")[0] + " ..."
    elif len(said) > MOST_DETAIL:
        said = "... " + said[-MOST_DETAIL:].partition(" ")[2]
    return ": ".join(one for one in ("" if where in said else where, said) if one)
