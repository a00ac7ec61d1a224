"""Which stations can be made by Gymnasium, and under which id. They are registered there when Gymnasium is imported,
before or after Takt: to import it here would cost every program a fifth of a second."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_IDS = {"takt/NutCell-v0": "takt.stations.nutcell:NutCell"}
_REGISTRATION = "gymnasium.envs.registration"


def _register(registration: Any) -> None:
    for name, entry_point in _IDS.items():
        if name not in registration.registry:
            registration.register(id=name, entry_point=entry_point, order_enforce=False)


class _WhenGymnasiumComes:
    """Registers when Gymnasium is imported after us."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _REGISTRATION:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                _register(module)

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


if _REGISTRATION in sys.modules:
    _register(sys.modules[_REGISTRATION])
else:
    sys.meta_path.insert(0, _WhenGymnasiumComes())
