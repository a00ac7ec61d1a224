"""What is kept of a conversation, and what of it is told as sent."""

from __future__ import annotations

import json
import random

from takt.workers.llm.history import History


def test_what_is_forgotten_before_it_is_sent_is_not_told_as_sent() -> None:
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


def test_every_message_of_a_request_is_in_the_records_as_it_was_sent() -> None:
    """Random talks in too little room, saved and restored in between: what is cut is told as it was sent."""
    cuts = drops = 0
    for number in range(60):
        draw = random.Random(number)
        history, recorded = History("the job", 0, 300, 2000), []
        for turn in range(12):
            history.tell(f"{turn} " + "x" * draw.choice((5, 200, 3000)))
            for _ in range(draw.randint(1, 2)):  # a request that fails is made again, perhaps shorter
                told = history.fit("what is there", all_of_it=draw.random() < 0.1)
                drops, cuts = drops + (told.get("dropped", 0) > 0), cuts + (told.get("cut_chars", 0) > 0)
                before, (_, added) = history.messages(), history.sealed({})
                assert all(message in before for message in added), "told as sent, and was not"
                recorded += added
                missing = [m for m in before if m["role"] != "assistant" and m not in recorded]
                assert not missing, "sent, and not told"
            if draw.random() < 0.2:
                history.forget()
                continue
            history.answered({"role": "assistant", "content": "", "tool_calls": [{"id": f"call_{turn}"}]})
            history.result(f"call_{turn}", f"result {turn} " + "y" * draw.choice((5, 500, 4000)))
            again = History("the job", 0, 300, 2000)
            again.restore(json.loads(json.dumps(history.state())))
            history = again
    assert cuts > 20 and drops > 20, (cuts, drops)
