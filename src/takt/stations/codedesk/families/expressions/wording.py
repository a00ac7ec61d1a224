"""What a ticket of the family `expressions` says in words: what is used, reserved and compared, and how."""

from __future__ import annotations

from dataclasses import replace

from takt.stations.codedesk.families.expressions.library import BY_KEY
from takt.stations.codedesk.families.state import State


def symbols_of(state: State) -> list[str]:
    facts = state.facts
    on = state.has
    found = {"+", "-", "*", "/", "(", ")", ","}
    pairs = [
        ("modulo", facts["modulo"]), ("power", facts["power"]), ("concat", facts["concat"]), ("pipe", facts["pipe"]), ("range", facts["range_symbol"]),
        ("let", facts["let_sign"]), ("let", facts["let_in"]), ("lambdas", facts["fn_sign"]), ("coalesce", "??"), ("lists", "["), ("lists", "]"), ("slices", ":"),
    ] + [("logic", facts[name]) for name in ("and_", "or_", "not_")] + [("compare", one) for one in (facts["eq"], facts["ne"], "<", "<=", ">", ">=")]  # fmt: skip
    if facts["cond"] == "question":
        pairs += [("cond", "?"), ("cond", ":")]
    found |= {symbol for feature, symbol in pairs if on(feature) and not symbol.isalpha()}
    return sorted(found, key=lambda one: (-len(one), one))


def reserved_words(state: State) -> list[str]:
    facts = state.facts
    pairs = [
        ("modulo", facts["modulo"]), ("range", facts["range_symbol"]), ("let", facts["let_word"]), ("let", facts["let_in"]), ("lambdas", facts["fn_word"]),
        ("membership", facts["member"]), *(("logic", facts[name]) for name in ("and_", "or_", "not_", "true_", "false_")),
    ]  # fmt: skip
    if facts["cond"] == "words":
        pairs += [("cond", one) for one in ("if", "then", "else")]
    return sorted({word for feature, word in pairs if state.has(feature) and word.isalpha()})


def comparisons_of(state: State) -> list[str]:
    facts = state.facts
    return [facts["eq"], facts["ne"], "<", "<=", ">", ">=", *([facts["member"]] if state.has("membership") else [])]


def _table(state: State) -> list[tuple[str, int, str]]:
    facts = state.facts
    rows = [("+", 8, ""), ("-", 8, ""), ("*", 9, ""), ("/", 9, "")]
    for feature, symbol, level in (
        ("pipe", facts["pipe"], 1), ("coalesce", "??", 2), ("logic", facts["or_"], 3), ("logic", facts["and_"], 4), ("range", facts["range_symbol"], 7),
        ("concat", facts["concat"], 8), ("modulo", facts["modulo"], 9), ("power", facts["power"], facts["pow_level"]),
    ):  # fmt: skip
        if state.has(feature) and symbol != "+":
            rows.append((symbol, level, ""))
    if state.has("compare"):
        rows += [(one, 6, "") for one in comparisons_of(state)]
    return sorted(rows, key=lambda row: row[1])


def rows_of(state: State) -> list[list[str]]:
    """Operators by level, the loosest first, with the signs in front of one operand."""
    facts = state.facts
    table = [(symbol, level) for symbol, level, _ in _table(state)] + [("sign -", facts["neg_level"])]
    if state.has("logic"):
        table.append(("sign not", 5))
    return [[symbol for symbol, one in table if one == level] for level in sorted({level for _, level in table})]


def nodes_used(state: State) -> list[str]:
    names = ["Binary", "Call", "Literal", "Name", "Negative"]
    for feature, more in (
        ("logic", ["Not"]), ("cond", ["Choice"]), ("lists", ["Items", "Index"]), ("slices", ["Slice"]), ("let", ["Let"]), ("lambdas", ["Lambda"]),
    ):  # fmt: skip
        if state.has(feature):
            names += more
    if state.has("compare") and state.facts["chain"] == "all":
        names.append("Chain")
    return sorted(names)


def values_used(state: State) -> list[str]:
    names = {"need"}
    if state.has("compare"):
        names |= {"before", "same"}
    if state.has("membership"):
        names |= {"key_of"}
    if (state.has("membership") and state.has("strings")) or (
        state.has("concat") and (state.has("lists") or state.facts["concat"] == "+")
    ):
        names |= {"kind_of"}
    if state.has("decimals"):
        names |= {"whole"}
    return sorted(names)


def errors_used(state: State) -> set[str]:
    facts = state.facts
    names = {facts["e_unknown"]}
    if state.has("lists"):
        names.add(facts["e_undef"])
    if state.has("lambdas"):
        names.add(facts["e_type"])
    return names


def worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["member"] = "among" if f["let_in"] == "in" else "in"
    symbol, right = f["power"], f["power_right"]
    f["power_side"] = "right" if right else "left"
    f["power_example"] = f"2 {symbol} (3 {symbol} 2)" if right else f"(2 {symbol} 3) {symbol} 2"
    f["power_tells"] = (
        f"It binds tighter than the sign: `-2 {symbol} 2` is -4."
        if f["neg_level"] < f["pow_level"]
        else f"The sign binds tighter: `-2 {symbol} 2` is 4."
    )
    f["division_word"] = "down" if f["division"] == "floor" else "toward zero"
    f["modulo_tells"] = (
        f"`{f['modulo']}` goes with it, as ever: `a - b * (a / b)`."
        if state.has("modulo")
        else "Division by zero stays undefined ({e_undef}).".format(**f)
    )
    f["chain_tells"] = (
        "Comparisons do not chain: `1 < 2 < 3` is no formula ({e_syntax}).".format(**f)
        if f["chain"] == "refuse"
        else "Comparisons chain."
    )
    equal = f"`{f['eq']}` and `{f['ne']}`"
    f["mixed_tells"] = (
        f"{equal} of values of different kinds: they are different, which is no error."
        if f["eq_mixed"] == "false"
        else f"{equal} of values of different kinds is of the wrong kind ({f['e_type']}); items of lists may be of different kinds, and are different then."
    )
    f["mixed_vague"] = (
        "Comparing a text with a number stops everything."
        if f["eq_mixed"] == "false"
        else "Typing errors are not found because anything can be compared."
    )
    f["escape_tells"] = (
        f"Any other character behind a backslash is no formula ({f['e_syntax']})." if f["escape"] == "error"
        else "Any other character behind a backslash stands for itself, and the backslash is dropped."
    )  # fmt: skip
    f["escape_vague"] = (
        "Misspelt escapes should be told." if f["escape"] == "error" else "Windows paths in texts are refused."
    )
    f["negative_tells"] = (
        "Negative indexes count from the end: -1 is the last item."
        if f["index_negative"] == "end"
        else f"Negative indexes point at no item ({f['e_undef']})."
    )
    f["slice_tells"] = "which is still in it" if f["index_base"] else "which is not in it any more"
    f["slice_change"] = (
        f"In slices, the item at the last index is the one {f['slice_tells']}."
        if state.has("slices")
        else "The empty list has no item at any index."
    )
    f["range_tells"] = "both included" if f["range_end"] == "in" else "b not included"
    words_ = f["cond"] == "words"
    f["cond_example"] = "if c then a else b" if words_ else "c ? a : b"
    f["cond_bad"] = f"if {f['true_']} then 1" if words_ else f"{f['true_']} ? 1"
    f["let_example"] = f"{f['let_word']} x {f['let_sign']} 2{'' if f['let_in'] == ':' else ' '}{f['let_in']} x * x"
    f["fn_example"] = f"{f['fn_word']}(x){'' if f['fn_sign'] == ':' else ' '}{f['fn_sign']} x + 1"
    f["not_tells"] = "none behind `!`" if f["not_"] == "!" else "one behind `not`"
    f["abs_signature"] = f"{f['calls']['abs']}(number)"
    f["call_of"] = BY_KEY
    return replace(state, facts=f)
