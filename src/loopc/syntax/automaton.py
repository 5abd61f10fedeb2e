"""The parser's automaton: lark's tables, with what each reduction calls found once.

lark looks callbacks up by rules, whose hash is made anew each time: that takes longer than all
the rest.
Source: Aho, Lam, Sethi and Ullman, Compilers, ch. 4.7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from lark import Lark, Token

_Action: TypeAlias = tuple[Callable[[Any], Any] | None, int, str]
"""A reduction: what makes a value, of how many, and its symbol; or None, the next state, ""."""

_NONE: _Action = None, -1, ""


class _Actions(dict[int, dict[str, _Action]]):
    """What is to be done in a state, by the kind of the next token or value, once it is asked."""

    def __init__(self, rows: Any, callbacks: Any) -> None:
        self.rows = rows
        self.callbacks = callbacks
        self.reductions: dict[int, _Action] = {}

    def __missing__(self, state: int) -> dict[str, _Action]:
        found: dict[str, _Action] = {}
        for kind, (_, target) in self.rows[state].items():
            found[kind] = (None, target, "") if isinstance(target, int) else self._reduce(target)
        self[state] = found
        return found

    def _reduce(self, rule: Any) -> _Action:
        found = self.reductions.get(id(rule))
        if found is None:
            found = self.callbacks[rule], len(rule.expansion), rule.origin.name
            self.reductions[id(rule)] = found
        return found


class Automaton:
    """Runs the tables of a parser over tokens."""

    def __init__(self, lark: Lark) -> None:
        parser: Any = lark.parser.parser
        table = parser.parser.parse_table
        self.starts, self.ends = table.start_states, table.end_states
        self.callbacks = parser.parser.callbacks
        self.actions = _Actions(table.states, self.callbacks)

    def run(self, tokens: Sequence[Token], start: str) -> Any:
        """Return the value of a start symbol; None: the tokens are none."""
        state, end, actions = self.starts[start], self.ends[start], self.actions
        states: list[int] = [state]
        values: list[Any] = []
        for token in [*tokens, None]:
            kind = "$END" if token is None else token.type
            while state != end:
                call, number, symbol = actions[state].get(kind, _NONE)
                if number < 0:
                    return None
                if call is None:
                    state = number
                    states.append(state)
                    own = self.callbacks.get(kind)
                    values.append(token if own is None else own(token))
                    break
                place = len(values) - number
                made = call(values[place:])
                del states[place + 1 :], values[place:]
                state = actions[states[-1]][symbol][1]
                states.append(state)
                values.append(made)
        return values[-1]
