"""A tool call that stayed text: the server's parser did not see it, for it is of another model's form, or none runs.

The forms are those that models are trained on: Hermes and Qwen, Llama 3 and 4, Mistral, gpt-oss (harmony), Kimi,
DeepSeek, GLM and MiniMax, Cohere, Gemma (also FunctionGemma), JSON or Python in a fence, and ReAct.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_MARKS = re.compile(
    r"<start_function_call>|<tool_call|<\|tool_call|<function[=_ ]|<\|?tools?_call|<invoke\b|<arg_key>|<\|python_tag\|>"
    r"|\[TOOL_CALLS?\]|\[TOOL_REQUEST\]|\bto=functions?\.|<\|channel\|>commentary|<｜tool▁call|<\|START_ACTION\|>"
    r"|```\s*(tool_call|tool_code|function_call)",
    re.IGNORECASE,
)
_ARGUMENTS = r"[\"'](?:arguments|parameters|args|input|tool_input|params)[\"']\s*:"


def has_lost_call(text: str, names: Collection[str]) -> bool:
    """Whether there is a call of one of these tools in a text, or the mark of any call."""
    if not text:
        return False
    if _MARKS.search(text):
        return True
    if not names:
        return False
    name = "|".join(re.escape(known) for known in sorted(names))
    key = r"[\"'](?:name|tool_name|tool|function|action)[\"']\s*:\s*"
    if re.search(rf"{key}[\"'](?:{name})[\"']", text) and re.search(_ARGUMENTS, text):
        return True
    if re.search(rf"\{{\s*[\"'](?:{name})[\"']\s*:\s*\{{", text):  # {"queue": {"limit": 1}}
        return True
    # ReAct: a line with the action, and one with what it is given.
    action = rf"^\W*Action\W*:\W*(?:functions\.)?(?:{name})\W*$\s*^\W*(?:Action )?(?:Input|Arguments)\W*:"
    if re.search(action, text, re.IGNORECASE | re.MULTILINE):
        return True
    # Python, as Llama 4 and Gemma write it: nothing but calls, or a function of an object named for its tools.
    call = rf"(?:print\()?(?:functions\.|default_api\.|tools\.)?(?:{name})\([^()]*\)\)?"
    calls = rf"\[? ?{call}(?: ?[,;]? ?{call})* ?\]?"
    fenced = re.findall(r"```[ \t]*(?:python|py|tool_code)?[ \t]*\n(.*?)(?:```|\Z)", text, re.DOTALL | re.IGNORECASE)
    return any(re.fullmatch(calls, " ".join(part.split()).strip("` ")) for part in (text, *fenced))
