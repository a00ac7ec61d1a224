"""The ledger: a shift's events in order, on disk, and what guards it. Every figure of a shift is derived from one."""

from typing import TYPE_CHECKING

from takt.late import late
from takt.ledger.canonical import DEFINITION as DEFINITION
from takt.ledger.canonical import canonical as canonical  # at once: the module of that name would hide it
from takt.ledger.canonical import digest_of as digest_of
from takt.ledger.canonical import spelled as spelled

if TYPE_CHECKING:
    from takt.ledger.base import Cursor as Cursor
    from takt.ledger.base import News as News
    from takt.ledger.base import Running as Running
    from takt.ledger.book import Ledger as Ledger

__getattr__ = late(__name__, {"base": "Cursor News Running", "book": "Ledger"})
