"""Supervised fine-tuning: the model learns to answer as the teacher did, and nothing of what it is told.

transformers' `Trainer` does the work; what is ours is which tokens count and how much, in which order lessons come, and
what is measured on the way: decisions at held-out worlds and a short shift, after each quarter (`curve.jsonl`).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from takt.contract.figure import per_cent
from takt.errors import TaktError
from takt.train.attention import by_products
from takt.train.begun import DONE, asked_for, check_begun, write_begun
from takt.train.common import save, settings
from takt.train.halves import halves
from takt.train.lessons import Lesson, kinds_of, lessons_of, mixture, read_conversations
from takt.train.measured import Ask, measure
from takt.train.order import CORRECTED, Curve, Order
from takt.train.ready import open_ready, with_lora
from takt.train.shared import logits_of, said_by
from takt.train.weights import Weights, check_template, open_tokenizer
from takt.writing import JSON, check_claim, claim_folder, whole_file

MARK = "takt-train.note"  # in a folder of a model that is trained here
CURVE = "curve.jsonl"  # in the same: what was measured on the way
QUARTERS = 4
TOGETHER = 8  # lessons in memory at once, at most; a larger batch is made of several such
SPEAK_S = 15.0  # seconds between two lines about the speed

Try = Callable[[Any, Any, int], Mapping[str, Any]]  # a short shift by the model as it is, with its tokenizer, at a step


def finetune(
    model: str,
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    steps: int = 400,
    batch: int = 16,
    rate: float = 2e-5,
    lora: int = 0,
    freeze: int = 0,
    max_tokens: int = 8192,
    seed: int = 0,
    template: str = "",
    held_out: str | os.PathLike[str] | None = None,
    decision_weight: float = 8.0,
    balance: float = 0.5,
    short: float = 0.0,
    corrected: float = CORRECTED,
    held_out_most: int = 24,
    gguf: str = "",
    gguf_from: str | os.PathLike[str] | None = None,
    bf16: bool = False,
    short_shift: Try | None = None,
    opened: Weights | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train a causal model (a GGUF file, or a name or folder of transformers) on conversations, and save it to `out`.

    steps, batch    optimiser steps, and conversations in each.
    rate            peak learning rate; it warms up over a twentieth of the steps, one at least, and falls to zero as a
                    cosine.
    lora            rank of LoRA adapters on all linear layers, merged in the end; 0 trains all weights.
    freeze          the embedding and so many of the lower layers stay as they are: no gradient goes through them.
    max_tokens      of a conversation; what is longer loses its end.
    seed            of the order of lessons, and of what is random in the model.
    template        a chat template in place of the model's own: a file, or one of TRL's by name (`qwen3`).
    held_out        conversations of worlds that are in no lesson, on which decisions are measured.
    held_out_most   of these conversations, rare kinds more of than they are.
    decision_weight weight of the tokens of a tool's name, where the others of an answer weigh 1.
    balance         how far rare kinds of conversation are drawn as often as frequent ones, 0 to 1.
    short           so many of a step's lessons, a share, end with the last tool's name that the teacher had to choose:
                    they take half as long. The others teach what a call says; rare kinds are among these if they can.
    corrected       of a step's lessons this share are corrections (`takt export --corrected-by`), if there are any;
                    none ends early. Words of an answer then weigh the more, the less likely the model finds them.
    gguf            also write OUT/model.gguf in this form, q8_0 or f16: the model must be from a GGUF file,
    gguf_from       by default the one that it is from.
    bf16            multiply in bfloat16 on a CPU as well, which is faster where it has instructions for it.
    short_shift     works a short shift with the model as it is; what it returns goes into the curve. Its `str` is
                    remembered, and says which shift.
    opened          the model, where `open_ready` has opened it so already.
    say             told lines for people: the speed, what is left, what was measured.

    A quarter of the way is kept at a time: the same call goes on from there after a kill, and a call of anything else
    over what was kept is a TaktError (begun.py). Returns the losses, the time and what was measured last.
    """
    out = Path(out)
    options = {name: value for name, value in locals().items() if name not in ("out", "opened", "say")}
    files = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    for file in files:
        if not Path(file).is_file():
            raise TaktError(f"there are no conversations in {file}")
    rows = _each_correction_once(row for file in files for row in read_conversations(file))
    surprised = any("corrected" in row for row in rows)
    if not surprised:
        del options["corrected"]
    asked = asked_for({**options, "data": files})
    check_claim(out, MARK)
    if check_begun(out, asked):
        return dict(json.loads((out / DONE).read_text(encoding="utf-8"))["told"])
    shown = ", ".join(str(file) for file in files)
    if not rows:
        raise TaktError(f"there are no conversations in {shown}")
    tokenizer = opened.tokenizer if opened else open_tokenizer(model, template)
    check_template(tokenizer, rows[0]["tools"])
    source = None if gguf_from is None else Path(gguf_from)
    how: dict[str, Any] = {"gguf": gguf, "gguf_from": source, "freeze": freeze, "lora": lora}
    weights = opened or open_ready(model, tokenizer=tokenizer, **how)
    if gguf:
        from takt.train.gguf import write_gguf
    by_products(weights.causal)
    lessons = [lesson for row in rows for lesson in lessons_of(row, tokenizer, max_tokens)]
    if not lessons:
        raise TaktError(f"no conversation in {shown} has an answer within {max_tokens} tokens; give more --max-tokens")
    unseen, often = list[Lesson](), dict[str, int]()
    if held_out is not None:
        there = list(read_conversations(held_out))
        mixed, often = mixture(there, held_out_most), Counter(kinds_of(row) for row in there)
        unseen = [lesson for row in mixed for lesson in lessons_of(row, tokenizer, max_tokens)]
        both = {row["seed"] for row in rows if "seed" in row} & {row["seed"] for row in there if "seed" in row}
        if both:
            shared = ", ".join(str(seed) for seed in sorted(both)[:5])
            say(f"lessons and held-out shifts share seeds ({shared}): if of one scenario, it has learned what is asked")
    claim_folder(out, MARK)
    write_begun(out, asked)
    causal = with_lora(weights.causal, lora, freeze) if lora else weights.causal
    last = get_last_checkpoint(str(out))
    begun = int(Path(last).name.rpartition("-")[2]) if last else 0
    curve = Curve(out / CURVE, begun)
    order = Order(lessons, steps * batch, batch, balance, seed, curve, short, corrected)
    quarter = steps // QUARTERS if steps >= 2 * QUARTERS else steps  # a few steps are not worth looking at in between
    together = next(many for many in range(min(batch, TOGETHER), 0, -1) if batch % many == 0)

    def keep(step: int) -> None:
        """A quarter of the way, as a file that can be served: what was learned when."""
        if gguf and not lora:
            write_gguf(causal, tokenizer, weights, out / f"model-step{step}.gguf", gguf)

    parts = halves(causal, freeze, [*lessons, *unseen]) if freeze and not lora else None
    asked_of = parts.logits_of if parts is not None else None
    watch = _Watch(causal, tokenizer, unseen, often, curve, steps, quarter, short_shift, say, bf16, keep, asked_of)
    common = settings(out, steps, batch, rate, seed)
    arguments = TrainingArguments(
        **{**common, "per_device_train_batch_size": together, "bf16": common["bf16"] or bf16},
        gradient_accumulation_steps=batch // together,
        warmup_steps=max(1, steps // 20),  # without, Adam's first step goes as far as it can in every weight
        lr_scheduler_type="cosine",
        train_sampling_strategy="sequential",  # the order is ours
        remove_unused_columns=False,
        save_strategy="steps" if quarter < steps else "no",
        save_steps=quarter,
        save_total_limit=1,
        logging_steps=max(1, steps // 40),
        dataloader_num_workers=0,
    )
    trainer = _Teacher(model=causal, args=arguments, train_dataset=order, data_collator=_together, callbacks=[watch])
    trainer.decision_weight, trainer.surprised, trainer.asked = decision_weight, surprised, asked_of
    trainer.remove_callback(PrinterCallback)  # what it writes, in dicts, is said in words
    watch.read = lambda: trainer.read
    if not begun and unseen:
        watch.look(0)
    found = trainer.train(resume_from_checkpoint=last)
    trained: Any = causal.merge_and_unload() if lora else causal
    save(trained, tokenizer, out)
    told: dict[str, Any] = {}
    if gguf:
        told["gguf"] = str(write_gguf(trained, tokenizer, weights, out / "model.gguf", gguf))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    done = {
        "model": str(out),
        **told,
        "conversations": len(rows),
        "steps": steps,
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "seconds": round(found.metrics["train_runtime"], 1),
        "measured": curve.rows[-1] if curve.rows else None,
    }
    with whole_file(out / DONE, JSON) as new:
        new.write_text(json.dumps({"asked": asked, "told": done}), encoding="utf-8")
    for kept in out.glob("checkpoint-*"):  # only now: what a kill leaves is gone on with
        shutil.rmtree(kept)
    return done


def _each_correction_once(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, without corrections that are there again: a group that is given up comes back, and fails alike."""
    kept: dict[str, dict[str, Any]] = {}
    for at, row in enumerate(rows):
        kept.setdefault(json.dumps(row["messages"]) if "corrected" in row else str(at), row)
    return list(kept.values())


class _Teacher(Trainer):
    """`Trainer` on lessons as they are, with weights on tokens: those that decide weigh more than the rest.

    Where there are corrections, what the model finds unlikely weighs as much (the focal loss, arXiv:1708.02002, with an
    exponent of 1): a call that was wrong is right in most of its words, and one of sixty decides.
    """

    decision_weight = 1.0
    surprised = False  # whether what is unlikely weighs more
    asked: Ask | None = None  # a faster way to what the model would say
    read = 0  # tokens of lessons that were learned from

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        lessons: Sequence[Lesson] = inputs["lessons"]
        self.read += sum(len(lesson.ids) for lesson in lessons)
        losses = []
        found = self.asked(lessons) if self.asked is not None else logits_of(model, lessons)
        for lesson, logits in zip(lessons, found, strict=True):
            said = said_by(lesson)
            deciding = {at for decision in lesson.decisions for at in range(decision.naming, decision.named)}
            wanted = torch.tensor([lesson.ids[at] for at in said], device=logits.device)
            weights = torch.tensor([self.decision_weight if at in deciding else 1.0 for at in said]).to(logits.device)
            each = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
            if self.surprised:
                unlikely = 1.0 - each.detach().neg().exp()
                weights = torch.maximum(weights, 1.0 + (self.decision_weight - 1.0) * unlikely)
            losses.append((each * weights).sum() / weights.sum())
        loss = torch.stack(losses).mean()
        if self.model_accepts_loss_kwargs:  # then the trainer leaves it to the loss to share it among a step's batches
            loss = loss / self.args.gradient_accumulation_steps
        return (loss, {}) if return_outputs else loss


def _together(lessons: Sequence[Lesson]) -> dict[str, Any]:
    """A batch is its lessons."""
    return {"lessons": list(lessons)}


class _Watch(TrainerCallback):
    """Says how fast it goes and what is left, and measures the model after each quarter."""

    def __init__(
        self,
        causal: Any,
        tokenizer: Any,
        unseen: Sequence[Lesson],
        often: Mapping[str, int],
        curve: Curve,
        steps: int,
        quarter: int,
        short_shift: Try | None,
        say: Callable[[str], None],
        bf16: bool,
        keep: Callable[[int], None],
        asked: Ask | None,
    ) -> None:
        self._bf16, self._keep, self._asked = bf16, keep, asked
        self._causal, self._tokenizer, self._unseen, self._often, self._curve = causal, tokenizer, unseen, often, curve
        self._steps, self._quarter, self._shift, self._say = steps, quarter, short_shift, say
        self.read: Callable[[], int] = lambda: 0  # tokens learned from so far
        self._spoke_s, self._work_s, self._since, self._first = 0.0, 0.0, time.perf_counter(), -1

    def on_step_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._since = time.perf_counter()
        if self._first < 0:
            self._first = state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._work_s += time.perf_counter() - self._since
        step, done = state.global_step, state.global_step - self._first
        if self._work_s - self._spoke_s > SPEAK_S or done == 1:
            self._spoke_s = self._work_s
            speed, left_s = self.read() / self._work_s, self._work_s / done * (self._steps - step)
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            loss = f", loss {losses[-1]:.3g}" if losses else ""
            self._say(f"step {step} of {self._steps}: {speed:.0f} tokens/s, about {left_s / 60:.0f} min left{loss}")
        if step % self._quarter == 0 or step == self._steps:
            self.look(step)

    def look(self, step: int) -> None:
        """Measure the model as it is."""
        row: dict[str, Any] = {"step": step, "seconds": round(self._work_s, 1)}
        words = []
        if self._unseen:
            with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
                found = measure(self._causal, self._unseen, self._often, self._asked)
            row["held_out"] = found.as_json()
            decided = f"decisions right {per_cent(found.calls_right)} % (tool {per_cent(found.tools_right)} %)"
            words.append(
                f"{decided}, whole units {per_cent(found.units_right)} %, tokens {per_cent(found.tokens_right)} %"
            )
        if self._shift is not None and step:
            row["shift"] = dict(self._shift(self._causal, self._tokenizer, step))
            words.append(f"short shift: {row['shift']['good']} of {row['shift']['units']} units good")
        if step and step < self._steps:
            self._keep(step)
        if words:
            self._curve.add(row)
            self._say(f"step {step}: {'; '.join(words)}")
