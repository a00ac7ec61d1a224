"""Serve a GGUF file by llama.cpp's own server, from the wheel `xllamacpp`: for machines without llama.cpp.

    python examples/serve_gguf.py desk/model.gguf --port 8080 --threads 1         needs pip install xllamacpp

It is what `llama-server -m desk/model.gguf --jinja -c 8192` is. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import signal

import xllamacpp


def serve(
    model: str, port: int, context: int, threads: int, alias: str, template: str, parallel: int
) -> xllamacpp.Server:
    """The server, listening; it serves until it is let go of."""
    given = xllamacpp.CommonParams()
    given.model.path, given.port = model, port
    given.n_ctx, given.n_parallel = context * parallel, parallel  # which share the context evenly
    given.use_jinja = True
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = threads
    if alias:
        given.model_alias = {alias}
    if template:
        with open(template, encoding="utf-8") as file:
            given.chat_template = file.read()
    return xllamacpp.Server(given)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="Serve a GGUF file by llama.cpp's own server.")
    words.add_argument("model")
    words.add_argument("--port", type=int, default=8080)
    words.add_argument("--context", type=int, default=8192, help="tokens, request and answer together")
    words.add_argument("--threads", type=int, default=2, help="on a machine that others use, fewer than it has cores")
    words.add_argument(
        "--parallel", type=int, default=1, help="requests answered at once: several shifts together are cheaper"
    )
    words.add_argument("--alias", default="", help="what the model is called")
    words.add_argument("--template", default="", help="a chat template in place of the file's own")
    server = serve(**vars(words.parse_args()))
    print(f"serving at {server.listening_address}/v1", flush=True)
    signal.pause()
