"""What the standard library and installed packages are made of: each module as it was when it had been loaded, and what
of it is another now. A part of `examine.py`, like `pristine.py`, and like that nothing but the standard library.

A test asks the code, and asks it with the help of others: `math.isclose`, `re.search`, `os.path.exists`, draws of
`random`, a property-testing tool. Code that puts something of its own in their place has wrong answers pass, and fails
altered tests as it must, for there the same false help is asked. So there is no list of what is watched: it is every
module that is not the tree's, with its classes, functions, instances and tables.

What was loaded before the tree is taken down first. What is loaded later is taken down the moment that it is there,
before whoever imports it goes on (`installed`). What one library does to another as it is imported is its own affair.

Long because: it is laid into the sandbox, and nothing of Takt's can be imported there.
"""

from __future__ import annotations

import builtins
import gc
import hashlib
import os
import sys
import threading
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter, is_
from typing import Any

DECIDE = ("_pytest", "pytest", "unittest")  # of their classes, values count as well
FUNCTIONS = (types.FunctionType, classmethod, staticmethod, property)
LIKE = (
    *FUNCTIONS,
    type,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
)
CONSTANTS = (int, float, complex, str, bytes, tuple, frozenset)
# Names that are there to be assigned, by their modules' own documentation.
ASSIGNED = frozenset(
    [
        "sys.argv",
        "sys.displayhook",
        "sys.excepthook",
        "sys.unraisablehook",
        "sys.breakpointhook",
        "sys.stdin",
        "sys.stdout",
        "sys.stderr",
        "sys.path",
        "sys.ps1",
        "sys.ps2",
        "sys.tracebacklimit",
        "sys.dont_write_bytecode",
        "sys.pycache_prefix",
        "sys.warnoptions",
        "sys.last_type",
        "sys.last_value",
        "sys.last_traceback",
        "sys.last_exc",
        "builtins._",
        "pdb.set_trace",
        "threading.excepthook",
        "warnings.showwarning",
        "warnings.formatwarning",
        "warnings._showwarnmsg_impl",
        "logging.lastResort",
        "logging.Formatter.converter",
        "tempfile.tempdir",
        "tempfile.template",
    ]
)
OF_ITSELF = frozenset(  # what Python itself writes into modules and classes, as it goes
    [
        "__warningregistry__",
        "__annotations__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__doc__",
        "__abstractmethods__",
        "_abc_impl",
        "__slotnames__",
        "__parameters__",
        "__builtins__",
        "__cached__",
        "__spec__",
        "__loader__",
        "__path__",
        "__file__",
        "__package__",
        "__name__",
        "__debug__",
    ]
)
COMMON = ("test", "tests")  # as a repository calls its folder, and Python a package of its own
SEARCHES = ("gc.get_objects", "gc.get_referrers", "gc.get_referents")
MOST_IN_TABLE = 5000
MOST_LINES, MOST_CALLS = 5_000, 100_000  # of a test, that are followed
SEVERAL_RETURNS = 0x20 | 0x80 | 0x200  # flags of generators' and coroutines' code
GONE = object()
DOES = tuple(map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__")))
MODULE = vars(types.ModuleType)["__dict__"].__get__
OF_CLASS = vars(type)["__dict__"].__get__
ORDER = vars(type)["__mro__"].__get__


def is_module(value: object) -> bool:
    """By its type: cffi's libraries only say that they are one (`__class__`)."""
    return issubclass(type(value), types.ModuleType)


@dataclass(slots=True)
class Held:
    """A module, a class, an instance or a table, with what it held."""

    owner: Any
    label: str
    what: str  # module, class, instance, table; tests and class of tests, of a file that is laid
    now: Mapping[Any, Any]  # its names, as they are at any time
    was: dict[Any, Any]
    values: tuple[Any, ...]
    kind: type
    order: tuple[type, ...] = ()
    free: frozenset[str] = frozenset()  # names that are assigned as it goes


Function = tuple[types.FunctionType, Any, Any, Any, tuple[Any, ...], tuple[Any, ...]]
Import = tuple[str, str, str]  # the name that it binds, the module, and what of it, "" for the module itself
Found = dict[tuple[int, Any], str]  # whose and under which name -> how it is called


class Whose:
    """Which modules are libraries', and what is the tree's. `work` is the folder of the tree; `folders` are Takt's own,
    whose packages a project may have as well."""

    def __init__(self, work: str, folders: Collection[str] = ()) -> None:
        places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *folders, *(one for one in sys.path if one)}
        places = {os.path.realpath(one) for one in places} | places
        self.roots = tuple(f"{one.rstrip('/')}/" for one in places if not f"{one}/".startswith(f"{work}/"))
        self.standard = frozenset(sys.stdlib_module_names) - set(COMMON)
        names = {name for one in sys.path if one not in folders for name in _top_names(one)}
        self.names = self.standard | names - set(COMMON)
        self.modules: dict[str, Any] = {}
        self.globals: set[int] = set()  # of all of them
        self.cache: dict[str, frozenset[str]] = {}

    def place(self, module: Any) -> str:
        """A module's file; "" for one of Python's own, None where it has none."""
        names = MODULE(module)
        file, spec = names.get("__file__"), names.get("__spec__")
        if isinstance(file, str):
            return file
        if getattr(spec, "origin", None) in ("built-in", "frozen"):
            return ""
        path = list(names.get("__path__") or ())
        return f"{path[0]}/" if path and isinstance(path[0], str) else "?"

    def is_library(self, module: Any) -> bool:
        place = self.place(module) if is_module(module) else "?"
        return place == "" or place.startswith(self.roots)

    def of_tree(self, value: Any, deep: int = 2) -> bool:
        """Whether something is the tree's: a function, a class, an instance of one, a module, or made of such."""
        kind = type(value)
        if kind in FUNCTIONS:
            return any(id(one.__globals__) not in self.globals for one in _made_of(value))
        if kind is types.MethodType:
            return self.of_tree(value.__func__) or (deep > 0 and self.of_tree(value.__self__, deep - 1))
        if issubclass(kind, type):
            home = sys.modules.get(_inside(value).get("__module__", "builtins"))
            if is_module(home) and self.place(home) != "?" and not self.is_library(home):
                return True
            own = [one for inner in list(_inside(value).values()) for one in _made_of(inner)]
            return any(id(one.__globals__) not in self.globals and self._in_tree(one) for one in own)
        if issubclass(kind, types.ModuleType):
            return id(MODULE(value)) not in self.globals and not self.is_library(value) and self.place(value) != "?"
        if kind.__module__ == "functools" and kind.__name__ == "partial" and deep > 0:
            return self.of_tree(value.func, deep - 1)
        return kind is not object and deep > 0 and self.of_tree(kind, deep - 1)

    def _in_tree(self, function: types.FunctionType) -> bool:
        """Whether a function that is no module's own comes from a file: not what a library writes at run time."""
        return os.path.isabs(function.__code__.co_filename) and not function.__code__.co_filename.startswith(self.roots)

    def _own_globals(self, module: Any) -> frozenset[str]:
        """Names that a module's own functions assign: its state."""
        name = MODULE(module).get("__name__", "")
        if name not in self.cache:
            try:
                with open(MODULE(module)["__spec__"].origin, "rb") as file:
                    lines = [line.strip() for line in file if line.lstrip().startswith(b"global ")]
            except (OSError, KeyError, AttributeError, TypeError):
                lines = []
            found = {one.strip() for line in lines for one in line[7:].partition(b"#")[0].decode("latin-1").split(",")}
            self.cache[name] = frozenset(found)
        return self.cache[name]

    def _asked_for(self, held: Held, name: str) -> bool:
        """Whether a name that a module did not have was looked up all the same: by pytest, by a function of the module
        (`__getattr__`, `global`) or as a module that is not loaded yet. Any other new name hides nothing."""
        if name.startswith("__") or "__getattr__" in held.was or held.label.partition(".")[0] in DECIDE:
            return True
        folders = [one for one in held.was.get("__path__") or () if isinstance(one, str)]
        return name in self._own_globals(held.owner) or any(name in _top_names(one) for one in folders)

    def _not_its_own(self, module: Any) -> Iterator[str]:
        for name, value in list(MODULE(module).items()):
            if not isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
                continue
            if self.of_tree(value) or (value.__name__ != name and value.__module__ == MODULE(module)["__name__"]):
                yield name


class Event:
    """The name of an event of which Python tells. Whoever compares another with it hears of it here: who looks through
    all objects can find, and rewrite, the table."""

    __slots__ = ("name", "table")

    def __init__(self, name: str, table: Libraries) -> None:
        self.name, self.table = name, table

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        table = self.table
        if other != self.name:
            return False
        if self.name not in SEARCHES:
            if table.followed is not None:
                table.followed()
        elif self.name not in table.heard and id(sys._getframe(1).f_globals) not in table.globals:
            table.heard.add(self.name)
            table.tell(self.name)
        return False


class Libraries(Whose):
    """The table. `tell` hears at once of what could be rewritten here afterwards."""

    def __init__(
        self, work: str, folders: Collection[str] = (), tell: Callable[[str], Any] = lambda what: None
    ) -> None:
        super().__init__(work, folders)
        self.tell = tell  # what is told cannot be unsaid
        self.apart, self.begun = frozenset[int](), False
        self.held: dict[int, Held] = {}
        self.functions: dict[int, Function] = {}
        self.columns: tuple[list[Any], ...] = ([], [], [], [])  # the same: functions, codes, defaults, those by name
        self.deep: list[Function] = []  # those that have defaults by name, or hold something
        self.seen: dict[str, None] = {}  # what was another once
        self.inside: dict[int, int] = {}  # thread -> how many imports of libraries it is in
        self.tools: dict[str, str] = {}
        self.heard: set[str] = set()
        self.followed: Callable[[], None] | None = None  # asked when `sys.settrace` is called
        self.table, self.hooks = sys.modules, (sys.meta_path, sys.path_hooks)
        self.finders: set[int] = set()

    def begin(self, apart: Iterable[int] = ()) -> None:
        """Take down what there is. `apart`: classes and functions (`id`) that are looked at elsewhere."""
        self.apart = frozenset(apart)
        for name, module in list(sys.modules.items()):
            self._module(name, module)
        for one in list(_classes()):
            self._class(one)
        for one in gc.get_objects():
            if type(one) is types.FunctionType:
                self._function(one)
        self.finders |= {id(one) for hook in self.hooks for one in hook}
        self.begun = True
        # Nobody can take this away again. Python tells of much, such as each look at a function's code: so an event is
        # looked up by the dictionary itself, and only those that it knows take a step of Python's.
        sys.addaudithook({Event(name, self): None for name in (*SEARCHES, "sys.settrace")}.get)  # type: ignore[arg-type]

    # what is taken down

    def _module(self, name: str, module: Any) -> None:
        self.modules[name] = module
        if not is_module(module):  # a library may put anything there
            return
        names = MODULE(module)
        self.globals.add(id(names))
        if id(module) in self.held:
            return
        self._hold(module, name, "module", names)
        for inner, value in list(names.items()):
            self._value(value, f"{name}.{inner}")

    def _value(self, value: Any, label: str) -> None:
        """What may be reached from a name of a module."""
        kind = type(value)
        if issubclass(kind, type):
            self._class(value)
        elif kind in FUNCTIONS:
            for one in _made_of(value):
                self._function(one)
        elif kind is dict:
            self._table(value, label)
        elif kind is not types.ModuleType and kind.__dictoffset__ and not issubclass(kind, types.ModuleType):
            try:
                names = object.__getattribute__(value, "__dict__")
            except AttributeError:
                return
            if type(names) is dict and id(value) not in self.held and not (self.begun and self.of_tree(kind)):
                self._hold(value, label, "instance", names)

    def _class(self, one: type) -> None:
        if id(one) in self.held or (self.begun and self.of_tree(one)):  # before, nothing of the tree is there
            return
        names, label = _inside(one), f"{one.__module__}.{one.__qualname__}"
        self._hold(one, label, "class", names, ORDER(one))
        for inner, value in list(names.items()):
            for function in _made_of(value):
                self._function(function)
            if type(value) is dict and inner != "__dict__":
                self._table(value, f"{label}.{inner}")

    def _table(self, table: dict[Any, Any], label: str) -> None:
        """A dictionary of functions or classes."""
        if len(table) <= MOST_IN_TABLE and id(table) not in self.globals and id(table) not in self.held:
            found = {key: value for key, value in list(table.items()) if isinstance(value, LIKE)}
            if found and table is not sys.modules:
                self.held[id(table)] = Held(table, label, "table", table, found, (), dict)

    def _hold(self, owner: Any, label: str, what: str, names: Any, order: tuple[type, ...] = ()) -> None:
        was = dict(names)
        self.held[id(owner)] = Held(owner, label, what, names, was, tuple(was.values()), type(owner), order)

    def lay(self, path: str, module: Any, imports: Collection[Import], free: frozenset[str] | None) -> None:
        """A file of tests, when all are collected: what it has from libraries must be theirs, and nobody else may put
        anything in place of its names, but for those that it assigns as it goes (`free`; None: any)."""
        names = MODULE(module)
        for name, home, inner in imports:
            theirs = self.modules.get(home, GONE)
            due: Any = theirs
            if inner and theirs is not GONE:
                due = self.held[id(theirs)].was.get(inner, GONE) if id(theirs) in self.held else GONE
            if (isinstance(due, LIKE) or is_module(due)) and names.get(name, GONE) is not due:
                self.seen[f"{path}: {name}"] = None
        if free is None:
            return
        self._hold(module, f"{path}: ", "tests", names)
        self.held[id(module)].free = free
        for value in list(names.values()):
            for function in _made_of(value):
                self._function(function)
            if isinstance(value, type) and _inside(value).get("__module__") == names.get("__name__"):
                self._hold(value, f"{path}: {value.__qualname__}", "class of tests", _inside(value), ORDER(value))
                for inner in list(_inside(value).values()):
                    for function in _made_of(inner):
                        self._function(function)

    def _function(self, one: types.FunctionType) -> None:
        if id(one) in self.functions or id(one) in self.apart:
            return
        cells = tuple((cell, inner) for cell, inner in _cells(one) if isinstance(inner, LIKE))
        named = tuple((one.__kwdefaults__ or {}).values())
        it = (one, one.__code__, one.__defaults__, one.__kwdefaults__, cells, named)
        self.functions[id(one)] = it
        for column, part in zip(self.columns, it, strict=False):
            column.append(part)
        self.deep += [it] if cells or named else []
        for _, inner in cells:
            for function in _made_of(inner):
                self._function(function)

    # what has come of it

    def touched(self, whole: bool = True) -> list[str]:
        """What is another now, or was once when something was imported; functions' own code if `whole`."""
        self.note(by_hand=True)
        self.seen |= dict.fromkeys(self.different().values())
        self.seen |= dict.fromkeys(self.rewritten() if whole else ())
        self.seen |= dict.fromkeys(self._stands_in())
        self.seen |= dict.fromkeys(
            f"{name} = {now}" for name, now in tools().items() if self.tools.get(name, now) != now
        )
        return list(self.seen)

    def different(self) -> Found:
        found: Found = {}
        for one in list(self.held.values()):
            if type(one.owner) is not one.kind and self.of_tree(type(one.owner)):
                found[id(one.owner), "__class__"] = f"{one.label}.__class__"
            if one.order and ORDER(one.owner) != one.order:
                found[id(one.owner), "__mro__"] = f"{one.label}.__bases__"
            if one.what == "table":
                now = {key: value for key, value in one.was.items() if one.owner.get(key, value) is not value}
                found |= {(id(one.owner), key): f"{one.label}[{key!r:.60}]" for key in now}
            elif not same(one.now.values(), one.values):
                dot = "" if one.what == "tests" else "."
                found |= {(id(one.owner), name): f"{one.label}{dot}{name}" for name in self._names(one)}
        return found

    def rewritten(self) -> Iterator[str]:
        """Functions that are what they were, and do something else."""
        functions, *were = self.columns
        done = all(all(map(is_, map(ask, functions), was)) for ask, was in zip(DOES, were, strict=True))
        for does, code, some, named, cells, values in list(self.deep if done else self.functions.values()):
            if does.__code__ is not code or does.__defaults__ is not some or does.__kwdefaults__ is not named:
                yield f"{does.__module__}.{does.__qualname__}: its code"
            elif named is not None and not same(named.values(), values):
                yield f"{does.__module__}.{does.__qualname__}: its defaults"
            elif cells and any(_content(cell) is not inner for cell, inner in cells):
                yield f"{does.__module__}.{does.__qualname__}: what it holds"

    def _names(self, held: Held) -> Iterator[Any]:
        now = dict(held.now)
        for name, was in held.was.items():
            value = now.get(name, GONE)
            if value is was or name in OF_ITSELF or f"{held.label}.{name}" in ASSIGNED:
                continue
            if self._counts(held, name, was, value):
                yield name
        for name in now.keys() - held.was.keys() - OF_ITSELF:
            if f"{held.label}.{name}" not in ASSIGNED and self._came_before(held, name, now[name]):
                yield name

    def _counts(self, held: Held, name: str, was: Any, now: Any) -> bool:
        """Whether it matters that a name stands for something else."""
        if held.what == "tests":
            return not name.startswith(("__", "@")) and name not in held.free
        if held.what in ("instance", "class of tests"):
            return isinstance(was, LIKE)
        if held.what == "class":
            if held.label.startswith(DECIDE) and type(was) in (type, bool, *CONSTANTS):
                return now is GONE or type(now) is not type(was) or now != was
            if now is GONE:
                return isinstance(was, FUNCTIONS) and id(held.owner) not in self.apart
            return id(held.owner) not in self.apart and hasattr(type(was), "__get__")
        like = isinstance(was, LIKE)
        if name in self._own_globals(held.owner) and (name.startswith("_") or not like):
            return False
        if like or (is_module(was) and now is not GONE):
            return True
        written = name.isupper() or held.label.partition(".")[0] in self.standard  # no count of a package's own
        if type(was) in CONSTANTS and written and not name.startswith("_"):
            return type(now) is not type(was) or now != was
        return now is not GONE and self.of_tree(now)

    def _came_before(self, held: Held, name: Any, value: Any) -> bool:
        """Whether what has come takes the place of something, or is the tree's."""
        if held.what == "tests":
            return False
        if held.what == "module":
            if sys.modules.get(f"{held.label}.{name}", GONE) is value:
                return False
            if name in vars(builtins) and held.owner is not builtins and vars(builtins)[name] is not value:
                return True
            return self._asked_for(held, str(name)) and self.of_tree(value)
        above = [
            _inside(one).get(name, GONE) for one in ORDER(type(held.owner) if held.what == "instance" else held.owner)
        ]
        if held.what == "instance":
            return callable(value) and any(type(one) is types.FunctionType for one in above)
        hides = hasattr(type(value), "__get__") and any(one is not GONE for one in above[1:])
        return hides and id(held.owner) not in self.apart

    def _stands_in(self) -> Iterator[str]:
        """Modules of the tree under a library's name, and finders of its own."""
        if sys.modules is not self.table:
            yield "sys.modules"
        for name, hook, was in (
            ("meta_path", sys.meta_path, self.hooks[0]),
            ("path_hooks", sys.path_hooks, self.hooks[1]),
        ):
            if hook is not was or any(id(one) not in self.finders and self.of_tree(one) for one in hook):
                yield f"sys.{name}"
        for name, module in list(sys.modules.items()):
            known = self.modules.get(name)
            if module is known or module is None or name.partition(".")[0] not in self.names:
                continue
            if not is_module(module):
                if known or self.of_tree(type(module)):
                    yield f"module {name}"
            elif not self.is_library(module) and (
                known or self.place(module) != "?" or any(map(self.of_tree, MODULE(module).values()))
            ):
                yield f"module {name}"

    # what is loaded later

    def note(self, by_hand: bool = False) -> None:
        """Take down what has been loaded. `by_hand`: what has not been seen to be loaded is looked at for itself."""
        for name, module in list(sys.modules.items()):
            if self.modules.get(name, GONE) is module:
                continue
            if not is_module(module):
                if not (by_hand or self.of_tree(type(module))):
                    self._module(name, module)
                continue
            begun = getattr(MODULE(module).get("__spec__"), "_initializing", False)
            if not self.is_library(module) or (begun and self.inside.get(threading.get_ident())):
                continue
            if by_hand:
                self.globals.add(id(MODULE(module)))
                self.seen |= dict.fromkeys(f"{name}.{inner}" for inner in self._not_its_own(module))
            self._module(name, module)
            self.tools |= tools() if name == "hypothesis" else {}

    def enter(self, name: str) -> tuple[int, Found | None]:
        """What is another already, before a package is imported: that is not the package's doing."""
        me = threading.get_ident()
        depth, top = self.inside.get(me, 0), str(name).partition(".")[0]
        library = self.begun and top in self.names
        before = None
        if library and not depth:
            self.note(by_hand=True)
            before = {} if top in self.standard else self.different()
            self.seen |= dict.fromkeys(before.values())
        self.inside[me] = depth + (library or depth > 0)
        return depth, None if top in self.standard else before

    def leave(self, name: str, entered: tuple[int, Found | None]) -> None:
        depth, before = entered
        if self.begun and (depth or name.partition(".")[0] in self.names):
            self.note()
        self.inside[threading.get_ident()] = depth
        if before is None:
            return
        for (owner, name), label in self.different().items():
            if (owner, name) not in before:
                self._accept(owner, name, label)

    def _accept(self, owner: int, name: Any, label: str) -> None:
        """What a package has put in its place as it was imported, unless it is the tree's after all."""
        held = self.held[owner]
        value = held.now.get(name, GONE)
        if value is not GONE and self.of_tree(value):
            self.seen[label] = None
        elif name == "__mro__" and held.what == "class":
            held.order = ORDER(held.owner)
        elif value is GONE:
            held.was.pop(name, None)
        else:
            held.was[name] = value
        held.values = tuple(held.was.values())


def installed(libraries: Libraries, old: Callable[..., Any]) -> Callable[..., Any]:
    """`importlib._bootstrap._find_and_load`, with which every import begins, and after it all is taken down."""

    def _find_and_load(name: str, import_: Any) -> Any:
        before = libraries.enter(name)
        try:
            return old(name, import_)
        finally:
            libraries.leave(name, before)

    # a traceback of an import has no lines of the import's own, which are told by this name
    code = _find_and_load.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    return types.FunctionType(code, globals(), "_find_and_load", None, _find_and_load.__closure__)


class Steps:
    """Follows files of tests line by line: who puts something in place of what a test asks, and takes it away before it
    has ended, is seen between two lines. Only what the file itself names is looked at."""

    def __init__(self, libraries: Libraries) -> None:
        self.libraries = libraries
        self.files: dict[str, tuple[Collection[str], Any]] = {}  # file -> what it imports anywhere, and its module
        self.rulers: dict[str, tuple[int, list[tuple[Held, list[Function]]]]] = {}
        self.last: dict[str, tuple[Any, ...]] = {}
        self.lines = self.calls = 0  # that are left to follow
        self.thread = 0  # in which a test is followed, 0 if none is
        self.open: set[int] = set()  # frames of files of tests that have not returned
        libraries.followed = self._asks

    def begin(self) -> None:
        """A test begins; if nobody else follows what is done."""
        if sys.gettrace() is None:
            self.lines, self.calls = MOST_LINES, MOST_CALLS
            self.open.clear()
            sys.settrace(self._called)
            self.thread = threading.get_ident()

    def end(self, passed: bool = True) -> None:
        """It has ended. Of one that failed nothing is said: an error while it is looked at ends the following too."""
        follows, ours = self.thread == threading.get_ident(), self._is_ours()
        self.thread = 0
        if ours:
            sys.settrace(None)
        if follows and passed and not ours:
            self.libraries.seen["sys.settrace"] = None
        elif follows and passed and self.open:
            self.libraries.seen["frame.f_trace"] = None

    def _is_ours(self) -> bool:
        return getattr(sys.gettrace(), "__func__", None) is Steps._called

    def _asks(self) -> None:
        """Somebody calls `sys.settrace`: to put back what follows, perhaps, that had been away."""
        if self.thread == threading.get_ident() and not self._is_ours():
            self.libraries.seen["sys.settrace"] = None

    def _give_up(self) -> None:
        """To follow more would take longer than the test."""
        self.thread = 0
        sys.settrace(None)

    def _called(self, frame: Any, event: str, value: Any) -> Any:
        self.calls -= 1
        if self.calls < 0:
            self._give_up()
        if frame.f_code.co_filename not in self.files:
            return None
        if not frame.f_code.co_flags & SEVERAL_RETURNS:
            self.open.add(id(frame))
        return self._line

    def _line(self, frame: Any, event: str, value: Any) -> Any:
        if event == "return":
            self.open.discard(id(frame))
        if event in ("line", "return"):
            self.lines -= 1
            try:
                if self.lines < 0:
                    self._give_up()
                    return None
                self._look_around(frame.f_code.co_filename)
            except RecursionError:  # so deep in a test's own functions there is no room to look; nobody has ended it
                pass
        return self._line

    def _look_around(self, file: str) -> None:
        for held, functions in self._asked(file):
            if not same(held.now.values(), self.last.get(held.label, held.values)):
                self.last[held.label] = tuple(held.now.values())
                self._look(held)
            for one, code, *_ in functions:
                if one.__code__ is not code:
                    self.libraries.seen[f"{one.__module__}.{one.__qualname__}: its code"] = None

    def _look(self, held: Held) -> None:
        dot = "" if held.what == "tests" else "."
        for name in list(self.libraries._names(held)):
            value = held.now.get(name, GONE)
            counts = held.what == "tests" or issubclass(type(value), LIKE) or self.libraries.of_tree(value)
            if counts and not self._of_tests(value):
                self.libraries.seen[f"{held.label}{dot}{name}"] = None

    def _of_tests(self, value: Any) -> bool:
        """Whether it is written in a file of tests, which may put it anywhere while a test runs."""
        files = [one.__code__.co_filename for one in _made_of(value)]
        home = sys.modules.get(str(getattr(value if isinstance(value, type) else type(value), "__module__", "")))
        return any(one in self.files for one in files) or getattr(home, "__file__", "") in self.files

    def _asked(self, file: str) -> list[tuple[Held, list[Function]]]:
        """What a file of tests asks: modules, and classes, that it imports anywhere; and its own names."""
        held, many = self.libraries.held, len(self.libraries.modules)
        if self.rulers.get(file, (0, []))[0] != many:
            names, module = self.files[file]
            found: dict[int, Held] = {id(module): held[id(module)]} if id(module) in held else {}
            for name in names:
                home, _, inner = name.rpartition(".")
                one = self.libraries.modules.get(name)
                if one is None and home in self.libraries.modules and id(self.libraries.modules[home]) in held:
                    one = held[id(self.libraries.modules[home])].was.get(inner)
                for owner in ORDER(one)[:-1] if isinstance(one, type) else (one,):
                    if id(owner) in held:
                        found[id(owner)] = held[id(owner)]
                if is_module(one) and id(one) in held:
                    found |= {id(v): held[id(v)] for v in held[id(one)].was.values()
                              if id(v) in held and held[id(v)].what == "instance"}  # fmt: skip
            functions = self.libraries.functions
            self.rulers[file] = (many, [
                (one, [functions[id(v)] for value in one.was.values() for v in _made_of(value) if id(v) in functions])
                for one in found.values()
            ])  # fmt: skip
        return self.rulers[file][1]


def same(now: Collection[Any], was: tuple[Any, ...]) -> bool:
    """Whether these are the very same. (`id` is slow where an audit hook listens.)"""
    return len(now) == len(was) and all(map(is_, now, was))


def _top_names(folder: str) -> Iterator[str]:
    """What can be imported from a folder, and a few names more."""
    try:
        for name in os.listdir(folder or "."):
            if not name.endswith((".pth", ".dist-info", ".egg-info")):
                yield name.partition(".")[0]
    except OSError:
        return


def _classes() -> Iterator[type]:
    """Every class that there is, of C as well."""
    found, left = {id(object): object}, [object]
    while left:
        for one in type.__subclasses__(left.pop()):
            if id(one) not in found:
                found[id(one)] = one
                left.append(one)
    return iter(list(found.values()))


def _inside(one: type) -> Mapping[str, Any]:
    """What a class holds, whatever its own class says of it. One of C that is not made ready yet has nothing."""
    return OF_CLASS(one) or {}


def _made_of(value: Any) -> list[types.FunctionType]:
    """A function, or those that something is made of."""
    kind = type(value)
    if kind is types.FunctionType:
        return [value]
    if kind not in FUNCTIONS:
        return []
    made = (getattr(value, name, None) for name in ("__func__", "fget", "fset", "fdel"))
    return [one for one in made if type(one) is types.FunctionType]


def _cells(function: types.FunctionType) -> Iterator[tuple[Any, Any]]:
    for cell in function.__closure__ or ():
        yield cell, _content(cell)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return GONE


def tools() -> dict[str, str]:
    """How tools that draw tests are set, as far as they are loaded: hypothesis' settings."""
    module = sys.modules.get("hypothesis")
    try:
        given = MODULE(module)["settings"].default
        names = [name for name, one in _inside(type(given)).items() if type(one) is property and name != "database"]
        return {f"hypothesis.settings.{name}": repr(getattr(given, name)) for name in sorted(names)}
    except Exception:  # not loaded, or of another make
        return {}


def drawn() -> dict[str, str]:
    """Where what draws stands, as far as it is loaded: alike in two processes only if somebody has fixed it."""
    found: dict[str, str] = {}
    for name in ("random", "numpy.random"):
        names = vars(sys.modules.get(name, types))
        state = names.get("getstate", names.get("get_state"))
        try:
            found |= {name: hashlib.sha256(repr(state()).encode()).hexdigest()} if state else {}
        except Exception:  # nosec B112  # somebody has put something else there, which is told elsewhere
            continue
    return found
