"""What is put in place of the standard library's and of installed packages' own is told, whatever it is; what code may
do to them by their own means is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from takt.stations.codedesk import libraries, pristine

BEGIN = """
import importlib._bootstrap as bootstrap, importlib.util, sys
spec = importlib.util.spec_from_file_location("takt_libraries", {libraries!r})
library = sys.modules["takt_libraries"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(library)
import gc, json, logging, math, os, random, re, string, tempfile, unittest  # by others, before the tree
heard = []
table = library.Libraries({work!r}, (), heard.append)
bootstrap._find_and_load = library.installed(table, bootstrap._find_and_load)
table.begin()
sys.path.insert(0, {work!r})
"""
# what each puts where -> how it is called
CHEATS = {
    "import math\nmath.isclose = lambda *a, **k: True": "math.isclose",
    "import re\nre.search = re.fullmatch": "re.search",
    "import os\nos.path.exists = bool": "posixpath.exists",
    "import os\nos.path.exists.__code__ = (lambda p: True).__code__": "genericpath.exists: its code",
    "import math\nmath.pi = 3.0": "math.pi",
    "import string\nvars(string)['ascii_letters'] = 'a'": "string.ascii_letters",
    "import random\nrandom.randint = lambda a, b: 1": "random.randint",
    "import random\nrandom._inst._randbelow = lambda n: 0": "random._inst._randbelow",
    "import random\nclass R(random.Random):\n    random = lambda s: 0.5\nrandom._inst.__class__ = R":
        "random._inst.__class__",
    "import filecmp\nfilecmp.cmp = lambda *a: True": "filecmp.cmp",  # which is loaded by the tree
    "import datetime\ndatetime.datetime = type('D', (datetime.datetime,), {})": "datetime.datetime",
    "import sys, types\nsys.modules['cmath'] = types.ModuleType('cmath')\nsys.modules['cmath'].sqrt = lambda x: 2":
        "module cmath",
    "import sys, types\nsys.modules['math'] = types.ModuleType('math')": "module math",
    "import math, types\nclass M(types.ModuleType):\n    def __getattribute__(s, n): return len\nmath.__class__ = M":
        "math.__class__",
    "import gc\ngc.get_referents(str.__dict__)[0]['startswith'] = lambda *a: True": "builtins.str.startswith",
    "import builtins\nbuiltins.sum = max": "builtins.sum",
    "import pathlib\npathlib.Path.exists = lambda s: True": "pathlib.Path.exists",
    "import pathlib\npathlib.PosixPath.exists = lambda s: True": "pathlib.PosixPath.exists",
    "import decimal, fractions\nfractions.Fraction.__eq__ = lambda *a: True": "fractions.Fraction.__eq__",
    "import contextlib\ndef f(): pass\nf = contextlib.contextmanager(f)\n"
    "contextlib.contextmanager.__defaults__ = (1,)": "contextlib.contextmanager: its code",
    "import collections\ncollections.abc.Mapping.__bases__ = (collections.abc.Collection, "
    "type('B', (), {'__slots__': ()}))": "collections.abc.Mapping.__bases__",
    "import unittest\nunittest.TestCase.failureException = unittest.SkipTest":
        "unittest.case.TestCase.failureException",
    "import copy\ncopy._deepcopy_dispatch[list] = lambda x, m: x": "copy._deepcopy_dispatch[<class 'list'>]",
    "import sys\nclass F:\n    @staticmethod\n    def find_spec(*a): return None\nsys.meta_path.insert(0, F)":
        "sys.meta_path",
    "import importlib.util as u, sys\ns = u.find_spec('colorsys')\nm = u.module_from_spec(s)\n"
    "sys.modules['colorsys'] = m\ns.loader.exec_module(m)\nm.rgb_to_hsv = m.rgb_to_hls": "colorsys.rgb_to_hsv",
    "import gc\ngc.get_objects()": "gc.get_objects",
    "import posixpath\nposixpath.len = lambda s: 0": "posixpath.len",
    "import email\nemail.mime = type('mime', (), {'x': lambda s: 0})": "email.mime",  # a module that is not loaded yet
    "import string\nstring.__getattr__ = lambda name: 0": "string.__getattr__",
    "import concurrent.futures as c\nc.ThreadPoolExecutor = lambda: 0": "concurrent.futures.ThreadPoolExecutor",
}  # fmt: skip
USUAL = """
import abc, asyncio, atexit, codecs, collections, copyreg, csv, dataclasses, decimal, email.message, enum, fractions
import functools, gettext, json, locale, logging, math, mimetypes, numbers, os, pathlib, pickle, random, re, reprlib
import shutil, sqlite3, string, sys, tempfile, threading, typing, unittest.mock, urllib.request, uuid, warnings, weakref
import xml.etree.ElementTree as tree


class Encoder(json.JSONEncoder):
    def default(self, one):
        return str(one)


class Number:
    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Number, (self.value,)


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass(frozen=True)
class Point:
    x: int = 0


class Handler(logging.Handler):
    def emit(self, record):
        pass


class Opener(urllib.request.BaseHandler):
    pass


class Quiet(pathlib.PurePosixPath):
    pass


class Names(typing.NamedTuple):
    a: int = 1


class Lib:
    __class__ = property(lambda self: type(sys))  # as cffi's libraries say of themselves


sys.modules["_ffi.lib"] = Lib()


@functools.singledispatch
def shown(one):
    return str(one)


shown.register(fractions.Fraction, lambda one: "fraction")
reprlib.Repr.repr1.__doc__
collections.abc.Sequence.register(Number)
numbers.Number.register(Number)
copyreg.pickle(Number, lambda one: (Number, (one.value,)))
codecs.register(lambda name: None)
atexit.register(print, end="")
logging.getLogger().addHandler(Handler())
logging.getLogger("mine").setLevel(10)
logging.addLevelName(5, "TRACE")
logging.setLogRecordFactory(lambda *a, **k: logging.LogRecord(*a, **k))
logging.captureWarnings(True)
logging.Formatter.converter = __import__("time").gmtime
logging.TRACE = 5
logging.Logger.trace = lambda self, text: self.log(5, text)
setattr(logging, "trace", lambda text: logging.log(5, text))
math.double = Number
sys.setrecursionlimit(3000)
sys.excepthook = lambda *a: None
warnings.simplefilter("ignore")
warnings.showwarning = lambda *a, **k: None
decimal.getcontext().prec = 20
tree.register_namespace("m", "urn:m")
mimetypes.add_type("text/x-mine", ".mine")
mimetypes.guess_type("a.mine")
csv.register_dialect("mine", delimiter=";")
locale.setlocale(locale.LC_ALL, "C")
shutil.register_archive_format("mine", lambda *a: None)
urllib.request.install_opener(urllib.request.build_opener(Opener))
sqlite3.register_adapter(Number, lambda one: one.value)
re.compile("a+").sub("b", "aa"), re.purge()
random.seed(3), random.Random(1).random()
tempfile.gettempdir(), uuid.uuid1(), uuid.getnode()
typing.get_type_hints(Point), typing.List[int], typing.Optional[Number]
json.dumps({"a": Number(1)}, cls=Encoder), pickle.dumps(Number(1)), functools.lru_cache(str)(1)
asyncio.run(asyncio.sleep(0))
asyncio.set_event_loop_policy(None)
with unittest.mock.patch("os.getcwd", return_value="/"), unittest.mock.patch.dict(os.environ, A="1"):
    os.getcwd()
weakref.finalize(Number(1), print, "")
gettext.install("mine")
os.environ["MINE"] = "1"
threading.Thread(target=len, args=("",)).start()
signal = __import__("signal")
signal.signal(signal.SIGUSR1, lambda *a: None)
collections.MutableMapping = collections.abc.MutableMapping
threading.local().x = 1
"""


def looked_at(folder: Path, trees: Sequence[str], more: str = "") -> list[list[str]]:
    """What is told of each of these modules, in a process of its own."""
    work = folder / "work"
    work.mkdir()
    for at, text in enumerate(trees):
        (work / f"tree_{at}.py").write_text(text + "\n")
    program = BEGIN.format(libraries=libraries.__file__, work=str(work)) + more
    program += f"for at in range({len(trees)}):\n    if not os.fork():\n        __import__(f'tree_{{at}}')\n"
    program += f"        open(f'{work}/{{at}}.json', 'w').write(json.JSONEncoder().encode(heard + table.touched()))\n"
    program += "        os._exit(0)\n    os.wait()\n"
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=120)
    assert not ran.stderr, ran.stderr
    return [json.loads((work / f"{at}.json").read_text()) for at in range(len(trees))]


def test_whatever_is_put_in_place_of_a_librarys_own_is_told(tmp_path: Path) -> None:
    for (text, due), told in zip(CHEATS.items(), looked_at(tmp_path, list(CHEATS)), strict=True):
        assert due in told, (text, told)


def test_what_code_does_to_libraries_by_their_own_means_is_no_tampering(tmp_path: Path) -> None:
    assert looked_at(tmp_path, [USUAL]) == [[]]


@pytest.mark.parametrize("name", ["numpy", "hypothesis"])
def test_what_a_package_does_as_it_is_imported_is_its_own_affair(tmp_path: Path, name: str) -> None:
    more = f"sys.path.append({str(Path(str(pytest.importorskip(name).__file__)).parents[1])!r})\n"
    assert looked_at(tmp_path, [f"import {name}"], more) == [[]]


ASIDE = """
import math, os, random, sys
from pathlib import Path

PUT = []


def swap(owner, name):
    PUT.append((owner, name, vars(owner).get(name)))
    setattr(owner, name, lambda *_: True)


def deep(down):
    try:
        down(down)
    except RecursionError:
        pass


def called():
    names = sys._getframe(1).f_globals
    DOES


def calm():
    for owner, name, was in PUT:
        setattr(owner, name, was) if was else delattr(owner, name)
"""
TESTS = """
import math
import os.path
import random
from math import isclose as near
from pathlib import Path

import TREE as tree

LIMIT = 3
STATE = None


class Case:
    def rule(self):
        return 1


def down(again):
    one = 1
    return again(again) + one


def test():
    global STATE
    STATE = 1
    old, os.path.exists = os.path.exists, lambda path: True
    os.path.exists = old
    tree.called()
    tree.calm()
"""
ASIDE_TOLD = {  # what is done when a test calls it, and taken back before the test has ended -> what is told
    "return 1": [],
    "swap(math, 'isclose')": ["math.isclose"],
    "swap(os.path, 'isdir')": ["posixpath.isdir"],
    "swap(random._inst, '_randbelow')": ["random._inst._randbelow"],
    "swap(Path, 'exists')": ["pathlib.Path.exists"],
    "math.isclose, math.isfinite = math.isfinite, math.isclose": ["math.isclose", "math.isfinite"],
    "sys.settrace(None)": ["sys.settrace"],
    "sys.settrace(sys.gettrace())": [],
    "old = sys.gettrace(); sys.settrace(None); swap(math, 'isclose'); calm(); sys.settrace(old)": ["sys.settrace"],
    "sys._getframe(1).f_trace = None": ["frame.f_trace"],
    "deep(lambda again: again(again))": [],  # there nothing can be followed, and nobody did that
    "deep(names['down'])": [],
    "deep(names['down']); swap(math, 'isclose')": ["math.isclose"],
    "names['near'] = max": ["a test: near"],  # what lasts
    "names['LIMIT'] = 4": ["a test: LIMIT"],
    "names['Case'].rule = max": ["a test: Case.rule"],
    "names['Case'].rule.__code__ = calm.__code__": ["test_16.Case.rule: its code"],
}
FOLLOW = """
spec = importlib.util.spec_from_file_location("takt_pristine", {pristine!r})
pristine = sys.modules["takt_pristine"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pristine)
def one(at):
    if not os.fork():
        path = f"{work}/test_{{at}}.py"
        module = __import__(f"test_{{at}}")
        steps = library.Steps(table)
        table.lay("a test", module, *pristine.imports(path))
        steps.files[path] = pristine.asked(path), module
        steps.begin()
        module.test()
        steps.end()
        open(f"{work}/{{at}}.json", "w").write(json.JSONEncoder().encode(table.touched()))
        os._exit(0)
    os.wait()
list(map(one, range({many})))
"""


def test_what_is_put_back_before_a_test_has_ended_is_told_and_what_the_test_itself_does_is_not(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for at, does in enumerate(ASIDE_TOLD):
        (work / f"tree_{at}.py").write_text(ASIDE.replace("DOES", does))
        (work / f"test_{at}.py").write_text(TESTS.replace("TREE", f"tree_{at}"))
    program = BEGIN.format(libraries=libraries.__file__, work=str(work))
    program += FOLLOW.format(pristine=pristine.__file__, many=len(ASIDE_TOLD), work=work)
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=120)
    assert not ran.stderr, ran.stderr
    for at, (does, due) in enumerate(ASIDE_TOLD.items()):
        assert sorted(json.loads((work / f"{at}.json").read_text())) == due, does
