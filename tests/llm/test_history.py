"""What is kept of a conversation, and what of it is told as sent."""

from __future__ import annotations

from takt.workers.llm.history import History


def test_what_is_forgotten_before_it_is_sent_is_not_told_as_sent():
    history = History("the job", 0, 10_000, 1000)
    history.tell("all that is there")
    assert [message["content"] for message in history.sealed({})[1]] == ["the job", "all that is there"]
    history.answered({"role": "assistant", "content": "a call"})
    history.result("call_0", "it ended the piece of work")
    history.forget()
    history.tell("the next piece")
    again = History("the job", 0, 10_000, 1000)
    again.restore(history.state())
    for one in (history, again):
        assert [message["content"] for message in one.sealed({})[1]] == ["the next piece"]
        assert [message["content"] for message in one.messages()] == ["the job", "the next piece"]
