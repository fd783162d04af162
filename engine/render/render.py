"""Deferred rendering of a head: one z-buffer, SH shading, a flat colour or texture per part."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch

from ..head.camera import Camera, rotation_from_vector
from ..head.lighting import directional_light, rotate_light, shade
from ..head.normals import unit
from ..protocol import conventions
from .interpolate import to_image
from .rasterize import Fragments
from .surface import HeadSurface, Surface, head_surface
from .texture import resize_area, sample_texture

_FIELD_OF_VIEW = 18.0
"""Degrees, of pictures. Ours: a portrait lens (about 85 mm on a tall 35 mm frame)."""
_CLAY = 0.5
"""Linear grey of clay pictures. Ours: light enough to read form, dark enough not to clip."""
_BACKGROUND = 0.08
"""Linear grey behind pictures."""


@dataclass(frozen=True, eq=False)
class Material:
    """Diffuse colour of a part.

    colour: (3,) linear RGB. texture: (H, W, 3) linear RGB that multiplies it, or (H, W, 4) with
    straight alpha: such parts are cut-outs, blended over the rest.
    """

    colour: torch.Tensor
    texture: torch.Tensor | None = None

    @property
    def is_cutout(self) -> bool:
        """Whether the texture has alpha."""
        return self.texture is not None and self.texture.shape[-1] == 4


@dataclass(frozen=True, eq=False)
class RenderOutput:
    """rgb: (H, W, 3) linear, premultiplied by alpha. alpha: (H, W) in [0, 1].

    fragments: of the solid parts, at supersample times the size of the picture.
    """

    rgb: torch.Tensor
    alpha: torch.Tensor
    fragments: Fragments


def clay_materials(count: int, hidden: Collection[int] = ()) -> list[Material]:
    """`count` materials of light grey clay; the parts in `hidden` (lashes, say) are not drawn."""
    grey = torch.full((3,), _CLAY)
    nothing = Material(grey, torch.zeros(1, 1, 4))
    return [nothing if number in hidden else Material(grey) for number in range(count)]


def render_head(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    materials: Sequence[Material],
    light: torch.Tensor,
    camera: Camera,
    supersample: float = 1,
) -> RenderOutput:
    """Picture of a head on black. Differentiable in vertices, textures, colours, light, camera.

    vertices: (V, 3) metres, model space. triangles: (T, 3). corner_uv: (T, 3, 2), v up, see
    `headpack.split_quads`. triangle_part: (T,) index into materials. light: (9, 3), see
    `conventions`. supersample: samples per pixel along each side. No gradient comes from
    silhouettes (coverage is not differentiable), and light casts no shadows. Of cut-outs only
    the nearest layer is drawn.
    """
    geometry = (vertices, triangles, corner_uv, triangle_part)
    return render_looks(*geometry, [materials], light, camera, supersample)[0]


def render_looks(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    looks: Sequence[Sequence[Material]],
    light: torch.Tensor,
    camera: Camera,
    supersample: float = 1,
) -> list[RenderOutput]:
    """As `render_head` with several sets of materials, for little more than the cost of one.

    The same parts must be cut-outs in all of them, else ValueError.
    """
    cutouts = cutout_parts(looks[0])
    if any(cutout_parts(look) != cutouts for look in looks):
        raise ValueError("the same parts must be cut-outs in all looks")
    geometry = (vertices, triangles, corner_uv, triangle_part)
    surface = head_surface(*geometry, cutouts, camera, supersample)
    return [light_surface(surface, look, light) for look in looks]


def cutout_parts(materials: Sequence[Material]) -> list[int]:
    """Numbers of the parts whose materials have alpha."""
    return [number for number, material in enumerate(materials) if material.is_cutout]


def light_surface(
    surface: HeadSurface, materials: Sequence[Material], light: torch.Tensor
) -> RenderOutput:
    """Picture of a surface in materials whose cut-outs are its own, see `render_head`."""
    solid, front = surface.solid, surface.front
    height, width = solid.fragments.triangle.shape
    colours = _lit_colours(solid, materials, light)
    layer = to_image(colours, solid.fragments.covered, height, width)
    if front is not None:
        over = _lit_colours(front, materials, light)
        layer = _laid_over(layer, solid.fragments.depth, over, front.fragments)
    if (height, width) != (surface.height, surface.width):
        layer = resize_area(layer, surface.height, surface.width)
    return RenderOutput(layer[..., :3], layer[..., 3], solid.fragments)


def _lit_colours(
    surface: Surface, materials: Sequence[Material], light: torch.Tensor
) -> torch.Tensor:
    """(N, 4) premultiplied RGBA of a surface's samples in the light (9, 3)."""
    albedo = _surface_colour(materials, surface.parts, surface.uv)
    alpha = albedo[:, 3:]
    colour = albedo[:, :3] * shade(surface.normals, light).clamp(min=0) * alpha
    return torch.cat([colour, alpha], -1)


def _laid_over(
    layer: torch.Tensor, depth: torch.Tensor, colours: torch.Tensor, front: Fragments
) -> torch.Tensor:
    """The layer (H, W, 4) with the colours (N, 4) of another one's covered pixels over it.

    depth (H, W) of the layer; both premultiplied. What lies behind the layer is not drawn.
    """
    at, below = front.covered, layer.reshape(-1, 4)
    nearer = front.depth.reshape(-1)[at] < depth.reshape(-1)[at]
    over = colours * nearer[:, None]
    mixed = over + (1 - over[:, 3:]) * below.index_select(0, at)
    return below.index_put((at,), mixed).reshape(layer.shape)


def _surface_colour(
    materials: Sequence[Material], parts: torch.Tensor, uv: torch.Tensor
) -> torch.Tensor:
    """(N, 4) linear RGB and alpha of each sample."""
    result = uv.new_ones(len(parts), 4)
    for number, material in enumerate(materials):
        chosen = (parts == number).nonzero().squeeze(1)
        if not len(chosen):
            continue
        colour = material.colour.to(uv).expand(len(chosen), 3)
        alpha = torch.ones_like(colour[:, :1])
        if material.texture is not None:
            sampled = sample_texture(material.texture.to(uv), uv.index_select(0, chosen))
            colour = colour * sampled[:, :3]
            alpha = sampled[:, 3:] if material.is_cutout else alpha
        result = result.index_put((chosen,), torch.cat([colour, alpha], -1))
    return result


def studio_light() -> torch.Tensor:
    """(9, 3) light for pictures, relative to a camera in front of the face.

    Ours: a warm three-quarter key from the upper left of the picture, a weak cool fill from the
    other side, a faint back light and some ambient light.
    """
    lamps = (
        ((-0.72, 0.55, 0.42), (1.12, 1.08, 1.01)),
        ((0.80, 0.05, 0.60), (0.10, 0.12, 0.15)),
        ((0.55, 0.45, -0.70), (0.20, 0.21, 0.24)),
    )
    light = torch.as_tensor(conventions.ambient_light(0.11), dtype=torch.float32)
    for direction, colour in lamps:
        light = light + directional_light(unit(torch.tensor(direction)), torch.tensor(colour))
    return light


def orbit_rotation(yaw: float, pitch: float) -> torch.Tensor:
    """(3, 3) camera rotation that looks at the head from yaw and pitch.

    Degrees. yaw: towards the subject's left; pitch: from above.
    """
    about_y = rotation_from_vector(torch.tensor([0.0, -math.radians(yaw), 0.0]))
    about_x = rotation_from_vector(torch.tensor([math.radians(pitch), 0.0, 0.0]))
    frontal = torch.as_tensor(conventions.FRONTAL_ROTATION, dtype=torch.float32)
    return frontal @ about_x @ about_y


def orbit_camera(vertices: torch.Tensor, yaw: float, pitch: float, size: int) -> Camera:
    """Square picture camera at yaw and pitch (degrees) that frames all vertices (V, 3)."""
    low, high = vertices.detach().amin(0), vertices.detach().amax(0)
    centre = (low + high) / 2
    radius = 1.03 * float((vertices.detach() - centre).norm(dim=-1).max())
    half = math.radians(_FIELD_OF_VIEW) / 2
    distance = radius / math.sin(half)
    focal = size / 2 / math.tan(half)
    intrinsics = torch.tensor([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1.0]])
    rotation = orbit_rotation(yaw, pitch).to(centre)
    translation = centre.new_tensor([0.0, 0.0, distance]) - rotation @ centre
    return Camera(intrinsics.to(centre), rotation, translation, size, size)


def render_views(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    materials: Sequence[Material],
    views: Sequence[tuple[float, float]],
    size: int = 512,
    light: torch.Tensor | None = None,
    supersample: float = 2,
) -> list[torch.Tensor]:
    """sRGB pictures (size, size, 3) in [0, 1], one per (yaw, pitch) in degrees.

    light: (9, 3) in model space; by default `studio_light` that moves with the camera. The rest
    as in `render_head`. For grey pictures pass `clay_materials`.
    """
    geometry = (vertices, triangles, corner_uv, triangle_part)
    looks = [materials]
    return [render_view(*geometry, looks, view, size, light, supersample)[0] for view in views]


def render_view(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    looks: Sequence[Sequence[Material]],
    view: tuple[float, float],
    size: int = 512,
    light: torch.Tensor | None = None,
    supersample: float = 2,
) -> list[torch.Tensor]:
    """As `render_views`, one view in several looks, see `render_looks`: a picture each."""
    camera = orbit_camera(vertices, *view, size)
    geometry = (vertices, triangles, corner_uv, triangle_part)
    light = studio_light_of(view).to(vertices) if light is None else light.to(vertices)
    return [srgb_view(each) for each in render_looks(*geometry, looks, light, camera, supersample)]


def studio_light_of(view: tuple[float, float]) -> torch.Tensor:
    """(9, 3) `studio_light` for a camera at yaw and pitch (degrees), in model space."""
    frontal = torch.as_tensor(conventions.FRONTAL_ROTATION, dtype=torch.float32)
    return rotate_light(studio_light(), (frontal @ orbit_rotation(*view)).T)


def srgb_view(output: RenderOutput) -> torch.Tensor:
    """(H, W, 3) sRGB in [0, 1]: a picture on grey."""
    linear = output.rgb + (1 - output.alpha[..., None]) * _BACKGROUND
    return conventions.linear_to_srgb(linear.clamp(0, 1), xp=torch)
