"""The ledger: a shift's events in order, on disk, and what guards it. Every figure of a shift is derived from one."""

from takt.ledger.sqlite import DEFINITION as DEFINITION
from takt.ledger.sqlite import Ledger as Ledger
from takt.ledger.sqlite import canonical as canonical
from takt.ledger.sqlite import spelled as spelled
