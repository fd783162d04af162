"""A plain piece of work to compare with: how fast this machine is, and how busy, right now.

Seconds tell little on a machine that others use too. The processor time of a job over that of
this piece, run just before and after it, hardly depends on who else is at work.
"""

import time

import numpy as np

_ROUNDS = 12


def plain_work() -> float:
    """Run the piece; its processor seconds, about half a second on one core of 2023.

    Single precision: matrix products that fill the caches, arithmetic and a gather over arrays
    that do not, like those of a fit. With as many BLAS threads as the process has.
    """
    rng = np.random.default_rng(0)
    matrix = rng.random((384, 384), np.float32)
    values = rng.random(1 << 21, np.float32)
    places = rng.integers(0, values.size, values.size)
    start = time.process_time()
    for _ in range(_ROUNDS):
        for _ in range(8):
            matrix = matrix @ matrix
            matrix /= matrix.max()
        values = np.sqrt(values * values + values[places] * np.float32(0.5))
        values /= values.max()
    return time.process_time() - start
