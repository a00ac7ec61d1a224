"""A text format for settings: parser, writer, differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.endless import by_name, given_back, rows_of
from takt.stations.codedesk.families.offers import gather
from takt.stations.codedesk.families.records.features import CHANGES, DEFECTS, FEATURES, bad, document
from takt.stations.codedesk.families.records.spec import Filing
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State
from takt.stations.codedesk.families.writing import fill

TRANSFORMS = by_name("transformation", "transform", "e_value", by_hand="We make {name} by hand.")


class Records:
    """The family `records`."""

    name = "records"

    def start(self, stream: Random) -> State:
        s = stream
        facts: dict[str, Any] = {
            "pkg": s.choice(words.PACKAGES), "root": s.choice(["", "src"]), "summary": s.choice(["Settings as text.", "A small format for settings.", "Documents of sections and entries."]),
            "e_base": s.choice(["DocumentError", "SettingsError"]), "e_syntax": s.choice(["BadLine", "BadSyntax"]), "e_missing": s.choice(["NotThere", "NoSuchEntry"]),
            "e_value": s.choice(["BadValue", "WrongValue"]), "sign": s.choice(["=", ":", "->"]), "comment": s.choice(["#", ";", "%"]), "twice": s.choice(["error", "first", "last"]),
            "default": s.choice(["default", "common", "all"]), "merge_other": s.random() < 0.5,
        }  # fmt: skip
        facts["open_"], facts["close"] = s.choice([("[", "]"), ("<", ">"), ("(", ")")])
        facts["true_"], facts["false_"] = s.choice([("yes", "no"), ("on", "off"), ("true", "false")])
        return State(facts=facts)

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        return {
            "parse": Ask("text", ("return PKG.parse(text)",)), "write": Ask("document", ("return PKG.write(document)",)),
            "round": Ask("document", ("return PKG.parse(PKG.write(document))",)),
            "line_of": Ask("text", (f"with pytest.raises(PKG.{facts['e_syntax']}) as caught:", "    PKG.parse(text)", "return caught.value.line")),
            "diff": Ask("old, new", ("return PKG.diff(old, new)",)), "patch": Ask("document, changes", ("return PKG.patch(document, changes)",)),
            "merge": Ask("document, other", ("return PKG.merge(document, other)",)), "find": Ask("document, path", ("return PKG.find(document, path)",)),
            "find_default": Ask("document, path, default", ("return PKG.find(document, path, default)",)),
            "rename": Ask("document, section, old, new", (
                "found = PKG.rename(document, section, old, new)", "return [[name, [list(pair) for pair in entries.items()]] for name, entries in found.items()]")),
            "flatten": Ask("document", ("return PKG.flatten(document)",)), "same": Ask("document", ("return PKG.same_values(document)",)),
            "filled": Ask("document", ("return PKG.filled(document)",)), "transform": Ask("name, value", ("return PKG.transform(name, value)",)),
            "gives_back": given_back("transformation", "str"),
            "grows": Ask("count", (
                "def document(number):", "    return {'s': {f'n{place}': f'v{place % (number // 2 + 1)}' for place in range(number)}}", "return not outgrows(document, PKG.same_values, count)")),
        }  # fmt: skip

    def first_questions(self, model: Model, stream: Random) -> Question:
        assert isinstance(model, Filing)
        roll = stream.random()
        if roll < 0.12:
            return bad(model.state, model, stream)
        found = document(model.state, stream)
        if roll < 0.6:
            return ("parse", found, stream.randint(0, 10**6))
        return (
            ("again", stream.choice(["x", "server"])) if roll > 0.95 else ("write" if roll < 0.85 else "round", found)
        )

    def model(self, state: State) -> Filing:
        return Filing(worded(state))

    def offers(self, state: State, stream: Random) -> list[Offer]:
        state = worded(state)
        found = gather(state, stream, FEATURES, DEFECTS, CHANGES, worded)
        if not state.has("transforms"):
            return found
        taken = {one.name for one in state.drawn} | {"upper"}
        return found + TRANSFORMS.offers(state, stream, list(drawn.PATTERNS), taken)

    def tree(self, state: State) -> dict[str, str]:
        state = worded(state)
        facts, on = state.facts, set(state.on)
        package = (f"{facts['root']}/" if facts["root"] else "") + facts["pkg"]
        stock = (
            ("diff", "changes", "diff"), ("patch", "changes", "patch"), ("merge", "changes", "merge"), ("find", "changes", "find"), ("rename", "changes", "rename"),
            ("flatten", "changes", "flatten"), ("same_values", "changes", "same_values"), ("interpolation", "reading", "filled"), ("transforms", "library", "transform"),
        )  # fmt: skip
        public = [("errors", facts[name]) for name in ("e_base", "e_missing", "e_syntax", "e_value")] + [
            ("reading", "parse"),
            ("writing", "write"),
        ]
        public += [(module, name) for feature, module, name in stock if feature in on]
        more: dict[str, Any] = {
            "public": public,
            "all_names": sorted(name for _, name in public),
            "functions": rows_of(state, facts["e_value"]),
        }
        files = {
            "__init__": "init",
            "errors": "errors",
            "values": "values",
            "reading": "reading",
            "writing": "writing",
            "__main__": "cli",
        }
        files |= {module: module for module in ("changes", "library") if any(one == module for one, _ in public)}
        tree = {
            f"{package}/{name}.py": fill(self.name, f"{template}.py.j2", state, **more)
            for name, template in files.items()
        }
        tree["docs/conventions.md"] = fill(self.name, "conventions.md.j2", state, **more)
        return tree


def worded(state: State) -> State:
    """The state with sentences that depend on its meanings."""
    f = dict(state.facts)
    f["twice_told"] = {
        "error": f"it cannot be read (`{f['e_syntax']}`)",
        "first": "the first one counts",
        "last": "the last one counts",
    }[f["twice"]]
    f["merge_told"] = "that of the other one" if f["merge_other"] else "that of the first one"
    return replace(state, facts=f)
