"""A model's name becomes one commit, so that tokenizer, weights and settings are of the same one."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from takt.hub import pinned

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the hub is asked for. It knows one model."""
    names: list[str] = []

    def model_info(name: str, timeout: float) -> Any:
        names.append(name)
        if name != "somebody/model":
            raise OSError("no such model")
        return types.SimpleNamespace(sha=COMMIT)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(model_info=model_info))
    return names


def test_a_name_is_pinned_to_the_commit_that_it_means_now(asked: list[str]) -> None:
    assert pinned("somebody/model") == ("somebody/model", COMMIT) and asked == ["somebody/model"]


def test_a_revision_that_the_user_names_is_taken_and_nobody_is_asked(asked: list[str]) -> None:
    assert pinned("somebody/model@v1") == ("somebody/model", "v1")
    assert pinned("somebody/model", local_only=True) == ("somebody/model", None) and asked == []


def test_a_folder_is_no_name_on_the_hub(asked: list[str], tmp_path: Any) -> None:
    (tmp_path / "a@b").mkdir()
    assert pinned(str(tmp_path / "a@b")) == (str(tmp_path / "a@b"), None) and asked == []


def test_where_the_hub_cannot_be_asked_loading_says_so(asked: list[str]) -> None:
    assert pinned("somebody/other") == ("somebody/other", None) and asked == ["somebody/other"]
