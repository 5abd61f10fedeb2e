"""What a run returns: a mapping with attribute access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Results(Mapping[str, Any]):
    """Arrays by name, in the order of the program: `r["L"]`, and `r.L` where that is no method."""

    __slots__ = ("_arrays",)

    def __init__(self, arrays: dict[str, Any]) -> None:
        self._arrays = arrays  # no copy: it would be a tenth of a small call

    def __getitem__(self, name: str) -> Any:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._arrays[name]
        except KeyError:
            known = ", ".join(self._arrays)
            raise AttributeError(f"no result {name!r}; there are {known}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._arrays]

    def __repr__(self) -> str:
        parts = [f"{n}: {a.dtype}{list(a.shape)}" for n, a in self._arrays.items()]
        return f"Results({', '.join(parts)})"

    def __reduce__(self) -> Any:
        return Results, (self._arrays,)
