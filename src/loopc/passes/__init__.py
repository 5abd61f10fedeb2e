"""Loop IR to loop IR: PIPELINE is the only list of passes, but for `guard_empty`, a call's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from loopc.ir.dtypes import of_kinds
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Program
from loopc.passes.add_apart import add_apart
from loopc.passes.add_once import add_once
from loopc.passes.contract_workspaces import contract_workspaces
from loopc.passes.drop_axes import drop_axes
from loopc.passes.drop_copies import drop_copies
from loopc.passes.drop_initial import drop_initial
from loopc.passes.drop_pads import drop_pads
from loopc.passes.expand_workspaces import expand_workspaces
from loopc.passes.fold_constants import fold_constants
from loopc.passes.follow_deltas import follow_deltas
from loopc.passes.gather_windows import gather_windows
from loopc.passes.hold_conditions import hold_conditions
from loopc.passes.interchange_loops import interchange_loops
from loopc.passes.keep_factors import keep_factors
from loopc.passes.keep_terms import keep_terms
from loopc.passes.keep_values import keep_values
from loopc.passes.keep_windows import keep_windows
from loopc.passes.lift_windows import lift_windows
from loopc.passes.multiply_exponentials import multiply_exponentials
from loopc.passes.pad_guarded import pad_guarded
from loopc.passes.pad_once import pad_once
from loopc.passes.pass_on_sums import pass_on_sums
from loopc.passes.reuse_sums import reuse_sums
from loopc.passes.reuse_values import reuse_values
from loopc.passes.running_sums import running_sums
from loopc.passes.settle_few import settle_few
from loopc.passes.share_products import share_products
from loopc.passes.split_axes import split_axes
from loopc.passes.split_cases import split_cases
from loopc.passes.split_factors import split_factors
from loopc.passes.split_offsets import split_offsets
from loopc.passes.split_quotients import split_quotients
from loopc.passes.split_ragged import split_ragged
from loopc.passes.split_running import split_running
from loopc.passes.split_windows import split_windows
from loopc.passes.take_first import take_first
from loopc.passes.take_out_sums import take_out_sums
from loopc.passes.take_out_terms import take_out_terms
from loopc.passes.turn_axes import turn_axes

Pass: TypeAlias = Callable[[Program], Program]

PIPELINE: dict[int, tuple[Pass, ...]] = {
    0: (split_running, hold_conditions, split_ragged, expand_workspaces),
    1: (
        split_running,
        hold_conditions,
        split_ragged,
        expand_workspaces,
        contract_workspaces,
        drop_initial,
    ),
    2: (
        split_running,
        take_first,
        split_offsets,
        hold_conditions,
        split_cases,
        split_quotients,
        split_axes,
        split_ragged,
        drop_axes,
        fold_constants,
        expand_workspaces,
        drop_copies,
        interchange_loops,
        contract_workspaces,
        drop_initial,
        turn_axes,
        take_out_sums,
        multiply_exponentials,
        running_sums,
        lift_windows,
        add_apart,
        add_once,
        split_windows,
        keep_values,
        keep_factors,
        keep_terms,
        pad_guarded,
        gather_windows,
        pad_once,
        keep_windows,
        drop_pads,
        reuse_sums,
        reuse_values,
        contract_workspaces,
        split_factors,
    ),
}
"""The passes of each level of optimisation, in order."""


BY_EXTENTS: dict[int, tuple[Callable[[Program, Magnitudes], Program], ...]] = {
    0: (),
    1: (),
    2: (settle_few, follow_deltas, pass_on_sums, share_products, take_out_terms),
}
"""The passes that follow, which choose by the extents of the call at hand."""


def run(program: Program, opt: int, sizes: Magnitudes | None = None) -> Program:
    """Return the program after the passes of a level.

    Args:
        program: the program.
        opt: the level.
        sizes: the extents of the call at hand; None: they are not known.
    """
    program = program if sizes is None else of_kinds(program, sizes.kinds)
    for each in PIPELINE[opt]:
        program = each(program)
    for chosen in BY_EXTENTS[opt]:
        program = chosen(program, sizes or Magnitudes())
    return program
