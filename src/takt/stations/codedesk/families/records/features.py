"""What can be asked for in the family `records`."""

from __future__ import annotations

from random import Random
from typing import Any

from takt.stations.codedesk.families.offers import Change, Defect, Draw, Feature
from takt.stations.codedesk.families.records.spec import Document
from takt.stations.codedesk.families.state import Model, Question, State

NAMES = ("host", "port", "size", "mode", "user", "path")
SECTIONS = ("server", "client", "paths", "a b")


def value(state: State, s: Random, often: tuple[str, ...] = ()) -> Any:
    """A value of a kind that there is; `often` are features whose kinds come more often."""
    stock: list[Any] = [
        lambda: s.choice(["on the way", "x", "blue", "7 up", "a-b", f"a {state.facts['sign']} b", "Up", "none"])
    ] * 2
    for feature, make in (
        ("numbers", lambda: s.choice([0, 1, -1, 12, -30, 1000])), ("bools", lambda: s.random() < 0.5),
        ("lists", lambda: tuple(one if not isinstance(one := value(state, s), tuple) else "x" for _ in range(s.randint(0, 3)))),
        ("quotes", lambda: s.choice(["", " x", "a, b", 'say "x"', "back\\slash", f"a {state.facts['comment']} b", "[x]", "12", state.facts["true_"], "\\", '"'])),
    ):  # fmt: skip
        if state.has(feature):
            stock += [make] * (5 if feature in often else 1)
    return s.choice(stock)()


def document(state: State, s: Random, often: tuple[str, ...] = (), more: bool = True) -> Document:
    sections = [*([""] if s.random() < 0.7 else []), *s.sample(SECTIONS, s.randint(0, 3))]
    if state.has("defaults") and s.random() < 0.6:
        sections.insert(
            s.randint(0, len(sections)) if "" not in sections else s.randint(1, len(sections)), state.facts["default"]
        )
    found = []
    for section in sections:
        names = s.sample(NAMES, s.randint(0 if section else 1, 3))
        found.append((section, tuple((name, value(state, s, often)) for name in names)))
    return tuple(found)


def reads(*often: str) -> Draw:
    return lambda state, _model, s: ("parse", document(state, s, often), s.randint(0, 10**6))


def writes(*often: str) -> Draw:
    def draw(state: State, _model: Model, s: Random) -> Question:
        found = document(state, s, often)
        if s.random() < 0.12:
            odd = s.choice(
                ["", " x", "a, b", "[", "two\nlines", f"a{state.facts['comment']}b", None, 2.5, 3, True, ("x",), 'q"q']
            )
            found = (*found, ("odd", (("it", odd),)))
        return ("write", found) if s.random() < 0.7 else ("round", found)

    return draw


def mixed(*draws: tuple[float, Draw]) -> Draw:
    def draw(state: State, model: Model, s: Random) -> Question:
        return s.choices([one for _, one in draws], [share for share, _ in draws])[0](state, model, s)

    return draw


def raw(need: str | None, *pairs: tuple[str, Any]) -> Draw:
    return lambda state, _model, s: ("raw", *s.choice(pairs), need)


ITEMS = (
    ("x", "x"),
    ('"a, b"', "a, b"),
    ('"\\\\"', "\\"),
    ('"q\\""', 'q"'),
    ('"[x"', "[x"),
    ('", "', ", "),
    ('"x, \\", y"', 'x, ", y'),
)


def items(_state: State, _model: Model, s: Random) -> Question:
    return ("items", tuple(s.choice(ITEMS) for _ in range(s.randint(2, 3))))


BAD: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (("a {sign} x", "nothing"), "syntax", None), (("{sign} x",), "syntax", None), (("", "", "{open_}x"), "syntax", None), (("a {sign} x", "{open_}{close}"), "syntax", None),
    (("{open_}x{close}", "a {sign} b", "{open_}y{close} z"), "syntax", None), (('a {sign} "x',), "value", "quotes"), (("b {sign} x", 'a {sign} "x" y'), "value", "quotes"), (('a {sign} "x\\"',), "value", "quotes"),
)  # fmt: skip


def raw_line(*lines: str) -> Draw:
    good = ("a {sign} x", "{open_}x{close}", "")
    return lambda _state, _model, s: ("bad", (s.choice(good), s.choice(lines)), "syntax", None)


def bad(state: State, _model: Model, s: Random) -> Question:
    return ("bad", *s.choice(BAD))


def _lines(state: State, model: Model, s: Random) -> Question:
    lines, _, need = s.choice(BAD)
    good = [
        s.choice(["", "q{n} {sign} x", "{open_}s{n}{close}"]).replace("{n}", str(number))
        for number in range(s.randint(0, 4))
    ]
    return ("line", (*good, *lines), need) if s.random() < 0.7 else ("bad", (*good, *lines), "syntax", need)


def two(kind: str) -> Draw:
    def draw(state: State, _model: Model, s: Random) -> Question:
        one, other = document(state, s), document(state, s)
        if s.random() < 0.6:  # much in common
            other = tuple(
                (
                    section,
                    tuple(
                        (name, v if s.random() < 0.6 else value(state, s)) for name, v in entries if s.random() < 0.8
                    ),
                )
                for section, entries in one
            )
            if s.random() < 0.4:
                other = (*other, ("new", (("host", value(state, s)),)))
        if s.random() < 0.3:
            pair = s.choice([(1, True), (True, 1), (0, False), (1, 1), ("1", 1)])
            one, other = (*one, ("t", (("v", pair[0]),))), (*other, ("t", (("v", pair[1]),)))
        return (kind, one, other)

    return draw


def _patch(state: State, _model: Model, s: Random) -> Question:
    found = document(state, s)
    changes: list[tuple[Any, ...]] = []
    places = [(section, name) for section, entries in found for name, _ in entries]
    s.shuffle(places)
    for section, name in places[: s.randint(0, 3)]:
        changes.append(
            ("removed", section, name, "x") if s.random() < 0.5 else ("changed", section, name, value(state, s))
        )
    if s.random() < 0.5:
        changes.append(("added", s.choice(["", "new", "server"]), s.choice(["fresh", "host"]), value(state, s)))
    if s.random() < 0.2:
        changes.append((s.choice(["removed", "changed"]), s.choice(["server", "nowhere"]), "nothing", "x"))
    if len(found) and s.random() < 0.3:
        section, entries = s.choice(found)
        changes = [("removed", section, name, "x") for name, _ in entries]
    return ("patch", found, tuple(changes))


def _find(state: State, _model: Model, s: Random) -> Question:
    found = document(state, s)
    if s.random() < 0.3:
        found = (*found, ("x.y", (("host", "deep"), ("z", "q"))))
    paths = [f"{section}.{name}" if section else name for section, entries in found for name, _ in entries]
    path = s.choice([*paths, *paths, "nowhere", "server.nothing", "x.y.host", "x.y"])
    return ("find", found, path, s.choice([None, None, "else", 0]) if state.has("find_default") else None)


def _rename(state: State, _model: Model, s: Random) -> Question:
    found = document(state, s)
    section, entries = s.choice(found) if found else ("server", ())
    names = [name for name, _ in entries] or ["host"]
    return (
        "rename",
        found,
        section if s.random() < 0.9 else "nowhere",
        s.choice([*names, *names, "nothing"]),
        s.choice(["fresh", "fresh", "other", *names]),
    )


def _filled(state: State, _model: Model, s: Random) -> Question:
    names = s.sample(NAMES, 3)
    texts = [
        "${" + names[0] + "}",
        "a ${" + names[0] + "}${" + names[1] + "}",
        "${nothing} ${" + names[1] + "}",
        "$" + names[0],
        "${}",
        "plain",
        "${" + names[0],
        "${" + names[2] + "}",
    ]
    entries = tuple((name, s.choice(texts) if s.random() < 0.7 else value(state, s)) for name in names)
    return (
        "filled",
        (("", entries), *document(state, s)[1:2]) if s.random() < 0.5 else (("one", entries), ("two", entries[:1])),
    )


def _same(state: State, _model: Model, s: Random) -> Question:
    stock = [value(state, s) for _ in range(3)] + [1, True, "1", 0, False]
    return (
        "same",
        tuple(
            (section, tuple((name, s.choice(stock)) for name in s.sample(NAMES, s.randint(0, 3))))
            for section in s.sample(SECTIONS, s.randint(0, 3))
        ),
    )


def of(kind: str) -> Draw:
    return lambda state, _model, s: (kind, document(state, s))


def _twice(state: State, _model: Model, s: Random) -> Question:
    return ("twice", value(state, s), value(state, s)) if s.random() < 0.6 else reads()(state, _model, s)


def _fast(state: State, model: Model, s: Random) -> Question:
    return (
        ("structure", "same_fast", "grows", s.choice([40, 60, 80, 100, 150]))
        if s.random() < 0.25
        else _same(state, model, s)
    )


def _transform(state: State, _model: Model, s: Random) -> Question:
    if s.random() < 0.05:
        return ("structure", "transforms", "gives_back", "spare")
    return (
        "transform",
        s.choice(["upper", "upper", "upper", "nothing"]),
        s.choice(["abc", "", "Ab c", 3, True, ("x",), "ß", "x1"]),
    )


VALUES, READING, WRITING, CHANGES_, INIT = (
    f"{{pkg}}/{name}.py" for name in ("values", "reading", "writing", "changes", "__init__")
)
FEATURES: tuple[Feature, ...] = (
    Feature("comments", "Comments", "Nobody knows any more why these values are set.", ("From `{comment}` to the end of the line is a comment; spaces before it do not count. Where there are quotes, none begins inside quotes.",), reads("quotes"), files=(READING,),
            area="reading", reach=1, brings={"comment_in_quotes": 0.6}),
    Feature("numbers", "Whole numbers", "12 should not be a text.", ("A value of decimal digits 0 to 9, perhaps with `-` before them, is an `int`, when read and when written. All else stays a text: `+1`, `1.5`, `1_0`, digits of other scripts.",),
            mixed((0.4, reads("numbers")), (0.25, writes("numbers")), (0.35, raw("numbers", ("12", 12), ("-3", -3), ("007", 7), ("+1", "+1"), ("1.5", "1.5"), ("1_0", "1_0"), ("-", "-"), ("--1", "--1"), ("²", "²"), ("٣", "٣"), ("-0", 0), ("1 2", "1 2"), ("12a", "12a")))), files=(VALUES,), area="values", reach=1,
            brings={"number_signs": 0.6}),
    Feature("bools", "Truths: `{true_}` and `{false_}`", "We compare with the text '{true_}' everywhere.", ("`{true_}` is True and `{false_}` is False, when read and when written; in just this spelling.",),
            mixed((0.4, reads("bools")), (0.35, writes("bools")), (0.25, lambda st, m, s: ("raw", *s.choice([(st.facts["true_"], True), (st.facts["false_"], False), (st.facts["true_"].title(), st.facts["true_"].title()), (st.facts["false_"].upper(), st.facts["false_"].upper())]), "bools"))),
            files=(VALUES,), area="values", reach=1),
    Feature("quotes", "Texts in quotes", "A text with spaces at its ends cannot be written.",
            ("A text may stand between `\"`; in it, a backslash stands before a `\"` or a backslash (before any other character it is dropped), all else for itself. A text so written is never of another kind. One that has no end, or something behind it, raises {e_value}.",
             "`write` puts a text between quotes if it could not stand without (see docs/conventions.md; one with a `\"` in it cannot either); one with a new line still cannot be written."),
            mixed((0.4, reads("quotes")), (0.3, writes("quotes")), (0.1, bad), (0.1, items), (0.2, raw("quotes", ('""', ""), ('"a"', "a"), ('"a\\"b"', 'a"b'), ('"\\\\"', "\\"), ('"12"', "12"), ('"a\\nb"', "anb"), ('" x "', " x "), ('"[x]"', "[x]")))), files=(VALUES, READING), area="values", reach=2),
    Feature("lists", "Lists", "Several hosts in one entry.", ("`[a, b, c]` is a list, `[]` the empty one; its items are values as such (but no lists), with commas between them and any spaces around. It is written with `, ` between items. A comma in quotes is none between items.",),
            mixed((0.5, reads("lists", "quotes")), (0.35, writes("lists")), (0.1, items), (0.1, raw("lists", ("[x", "[x"), ("x]", "x]"), ("[a] b", "[a] b"), ("a [b]", "a [b]"), ("[", "["), ("[x]", ("x",))))), files=(VALUES,), area="values", reach=1),
    Feature("empty", "Entries without a value", "`name {sign}` is refused.", ("An entry with nothing behind `{sign}` has the empty text as its value.",), mixed((0.5, lambda st, m, s: ("empty", s.choice([*NAMES, "x y", "q", "long_name"]))), (0.3, reads()), (0.1, bad), (0.1, raw_line("nothing", "{sign} x"))), files=(READING,), area="reading", reach=1),
    Feature("line_numbers", "Say in which line it is wrong", "\"A line that cannot be read\" - which one?", ("{e_syntax} gets the attribute `line`: the number of the line, from 1. A value that does not fit is {e_syntax} as well when a document is read, with its line.",), _lines, files=(READING, "{pkg}/errors.py"), names=("{e_syntax}",),
            area="reading", reach=2, brings={"line_zero": 0.4}),
    Feature("defaults", "Defaults: the section `{default}`", "The same five entries stand in every section.", ("When a document is read, each entry of the section `{default}` is also in every other section (the first one, `\"\"`, too, if it is there) that has none of that name. The section itself stays.",), reads(), files=(READING,), area="reading", reach=1,
            brings={"defaults_win": 0.4}),
    Feature("interpolation", "Values in values: `filled`", "The path is written out forty times.", ("`{pkg}.filled(document)` is the document in which each `${{name}}` in a text is replaced by the entry of that name in the same section, as `str` shows it, as it is written there (it is not filled itself). A name is of letters, digits and `_`; where there is no such entry, it stays.",), _filled,
            files=(READING, INIT), names=("{pkg}.filled",), area="changes", reach=2),
    Feature("sorted", "Entries in order when written", "Every save shuffles the file.", ("`write` puts the entries of a section in the order of their names.",), writes(), files=(WRITING,), area="writing", reach=1),
    Feature("aligned", "Signs below each other when written", "Long lists of entries are hard to read.", ("`write` fills names up with spaces, so that in each section the signs stand below each other.",), writes(), files=(WRITING,), area="writing", reach=1),
    Feature("diff", "What differs: `diff`", "Which setting did they change?", ("`{pkg}.diff(old, new)` is a list of `[what, section, name, value]`: `removed` with the old value, `added` and `changed` with the new one. First come entries of the old document, in its order, then those that only the new one has, in its order.", "A truth and a number are never the same value."), two("diff"),
            files=(CHANGES_, INIT), names=("{pkg}.diff",), area="changes", reach=2, brings={"diff_truths": 0.5}),
    Feature("patch", "Make changes: `patch`", "Take over what they changed, and nothing else.", ("`{pkg}.patch(document, changes)` is the document with such changes made to it, as `diff` gives them. What is to be removed or changed must be there, what is to be added must not ({e_value}). A section that loses its last entry is taken out.",), _patch, files=(CHANGES_, INIT), names=("{pkg}.patch",),
            area="changes", reach=2, needs=("diff",), brings={"patch_leaves": 0.5}),
    Feature("merge", "Two documents in one: `merge`", "The user's file on top of ours.", ("`{pkg}.merge(document, other)` has the entries of both; where both have one, {merge_told} counts. Sections of the other one without entries do not count.",), two("merge"), files=(CHANGES_, INIT), names=("{pkg}.merge",), area="changes", reach=2),
    Feature("find", "One value: `find`", "document['a']['b'] ends in Python's own error.", ("`{pkg}.find(document, path)` is the value at `section.name`; what stands before the last point is the section; a path without a point is of the section `\"\"`. What is not there raises {e_missing}.",), _find, files=(CHANGES_, INIT), names=("{pkg}.find",), area="changes", reach=2,
            brings={"find_points": 0.5}),
    Feature("find_default", "`find` with a default", "Most settings are optional.", ("`{pkg}.find(document, path, default)` gives default where there is nothing. None is as none: then it is an error as before.",), _find, needs=("find",), files=(CHANGES_,), names=("{pkg}.find",), area="changes", reach=1),
    Feature("rename", "Another name for an entry: `rename`", "Old names must go, and the order must stay.", ("`{pkg}.rename(document, section, old, new)` is the document in which that entry has another name, at the same place. Where there is no such entry, or one of the new name already, {e_missing}.",), _rename, files=(CHANGES_, INIT), names=("{pkg}.rename",), area="changes", reach=2),
    Feature("flatten", "A document as one dict: `flatten`", "Our templates want one dict.", ("`{pkg}.flatten(document)` is one dict of all values, by `section.name`, those of the section `\"\"` by their name.",), of("flatten"), files=(CHANGES_, INIT), names=("{pkg}.flatten",), area="changes", reach=2),
    Feature("same_values", "What is written more than once: `same_values`", "The same password stands in three places.", ("`{pkg}.same_values(document)` is a list of groups of places `[section, name]` that have equal values, each of two or more, groups and places in the order in which they come first. Values of different kinds are never equal (1 and True are not).",), _same,
            files=(CHANGES_, INIT), names=("{pkg}.same_values",), area="changes", reach=2),
    Feature("transforms", "Transformations", "Values must be converted before they are used.", ("`{pkg}.transform(name, value)` is what a transformation makes of a value. There is one so far: `upper`, a text in capital letters. A transformation that there is not raises {e_missing}, a value of another kind {e_value} (a truth is no number). "
             "They are registered by `transformation(name, kind)` in a new module `{pkg}.library`, which stands above a function and gives it back.",), _transform, files=("{pkg}/library.py", INIT), names=("{pkg}.transform",), area="library", reach=2),
    Feature("same_fast", "`same_values` is slow", "`same_values` of a large document takes minutes.", ("`same_values` of a document that is twice as large may take about twice as many steps, not four times as many. What it gives stays as it is; values are texts, numbers, truths and lists of such.",), _fast, needs=("same_values",), kind="speed", files=(CHANGES_,), area="speed", reach=1),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    Defect("comment_in_quotes", "Comments begin inside quotes", "A password with `{comment}` in it is cut off.", ("No comment begins inside quotes.",), reads("quotes"), files=(READING,)),
    Defect("number_signs", "Some texts end in Python's own error", "An entry with the value ² cannot be read.", ("Numbers are of the digits 0 to 9 only; digits of other scripts, and raised ones, are texts.",),
           mixed((0.7, raw("numbers", ("²", "²"), ("٣", "٣"), ("1²", "1²"), ("-²", "-²"), ("²²", "²²"), ("٣٣", "٣٣"), ("-٣", "-٣"), ("5٣", "5٣"))), (0.3, reads("numbers"))), files=(VALUES,)),
    Defect("line_zero", "Line numbers are one too small", "The line that an error names is always the one above.", ("`line` of {e_syntax} is counted from 1.",), _lines, files=(READING,)),
    Defect("defaults_win", "Defaults overwrite", "An entry of a section is overwritten by the default.", ("An entry of the section `{default}` is taken over only where a section has none of that name.",), reads(), files=(READING,)),
    Defect("diff_truths", "`diff` misses some changes", "From 1 to `{true_}` is no change to `diff`.", ("A truth and a number are never the same value to `diff`.",), two("diff"), files=(CHANGES_,)),
    Defect("patch_leaves", "`patch` leaves empty sections", "After `patch`, a section without entries is left.", ("A section that loses its last entry by `patch` is taken out.",), _patch, files=(CHANGES_,)),
    Defect("find_points", "`find` and sections with points", "`find` does not find what is in a section with a point in its name.", ("In a path, what stands before the last point is the section.",), _find, files=(CHANGES_,)),
)  # fmt: skip


def _twice_to(state: State, s: Random) -> dict[str, Any]:
    return {"twice": s.choice([one for one in ("error", "first", "last") if one != state.facts["twice"]])}


CHANGES: tuple[Change, ...] = (
    Change("twice", "Names that come twice", "What happens to a name that comes twice is settled anew.", ("A name that comes twice in a section: {twice_told}, from now on.",), _twice_to, _twice, files=(READING,), reach=1),
    Change("merge", "`merge`: {merge_told} counts", "The rule of `merge` is settled anew.", ("Where both documents of `merge` have an entry, {merge_told} counts from now on.",),
           lambda st, s: {"merge_other": not st.facts["merge_other"]} if st.has("merge") else None, two("merge"), files=(CHANGES_,), reach=1),
    Change("words", "Truths are called `{true_}` and `{false_}`", "Other words for truths have been agreed on.", ("`{true_}` and `{false_}` are truths from now on, when read and when written; `{old_true_}` and `{old_false_}` are texts.",),
           lambda st, s: dict(zip(("true_", "false_"), s.choice([pair for pair in (("yes", "no"), ("on", "off"), ("true", "false")) if pair[0] != st.facts["true_"]]), strict=True)) if st.has("bools") else None,
           mixed((0.5, reads("bools")), (0.5, writes("bools"))), files=(VALUES,), reach=1),
)  # fmt: skip
