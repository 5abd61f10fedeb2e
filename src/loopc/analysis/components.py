"""The strongly connected components of a graph."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence


def components(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the strongly connected components, sources first, each in ascending order.

    Among components that may go in any order, that of the text is kept. Source: Tarjan, Depth-first
    search and linear graph algorithms (1972).
    """
    following: dict[int, list[int]] = {n: [] for n in range(count)}
    for a, b in edges:
        following[a].append(b)
    groups = sorted(_strongly_connected(following), key=min)
    home = {n: number for number, group in enumerate(groups) for n in group}
    waiting = [0] * len(groups)
    after: list[set[int]] = [set() for _ in groups]
    for a, b in edges:
        x, y = home[a], home[b]
        if x != y and y not in after[x]:
            after[x].add(y)
            waiting[y] += 1
    ready = [number for number, sources in enumerate(waiting) if not sources]
    found: list[list[int]] = []
    while ready:
        number = heapq.heappop(ready)
        found.append(sorted(groups[number]))
        for other in after[number]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, other)
    return found


def _popped(stack: list[int], last: int) -> list[int]:
    """Take the nodes down to `last` from a stack."""
    taken = [stack.pop()]
    while taken[-1] != last:
        taken.append(stack.pop())
    return taken


def _strongly_connected(following: Mapping[int, list[int]]) -> list[list[int]]:
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    open_nodes: set[int] = set()
    groups: list[list[int]] = []
    for root in following:
        pending = [] if root in order else [(root, iter(following[root]))]
        while pending:
            node, rest = pending[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
                open_nodes.add(node)
            child = next(rest, None)
            if child is None:
                pending.pop()
                if pending:
                    parent = pending[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    groups.append(_popped(stack, node))
                    open_nodes.difference_update(groups[-1])
            elif child not in order:
                pending.append((child, iter(following[child])))
            elif child in open_nodes:
                low[node] = min(low[node], order[child])
    return groups
