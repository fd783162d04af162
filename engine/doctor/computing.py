"""Does it compute: the device, the networks, a small picture of the default head."""

from ..protocol.doctor import DoctorRow, Fix, Health

SIDE = 64
"""Pixels a side of the trial picture."""
COVERED = (0.15, 0.85)
"""Share of it that the head covers; ours: 0.4 measured."""
SLACK = 1e-3
"""Relative difference to the processor that any device keeps in single precision."""
_WORDS = {
    "cuda": "the NVIDIA graphics card ({name})",
    "mps": "Apple graphics",
    "cpu": "the processor: {why}",
}


def check_device() -> DoctorRow:
    """What torch chooses, why, and whether it computes there what the processor does."""
    import torch

    from ..device import choose_device

    device = choose_device("auto")
    numbers = torch.linspace(-1.0, 1.0, SIDE * SIDE).reshape(SIDE, SIDE) + torch.eye(SIDE)
    wanted = numbers @ numbers.T
    try:
        found = (numbers.to(device) @ numbers.to(device).T).cpu()
        right = bool(torch.allclose(found, wanted, rtol=SLACK, atol=SLACK))
        trouble = "" if right else "it computes something else than the processor"
    except RuntimeError as error:
        trouble = str(error).splitlines()[0]
    name = torch.cuda.get_device_name() if device == "cuda" and not trouble else device
    if trouble:
        text = f"PyTorch {torch.__version__} finds {name}, but {trouble}."
        return DoctorRow("Device", Health.PROBLEM, text, Fix.REPAIR)
    why = (
        "PyTorch finds no graphics card that it can use"
        if torch.version.cuda or torch.backends.mps.is_built()
        else "this PyTorch is built without CUDA"
    )
    text = f"PyTorch {torch.__version__} computes on {_WORDS[device].format(name=name, why=why)}"
    return DoctorRow("Device", Health.OK, text)


def check_networks() -> DoctorRow:
    """The networks of the default pack, and our own."""
    from ..nets.bundle import load_nets
    from ..nets.occluders import occluder_net
    from ..nets.regressor_file import WEIGHTS, read_regressor
    from ..packs.registry import find_pack

    load_nets(find_pack())
    read_regressor(WEIGHTS)
    occluder_net()
    return DoctorRow("Networks", Health.OK, "All weights are there and fit their networks")


def check_picture() -> DoctorRow:
    """Draw the default head, small."""
    import torch

    from ..head.camera import project
    from ..packs.registry import find_pack
    from ..protocol.headpack import read_pack
    from ..render.rasterize import rasterize
    from ..render.render import orbit_camera

    head = read_pack(find_pack()).head
    vertices = torch.as_tensor(head.mean)
    quads = torch.as_tensor(head.quads).long()
    triangles = torch.cat([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    camera = orbit_camera(vertices, 0.0, 0.0, SIDE)
    pixels, depth = project(vertices, camera)
    drawn = rasterize(pixels, depth, triangles, SIDE, SIDE)
    share = float((drawn.triangle >= 0).float().mean())
    if COVERED[0] < share < COVERED[1]:
        return DoctorRow("Trial picture", Health.OK, "The default head is drawn as it should be")
    text = f"The default head covers {share:.0%} of a picture of it."
    return DoctorRow("Trial picture", Health.PROBLEM, text, Fix.REPAIR)
