"""What can be asked for in the family `inventory`."""

from __future__ import annotations

from random import Random
from typing import Any

from takt.stations.codedesk.families.inventory.corners import closed, kit_of, undone, worth
from takt.stations.codedesk.families.inventory.draws import (
    attempts,
    busiest_fast,
    checked,
    differences,
    figures,
    levels,
    mixed,
    numbers,
    of,
    pick,
    read,
    top,
    trail,
    write,
)
from takt.stations.codedesk.families.offers import Change, Defect, Feature
from takt.stations.codedesk.families.state import State

MOVES, STORE, REPORTS, PLANNING, TEXT, INIT = (
    f"{{pkg}}/{name}.py" for name in ("moves", "store", "reports", "planning", "text", "__init__")
)


def _brought(*needs: str, without: str = "") -> Any:
    """A defect comes only where other features are there, and another defect is not."""
    return lambda state, defect: set(needs) <= set(state.on) and without not in state.wrong


FEATURES: tuple[Feature, ...] = (
    Feature("transfer", "From one place to another: `{v_move}`", "We write an {v_out} and an {v_in} for every trolley.", ("`[\"{v_move}\", item, place, to, quantity]` takes pieces from the one place, as `{v_out}` does, and puts as many as it took at the other. The two may be the same place; then nothing changes.",),
            mixed((0.75, levels("transfer")), (0.25, worth("transfer"))), files=(MOVES, STORE), area="moves"),
    Feature("counts", "Stocktaking: `{v_count}`", "After counting, the numbers must be put right.", ("`[\"{v_count}\", item, place, quantity]` says how many there are from now on; 0 is a quantity here.",), levels("counts"), files=(MOVES, STORE), area="moves",
            brings={"count_zero": 0.5}),
    Feature("holding", "Pieces that are spoken for: `{v_hold}` and `{v_free}`", "Somebody else always ships what I have promised.",
            ("`[\"{v_hold}\", item, place, quantity]` reserves pieces: only so many as are there and not reserved yet, otherwise {e_short}. `[\"{v_free}\", item, place, quantity]` gives them free again; more than are reserved is {e_short}.",
             "Reserved pieces are still there, but no move takes them. Counting fewer than are reserved, where pieces are counted, is {e_short}. These two move nothing: a place need not be open for them.", "`{pkg}.available(moves)` is like `{levels}`, of the pieces that are not reserved."),
            mixed((0.6, levels("holding", "transfer", "counts")), (0.4, of("available", "holding"))), files=(MOVES, STORE, REPORTS, INIT), names=("{pkg}.available",), area="moves", reach=3, brings={"hold_move": 0.5},
            brings_if=_brought("transfer")),
    Feature("limits", "A place is full: `{v_limit}`", "They put forty crates on a shelf for ten.", ("`[\"{v_limit}\", place, quantity]` says how many pieces a place has room for, of all items together, from then on. A move that would put more there raises {e_full}, a new error of the package; so does a limit below what lies there. In a move within one place nothing is put there.",),
            levels("limits", "transfer", "counts"), files=(MOVES, STORE, "{pkg}/errors.py"), names=("{pkg}.{e_full}",), area="moves", reach=3, brings={"limit_move": 0.5}, brings_if=_brought("transfer")),
    Feature("packs", "Quantities in packs: `{v_pack}`", "Nobody counts screws one by one.", ("`[\"{v_pack}\", item, name, number]` says how many pieces a pack of that name has, for that item. From then on a quantity of a move of that item may be a text such as `\"3 box\"`: digits, one space, the name. What is no such text, or names a pack that the item does not have, raises {e_quantity}. `{v_pack}` itself, and limits, minimums and what is built are in pieces.",),
            levels("packs", "counts", "holding", bad=0.3), files=(MOVES, STORE), area="moves", reach=2),
    Feature("costs", "What it is worth: `value`", "The bank asks what lies in the store.", ("`{v_in}` may have a fifth field, what each piece costs: a whole number from 0, or {e_quantity}; without it a piece costs 0, as do pieces that are there only because they were counted.",
             "`{pkg}.value(moves)` is a dict of items and what all pieces of each that are there cost together; an item of which nothing is left is treated as in `{levels}`. Wherever pieces are taken, {costing_told} are taken first. Pieces that are moved keep their cost, and arrive in the order in which they left; a kit that is built costs what was taken for it, one kit after the other."),
            mixed((0.75, worth("transfer", "counts", "kits")), (0.25, levels())), files=(STORE, REPORTS, INIT), names=("{pkg}.value",), area="costs", reach=3, brings={"cost_lost": 0.6}, brings_if=_brought("transfer")),
    Feature("minimum", "What to order: `{v_least}` and `reorder`", "We notice that there are no bolts when there are no bolts.", ("`[\"{v_least}\", item, quantity]` says how many pieces of an item there ought to be, in all places together. `{pkg}.reorder(moves)` is a list of `[item, missing]`, by name, of those items of which there are fewer.",),
            of("reorder", "minimum"), files=(MOVES, STORE, PLANNING, INIT), names=("{pkg}.reorder",), area="planning", reach=3, brings={"reorder_equal": 0.5}),
    Feature("lots", "Orders in whole lots", "Our supplier sells caps by the dozen.", ("`{v_least}` may have a fourth field, the size of a lot (a whole number from 1): `reorder` then asks for whole lots, so many that enough are there.",), of("reorder", "minimum"), needs=("minimum",), files=(MOVES, STORE, PLANNING), area="planning", reach=2),
    Feature("kits", "Kits: `{v_kit}` and `{v_build}`", "A lamp is a cap, a socket and two screws.",
            ("`[\"{v_kit}\", name, parts]` says what an item is made of: `parts` is a dict of items and how many of each (whole numbers from 1, or {e_quantity}). It is not empty, and the item itself is none of them ({e_move}).",
             "`[\"{v_build}\", name, place, quantity]` takes the parts that lie at that place and puts so many kits there. Parts that are not there are {e_short}, whatever `{v_out}` does then; what is no kit is {e_move}."),
            mixed((0.65, levels("kits", "costs", bad=0.25)), (0.2, worth("kits")), (0.15, kit_of)), files=(MOVES, STORE), area="moves", reach=2),
    Feature("closing", "Places that are closed: `{v_close}` and `{v_open}`", "During stocktaking nobody may touch the yard.", ("`[\"{v_close}\", place]` closes a place until `[\"{v_open}\", place]`. A move that takes pieces from a closed place or puts some there raises {e_move}. It is no error to close or open a place twice.",),
            closed, files=(MOVES, STORE), area="moves", reach=2, brings={"close_to": 0.6}, brings_if=_brought("transfer")),
    Feature("undo", "Taking back: `{v_undo}`", "I typed 90 for 9.", ("`[\"{v_undo}\"]` takes back the last move that has not been taken back; two of them take back two. Moves that are taken back are left out before anything else is looked at, so that they may be wrong; all others keep their numbers. Where there is nothing to take back, or `{v_undo}` has further fields, every function raises {e_move}.",),
            undone, files=(MOVES, STORE), area="moves", reach=2, brings={"undo_twice": 0.5}),
    Feature("attempt", "As far as it goes: `attempt`", "One wrong line, and the whole day is refused.", ("`{pkg}.attempt(moves)` is `[levels, refused]`: what `{levels}` gives for all moves that can be done, and a list of `[number, error]` of the others, with the number of the move, from 1, and the name of the error's class. A move that cannot be done changes nothing.",),
            attempts("transfer", "limits", "counts", "kits"), files=(STORE, INIT), names=("{pkg}.attempt",), area="attempt", reach=2, brings={"half_done": 0.6}, brings_if=_brought("transfer", "limits", without="limit_move")),
    Feature("trail", "The history of an item: `history`", "Who took the last gear?", ("`{pkg}.history(moves, item)` is a list of `[number, place, change, total]` for each place at which a move changed how many there are of the item, with the number of the move, from 1, the change, and how many there are in all places after it. A move from place to place has two rows, the first of the place that it takes from. What is built comes after its parts.",),
            trail("transfer", "counts", "kits"), files=(STORE, REPORTS, INIT), names=("{pkg}.history",), area="reports", reach=3),
    Feature("totals", "How many in all: `totals`", "I do not care where it lies.", ("`{pkg}.totals(moves)` is a dict of items and how many there are in all places together. An item of which nothing is left {zeros_told}.",), of("totals"), files=(REPORTS, INIT), names=("{pkg}.totals",), area="reports", reach=2),
    Feature("places", "How full the places are: `places`", "Where is room for a pallet?", ("`{pkg}.places(moves)` is a dict of places and how many pieces lie there, of all items together. A place where nothing is left {zeros_told}.",), of("places"), files=(REPORTS, INIT), names=("{pkg}.places",), area="reports", reach=2),
    Feature("gone", "What has run out: `gone`", "Which labels can we take off the shelves?", ("`{pkg}.gone(moves)` is a list of the items that were there once and of which nothing is left in any place, in the order of their names.",), of("gone", "counts"), files=(REPORTS, INIT), names=("{pkg}.gone",), area="reports", reach=2),
    Feature("differences", "What has changed: `differences`", "What is different from yesterday?", ("`{pkg}.differences(old, new)` is a dict of items, each a dict of places, of how many more (or fewer, below 0) there are by the new moves than by the old ones. What has not changed is left out.",), differences, files=(REPORTS, INIT), names=("{pkg}.differences",), area="reports", reach=2,
            brings={"difference_new": 0.5}),
    Feature("top", "What we have most of: `top`", "The ten biggest piles, please.", ("`{pkg}.top(moves, most)` is a list of `[item, total]` of at most so many items of which there are most, in all places together; of equal ones, those whose names come first. Items of which nothing is left are left out.",), top, files=(REPORTS, INIT), names=("{pkg}.top",), area="reports", reach=2,
            brings={"top_ties": 0.5}),
    Feature("busiest", "What is moved most often: `busiest`", "What should lie next to the door?", ("`{pkg}.busiest(moves)` is a list of `[item, times]`: how many of the moves name each item first, those named most often first, of equal ones by name. What only says something of an item or a place (a pack, a minimum, what a kit is made of) does not count. All moves must be such as can be done.",),
            of("busiest"), files=(REPORTS, INIT), names=("{pkg}.busiest",), area="reports", reach=2),
    Feature("busiest_fast", "`busiest` is slow", "`busiest` takes minutes at the end of the year.", ("`busiest` of twice as many moves of twice as many items may take about twice as many steps, not four times as many. What it gives stays as it is.",), busiest_fast, needs=("busiest",), kind="speed", files=(REPORTS,), area="speed", reach=1),
    Feature("pick", "Where to take it from: `pick`", "Six gears, and they lie in four places.", ("`{pkg}.pick(moves, item, pieces)` is a list of `[place, number]` that comes to so many pieces (a whole number from 1, or {e_quantity}), {pick_told}, from each as many as are there until it is enough. Reserved pieces, where there are such, are not taken. Too few in all is {e_short}.",),
            pick, files=(PLANNING, INIT), names=("{pkg}.pick",), area="planning", reach=2, brings={"pick_ties": 0.6}, brings_if=lambda state, _defect: state.facts["pick_by"] == "most"),
    Feature("text", "Moves from a file: `read`", "The scanner writes lines.", ("`{pkg}.read(text)` is the list of moves in a text, a line each, fields between `{sep}`, spaces around them do not count. A field of decimal digits 0 to 9, perhaps with `-` before them, is an `int`; all else is text. Empty lines, and those that begin with `#`, are left out. An empty field raises {e_move}. Whether such a move can be done is not looked at.",),
            read, files=(TEXT, INIT), names=("{pkg}.read",), area="text", reach=2, brings={"read_digits": 0.6}),
    Feature("writing", "Moves into a file: `write`", "And back again, please.", ("`{pkg}.write(moves)` is a text that `read` reads as the same moves: a line each, ended by a new line, with ` {sep} ` between fields. A move that cannot be written so that it is read again as it is raises {e_move}: one without fields, or with a field that is neither text nor `int` (truths are not), an empty text, one with `{sep}` or a new line in it or with spaces at its ends, one that would be read as a number, a first field that begins with `#`.",),
            write, needs=("text",), files=(TEXT, INIT), names=("{pkg}.write",), area="text", reach=2),
    Feature("figures", "Figures", "We need other numbers every month.", ("`{pkg}.figure(name, value)` is what a figure makes of a value. There is one so far: `half`, a whole number halved, rounded down. A figure that there is not raises {e_move}, a value of another kind {e_quantity} (a truth is no number). "
             "They are registered by `register(name, kind)` in a new module `{pkg}.library`, which stands above a function and gives it back.",), figures, files=("{pkg}/library.py", INIT), names=("{pkg}.figure",), area="library", reach=2),
    Feature("checks", "A place for what is checked", "Quantities are checked in several places, each a little differently.", ("Checks of quantities move to a new module `{pkg}.checks`: `quantity(value, least)` returns the value if it is a whole number (no truth) of at least `least`, and raises {e_quantity} otherwise. All else stays as it is.",), checked, kind="refactoring", files=(MOVES, "{pkg}/checks.py"), names=("{pkg}.checks",), area="checks", reach=2),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    Defect("count_zero", "Nothing cannot be counted", "A shelf that is empty cannot be counted: it says that 0 is no quantity.", ("0 is a quantity of `{v_count}`.",), levels("counts"), files=(STORE,)),
    Defect("hold_move", "`{v_move}` takes what is reserved", "My gears were reserved, and now they are in the yard.", ("No move takes reserved pieces, `{v_move}` neither.",), levels("holding", "transfer"), files=(STORE,)),
    Defect("limit_move", "`{v_move}` knows no limit", "The trolley put more on the shelf than it has room for.", ("`{v_move}` raises {e_full} where it would put more at a place than there is room for.",), levels("limits", "transfer"), files=(STORE,)),
    Defect("cost_lost", "What is moved is worth nothing", "Since we moved to the yard the bolts are worth 0.", ("Pieces that are moved keep their cost.",), of("value", "transfer"), files=(STORE,)),
    Defect("reorder_equal", "`reorder` lists what there is enough of", "The list of what to order has rows with 0, and below.", ("An item of which there are enough is not in the list of `reorder`.",), of("reorder", "minimum"), files=(PLANNING,)),
    Defect("close_to", "Closed places are filled", "The yard is closed, and still things arrive there.", ("`{v_move}` to a closed place raises {e_move}.",), levels("closing", "transfer"), files=(STORE,)),
    Defect("undo_twice", "Two `{v_undo}` take back one move", "I took back twice, and only one was gone.", ("Each `{v_undo}` takes back the last move that has not been taken back; where there is none it is {e_move}.",), undone, files=(MOVES,)),
    Defect("half_done", "`attempt` loses pieces", "After a `{v_move}` to a full place the pieces are nowhere.", ("A move that cannot be done changes nothing.",), attempts("transfer", "limits"), files=(STORE,)),
    Defect("difference_new", "`differences` misses what is gone", "What was sold out is not among the differences.", ("Items and places that only the old moves have are in `differences` as well.",), differences, files=(REPORTS,)),
    Defect("top_ties", "`top` shuffles equal ones", "Two piles of the same size, in the wrong order.", ("Of equal items, `top` has those first whose names come first.",), top, files=(REPORTS,)),
    Defect("pick_ties", "`pick` starts at the far end", "Of two places with the same number it picks the wrong one.", ("Of places where there are equally many, `pick` takes from those first whose names come first.",), pick, files=(PLANNING,)),
    Defect("read_digits", "`read` stops at odd digits", "An item called ² ends in Python's own error.", ("Numbers are of the digits 0 to 9 only; digits of other scripts, and raised ones, are texts.",), read, files=(TEXT,)),
)  # fmt: skip


def _other(name: str, *values: str) -> Any:
    return lambda state, stream: {name: stream.choice([one for one in values if one != state.facts[name]])}


def _if(feature: str, name: str, *values: str) -> Any:
    def to(state: State, stream: Random) -> Any:
        return _other(name, *values)(state, stream) if state.has(feature) else None

    return to


CHANGES: tuple[Change, ...] = (
    Change("short", "When there is not enough", "What happens when there is not enough is settled anew.", ("Where a move is to take more than is there (and not reserved): {short_told}, from now on.",), _other("short", "error", "rest"), levels("transfer"), files=(STORE,), reach=1),
    Change("zeros", "What is used up", "Lists of what is used up are read otherwise.", ("An item at a place where it was once and is no longer {zeros_told} from now on, in `{levels}` and wherever numbers of items or places are given as a dict (but not in differences).",),
           lambda st, s: {"zeros": not st.facts["zeros"]}, mixed((0.6, levels("counts", bad=0.0)), (0.4, numbers)), files=(REPORTS,), reach=1),
    Change("costing", "Which pieces are taken first", "The tax office wants the other way.", ("Wherever pieces are taken, {costing_told} are taken first, from now on.",), _if("costs", "costing", "oldest", "newest"), of("value", "transfer"), files=(STORE,), reach=1),
    Change("pick", "The order of `pick`", "The order in which we walk is settled anew.", ("`pick` takes {pick_told}, from now on.",), lambda st, s: None if st.wrong & {"pick_ties"} or not st.has("pick") else {"pick_by": "name" if st.facts["pick_by"] == "most" else "most"}, pick, files=(PLANNING,), reach=1),
    Change("verb", "`{old_v_out}` is called `{v_out}`", "The warehouse has other words.", ("The move `{old_v_out}` is called `{v_out}` from now on; `{old_v_out}` is no move any more.",), _other("v_out", "out", "ship", "take", "issue"), levels(), files=(MOVES,), reach=1),
    Change("sep", "Fields between `{sep}`", "The new scanner writes otherwise.", ("Fields of a line are between `{sep}` from now on; `{old_sep}` is a character like any other.",), _if("text", "sep", ",", ";", "|"), mixed((0.6, read), (0.4, write)), files=(TEXT,), reach=1),
)  # fmt: skip
