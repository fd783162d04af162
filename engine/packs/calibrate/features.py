"""Hand-picked corresponding points of the HIFI3D template and the MakeHuman head.

Picked by eye on renders of both, on the subject's left side and the mid-line; mirrored in use.
Template points are vertex ids of the 20,481-vertex template, ours are hm08 ids (the point is
their mean, put on the surface).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """name; template: vertex id; source_ids: hm08 vertices whose mean is our point."""

    name: str
    template: int
    source_ids: tuple[int, ...]


MIDLINE = (
    Feature("glabella", 679, (227, 234)),
    Feature("nasion", 699, (132, 136)),
    Feature("bridge", 7445, (5063,)),
    Feature("nose_tip", 7276, (5054,)),
    Feature("subnasale", 7282, (317, 343)),
    Feature("lower_lip_edge", 7917, (492, 496)),
    Feature("chin_fold", 6705, (724,)),
    Feature("pogonion", 677, (733, 5162)),
    Feature("menton", 6707, (5171,)),
)
NOSE = (
    Feature("nostril_top", 7372, (7109, 7110)),
    Feature("nostril_inner", 1152, (7156, 7148, 7149, 7157)),
    Feature("nostril_outer", 1764, (7084,)),
    Feature("nostril_low", 8453, (7119, 7080, 7088, 7055)),
    Feature("ala", 6841, (11685, 7053, 11669, 11753)),
    Feature("ala_base", 6846, (7057, 7119)),
)
EARS = (
    Feature("helix_top", 5818, (12015, 12037)),
    Feature("helix_front_top", 5830, (12014, 12024)),
    Feature("helix_front", 312, (12026, 12048)),
    Feature("helix_rear_top", 15743, (12016, 12038)),
    Feature("helix_rear", 472, (12040,)),
    Feature("helix_rear_low", 5698, (12073, 12168)),
    Feature("lobe_rear", 231, (12053,)),
    Feature("lobe_bottom", 5753, (12019, 12027, 12049, 12041)),
    Feature("lobe_front", 5974, (7571, 12349)),
    Feature("tragus", 5768, (12213,)),
    Feature("notch", 15879, (12079,)),
    Feature("antitragus", 6171, (12181,)),
    Feature("antihelix", 15674, (12193, 12105, 12117, 12195)),
    Feature("concha", 208, (12240, 12262)),
    Feature("cymba", 5851, (12231,)),
    Feature("fossa", 5945, (12198, 12317)),
    Feature("helix_inner_rear", 5920, (12250, 12256)),
    Feature("helix_inner_top", 6038, (12081, 12257)),
    Feature("scapha", 5629, (12084,)),
    Feature("back_top", 5474, (12348, 12357)),
    Feature("back_mid", 635, (7580, 7581)),
    Feature("back_low", 15525, (12008,)),
    Feature("back_face", 6240, (12344, 12346)),
    Feature("ear_front_low", 656, (12356,)),
)

TEMPLATE_68 = (
    (11592, 10911, 11580, 10681, 2653, 11654, 4566, 18648, 6648)
    + (16094, 2022, 6476, 27, 5499, 6400, 5730, 6411)
    + (11877, 3454, 18705, 18707, 3484)
    + (939, 16153, 16151, 909, 6712)
    + (741, 7450, 686, 7279)
    + (12451, 12084, 7273, 6920, 7306)
    + (14083, 4644, 4649, 3933, 12559, 12384)
    + (1388, 2109, 2104, 8983, 7227, 7416)
    + (13226, 13216, 4302, 735, 1757, 8098, 8108, 16646, 16649, 7917, 19203, 19200)
    + (13077, 13175, 726, 8049, 7950, 16626, 7865, 19180)
)
"""Template vertices of the 68 iBUG landmarks (REALY, HIFI3D keypoint list, rows 0 to 67)."""
