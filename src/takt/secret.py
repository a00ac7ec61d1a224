"""What a secret looks like, wherever it stands: passwords and keys, which no plan, ledger, page, message or log shows.

Three things are known: how an address has one (user:password@host), under what names people keep one (password=,
--api-key, Cookie:), and what issuers begin theirs with (sk-, ghp_). Beyond that a process knows the very passwords that
it was given (`keep`). `masked` hides all of it in a text; `secrets_in` says where in a plan there is some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
DATABASES = ("postgresql", "postgres")
LEAST = 4  # characters of a password that is hidden wherever it stands as a word: less are in every text
_kept: set[str] = set()

# --- under what names ---
_SURE = r"(?:pass(?:word|wd|phrase)|pwd|secret|(?:api|access|private|auth)[_.-]?key|(?:api|access|auth)[_.-]?token)"
_NAME = r"(?:pass|key|token|auth|authorization|bearer|credentials?|signature|sig|jwt|cookie)"
_OF = "openai|anthropic|azure|gemini|mistral|groq|dashscope|openrouter|together|deepseek|hf|aws|google|signing|account"
_NAMES = re.compile(
    rf"(?:{_SURE}|(?:^|[_.\s-])(?:pass|auth|authorization|bearer|credentials?|token|jwt|cookies?|"
    rf"(?:client|secret|subscription|{_OF})[_.\s-]?key))$",
    re.I,
)
_FLAG = re.compile(rf"--?(?:[\w-]*{_SURE}|(?:[\w-]*-)?(?:token|auth|cookie))", re.I)

# --- in what forms; the group is the secret ---
_VALUE = r"(?P<secret>(?![$<{*])(?:'[^']+'|\"[^\"]+\"|[^\s,;&'\"]+))"  # a variable's or a place-holder's name is none
_FORMS = (
    # a parameter of an address
    rf"[?&;](?!require_auth=)(?:[\w.-]*{_SURE}|(?:[\w.-]*[_.-])?(?:client|shared|subscription)?{_NAME})"
    r"=(?P<secret>[^&#\s'\"]+)",
    # password=..., 'api_key': '...', and API_KEY=... as an environment has it; but TAKT_KEY_HOSTS=KEY=HOST is no key
    rf"(?<![\w.-])(?<!TAKT_KEY_HOSTS=)[\w.-]*{_SURE}\s*=\s*{_VALUE}",
    rf"['\"][\w.-]*{_SURE}['\"]\s*:\s*['\"](?P<secret>[^'\"]+)",
    rf"(?<!\w)(?<!TAKT_KEY_HOSTS=)(?-i:[A-Z][A-Z0-9_]*_(?:KEY|TOKEN|PASS|AUTH|CREDENTIALS?))=\s*{_VALUE}",
    # --password ...
    rf"(?<!\S){_FLAG.pattern}[\s=]+(?P<secret>(?!-|\d+(?:\s|$))\S+)",
    # headers
    r"(?<![\w-])(?:[\w-]*(?:authorization|cookie)|(?:x-)?api-key|x-[\w-]*(?:key|token|secret))['\"]?\s*[:=]\s*['\"]?"
    r"(?P<secret>[^\s'\"][^\r\n'\"]*)",
    r"\bbearer\s+(?P<secret>[\w.~+/-]{8,}=*)(?![\w.~+/-])",
    r"\bbasic\s+(?P<secret>(?=[\w.~+/-]*[\d=])[\w.~+/-]{8,}=*)(?![\w.~+/-])",
    r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*)",
    r"(?<![\w-])(?P<secret>sk-[\w-]{16,}|sk_(?:live|test)_\w{8,}|hf_\w{8,}|gh[opsur]_\w{8,}|github_pat_\w{8,}|"
    r"glpat-[\w-]{8,}|xox[abeprs]-[\w-]{4,}|AKIA\w{8,}|AIza[\w-]{20,}|eyJ[\w-]{10,}\.[\w.-]*)",
)
_ANY = [re.compile(form, re.I) for form in _FORMS]
# Of two letters and more, for C:/ is a drive; and looked for where one begins, or a long text takes an hour.
_ADDRESS = re.compile(r"(?<![a-z0-9+.-])([a-z0-9+.-]{2,}):/{1,2}([^\s'\"<>]+)", re.I)

# --- in an address ---
_HOST = r"(?:\[[^\]/?#@]*\]|[^/?#@:,\[\]]*)(?::\d*)?"
_OF_DATABASE = re.compile(  # without a doubt: nothing after the user has an @, but for a parameter's value
    rf"(?:[^/?#@:]*(?::[^/?#@]*)?@)?{_HOST}(?:,{_HOST})*(?:/[^/?#@]*)?"
    r"(?:\?(?:(?:user|\w*password|application_name|options)=[^&#]*&?|[\w.%]+=[^&#@]*&?)*)?(?:#[^@]*)?"
)


def masked(text: str) -> str:
    """A text as it may be shown: whatever looks like a secret in it, and whatever was given to `keep`, is HIDDEN."""
    return _without(_hide(text, _spans(text)), _kept)


def masked_address(text: str) -> str:
    """An address as it may be shown: without its password, whatever characters that has."""
    scheme, slash, rest = re.split(r"(:/{1,2})", text, maxsplit=1) if ":/" in text else ("", "", text)
    begun = len(scheme + slash)
    inside = {(begun + low, begun + high) for low, high in _in_address(scheme, rest)} if slash else set()
    return _hide(text, inside or _spans(text))


def is_unclear(scheme: str, rest: str) -> bool:
    """Whether of a database's address, behind its slashes, it is not clear what is the password and what the host:
    because there is a / ? # or @ in the password, where %2F %3F %23 %40 were due."""
    return scheme.lower() in DATABASES and not _OF_DATABASE.fullmatch(rest) and _userinfo(scheme, rest) is not None


def passwords_of(uri: str) -> set[str]:
    """The passwords that an address has, as they are written in it and as they are meant."""
    parts = urlsplit(uri)
    found = {value for key, value in parse_qsl(parts.query) if _NAMES.search(key) and value}
    return found | ({parts.password, unquote(parts.password)} if parts.password else set())


def keep(secrets: Iterable[str]) -> None:
    """From now on `masked` hides these in this process, wherever they stand as words of their own."""
    _kept.update(secret for secret in secrets if len(secret) >= LEAST)


def without_secrets(text: str, uri: str) -> str:
    """A text of somebody else's, without the passwords of this address."""
    for secret in sorted(passwords_of(uri), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return masked(text)


def secrets_in(value: Any, where: str = "") -> Iterator[str]:
    """Where in a plan there is a secret, as "worker[0].options.api_key". The secret itself is never repeated."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if _spans(str(key)):
                yield f"a key of {where or 'the plan'}"
                continue
            place = f"{where}.{key}" if where else str(key)
            if _NAMES.search(_words(str(key))) and _says(one):
                yield place
            else:
                yield from secrets_in(one, place)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            before = value[number - 1] if number else ""
            if isinstance(before, str) and _FLAG.fullmatch(before) and _follows(one):
                yield f"{where}[{number}]"
            else:
                yield from secrets_in(one, f"{where}[{number}]")
    elif isinstance(value, str) and (_spans(value) or masked_address(value) != value):
        yield where


Span = tuple[int, int]


def _spans(text: str) -> set[Span]:
    """Where in a text something looks like a secret."""
    found = {match.span("secret") for form in _ANY for match in form.finditer(text)}
    for match in _ADDRESS.finditer(text):
        found |= {(match.start(2) + low, match.start(2) + high) for low, high in _in_address(match[1], match[2])}
    return {(low, high) for low, high in found if text[low:high].strip("*'\"")}


def _in_address(scheme: str, rest: str) -> Iterator[Span]:
    """Where in an address, behind its slashes, there are passwords."""
    if span := _userinfo(scheme, rest):
        yield span
    for match in re.finditer(r"[?&]([^=&#]+)=([^&#]+)", rest):
        if _NAMES.search(unquote(match[1])) and match[1] != "require_auth":
            yield match.span(2)


def _userinfo(scheme: str, rest: str) -> Span | None:
    """Where the password stands before the host. One with a / ? # or @ in it ends the host's part too early: then all
    up to the last @ is taken for it."""
    at, database = rest.rfind("@"), scheme.lower() in DATABASES
    host = re.split("[/?#]", rest)[0]
    user, found, _ = host.rpartition("@")
    if found and not (database and not _OF_DATABASE.fullmatch(rest)):
        at = len(user)
    elif not found and (_OF_DATABASE.fullmatch(rest) if database else re.fullmatch(_HOST, host)):
        return None
    if at < 0:
        return None
    name, colon, _ = rest[:at].partition(":")
    low = len(name) + 1 if colon else at if database else 0  # a database's user is no secret; else it is a token
    return (low, at) if low < at else None


def _hide(text: str, spans: Iterable[Span]) -> str:
    done, parts = 0, []
    for low, high in sorted(spans):
        if high > done:
            parts += [text[done : max(low, done)], HIDDEN if low >= done else ""]
            done = high
    return "".join([*parts, text[done:]])


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if secret in text:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _says(value: Any) -> bool:
    """Whether this may be a secret, under the name of one: a text, or a list that has some."""
    return (isinstance(value, str) and bool(value)) or (isinstance(value, list) and any(map(_says, value)))


def _follows(value: Any) -> bool:
    """Whether this is what an option of a command is given."""
    return isinstance(value, str) and bool(value) and not re.match(r"-|\d+$|[$<{]", value)
