"""Figures of the fine maps that may be changed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SurfaceSettings:
    """depth_gain: depth of a furrow over its wavelength and its darkness (natural log of linear
    light). A V-shaped groove as wide as it is deep by 1 : r sees a share 1 / sqrt(1 + 4 r^2) of
    the sky, so r = 0.2 darkens by 0.07 and gives about 2; half of a skin map's fine darkness is
    pigment, hence 1 (ours). rise: share of it by which bright texels stand out (ours: skin has
    furrows rather than ridges).
    fine_limit, line_limit: metres that fine texture and lines tend to. Lines of the skin's own net
    are 20 to 200 micrometres deep; wrinkles of the first grade of five up to 0.2 mm (Lemperle et
    al. 2001, Plast. Reconstr. Surg. 108:1735), the deepest several times that.
    hair_limit, beard_limit: local deviation of the darkness above which the texture counts as hair.
    Ours: a generated map has 0.016 on the cheeks, 0.03 on a lined forehead, 0.04 in stubble.
    completed_lines: share of a line's depth that is left where the photo did not show it (ours).
    typical_texture: deviation of the darkness at which synthesised pores have their usual depth.
    pore_depth, follicle_depth, crease_depth, lip_depth: metres at full density. Pores wider than
    0.25 mm are about as deep as half their width, the net of lines as above (ours within that).
    wide_pore_depth, wide_pore_count: of the pores at 512, whose texels are wider than most pores
    (ours: what a few pores show together).
    pore_count, follicle_count: openings per square metre at full density. Follicles: 292 per cm2 of
    the forehead (Otberg et al. 2004, J. Invest. Dermatol. 122:14); visible pores: ours.
    """

    depth_gain: float = 1.0
    rise: float = 0.5
    fine_limit: float = 0.00010
    line_limit: float = 0.00045
    hair_limit: float = 0.04
    beard_limit: float = 0.022
    completed_lines: float = 0.2
    typical_texture: float = 0.015
    pore_depth: float = 0.00008
    follicle_depth: float = 0.00002
    crease_depth: float = 0.000016
    lip_depth: float = 0.00007
    wide_pore_depth: float = 0.0001
    wide_pore_count: float = 60e4
    pore_count: float = 70e4
    follicle_count: float = 292e4
