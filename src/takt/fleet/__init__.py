"""Fleets: many shifts, on as many processes or machines as there are, none worked twice, none lost.

    toml.py       fleet.toml -> a plan, checked whole          plan.py      what a plan is
    identity.py   what a shift is, as a hash                   secret.py    what must not stand in a plan
    child.py      a process that works shifts                  local.py     such processes on this machine
    crew.py       retries of machine faults, and only these    drive.py     the plan, worked until it is done
    record.py     a shift in one line                          notes.py     those lines, kept beside the ledgers
    text.py       values of a plan as TOML                     beside.py    tables, kept up to date meanwhile
    arms.py       the verdict of an arm                        together.py  many arms against each other
    looks.py      the looks at it, shift by shift              claim.py     one shift, one process
    spending.py   what has been used of budgets                standing.py  how a fleet stands, arm by arm
    found.py      what is there of a plan's shifts             made.py      a plan as it was worked, to look at

Only ledgers count. All else in a fleet's folder is derived from them, and made again if it is lost.
"""
