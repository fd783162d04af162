"""The FFHQ-UV layout for heads that come without it: by registration with the template."""

from dataclasses import dataclass

import numpy as np

from ...nets.bundle import load_nets
from ...protocol.headpack import Pack
from ...reporter import Reporter
from .source import SKIN, HeadSource


@dataclass(frozen=True)
class WithinStage:
    """A reporter whose stages are the progress of one stage of `outer`."""

    outer: Reporter

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter."""
        self.outer.progress(index, total)

    def progress(self, step: int, total: int) -> None:
        """Says nothing: the stages are the progress. They are few and short, and the user may
        cancel at each."""

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.outer.preview(path)

    def warning(self, text: str) -> None:
        """See Reporter."""
        self.outer.warning(text)


def lay_out(source: HeadSource, template: Pack, reporter: Reporter) -> np.ndarray:
    """(F, 4, 2) f32 corner UVs of the source's skin in the layout; other parts any.

    Raises EngineError(NO_FACE) where no face is found, and Cancelled.
    """
    # Here, because a head that brings its layout needs neither the networks nor torch.
    from ...register.carry import transfer_uv
    from ...register.correspondence import Hints
    from ...register.mesh import HeadMesh
    from ...register.pipeline import register_head

    mesh = HeadMesh(source.mean.astype(np.float64), source.faces, None, source.id)
    skin = source.face_part == source.part_names.index(SKIN)
    hints = Hints(True, source.landmarks68, source.inner, skin)
    nets = load_nets(template.folder)
    found = register_head(mesh, template.head, nets, WithinStage(reporter), hints)
    if found.quality.verdict != "good":
        reporter.warning(found.quality.words)
    return transfer_uv(found, mesh, template.head).astype(np.float32)
