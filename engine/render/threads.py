"""Choosing how many threads torch uses, by measurement."""

import os
import time
from statistics import median

import torch

_BUDGET = 0.04
"""Seconds to measure for; on a busy machine the last slow round runs over it."""


def choose_threads(limit: int | None = None) -> int:
    """Sets and returns torch's thread count: all cores, or 1 where that is faster.

    On some machines (small virtual ones) the threads of a parallel loop wait for each other
    far longer than they work; a rasteriser made of many medium-sized operations then runs up
    to 100 times slower. Measured on our own mix: elementwise arithmetic, a gather and a matrix
    product. More threads must be 1.2 times faster, since they also take cores from Blender.
    limit: most threads to consider; by default all cores but one, which is left to Blender: on a
    shared core the others wait for the slowest (measured: a fit took 3 times as long).
    """
    most = limit or max(1, (os.cpu_count() or 1) - 1)
    torch.set_num_threads(1)
    if most == 1:
        return 1
    one = _time_of(1, _BUDGET / 2)
    many = _time_of(most, _BUDGET / 2)
    best = most if many * 1.2 < one else 1
    torch.set_num_threads(best)
    return best


def _time_of(threads: int, budget: float) -> float:
    """Median seconds of a few rounds with so many threads; stops when the budget is spent.

    The median, because the waiting shows in most rounds but not in the luckiest.
    """
    torch.set_num_threads(threads)
    values = torch.ones(65536)
    index = torch.arange(65536)
    matrix = torch.ones(192, 192)
    rounds = []
    began = time.perf_counter()
    while len(rounds) < 20 and time.perf_counter() - began < budget:
        start = time.perf_counter()
        torch.minimum((values * values + values).index_select(0, index), values)
        torch.mm(matrix, matrix)
        rounds.append(time.perf_counter() - start)
    return median(rounds)
