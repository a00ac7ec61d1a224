"""What a document means: the specification of the family `records`. A document is data here; texts are written from it.

Long because: it is one meaning, a method for each kind of question, that must agree with each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from takt.stations.codedesk.families.drawn import Drawn, Undefined
from takt.stations.codedesk.families.state import Posed, Question, Raises, State

Entries = tuple[tuple[str, Any], ...]
Document = tuple[tuple[str, Entries], ...]


class Wrong(Exception):
    """An error is due: syntax, missing or value."""


def opened(document: Document) -> dict[str, dict[str, Any]]:
    return {section: {name: _plain(value) for name, value in entries} for section, entries in document}


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


class Filing:
    """The model: answers questions in one state.

    Long because: it is one meaning, a method for each kind of question, that must agree with each other.
    """

    def __init__(self, state: State) -> None:
        self.state, self.facts, self.on = state, state.facts, set(state.on)
        self.drawn: dict[str, Drawn] = {one.name: one for one in state.drawn}
        self.notes: set[str] = set()

    def note(self, what: str) -> None:
        self.notes.add(what)

    def pose(self, question: Question) -> Posed | None:
        self.notes = set()
        kind, *given = question
        need = NEEDS.get(kind)
        if need is not None and need not in self.on:
            return None
        try:
            found = getattr(self, f"_q_{kind}")(*given)
        except Wrong:
            return None
        if found is None:
            return None
        ask, arguments, expected = found
        return Posed(ask, arguments, expected, frozenset(self.notes))

    def error(self, kind: str) -> Raises:
        self.note(f"wrong {kind}")
        return Raises(self.facts[f"e_{kind}"])

    # -- values and texts

    def kind_fits(self, value: Any) -> bool:
        """Whether there are such values."""
        if isinstance(value, bool):
            return "bools" in self.on
        if isinstance(value, int):
            return "numbers" in self.on
        if isinstance(value, (list, tuple)):
            return "lists" in self.on and all(self.kind_fits(one) for one in value)
        return isinstance(value, str)

    def read_as_itself(self, text: str) -> bool:
        """Whether a text that stands without quotes is that text."""
        f = self.facts
        if text != text.strip() or not text or set(text) & set("\n,[]" + f["comment"]):
            return False
        if '"' in text and "quotes" in self.on:
            return False
        if "bools" in self.on and text in (f["true_"], f["false_"]):
            return False
        return not ("numbers" in self.on and re.fullmatch("-?[0-9]+", text))

    def shown(self, value: Any) -> str:
        """The canonical text of a value; raises Wrong where there is none."""
        if not self.kind_fits(value):
            raise Wrong("value")
        self.note(f"shows {type(value).__name__}")
        if isinstance(value, bool):
            return str(self.facts["true_"] if value else self.facts["false_"])
        if isinstance(value, int):
            return str(value)
        if isinstance(value, (list, tuple)):
            self.note(f"list of {min(2, len(value))}")
            return "[" + ", ".join(self.shown(one) for one in value) + "]"
        if self.read_as_itself(value):
            return str(value)
        self.note(
            f"not as itself {sorted(set(value) & set(chr(34) + chr(92) + ',[]' + self.facts['comment']))} {value == value.strip()}"
        )
        if "quotes" not in self.on or "\n" in value:
            raise Wrong("value")
        return '"' + "".join("\\" + one if one in '"\\' else one for one in value) + '"'

    def value_text(self, value: Any, s: Random) -> str:
        """Some text of a value."""
        if isinstance(value, (list, tuple)):
            gap = s.choice(["", " ", "  "])
            self.note(f"list of {min(2, len(value))}")
            return "[" + gap + f"{gap},{gap}".join(self.value_text(one, s) for one in value) + gap + "]"
        if isinstance(value, str) and "quotes" in self.on and self.read_as_itself(value) and s.random() < 0.3:
            self.note("quoted without need")
            return '"' + value.replace("\\", "\\\\") + '"'
        return self.shown(value)

    def text(self, document: Document, style: int) -> str:
        """A text of a document, with spaces, empty lines and comments at random."""
        s, f = Random(style), self.facts
        lines: list[str] = []

        def put(line: str) -> None:
            if s.random() < 0.2:
                lines.append(s.choice(["", "   "]))
            if "comments" in self.on and s.random() < 0.3:
                self.note("comment in a line of its own")
                lines.append(
                    s.choice(["", "  "])
                    + f["comment"]
                    + s.choice(["", " so", f" a {f['sign']} b", f" {f['open_']}x{f['close']}", ' "'])
                )
            line = s.choice(["", " ", "  "]) + line + s.choice(["", " "])
            if "comments" in self.on and s.random() < 0.3:
                self.note("comment behind")
                line += f" {f['comment']}" + s.choice(["", " note", ' "x'])
            lines.append(line)

        for section, entries in document:
            if section:
                put(f"{f['open_']}{s.choice(['', ' '])}{section}{f['close']}")
            for name, value in entries:
                gap = s.choice(["", " ", "  "])
                text = self.value_text(value, s)
                if f["comment"] in text and "comments" in self.on:
                    self.note("comment_in_quotes")
                put(f"{name}{gap}{f['sign']}{s.choice(['', ' ', '  '])}{text}")
        return "\n".join(lines) + s.choice(["", "\n", "\n\n"])

    # -- questions

    def _document(self, document: Document) -> bool:
        values = [value for _, entries in document for _, value in entries]
        return all(self.kind_fits(value) for value in values)

    def _q_parse(self, document: Document, style: int) -> Any:
        if not self._document(document):
            return None
        text = self.text(document, style)
        found = opened(document)
        for _, entries in document:
            self.note(f"section with {min(2, len(entries))}")
            for _, value in entries:
                self.note(f"reads {type(value).__name__}")
        if "defaults" in self.on:
            common = found.get(self.facts["default"], {})
            for section, entries2 in found.items():
                if section != self.facts["default"]:
                    for name, value in common.items():
                        if name in entries2:
                            self.note("defaults_win")
                        else:
                            self.note("a default")
                        found[section] = {name: value, **found[section]}
        return "parse", (text,), found

    def _q_twice(self, first: Any, second: Any) -> Any:
        if not self.kind_fits(first) or not self.kind_fits(second):
            return None
        sign = self.facts["sign"]
        text = f"a {sign} {self.shown(first)}\nb {sign} x\na {sign} {self.shown(second)}\nc {sign} y\n"
        self.note("twice")
        if self.facts["comment"] in text and "comments" in self.on:
            self.note("comment_in_quotes")
        if self.facts["twice"] == "error":
            return "parse", (text,), self.error("syntax")
        a = _plain(first if self.facts["twice"] == "first" else second)
        return "parse", (text,), {"": {"a": a, "b": "x", "c": "y"}}

    def _q_again(self, name: str) -> Any:
        """A section that comes again goes on."""
        f = self.facts
        head = f"{f['open_']}{name}{f['close']}"
        self.note("again")
        return (
            "parse",
            (f"{head}\na {f['sign']} x\n{f['open_']}o{f['close']}\n{head}\nb {f['sign']} y",),
            {name: {"a": "x", "b": "y"}, "o": {}},
        )

    def _q_empty(self, name: str) -> Any:
        self.note("empty value")
        text = f"{name} {self.facts['sign']}\nb {self.facts['sign']} x"
        return "parse", (text,), {"": {name: "", "b": "x"}} if "empty" in self.on else self.error("syntax")

    def _q_raw(self, text: str, value: Any, need: str | None) -> Any:
        """A text behind the sign, and what it is."""
        if need is not None and need not in self.on:
            return None
        self.note(f"raw {text}")
        if need == "bools":
            value = {self.facts["true_"]: True, self.facts["false_"]: False}.get(text, text)
        if "²" in text or "٣" in text:
            self.note("number_signs")
        if isinstance(value, str) and not self.read_as_itself(value) and need is None:
            return None
        return "parse", (f"a {self.facts['sign']} {text}",), {"": {"a": _plain(value)}}

    def _q_items(self, items: tuple[tuple[str, str], ...]) -> Any:
        """A list whose items are texts in quotes, with in them what ends an item or a text elsewhere."""
        if not {"lists", "quotes"} <= self.on:
            return None
        self.notes |= {f"item {text} at {min(1, at)}" for at, (text, _) in enumerate(items)}
        line = f"a {self.facts['sign']} [{', '.join(text for text, _ in items)}]"
        return "parse", (line,), {"": {"a": [value for _, value in items]}}

    def _bad(self, text: str, kind: str) -> Raises:
        return self.error("syntax" if kind == "syntax" or "line_numbers" in self.on else kind)

    def _q_bad(self, lines: tuple[str, ...], kind: str, need: str | None) -> Any:
        """Lines of which the last is wrong."""
        if need is not None and need not in self.on:
            return None
        text = "\n".join(lines).format(**self.facts)
        self.note(f"bad {lines[-1]}")
        if "empty" in self.on and lines[-1] in ("nothing", "{sign} x"):
            self.note(f"{lines[-1]}, where a value may be empty")
        return "parse", (text,), self._bad(text, kind)

    def _q_line(self, lines: tuple[str, ...], need: str | None) -> Any:
        if "line_numbers" not in self.on or (need is not None and need not in self.on):
            return None
        self.notes |= {f"line {min(3, len(lines))}", "line_zero"}
        return "line_of", ("\n".join(lines).format(**self.facts),), len(lines)

    def _q_write(self, document: Document) -> Any:
        found = opened(document)
        try:
            parts = []
            for section, entries in found.items():
                if not section and not entries:
                    continue
                names = sorted(entries) if "sorted" in self.on else list(entries)
                if names != list(entries):
                    self.note("another order")
                width = max(map(len, names), default=0) if "aligned" in self.on else 0
                self.note(f"{'named' if section else 'first'} with {min(2, len(names))}")
                lines = [f"{name.ljust(width)} {self.facts['sign']} {self.shown(entries[name])}" for name in names]
                head = [f"{self.facts['open_']}{section}{self.facts['close']}"] if section else []
                parts.append((section, "\n".join(head + lines)))
        except Wrong:
            return "write", (found,), self.error("value")
        texts = [text for section, text in parts if not section] + [text for section, text in parts if section]
        return "write", (found,), "\n\n".join(texts) + "\n" if texts else ""

    def _q_round(self, document: Document) -> Any:
        if "defaults" in self.on or not self._document(document):
            return None
        for _, entries in document:
            for _, value in entries:
                if self.facts["comment"] in self.shown(value):
                    self.note("comment_in_quotes")
        found = opened(document)
        return "round", (found,), {section: entries for section, entries in found.items() if section or entries}

    def _q_diff(self, old: Document, new: Document) -> Any:
        one, two = opened(old), opened(new)
        pairs = [(section, name) for section, entries in one.items() for name in entries]
        pairs += [
            (section, name) for section, entries in two.items() for name in entries if name not in one.get(section, {})
        ]
        found = []
        for section, name in pairs:
            before, after = one.get(section, {}).get(name), two.get(section, {}).get(name)
            if after is None or before is None:
                self.note("removed" if after is None else "added")
                found.append(["removed", section, name, before] if after is None else ["added", section, name, after])
            elif before != after or isinstance(before, bool) != isinstance(after, bool):
                if before == after:
                    self.note("diff_truths")
                self.note("changed")
                found.append(["changed", section, name, after])
            else:
                self.note("same")
        return "diff", (one, two), found

    def _q_patch(self, document: Document, changes: tuple[tuple[Any, ...], ...]) -> Any:
        found = opened(document)
        arguments = (opened(document), [[what, section, name, _plain(value)] for what, section, name, value in changes])
        for what, section, name, value in changes:
            there = name in found.get(section, {})
            self.note(f"patch {what} {there}")
            if there == (what == "added"):
                return "patch", arguments, self.error("value")
            if what == "removed":
                del found[section][name]
                if not found[section]:
                    self.note("patch_leaves")
                    del found[section]
            else:
                found.setdefault(section, {})[name] = _plain(value)
        return "patch", arguments, found

    def _q_merge(self, document: Document, other: Document) -> Any:
        one, two = opened(document), opened(other)
        found = {
            section: dict(one.get(section, {})) for section in [*one, *(section for section in two if two[section])]
        }
        for section, entries in two.items():
            for name, value in entries.items():
                self.note("in both" if name in found[section] else "in one")
                if name not in found[section] or self.facts["merge_other"]:
                    found[section][name] = value
        return "merge", (one, two), found

    def _q_find(self, document: Document, path: str, default: Any) -> Any:
        found = opened(document)
        section, name = path.rsplit(".", 1) if "." in path else ("", path)
        if path.count(".") > 1:
            self.note("find_points")
        arguments = (found, path) if default is None else (found, path, default)
        if default is not None and "find_default" not in self.on:
            return None
        ask = "find" if default is None else "find_default"
        there = name in found.get(section, {})
        self.note(f"find {there} {bool(section)} {default is None}")
        if there:
            return ask, arguments, found[section][name]
        return ask, arguments, self.error("missing") if default is None else default

    def _q_rename(self, document: Document, section: str, old: str, new: str) -> Any:
        found = opened(document)
        entries = found.get(section, {})
        self.note(f"rename {old in entries} {new in entries} {section in found}")
        arguments = (opened(document), section, old, new)
        if old not in entries or new in entries:
            return "rename", arguments, self.error("missing")
        renamed = [
            [one, [[new if name == old and one == section else name, value] for name, value in some.items()]]
            for one, some in found.items()
        ]
        return "rename", arguments, renamed

    def _q_flatten(self, document: Document) -> Any:
        for section, entries in document:
            self.note(f"flat {bool(section)} {min(2, len(entries))}")
        return (
            "flatten",
            (opened(document),),
            {f"{s}.{n}" if s else n: v for s, entries in opened(document).items() for n, v in entries.items()},
        )

    def _q_same(self, document: Document) -> Any:
        values: list[Any] = []
        groups: list[list[list[str]]] = []
        for section, entries in opened(document).items():
            for name, value in entries.items():
                key = [type(value).__name__, value]
                if key not in values:
                    values.append(key)
                    groups.append([])
                groups[values.index(key)].append([section, name])
        self.note(f"{max(map(len, groups), default=0)} same")
        return "same", (opened(document),), [group for group in groups if len(group) > 1]

    def _q_filled(self, document: Document) -> Any:
        found = opened(document)
        out: dict[str, dict[str, Any]] = {}
        for section, entries in found.items():
            out[section] = {}
            for name, value in entries.items():
                if isinstance(value, str):
                    parts = re.split(r"(\$\{[A-Za-z0-9_]+\})", value)
                    self.note(f"{min(3, len(parts))} parts")
                    for at in range(1, len(parts), 2):
                        inner = parts[at][2:-1]
                        self.note(f"fills {inner in entries}")
                        if inner in entries:
                            parts[at] = str(entries[inner])
                    value = "".join(parts)
                out[section][name] = value
        return "filled", (found,), out

    def _q_transform(self, name: str, value: Any) -> Any:
        value = _plain(value)
        if name != "upper" and name not in self.drawn:
            self.note("no such transformation")
            return ("transform", (name, value), self.error("missing")) if name == "nothing" else None
        kinds: Mapping[str, type] = {"number": int, "text": str, "list": list}
        kind = str if name == "upper" else kinds[self.drawn[name].of.takes[0]]
        if type(value) is not kind:
            self.note(f"{name} of {type(value).__name__}")
            return "transform", (name, value), self.error("value")
        self.note(f"calls {name}")
        if name == "upper":
            return "transform", (name, value), "".join(one.upper() for one in str(value))
        try:
            answer = self.drawn[name].answer(
                lambda what: self.note(what if what.startswith("drawn.") else f"{name} {what}"), value
            )
        except Undefined:
            return "transform", (name, value), self.error("value")
        return "transform", (name, value), answer

    def _q_structure(self, feature: str, ask: str, *arguments: Any) -> Any:
        if feature not in self.on:
            return None
        self.note(f"{ask} {arguments[-1]}")
        return ask, arguments, True


NEEDS: Mapping[str, str] = {
    "diff": "diff", "patch": "patch", "merge": "merge", "find": "find", "rename": "rename", "flatten": "flatten", "same": "same_values",
    "filled": "interpolation", "transform": "transforms",
}  # fmt: skip
