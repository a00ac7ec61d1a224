"""Decisions of several models at worlds that none of them learned from, one row each.

    python benchmarks/decisions.py desk/model-step*.gguf desk/model.gguf --data CONVERSATIONS.jsonl [--most 40] [--bf16]

CONVERSATIONS are a teacher's, of `takt export --format trl` or out of `takt train`'s OUT-shifts. docs/train-llm.md
sets these figures beside shifts of the same models.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter

import torch

from takt.train.lessons import kinds_of, lessons_of, mixture, read_conversations
from takt.train.measured import measure
from takt.train.weights import open_tokenizer, open_weights


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", nargs="+")
    words.add_argument("--data", required=True)
    words.add_argument("--most", type=int, default=40, help="conversations, rare kinds more of than they are")
    words.add_argument("--template", default="")
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--bf16", action="store_true")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    there = list(read_conversations(given.data))
    often = Counter(kinds_of(row) for row in there)
    for model in given.models:
        began = time.process_time()
        tokenizer = open_tokenizer(model, given.template)
        lessons = [lesson for row in mixture(there, given.most) for lesson in lessons_of(row, tokenizer, 2048)]
        with torch.autocast("cpu", torch.bfloat16, enabled=given.bf16):
            found = measure(open_weights(model, tokenizer).causal, lessons, often)
        seconds = round(time.process_time() - began)
        print(json.dumps({"model": model, **found.as_json(), "cpu_seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
