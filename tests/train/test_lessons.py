"""Conversations as lessons, over a tiny model made here: what is learned, what decides, what is measured, what resumes.

Skips where the extra `train` is not there."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError
from takt.train import NEEDS

missing = [name for name in NEEDS if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs the extra `train`: {', '.join(missing)} missing")

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))  # tiny_qwen.py

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"group": {"type": "string"}}, "required": ["group"]},
        },
    }
    for name in ("propose", "hotel", "book")
]
LOSES = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


def row(group: str, hotel: bool) -> dict:
    """A conversation as `takt export --format trl` writes it."""
    told = {"result": {"group": group, "hotel_due": hotel}}
    messages = [
        {"role": "system", "content": "Serve. " * 20},
        {"role": "user", "content": json.dumps({"queue": [group]})},
    ]
    for name in ["propose", *(["hotel"] if hotel else []), "book"]:
        call = {"type": "function", "function": {"name": name, "arguments": {"group": group}}}
        messages += [
            {"role": "assistant", "content": "", "tool_calls": [call]},  # type: ignore[dict-item]
            {"role": "tool", "content": json.dumps(told)},
        ]
    return {"messages": messages, "tools": TOOLS}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny Qwen of random weights, and a file of conversations."""
    from tiny_qwen import make

    folder = tmp_path_factory.mktemp("lessons")
    lines = folder / "some.jsonl"
    lines.write_text("".join(json.dumps(row(str(100 + i), i % 4 == 0)) + "\n" for i in range(16)))
    make(folder / "tiny", width=64, layers=2, interval=1, size=400, data=str(lines))
    return folder / "tiny", lines


def test_a_lesson_is_what_the_model_meets_at_work_token_for_token(tiny: Any) -> None:
    from takt.train.lessons import lessons_of
    from takt.train.weights import open_tokenizer, rendered

    tokenizer = open_tokenizer(str(tiny[0]))
    talk = row("4711", True)
    [lesson] = lessons_of(talk, tokenizer, 4096)
    assert [decision.kind for decision in lesson.decisions] == ["start > propose", "propose > hotel", "hotel > book"]
    assert lesson.kinds == "propose hotel book"
    for decision, at in zip(lesson.decisions, (2, 4, 6), strict=True):
        prompt = rendered(tokenizer, talk["messages"][:at], TOOLS, True)
        assert tokenizer(prompt, add_special_tokens=False)["input_ids"] == list(lesson.ids[: decision.first])
        said = tokenizer.decode(lesson.ids[decision.first : decision.last])
        assert "4711" in said and said.endswith(tokenizer.eos_token)
        named = tokenizer.decode(lesson.ids[decision.first : decision.named])
        assert named.rstrip('>"').endswith(decision.kind.rpartition(" ")[2])
        weighed = tokenizer.decode(lesson.ids[decision.naming : decision.named])
        assert decision.kind.rpartition(" ")[2] in weighed and len(weighed) <= 10, "the name, and not what leads to it"
    assert len(lessons_of(talk, tokenizer, lesson.decisions[0].last)[0].decisions) == 1, (
        "a long one loses whole answers"
    )


def test_two_legs_and_three_are_two_kinds_and_what_comes_again_is_the_same_kind(tiny: Any) -> None:
    from takt.train.lessons import forks, kinds_of, lessons_of, mixture, rare
    from takt.train.order import Curve, Order
    from takt.train.weights import open_tokenizer

    def legs(many: int, group: str = "7") -> dict:
        talk = row(group, False)
        talk["messages"][-2]["tool_calls"][0]["function"]["arguments"]["legs"] = ["A", "B", "C"][:many]
        return talk

    tokenizer = open_tokenizer(str(tiny[0]))
    assert [kinds_of(legs(many)) for many in (2, 3)] == ["propose book[2]", "propose book[3]"]
    again = {**legs(3), "messages": [*row("7", False)["messages"][:4], *legs(3)["messages"][2:]]}
    assert kinds_of(again) == kinds_of(legs(3)), "a tool that comes twice is no other kind"
    [lesson] = lessons_of(legs(3), tokenizer, 4096)
    assert [decision.kind for decision in lesson.decisions] == ["start > propose", "propose > book[3]"]
    rows = [legs(2, str(at)) for at in range(40)] + [legs(3)]
    lessons = [lesson for each in rows for lesson in lessons_of(each, tokenizer, 4096)]
    assert forks(lessons) == frozenset(), "the tool is the same, however long its lists"
    assert rare(lessons) == {"propose book[3]"}
    assert mixture(rows, 2) == [rows[0], rows[-1]] and mixture(rows, 6)[-1] == rows[-1], "the rarest is among few"
    others = [lesson for at in range(40) for lesson in lessons_of(row(str(at), True), tokenizer, 4096)]
    order = Order([*lessons, *others], 64, 4, 1.0, 0, Curve(Path("none"), 0), short=0.5)
    taught = [order[place] for place in range(64)]
    three = [lesson for lesson in taught if lesson.kinds == "propose book[3]"]
    assert len(three) >= 16 and all(lesson.ids == lessons[-1].ids for lesson in three), "what is rare is learned whole"
    assert sum(len(lesson.ids) < len(lessons[0].ids) for lesson in taught) == 32


def test_a_template_that_writes_the_past_otherwise_gives_a_lesson_for_each_answer(tiny: Any) -> None:
    from takt.train.lessons import lessons_of
    from takt.train.weights import open_tokenizer

    tokenizer = open_tokenizer(str(tiny[0]), "qwen3")  # leaves out the empty thinking of former answers
    talk = row("4711", True)
    lessons = lessons_of(talk, tokenizer, 4096)
    assert [decision.kind for lesson in lessons for decision in lesson.decisions] == [
        "start > propose",
        "propose > hotel",
        "hotel > book",
    ]
    assert len(lessons) == 3


def test_what_lessons_begin_with_alike_is_read_once_to_the_same_losses_and_gradients(tiny: Any) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from takt.train import shared
    from takt.train.lessons import lessons_of
    from takt.train.weights import open_tokenizer

    tokenizer = open_tokenizer(str(tiny[0]))
    lessons = [x for i in range(3) for x in lessons_of(row(str(i), i == 1), tokenizer, 4096)]
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)).double()
    found = {}
    for worth in (shared.WORTH, 10**9):
        shared.WORTH, was = worth, shared.WORTH
        try:
            logits = shared.logits_of(model, lessons)
        finally:
            shared.WORTH = was
        sum(part.logsumexp(-1).sum() for part in logits).backward()
        found[worth] = (logits, model.model.layers[0].mlp.up_proj.weight.grad.clone())
        model.zero_grad()
    (some, slope), (whole, steep) = found.values()
    assert shared.alike_in(lessons) > shared.WORTH
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(some, whole, strict=True))
    assert torch.allclose(slope, steep, rtol=1e-3, atol=1e-6)


def test_rare_kinds_and_those_that_go_wrong_are_drawn_more_often() -> None:
    from takt.train.lessons import Decision, Lesson, balanced

    often = Lesson((1,), (Decision("propose > book", 0, 0, 1, 1),), "propose book")
    rare = Lesson((1,), (Decision("propose > hotel", 0, 0, 1, 1),), "propose hotel book")
    lessons = [often] * 8 + [rare] * 2
    for power, ratio in ((0.0, 0.25), (0.5, 0.5), (1.0, 1.0)):
        chances = balanced(lessons, power)
        assert sum(chances[8:]) / sum(chances[:8]) == pytest.approx(ratio)
    wrong = balanced(lessons, 0.0, {"propose > hotel": 0.5})
    assert wrong[9] == pytest.approx(3 * wrong[0])


def test_each_step_has_of_each_kind_what_it_should() -> None:
    from collections import Counter

    from takt.train.lessons import Lesson
    from takt.train.order import Curve, Order

    lessons = [Lesson((at,), (), "book" if at % 4 else "hotel") for at in range(80)]
    order = Order(lessons, 320, 8, 0.0, 3, Curve(Path("none"), 0), 0.0)
    steps = [[order[8 * step + place] for place in range(8)] for step in range(40)]
    assert all(Counter(lesson.kinds for lesson in step) == {"book": 6, "hotel": 2} for step in steps)
    assert len({lesson.ids for step in steps for lesson in step}) > 70  # 99 %: 320 of 80 are drawn at random
    assert any(step[0].kinds == "hotel" for step in steps) and any(step[7].kinds == "hotel" for step in steps)
    again = Order(lessons, 320, 8, 0.0, 3, Curve(Path("none"), 0), 0.0)
    assert [again[place].ids for place in (319, 17, 0)] == [steps[39][7].ids, steps[2][1].ids, steps[0][0].ids]
    rare = Order(lessons, 320, 8, 1.0, 3, Curve(Path("none"), 0), 0.0)
    assert Counter(rare[place].kinds for place in range(8)) == {"book": 4, "hotel": 4}


def test_corrections_have_their_share_of_each_step_and_are_never_cut(tiny: Any) -> None:
    from collections import Counter

    from takt.train.lessons import lessons_of
    from takt.train.order import Curve, Order
    from takt.train.sft import _each_correction_once
    from takt.train.weights import open_tokenizer

    def corrected(group: str, tool: str) -> dict:
        about = {"by": "greedy", "said": {"name": tool, "arguments": {"group": group}}, "bad": ["refused"]}
        return {**row(group, False), "corrected": about}

    tokenizer = open_tokenizer(str(tiny[0]))
    rows = [row(str(at), at % 2 == 0) for at in range(20)]
    rows += [corrected("70", "hotel")] * 5 + [corrected("71", "hotel"), corrected("72", "propose")]
    once = _each_correction_once([*rows, rows[0]])
    assert len(once) == 21 + 3, "the teacher's own may come again, a correction that does is no other"
    lessons = [lesson for each in once for lesson in lessons_of(each, tokenizer, 4096)]
    assert {x.kinds for x in lessons if x.corrected} == {"not hotel: propose book", "not propose: propose book"}
    for share, many in ((0.5, 4), (0.25, 2), (1.0, 8)):
        order = Order(lessons, 32, 8, 1.0, 0, Curve(Path("none"), 0), short=1.0, corrected=share)
        steps = [[order[8 * step + place] for place in range(8)] for step in range(4)]
        assert all(sum(lesson.corrected for lesson in step) == many for step in steps)
        taught = [lesson for step in steps for lesson in step]
        assert all((lesson in lessons) == lesson.corrected for lesson in taught), "all the others end early"
        kinds = Counter(lesson.kinds for lesson in taught if lesson.corrected)
        assert set(kinds.values()) == {2 * many}, "each kind of error alike, as balance says"


def test_where_a_call_was_put_right_the_word_that_was_wrong_weighs_as_much_as_a_tools_name() -> None:
    from types import SimpleNamespace

    import torch

    from takt.train.lessons import Decision, Lesson
    from takt.train.sft import _Teacher

    lesson = Lesson((0, 0, 1, 1, 1), (Decision("propose > book", 1, 1, 2, 5),), "propose book", True)
    chances = torch.tensor([0.999, 0.999, 0.999, 0.1])  # of the word that is right; the last is wrong
    logits = torch.stack([torch.stack([p, 1 - p]).log() for p in chances])
    logits[1:] = logits[1:].flip(1)
    given = {"asked": lambda lessons: [logits], "read": 0, "decision_weight": 16.0, "model_accepts_loss_kwargs": False}
    loss = [
        float(_Teacher.compute_loss(SimpleNamespace(**given, surprised=new), None, {"lessons": [lesson]}))  # type: ignore[arg-type]
        for new in (False, True)
    ]
    wrong = -float(chances[3].log())
    assert loss[0] == pytest.approx(wrong / 19, rel=0.1) and loss[1] == pytest.approx(wrong * 14.5 / 32.5, rel=0.1)


def test_short_lessons_end_with_the_last_tool_that_had_to_be_chosen(tiny: Any) -> None:
    from takt.train.lessons import forks, lessons_of, upto_fork
    from takt.train.order import Curve, Order
    from takt.train.weights import open_tokenizer

    tokenizer = open_tokenizer(str(tiny[0]))
    lessons = [x for i in range(4) for x in lessons_of(row(str(i), i == 1), tokenizer, 4096)]
    assert forks(lessons) == {"propose"} and forks(lessons[:1]) == frozenset()
    for lesson, tool in zip(lessons, ("book", "hotel", "book", "book"), strict=True):
        short = upto_fork(lesson, forks(lessons))
        assert short.ids == lesson.ids[: len(short.ids)] and len(short.ids) < len(lesson.ids)
        assert tokenizer.decode(short.ids).endswith(f'"{tool}') or tokenizer.decode(short.ids).endswith(f"={tool}")
        assert [d.kind for d in short.decisions] == ["start > propose", f"propose > {tool}"]
        assert short.decisions[-1].last == len(short.ids) and upto_fork(lesson, frozenset()) is lesson
    order = Order(lessons, 16, 4, 0.0, 0, Curve(Path("none"), 0), short=0.75)
    whole = [order[place] in lessons for place in range(16)]
    assert [sum(whole[at : at + 4]) for at in range(0, 16, 4)] == [1] * 4


def test_frozen_lower_layers_read_a_lesson_once_and_say_what_the_whole_model_says(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    from takt.train import shared
    from takt.train.attention import NAME, by_products
    from takt.train.halves import halves
    from takt.train.lessons import lessons_of
    from takt.train.ready import freeze_lower
    from takt.train.weights import open_tokenizer

    tokenizer = open_tokenizer(str(tiny[0]))
    lessons = [x for i in range(3) for x in lessons_of(row(str(i), i == 1), tokenizer, 4096)]
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), num_hidden_layers=3, **size))
    freeze_lower(model, 2)
    read: list[int] = []
    model.model.layers[0].register_forward_hook(lambda layer, given, said: read.append(said.shape[1]))

    def told(asked: Any) -> Any:
        read.clear()
        logits = asked(lessons)
        sum(part.logsumexp(-1).sum() for part in logits).backward()
        slope = model.model.layers[2].mlp.up_proj.weight.grad.clone()
        model.zero_grad()
        return torch.cat(logits), slope, len(read)

    whole, steep, often = told(lambda some: shared.logits_of(model, some))
    by_products(model)
    parts = halves(model, 2, lessons)
    assert parts is not None and model.config._attn_implementation == NAME
    some, slope, once = told(parts.logits_of)
    _, again, never = told(parts.logits_of)
    assert torch.allclose(some, whole, atol=1e-4) and torch.allclose(slope, steep, rtol=1e-3, atol=1e-5)
    assert torch.equal(again, slope) and (often, once, never) == (4, 4, 0)
    small = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_head=2, n_layer=2, n_positions=1024)
    other = GPT2LMHeadModel(small)  # no list of layers between an embedding and a norm
    by_products(other)
    assert halves(other, 1, lessons) is None
    zeros = torch.zeros_like(whole)  # a whole that says otherwise than its halves
    monkeypatch.setattr("takt.train.halves.logits_of", lambda causal, some: [zeros[: len(shared.said_by(some[0]))] + 9])
    assert halves(model, 2, lessons) is None


def test_what_is_held_out_has_rare_kinds_more_of_than_they_are_and_units_are_weighed_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from collections import Counter

    import torch

    from takt.train import measured
    from takt.train.lessons import Decision, Lesson, kinds_of, mixture

    rows = [row(str(number), number % 10 == 0) for number in range(100)]
    taken = Counter(kinds_of(one) for one in mixture(rows, 20))
    assert taken == {"propose book": 15, "propose hotel book": 5} and mixture(rows, 100) == rows
    good = [Lesson((0, 1), (Decision("start > propose", 1, 1, 2, 2),), "propose book")] * 3
    bad = [Lesson((0, 2), (Decision("start > propose", 1, 1, 2, 2),), "propose hotel book")]
    says_one = torch.tensor([[0.0, 1.0, 0.0]])
    monkeypatch.setattr(measured, "logits_of", lambda causal, lessons: [says_one for _ in lessons])
    found = measured.measure(torch.nn.Linear(1, 1), good + bad, {"propose book": 90, "propose hotel book": 10})
    assert found.units_right == pytest.approx(0.9) and found.calls_right == pytest.approx(0.75)
    assert measured.measure(torch.nn.Linear(1, 1), good + bad).units_right == pytest.approx(0.75)


def test_decisions_are_measured_by_kind_and_follow_what_was_learned(tiny: Any) -> None:
    from takt.train.sft import CURVE, finetune

    folder, lines = tiny
    told = []
    out = folder.parent / "learned"
    options = {"steps": 24, "batch": 4, "rate": 1e-2, "held_out": lines, "say": told.append, "seed": 1}
    done = finetune(str(folder), lines, out, **options)
    curve = [json.loads(line) for line in (out / CURVE).read_text().splitlines()]
    assert [row["step"] for row in curve] == [0, 6, 12, 18, 24]
    first, last = curve[0]["held_out"], curve[-1]["held_out"]
    assert set(last["by_kind"]) == {"start > propose", "propose > book", "propose > hotel", "hotel > book"}
    assert first["tools_right"] < 0.2 and last["tools_right"] > 0.6 and last["token_loss"] < first["token_loss"]
    assert all(many >= tool >= call for many, tool, call in last["by_kind"].values())
    [speed, *_] = [float(line.split(": ")[1].split()[0]) for line in told if "tokens/s, about" in line]
    assert speed > 0 and any("min left" in line for line in told)
    assert done["measured"]["step"] == 24 and done["loss_last"] < done["loss_first"]


def test_a_training_that_was_killed_goes_on_to_the_same_weights(tiny: Any) -> None:
    from takt.train import sft

    folder, lines = tiny
    options = {"steps": 8, "batch": 2, "rate": 1e-2, "held_out": lines, "held_out_most": 4}
    sft.finetune(str(folder), lines, folder.parent / "whole", **options)

    def killed(line: str) -> None:
        if line.startswith("step 6:"):  # measured, and not yet kept
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sft.finetune(str(folder), lines, folder.parent / "parts", say=killed, **options)
    other: dict[str, Any] = {**options, "rate": 0.5, "batch": 4}
    says = r"was begun with --batch 2 \(now 4\), --rate 0.01 \(now 0.5\): give what it was begun with, or begin anew"
    with pytest.raises(TaktError, match=says):
        sft.finetune(str(folder), lines, folder.parent / "parts", **other)
    sft.finetune(str(folder), lines, folder.parent / "parts", **options)
    for name in ("model.safetensors", sft.CURVE):
        whole, parts = ((folder.parent / which / name).read_bytes() for which in ("whole", "parts"))
        if name == sft.CURVE:
            whole, parts = ([json.loads(line)["held_out"] for line in text.splitlines()] for text in (whole, parts))
        assert whole == parts
    for less in ({**options, "steps": 4}, {**options, "held_out": None}):
        with pytest.raises(TaktError, match=r"was begun with (--steps 8|other shifts held out)"):
            sft.finetune(str(folder), lines, folder.parent / "parts", **less)


def test_a_training_is_remembered_by_what_its_files_hold_and_not_by_their_names(tiny: Any, tmp_path: Path) -> None:
    from takt.train.begun import ASKED, asked_for, check_begun, write_begun

    (tmp_path / "model").mkdir()
    for file in tiny[0].iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    lines, template, out = tmp_path / "a.jsonl", tmp_path / "t.jinja", tmp_path / "out"
    lines.write_text("lessons"), template.write_text("template")
    options = {"model": str(tmp_path / "model"), "data": [lines], "template": str(template), "held_out": lines}
    asked = asked_for({**options, "steps": 8})
    (out / "checkpoint-4").mkdir(parents=True)
    with pytest.raises(TaktError, match="did not write down by which options"):
        check_begun(out, asked)
    write_begun(out, asked)
    assert not check_begun(out, asked), "begun, and not done"
    moved = asked_for({**options, "model": str((tmp_path / "model").rename(tmp_path / "moved"))})
    assert not check_begun(out, moved), "it is the same, elsewhere"
    (tmp_path / "moved").rename(tmp_path / "model")
    lines.write_text("other lessons"), template.write_text("other")
    with (tmp_path / "model/model.safetensors").open("r+b") as file:
        file.seek(-1, 2), file.write(b"?")
    with pytest.raises(TaktError) as error:
        check_begun(out, asked_for(options))
    for what in ("what --model", "other lessons (--data", "what --chat-template", "other shifts held out"):
        assert what in str(error.value)
    (out / "checkpoint-4").rmdir()
    assert (out / ASKED).exists() and not check_begun(out, asked_for(options)), "nothing was kept that could be lost"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('no tools today') }}", "raises at a conversation with tools: no tools today"),
        ("{{ 1 / 0 }}", "raises at a conversation with tools: division by zero"),
        ("{% for m in", "raises at a conversation with tools"),
        (LOSES, r"does not show the model its tools \(propose, hotel, book\)"),
        ("{{ tools }}", "does not show the model what a call returned"),
        ("{{ tools }}" + LOSES, "does not write down the calls"),
        ("{{ tools }}{{ messages }}", "does not end an answer with '<|im_end|>'".replace("|", r"\|")),
    ],
)
def test_a_template_that_cannot_be_taught_is_one_line_before_anything_is_worked(
    tiny: Any, tmp_path: Path, template: Any, says: Any
) -> None:
    from takt.train.weights import check_template, open_tokenizer

    path = tmp_path / "bad.jinja"
    path.write_text(template)
    with pytest.raises(TaktError, match=says) as error:
        check_template(open_tokenizer(str(tiny[0]), str(path)), TOOLS)
    assert "\n" not in str(error.value) and "--chat-template" in str(error.value)


def test_answers_that_are_text_need_a_template_without_tools_only(tiny: Any, tmp_path: Path) -> None:
    from takt.train.weights import check_template, open_tokenizer

    path = tmp_path / "plain.jinja"
    path.write_text(LOSES)
    check_template(open_tokenizer(str(tiny[0]), str(path)), [])
    with pytest.raises(TaktError, match="does not show the model its tools"):
        check_template(open_tokenizer(str(tiny[0]), str(path)), TOOLS)


def test_adapters_are_trained_alone_and_merged(tiny: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from takt.train.sft import finetune

    folder, lines = tiny
    options: dict[str, Any] = {"steps": 2, "batch": 2, "rate": 1e-2, "lora": 4, "freeze": 1}
    options |= {"held_out": lines, "held_out_most": 2}
    done = finetune(str(folder), lines, folder.parent / "adapted", **options)
    before, after = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (folder, done["model"]))
    assert set(before) == set(after)
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed and all("proj" in name and ".layers.1." in name for name in changed)


def test_lower_layers_can_stay_as_they_are(tiny: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from takt.train.sft import finetune

    folder, lines = tiny
    done = finetune(str(folder), lines, folder.parent / "frozen", steps=2, batch=2, rate=1e-2, freeze=1)
    before, after = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (folder, done["model"]))
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed and all(name.startswith(("model.layers.1.", "model.norm")) for name in changed)
    with pytest.raises(TaktError, match="cannot freeze 2 layers of this model; it has 2 layers: freeze 1 at most"):
        finetune(str(folder), lines, folder.parent / "none", steps=1, freeze=2)
    assert not (folder.parent / "none").exists()


def test_a_tokenizer_without_an_end_token_is_one_line(tiny: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    from takt.train.weights import open_tokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny[0])
    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TaktError, match="has no end token") as error:
        open_tokenizer(str(tmp_path))
    assert "\n" not in str(error.value)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/config.json").write_bytes((tiny[0] / "config.json").read_bytes())
    with pytest.raises(TaktError, match="has no tokenizer beside its weights"):
        open_tokenizer(str(tmp_path / "weights"))


def test_templates_have_names(tiny: Any) -> None:
    from takt.train.weights import open_tokenizer

    with pytest.raises(TaktError, match=r"no chat template 'qwen33', did you mean 'qwen3'\?: it is no file, and none"):
        open_tokenizer(str(tiny[0]), "qwen33")
    with pytest.raises(TaktError, match="is a folder; name the chat template in it"):
        open_tokenizer(str(tiny[0]), str(tiny[0]))
    assert "tool_call" in open_tokenizer(str(tiny[0]), "qwen3-instruct-2507").chat_template


def test_what_is_no_conversation_is_named_by_its_line(tiny: Any, tmp_path: Path) -> None:
    from takt.train.sft import finetune

    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(row("1", True)) + "\n{}\n")
    with pytest.raises(TaktError, match=r"line 2 of .*odd.jsonl is no conversation"):
        finetune(str(tiny[0]), path, tmp_path / "out")
    with pytest.raises(TaktError, match="within 16 tokens"):
        finetune(str(tiny[0]), tiny[1], tmp_path / "out", max_tokens=16)
    assert not (tmp_path / "out").exists()
