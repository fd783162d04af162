"""Work on Blender's data a little at a time, so that the window never stands still for long."""

import time
from collections.abc import Callable

from .scene.made import Made, Steps


class Building:
    """Steps that add data-blocks: all of them, or none.

    steps: begins them, from nothing. They may hold on to data-blocks between two of their items:
    when undo has exchanged these meanwhile, the steps begin again.
    """

    def __init__(self, steps: Callable[[], Steps[None]]) -> None:
        self._steps, self._made = steps, Made()
        self._run = steps()

    def advance(self, seconds: float) -> bool:
        """Work for `seconds` and one step. True when all is done. What the steps raise is raised;
        nothing that they made is left then."""
        try:
            return self._work(time.perf_counter() + seconds)
        except ReferenceError:  # a data-block that was undone; nobody undoes inside one call
            self.drop()
            self._run = self._steps()
            return self._work(float("inf"))

    def drop(self) -> None:
        """Leave off and take away what was made."""
        self._run.close()
        self._made.remove()

    def _work(self, end: float) -> bool:
        try:
            with self._made.noting():
                for _ in self._run:
                    if time.perf_counter() >= end:
                        return False
        except ReferenceError:
            raise
        except BaseException:
            self.drop()
            raise
        return True
