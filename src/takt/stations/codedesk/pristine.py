"""What of Python and of pytest decides how a test comes out, as it was before the tree was imported, and what of it is
another now. A part of `examine.py`, and like it nothing but the standard library.

The tree's code runs in the same interpreter and can reach all of this. Who changes only what is looked at here is seen;
who knows this file can put things back in time. For that there is a second run, with tests that ask for something else.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, is_
from typing import Any

DECIDE = ("_pytest", "pytest", "pluggy", "unittest", "__main__", "takt_pristine")
BESIDE = (
    "contextlib", "functools", "operator", "inspect", "traceback", "types", "ast", "linecache", "json", "enum",
    "json.encoder", "importlib", "importlib.util", "importlib._bootstrap", "importlib._bootstrap_external",
)  # fmt: skip
FUNCTIONS = (types.FunctionType, classmethod, staticmethod, property)
ASKED_FOR = (
    "pytestmark", "pytest_plugins", "collect_ignore", "collect_ignore_glob", "setup_module", "teardown_module",
    "setUpModule", "tearDownModule", "setup_function", "teardown_function", "load_tests", "__test__",
)  # fmt: skip
BINDS_UNSEEN = {"globals", "locals", "exec", "_getframe", "currentframe"}  # names, in a file whose text does not tell

DOES = tuple(map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__")))
Does = tuple[types.FunctionType, Any, Any, Any]  # a function with its code and its defaults
Row = tuple[str, Any, tuple[Does, ...]]


def does(value: Any) -> tuple[Does, ...]:
    """What a function does, or one that is made of functions: of which it is made cannot be changed, their code can."""
    if not isinstance(value, FUNCTIONS):
        return ()
    made = (value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "fdel")))
    return tuple(
        (one, one.__code__, one.__defaults__, one.__kwdefaults__) for one in made if isinstance(one, types.FunctionType)
    )


def modules() -> list[types.ModuleType]:
    """The modules that decide, as far as they are imported; their copies of others' names are no concern."""
    return [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType) and (name.split(".")[0] in DECIDE or name in BESIDE)
    ]


class Pristine:
    """The table: functions, classes, class methods, static methods, properties and built-in names."""

    def __init__(self) -> None:
        found: dict[int, tuple[Any, list[Row]]] = {}
        for owner, row in rows():
            found.setdefault(id(owner), (owner, []))[1].append(row)
        self.owners = tuple((owner, tuple(its), frozenset(vars(owner))) for owner, its in found.values())
        # the same in columns: to see that nothing is another takes no loop
        self.held = tuple((vars(owner), tuple(vars(owner).values())) for owner, *_ in self.owners)
        what = [one for _, its, _ in self.owners for _, _, functions in its for one in functions]
        self.functions, *self.does = zip(*what, strict=True)
        self.classes = frozenset(
            id(value) for _, its, _ in self.owners for _, value, _ in its if isinstance(value, type)
        )

    @property
    def apart(self) -> set[int]:
        """Its classes and functions, by `id`: nobody else need look at them."""
        functions = {id(one) for _, its, _ in self.owners for _, _, what in its for one, *_ in what}
        return functions | {id(owner) for owner, *_ in self.owners if isinstance(owner, type)}

    def touched(self) -> list[str]:
        """What is another now, and what has come that stands before something that decides."""
        pairs = zip(DOES, self.does, strict=True)
        done = all(all(map(is_, map(ask, self.functions), was)) for ask, was in pairs)
        differ = [
            (*one, now)
            for one, (now, values) in zip(self.owners, self.held, strict=True)
            if not done or len(now) != len(values) or not all(map(is_, now.values(), values))
        ]
        if not differ:
            return []
        # this one puts functions of its own into others' classes, and takes them out again
        old = sys.modules.get("_pytest.legacypath")
        its = {id(value) for value in vars(old).values()} if old else set()
        its |= {id(value) for owner, here, _ in self.owners if owner is old for _, value, _ in here}
        found = []
        for owner, here, names, now in differ:
            others = [
                name
                for name, value, what in here
                if now.get(name) is not value
                or any(
                    one.__code__ is not code or one.__defaults__ is not some or one.__kwdefaults__ is not named
                    for one, code, some, named in what
                )
            ]
            others += [name for name in now.keys() - names if _decides(owner, name, now[name])]
            for name in others:
                was = next((value for one, value, _ in here if one == name), None)
                if owner is old or not (_of(old, now.get(name), its) or _of(old, was, its)):
                    found.append(f"{getattr(owner, '__name__', owner)}.{name}")
        return found


def _decides(owner: Any, name: str, value: Any) -> bool:
    """Whether what has come takes the place of something: of a built-in name, or of what a class has from another."""
    if isinstance(owner, types.ModuleType):
        return owner is not builtins and name in vars(builtins) and name != "__builtins__"
    return isinstance(value, FUNCTIONS)


def _of(module: Any, value: Any, its: set[int]) -> bool:
    """Whether this is one of a module's functions, or is made of them."""
    made = does(value)
    return id(value) in its or bool(module and made and all(one.__globals__ is vars(module) for one, *_ in made))


def same(now: tuple[Any, ...], was: tuple[Any, ...]) -> bool:
    """Whether these are the very same things."""
    return len(now) == len(was) and all(one is other for one, other in zip(now, was, strict=True))


def rows() -> Iterator[tuple[Any, Row]]:
    """Of each module and class that decides, what decides there."""
    for name, value in vars(builtins).items():
        if name != "_":
            yield builtins, (name, value, ())
    for module in modules():
        for name, value in list(vars(module).items()):
            if name.startswith("__") and name.endswith("__"):
                continue
            if isinstance(value, (types.FunctionType, type, types.BuiltinFunctionType)):
                yield module, (name, value, does(value))
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value, ("", None, ())  # so that what comes to a class without functions is seen
                for inner, method in list(vars(value).items()):
                    if hasattr(type(method), "__get__"):
                        yield value, (inner, method, does(method))


def watchers() -> list[str]:
    """What follows the interpreter's steps, and could stand in for them."""
    found = [] if sys.gettrace() is None else ["sys.settrace"]
    found += [] if sys.getprofile() is None else ["sys.setprofile"]
    tools = getattr(sys, "monitoring", None)
    return found + [f"sys.monitoring, tool {one}" for one in range(6) if tools is not None and tools.get_tool(one)]


class Plugins:
    """pytest's plugins, and what each hook calls, in its order."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.registered = dict(manager.list_name_plugin())
        self.hooks = hooks(manager)

    def came(self, laid: Iterable[str], work: str, known: frozenset[int]) -> list[str]:
        """Plugins that have come, and belong neither to pytest nor to the tests' own configuration."""
        named = {
            name
            for module in list(sys.modules.values())
            if relative(module, work) in laid
            for name in names_of(getattr(module, "pytest_plugins", ()))
        }
        found = []
        for name, plugin in self.manager.list_name_plugin():
            if self.registered.get(name) is plugin or plugin is None or id(type(plugin)) in known or name in named:
                continue
            home = plugin if isinstance(plugin, types.ModuleType) else sys.modules.get(type(plugin).__module__)
            where = relative(home, work)
            if not (where in laid or (where == "" and home is not None)):
                found.append(f"plugin {name}")
        return found

    def touched(self) -> list[str]:
        """What is another since."""
        now = hooks(self.manager)
        found = [f"hook {name}" for name, calls in self.hooks.items() if not same(now.get(name, ()), calls)]
        then = {id(one) for one in self.registered.values()}
        return found + [f"plugin {name}" for name, one in self.manager.list_name_plugin() if id(one) not in then]


def hooks(manager: Any) -> dict[str, tuple[Any, ...]]:
    """Hook -> what it calls, by identity: implementations, their functions and codes, and whoever calls them."""
    found: dict[str, tuple[Any, ...]] = {}
    for name, caller in list(vars(manager.hook).items()):
        calls: list[Any] = [caller]
        for one in list(getattr(caller, "_hookimpls", ())):
            function = getattr(one.function, "__func__", one.function)
            calls += [one, function, getattr(function, "__code__", None)]
        found[name] = tuple(calls)
    return found


def names_of(given: Any) -> Iterable[str]:
    return (given,) if isinstance(given, str) else tuple(map(str, given)) if isinstance(given, (list, tuple)) else ()


def relative(module: Any, work: str) -> str:
    """A module's file below the tree, "" if it has none there."""
    file = getattr(module, "__file__", None)
    return os.path.relpath(file, work) if isinstance(file, str) and file.startswith(f"{work}/") else ""


def codes(path: str, rewrite: Callable[[str], Any]) -> dict[str, list[Any]]:
    """Tests of a file that stay what they are written as (bound once, with pytest's marks at most): what their code
    must be, as pytest compiles it and as Python does."""
    try:
        with open(path, "rb") as file:
            text = file.read()
        whole = ast.parse(text)
        body = whole.body
        compiled = [compile(text, path, "exec", dont_inherit=True)]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    try:
        compiled.append(rewrite(path))
    except Exception:  # whatever this version of pytest makes of being asked
        return {}
    bound = [name for one in body for name in bound_by(one)]
    elsewhere = {name for one in ast.walk(whole) if isinstance(one, ast.Global) for name in one.names}
    elsewhere |= {one.asname or one.name for one in ast.walk(whole) if isinstance(one, ast.alias)}
    found: dict[str, list[Any]] = {}
    for one in body:
        if (
            isinstance(one, ast.FunctionDef)
            and bound.count(one.name) == 1
            and one.name not in elsewhere
            and all(ast.unparse(mark).startswith("pytest.mark.") for mark in one.decorator_list)
        ):
            found[one.name] = [
                code
                for made in compiled
                for code in made.co_consts
                if isinstance(code, types.CodeType) and code.co_name == one.name
            ]
    return found


def bound_by(statement: ast.stmt) -> list[str]:
    """Names that a statement may bind."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    inner = list(ast.walk(statement))
    found = [one.name for one in inner if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    return found + [one.id for one in inner if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)]


def names_bound(path: str) -> frozenset[str] | None:
    """Names that a file's own text binds in its module; None where that cannot be told from the text."""
    try:
        with open(path, "rb") as file:
            body = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found, used = set[str](), set[str]()
    for one in ast.walk(body):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(one.name)
        elif isinstance(one, ast.alias):
            if one.name == "*":
                return None
            found.add((one.asname or one.name).partition(".")[0])
        elif isinstance(one, ast.Attribute):
            used.add(one.attr)
        elif isinstance(one, ast.Name):
            used.add(one.id)
            found |= set() if isinstance(one.ctx, ast.Load) else {one.id}
        elif isinstance(one, ast.Global):
            found |= set(one.names)
        elif isinstance(one, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and one.name:
            found.add(one.name)
        elif isinstance(one, ast.MatchMapping) and one.rest:
            found.add(one.rest)
    unseen = used & BINDS_UNSEEN or {"modules", "__name__"} <= used
    return None if unseen else frozenset(found)


def imports(path: str) -> tuple[list[tuple[str, str, str]], frozenset[str] | None]:
    """What a file has from elsewhere under names that it binds once (name, module, what of it), and the names that its
    functions assign in the module, None where that cannot be told from the text."""
    try:
        with open(path, "rb") as file:
            body = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return [], None
    found = dict[tuple[str, str, str], None]()
    for one in body.body:
        if isinstance(one, ast.Import):
            for alias in one.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first, alias.name if alias.asname else first, ""] = None
        elif isinstance(one, ast.ImportFrom) and not one.level and one.module:
            found |= {(alias.asname or alias.name, one.module, alias.name): None for alias in one.names}
    free, used, bound = set[str](), set[str](), [name for name, _, _ in found]
    for inner in ast.walk(body):
        if isinstance(inner, ast.Global):
            free |= set(inner.names)
        elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.append(inner.name)
        elif isinstance(inner, ast.Name):
            used.add(inner.id)
            bound += [] if isinstance(inner.ctx, ast.Load) else [inner.id]
        elif isinstance(inner, ast.Attribute):
            used.add(inner.attr)
    unseen = used & BINDS_UNSEEN or {"modules", "__name__"} <= used
    return [one for one in found if bound.count(one[0]) == 1], None if unseen else frozenset(free)


def asked(path: str) -> frozenset[str]:
    """What a file imports, anywhere in it, and what it names of that: `os`, `os.path`, `pathlib.Path`."""
    try:
        with open(path, "rb") as file:
            body = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found, called = set[str](), dict[str, str]()
    for one in ast.walk(body):
        if isinstance(one, ast.Import):
            found |= {alias.name for alias in one.names}
            called |= {alias.asname: alias.name for alias in one.names if alias.asname}
        elif isinstance(one, ast.ImportFrom) and not one.level and one.module:
            found |= {one.module, *(f"{one.module}.{alias.name}" for alias in one.names)}
    for one in ast.walk(body):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
            found.add(f"{called.get(one.value.id, one.value.id)}.{one.attr}")
    return frozenset(found)


def injected(module: Any, own: frozenset[str] | None, codes: dict[str, list[Any]]) -> list[str]:
    """Names of a module of tests that decide what becomes of them, and that its text does not bind: somebody else put
    them there. And functions of its own that are others now."""
    if own is None or not isinstance(module, types.ModuleType):
        return []
    held = vars(module)
    found = [name for name in list(held) if name not in own and _asked_for(name, held[name])]
    return found + [name for name, written in codes.items() if getattr(held.get(name), "__code__", None) not in written]


def _asked_for(name: str, value: Any) -> bool:
    """Whether pytest, or a test, looks for this name: settings, hooks, fixtures, and what hides a built-in."""
    kind = type(value).__name__
    return (
        name in ASKED_FOR
        or name.startswith("pytest_")
        or kind == "FixtureFunctionDefinition"
        or hasattr(value, "_pytestfixturefunction")
        or (name in vars(builtins) and not (name.startswith("__") and name.endswith("__")))
    )
