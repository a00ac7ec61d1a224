"""What servers send, in every shape known to us: an answer, an odd one that is counted, or the server's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from takt.workers.llm.answer import Call, Reply, Stream, whole
from takt.workers.llm.lost import has_lost_call
from takt.workers.llm.refusals import NoAnswer


def body(message: Any, finish: Any = "stop", **more: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}).encode()


def data(piece: Any) -> bytes:
    return b"data: " + (piece if isinstance(piece, bytes) else json.dumps(piece).encode()) + b"\n\n"


def delta(finish: Any = None, **told: Any) -> bytes:
    return data({"choices": [{"index": 0, "delta": told, "finish_reason": finish}]})


def call(index: Any = 0, key: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    return {k: v for k, v in (("index", index), ("id", key), ("function", function)) if v is not None}


def streamed(*parts: bytes, cut: int = 0) -> Reply:
    """Fed in pieces of `cut` bytes, if given."""
    stream, told = Stream(), b"".join(parts)
    for at in range(0, len(told), cut or len(told) or 1):
        stream.feed(told[at : at + (cut or len(told))])
    return stream.reply()


DONE = b"data: [DONE]\n\n"
QUEUE = (Call("queue", '{"limit": 1}'),)


@pytest.mark.parametrize("cut", [0, 1, 7])
@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, "a", "queue", ""), call(0, None, None, '{"limit"'), call(0, None, None, ": 1}")],
        [call(0, "a", "queue", '{"limit"'), call(0, "a", "queue", ": 1}")],  # all with every piece
        [call(0, "a", "queue", None), call(0, "b", None, '{"limit": 1}')],  # a new id with every piece
        [call(None, "a", "queue", '{"limit"'), call(None, "a", None, ": 1}")],  # no index
        [call(None, None, "queue", '{"limit"'), call(None, None, None, ": 1}")],  # no index and no id
        [call(0, "a", "queue", {"limit": 1})],  # an object
        [call("0", "a", "queue", '{"limit": 1}')],  # an index that is none
        [call(3, "a", "queue", json.dumps('{"limit": 1}'))],  # text in text
        [{"name": "queue", "arguments": '{"limit": 1}'}],
    ],
)
def test_one_streamed_call_is_one_call(pieces: list[Any], cut: int) -> None:
    reply = streamed(*(delta(tool_calls=[piece]) for piece in pieces), delta("tool_calls"), DONE, cut=cut)
    assert reply.calls == QUEUE and reply.finish == "tool_calls" and reply.odd == ()


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, "a", "queue", '{"limit": 1}'), call(0, "b", "wait", "{}")],  # one index for both
        [call(0, "a", "queue", '{"limit": 1}'), call(1, "b", "wait", "{}")],
        [call(None, "a", "queue", '{"limit": 1}'), call(None, "b", "wait", "{}")],
        [call(None, None, "queue", '{"limit": 1}'), call(None, None, "wait", "{}")],
        [call(0, None, "queue", '{"limit": 1}'), call(0, None, "wait", "{}")],
        [
            call(0, "a", "queue", ""),
            call(1, "b", "wait", ""),
            call(0, None, None, '{"limit": 1}'),
            call(1, arguments="{}"),
        ],
    ],
)
def test_two_streamed_calls_are_two(pieces: list[Any]) -> None:
    reply = streamed(*(delta(tool_calls=[piece]) for piece in pieces), DONE)
    assert reply.calls == (*QUEUE, Call("wait", "{}"))


def test_done_ends_a_stream_and_what_comes_after_it_does_not_count() -> None:
    stream = Stream()
    stream.feed(delta(content="yes") + DONE + data({"error": {"message": "late"}}) + b"data: {{{\n\n")
    assert stream.done and stream.reply().text == "yes"
    with pytest.raises(NoAnswer, match="in the middle"):
        streamed(delta(content="ye"))
    assert streamed(delta("stop", content="yes")).text == "yes", "a finish without [DONE] is an end as well"


def test_empty_data_comments_odd_line_ends_and_missing_empty_lines_are_read_over() -> None:
    piece = json.dumps({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}).encode()
    for told in (
        b": ping\n\ndata:\n\ndata: \n\ndata: " + piece + b"\n\ndata: [DONE]\n\n",
        b"\xef\xbb\xbfdata: " + piece + b"\r\n\r\ndata: [DONE]\r\n\r\n",
        b"data:" + piece + b"\ndata:[DONE]\n",
        b"event: message\nid: 7\nretry: 3\ndata: " + piece + b"\n\n",
        piece + b"\n" + b"\n",
        b"data: " + piece,
    ):
        for cut in (0, 1):
            assert streamed(told, cut=cut).text == "a"


ERRORS = [
    ({"message": "overloaded", "code": 502}, "server_error", 502, False),
    ({"message": "slow down", "code": "429"}, "rate_limited", 429, False),
    ({"message": "no credits", "code": 402}, "refused", 402, True),
    ({"message": "bad key", "type": "authentication_error", "status": 401}, "refused", 401, True),
    ("upstream is away", "server_error", None, False),
    ({"code": 500, "message": "Context size has been exceeded."}, "too_long", 500, True),
    ({"code": "context_length_exceeded", "message": "please shorten"}, "too_long", None, True),
    ({"message": "prompt is too long: 9 tokens > 8 maximum", "code": 400}, "too_long", 400, True),
    ({"message": "This model's maximum context length is 8192 tokens"}, "too_long", None, True),
    ([1, 2], "server_error", None, False),
]


@pytest.mark.parametrize(("error", "kind", "status", "hopeless"), ERRORS)
def test_an_error_within_http_200_has_its_own_words_and_code(
    error: Any, kind: str, status: Any, hopeless: bool
) -> None:
    words = error["message"] if isinstance(error, dict) else error if isinstance(error, str) else "[1, 2]"
    for told in (
        lambda: whole(json.dumps({"id": "x", "choices": None, "error": error}).encode()),
        lambda: streamed(delta(content="so far"), data({"error": error})),
        lambda: streamed(b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"),
        lambda: whole(json.dumps({"choices": [{"finish_reason": "error", "error": error, "message": {}}]}).encode()),
    ):
        with pytest.raises(NoAnswer) as failure:
            told()  # type: ignore[no-untyped-call]
        assert words in failure.value.text
        assert (failure.value.kind, failure.value.status, failure.value.hopeless) == (kind, status, hopeless)


FORMS = [  # how gateways and frameworks tell an error without calling it one: what is told, kind, words, code
    ({"success": False, "message": "no access for this key", "status": 403}, "refused", "no access for this key", 403),
    ({"ok": False, "code": 401, "msg": "log in"}, "refused", "log in", 401),
    ({"status": "error", "message": "out of service"}, "server_error", "out of service", None),
    ({"object": "error", "message": "no such model", "code": 404}, "refused", "no such model", 404),
    ({"type": "error", "message": "busy", "status": "503"}, "server_error", "busy", 503),
    ({"statusCode": 429, "message": "slow down"}, "rate_limited", "slow down", 429),
    ({"Code": "InvalidApiKey", "Message": "wrong key"}, "refused", "wrong key (InvalidApiKey)", None),
    ({"code": "Throttling", "message": "later", "success": False}, "rate_limited", "later (Throttling)", None),
    ({"error_code": 110, "error_msg": "expired", "success": False}, "server_error", "expired", 110),
    ({"errors": [{"message": "quota", "code": 402}]}, "refused", "quota", 402),
    (
        {"fault": {"faultstring": "policy", "detail": {"errorcode": "oauth.v2.InvalidApiKey"}}},
        "server_error",
        "policy",
        None,
    ),
    (
        {"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None},
        "server_error",
        "login fail",
        None,
    ),
    (
        {"success": False, "message": "the prompt is too long: 9000 tokens", "status": 400},
        "too_long",
        "the prompt is",
        400,
    ),
]


@pytest.mark.parametrize(("told", "kind", "words", "code"), FORMS)
def test_an_error_in_a_form_of_its_own_within_http_200_has_its_own_words_and_code(
    told: dict[str, Any], kind: str, words: str, code: Any
) -> None:
    with pytest.raises(NoAnswer) as raised:
        whole(json.dumps(told).encode())
    failure = raised.value
    assert (failure.kind, failure.status) == (kind, code) and failure.text.startswith(words)
    assert failure.hopeless is (kind in ("refused", "too_long")) and "{" not in failure.text


def test_an_error_in_a_form_of_its_own_ends_a_stream_and_what_is_none_does_not() -> None:
    with pytest.raises(NoAnswer, match="no access") as raised:
        streamed(delta(content="so far"), data({"success": False, "message": "no access", "status": 403}))
    assert raised.value.status == 403 and raised.value.hopeless
    for other in (
        {"type": "ping"},
        {"message": "processing"},
        {"success": True, "status": 200},
        {"code": 0, "msg": "ok"},
    ):
        assert streamed(data(other), delta(content="yes"), delta("stop"), DONE).text == "yes"
    with_more = {"success": True, "message": "ok", "code": 200, **json.loads(body({"content": "yes"}))}
    assert whole(json.dumps(with_more).encode()).text == "yes"


def test_a_finish_of_error_is_no_answer_even_if_nothing_says_why() -> None:
    with pytest.raises(NoAnswer):
        whole(body({"content": "half"}, "error"))
    with pytest.raises(NoAnswer):
        streamed(delta(content="half"), delta("error"), DONE)


@pytest.mark.parametrize(
    ("calls", "made", "odd"),
    [
        ([None], [], 1),
        (["queue"], [], 1),
        ([{"function": "queue"}], [Call("queue", "{}")], 0),
        ({"function": {"name": "queue", "arguments": {"limit": 1}}}, [*QUEUE], 0),
        ([{"function": None}], [Call("?", "{}")], 0),
        ([{"function": {"name": ["queue"], "arguments": 7}}], [Call("?", "7")], 0),
        ("queue", [], 1),
        (7, [], 1),
        ([[], {}, {"name": "queue", "parameters": {"limit": 1}}], [Call("?", "{}"), *QUEUE], 1),
    ],
)
def test_tool_calls_of_any_shape_become_calls_or_are_counted_as_odd(calls: Any, made: list[Call], odd: int) -> None:
    reply = whole(body({"role": "assistant", "content": None, "tool_calls": calls}))
    assert list(reply.calls) == made and reply.odd == ("malformed_call",) * odd
    piece = streamed(delta(tool_calls=calls), DONE)
    assert piece.odd == ("malformed_call",) * odd


def test_a_function_call_of_the_old_kind_and_content_in_parts_are_read() -> None:
    old = {"content": [{"type": "text", "text": "I "}, {"type": "text", "text": "look"}]}
    reply = whole(body({**old, "function_call": {"name": "queue", "arguments": '{"limit": 1}'}}))
    assert reply.calls == QUEUE and reply.text == "I look"


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ("<think>hm</think>yes", "yes", "hm"),
        ("hm, so\n</think>\n\nyes", "yes", "hm, so"),  # the template wrote the opening tag
        ("<think>never ends", "", "never ends"),
        ("[THINK]hm[/THINK]yes", "yes", "hm"),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant", "<|start|>assistant", "hm"),
        ("a < b and </b>", "a < b and </b>", ""),
    ],
)
def test_thinking_in_the_content_is_thinking(content: str, text: str, thought: str) -> None:
    assert (whole(body({"content": content})).text, whole(body({"content": content})).reasoning) == (text, thought)
    pieces = [delta(content=content[i : i + 3]) for i in range(0, len(content), 3)]
    assert streamed(*pieces, DONE).reasoning == thought


LOST = [
    '<tool_call>{"name": "queue", "arguments": {}}</tool_call>',
    "<tool_call>\n<function=queue>\n</function>",
    '{"name": "queue", "parameters": {"limit": 1}}',
    '{"type": "function", "function": {"name": "queue", "arguments": {}}}',
    '[TOOL_CALLS][{"name": "queue", "arguments": {}}]',
    "[TOOL_CALLS]queue[ARGS]{}",
    '<|python_tag|>{"name": "queue", "parameters": {}}',
    "<|channel|>commentary to=functions.queue <|constrain|>json<|message|>{}<|call|>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.queue:0<|tool_call_argument_begin|>{}",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>queue",
    'I will look.\n```json\n{"name": "queue", "arguments": {"limit": 3}}\n```',
    'Action: ```json\n[{"tool_name": "queue", "parameters": {}}]\n```',
    '<invoke name="queue"><parameter name="limit">1</parameter></invoke>',
    "[queue(limit=1), queue(limit=2)]",
    "```tool_code\nprint(default_api.queue(limit=1))\n```",
    "queue(limit=1)",
    '{"queue": {"limit": 1}}',
    "<start_function_call>call:queue{limit:1}<end_function_call>",
    "```python\nqueue(limit=1)\n```",
    "I look first.\n```py\nqueue(limit=1)\nwait()\n```\nThen I go on.",
    'Thought: I look first.\nAction: queue\nAction Input: {"limit": 1}',
    "**Action:** `queue`\n**Action Input:** {}",
]


@pytest.mark.parametrize("text", LOST)
def test_a_call_that_stayed_text_is_known_in_the_forms_of_many_models(text: str) -> None:
    assert has_lost_call(text, {"queue", "wait"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would look at the queue and then wait.",
        "The name of the passenger is Queue.",
        '{"waiting": 3}',
        "wait (a bit)",
        "Action: I look at the queue and wait.\nAction Input: none",
        "The best action: wait",
        "Action: wait",
        "Use ```python\nfor row in queue(limit=1):\n    print(row)\n``` to see them.",
        "```python\nprint('queue')\n```",
        "In the queue (limit=1) there is one; I called queue(limit=1) before.",
        "Next action: hold.\nInput: the queue",
        "```\nqueue: 3\nwait: 0\n```",
    ],
)
def test_plain_words_are_no_lost_call(text: str) -> None:
    assert not has_lost_call(text, {"queue", "wait"})


def test_tokens_that_are_no_count_are_not_taken_for_one() -> None:
    for usage in (
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        [],
        "9",
        {"prompt_tokens": 1e300, "completion_tokens": 1},
        {"prompt_tokens": 5},
    ):
        assert whole(body({"content": "a"}, usage=usage)).usage is None
    usage = {"prompt_tokens": 5.0, "completion_tokens": 2, "total_tokens": 7}
    assert whole(body({"content": "a"}, usage=usage)).usage == {"prompt_tokens": 5, "completion_tokens": 2}


def test_a_stream_without_any_choice_is_no_answer_as_a_whole_one_without_is_none() -> None:
    with pytest.raises(NoAnswer, match="answers with no message"):
        streamed(b'data: {"choices": []}\n\n', DONE)
    with pytest.raises(NoAnswer, match="answers with no message"):
        whole(b'{"choices": []}')


def test_a_delta_that_is_none_is_counted_as_odd() -> None:
    told = streamed(b'data: {"choices": [{"delta": ["x"], "finish_reason": "stop"}]}\n\n', DONE)
    assert "malformed_piece" in told.odd


def test_parts_of_the_content_that_are_thinking_are_thinking_and_what_is_no_content_is_counted() -> None:
    content: Any
    parts = [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "yes"}]
    mistral = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}]
    for content in (parts, mistral):
        for reply in (whole(body({"content": content})), streamed(delta("stop", content=content), DONE)):
            assert (reply.text, reply.reasoning, reply.odd) == ("yes", "hm", ())
    for content in (5, {"text": "yes"}, True):
        for reply in (whole(body({"content": content})), streamed(delta("stop", content=content), DONE)):
            assert (reply.text, reply.odd) == ("", ("malformed_content",))
