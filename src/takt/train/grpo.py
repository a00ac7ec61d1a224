"""The station as TRL's environment, and GRPO with it: the model works a unit itself, several times over, and learns
from which of its ways were good.

An episode begins where a unit of a recorded shift began: the station is loaded with the snapshot there. The model is
told what the worker `llm` tells it, in the same words. The reward is 1 if the unit ends by one of its calls and is
good, else 0.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.station import Station, StationSpec, TaktError
from takt.hub import pinned, why_not
from takt.ledger import Ledger
from takt.ledger.pack import unpack
from takt.ledger.trust import open_station_of
from takt.shift import reset_as
from takt.workers.calls import as_text
from takt.workers.llm.options import Options
from takt.workers.llm.talk import Talk, ends
from takt.writing import check_claim, claim_folder

MARK = "takt-grpo.note"  # in a folder of a model that is trained so
OVER = as_text({"error": {"code": "over", "message": "this unit is done"}})
KINDS = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
LONGEST_WAIT = 3600  # control periods until somebody comes


def environment(spec: StationSpec, view: str, context_tokens: int = Options.context_tokens) -> Any:
    """A class for `GRPOTrainer(environment_factory=...)`: the station's tools are its methods.

    `reset` takes a row of `takt export --format trl -x kind=prompts`; `get_reward` is what came of it.
    """
    talk = Talk(spec, view, context_tokens, context_tokens)

    class Episode:
        tools = talk.tools

        def __init__(self) -> None:
            self._station: Station | None = None
            self._shift = ""

        def reset(self, shift: str, after_unit: int, **row: Any) -> None:
            """Put the station where the row's unit begins. The prompt tells what is there."""
            with Ledger.open(shift) as book:
                meta, snapshot = book.meta, book.snapshot_after(int(after_unit))
            if snapshot is None:
                raise TaktError(f"{shift} has no snapshot after unit {after_unit}")
            if self._station is None or shift != self._shift:
                self._station, self._shift = open_station_of(shift, meta), shift
                reset_as(self._station, meta)
            self._station.load(unpack(snapshot.state)["station"])
            self._ended: list[Event] = []
            self._over = False
            for _ in range(LONGEST_WAIT):
                observation, *_ = self._station.step(self._station.hold)
                if observation.get("waiting") != 0:
                    break

        def get_reward(self) -> float:
            """1 if a unit ended by the model's calls, and all that did are good."""
            done = [event for event in self._ended if event.data.get("cycle_s") is not None]
            return float(bool(done) and all(event.kind == UNIT_GOOD for event in done))

        def _call(self, name: str, arguments: Mapping[str, Any]) -> str:
            if self._over or self._station is None:
                return OVER
            call = as_text({"name": name, "arguments": arguments})
            observation, *_, info = self._station.step(call)
            self._ended += [event for event in info["events"] if event.kind in UNIT_ENDED]
            self._over = spec.short is not None and ends(spec.short, call, observation)
            return talk.outcome(observation)

    for tool in talk.tools:
        setattr(Episode, tool["function"]["name"], _method(tool["function"]))
    return Episode


def _method(function: Mapping[str, Any]) -> Callable[..., str]:
    """A tool as a typed method with a docstring, which is what TRL makes tools of."""
    name, schema = function["name"], function["parameters"]

    def method(self: Any, **arguments: Any) -> str:
        return self._call(name, arguments)

    kinds = {key: KINDS.get(about.get("type", "string"), str) for key, about in schema["properties"].items()}
    empty = inspect.Parameter.empty
    parameters = [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=kind,
            default=empty if key in schema.get("required", ()) else schema["properties"][key].get("default"),
        )
        for key, kind in kinds.items()
    ]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = inspect.Signature([own, *parameters], return_annotation=str)  # type: ignore[attr-defined]
    method.__annotations__ = {**kinds, "return": str}
    about = "\n".join(f"    {key}: {schema['properties'][key].get('description', key)}" for key in kinds)
    method.__doc__ = f"{function.get('description', name)}\n\nArgs:\n{about}\n\nReturns:\n    What came of it."
    method.__name__ = name
    return method


def reinforce(
    model: str,
    prompts: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    view: str,
    steps: int = 100,
    batch: int = 8,
    rate: float = 1e-6,
    answers: int = 8,
    max_tokens: int = 1024,
    seed: int = 0,
) -> dict[str, Any]:
    """Train a model by GRPO on units of recorded shifts, and save it to `out`, a new folder or one of an earlier call.

    answers      ways that each unit is worked, to be compared with each other.
    batch        of them in a step of the optimiser, a multiple of `answers`.
    max_tokens   of an episode after its prompt, results included.
    """
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    from takt.train.common import save, settings

    check_claim(Path(out), MARK)
    with open(prompts, encoding="utf-8") as file:
        first = json.loads(file.readline() or "null")
    if first is None:
        raise TaktError(f"there are no prompts in {prompts}")
    with Ledger.open(first["shift"]) as book:
        meta = book.meta
    station = open_station_of(first["shift"], meta)
    episode = environment(station.spec, view)
    station.close()
    rows = load_dataset("json", data_files=str(prompts), split="train").remove_columns("tools")  # nosec B615: a file of the user's
    name, revision = pinned(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        causal = AutoModelForCausalLM.from_pretrained(name, revision=revision)
    except Exception as error:  # whatever a reader of files raises
        raise TaktError(f"cannot load the model {model!r}: {why_not(error)}") from error
    claim_folder(Path(out), MARK)
    config = GRPOConfig(
        **settings(out, steps, batch, rate, seed),
        num_generations=answers,
        max_completion_length=max_tokens,
        save_strategy="no",
        logging_steps=1,
    )
    trainer = GRPOTrainer(
        causal,
        args=config,
        train_dataset=rows,
        processing_class=tokenizer,
        environment_factory=episode,
    )
    trainer._env_tools = {None: episode.tools}  # the very words of the worker `llm`, not those of the signatures
    trainer.train()
    save(trainer.model, AutoTokenizer.from_pretrained(name, revision=revision), out)  # a trainer alters its own
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    return {"model": str(Path(out)), "steps": steps, "reward_first": rewards[0], "reward_last": rewards[-1]}
