"""The andon board: ledgers in a browser, while they are written and after. `takt board`; docs/board.md.

It only reads. What it shows is a pure function of the ledgers (`takt.show.view`), so it can be killed, started again or
run twice, and a page of a shift is the same whether that runs, was killed and gone on with, or is over.
"""
