"""Deferred rendering of a head: one z-buffer, SH shading, a flat colour or texture per part."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch

from ..head.camera import Camera, project, rotation_from_vector, scale_camera
from ..head.lighting import directional_light, rotate_light, shade
from ..head.normals import unit, vertex_normals
from ..protocol import conventions
from .interpolate import covered_triangles, found_weights, interpolate_covered, to_image
from .rasterize import Fragments, rasterize
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


@dataclass(frozen=True, eq=False)
class _Scene:
    vertices: torch.Tensor
    normals: torch.Tensor
    pixels: torch.Tensor
    depth: torch.Tensor
    triangles: torch.Tensor
    corner_uv: torch.Tensor
    part: torch.Tensor
    materials: Sequence[Material]
    light: torch.Tensor


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
    big = scale_camera(camera, supersample) if supersample > 1 else camera
    pixels, depth = project(vertices, big)
    scene = _Scene(
        vertices,
        vertex_normals(vertices, triangles),
        pixels,
        depth,
        triangles,
        corner_uv,
        triangle_part,
        materials,
        light,
    )
    cutout = torch.tensor([m.is_cutout for m in materials], device=triangles.device)
    is_cutout = cutout.index_select(0, triangle_part.long())
    fragments, colours = _render_layer(scene, ~is_cutout, big)
    size = (big.height, big.width)
    layer = to_image(colours, fragments.covered, *size)
    if bool(is_cutout.any()):
        front, over = _render_layer(scene, is_cutout, big)
        layer = _laid_over(layer, fragments.depth, over, front)
    if supersample > 1:
        layer = resize_area(layer, camera.height, camera.width)
    return RenderOutput(layer[..., :3], layer[..., 3], fragments)


def _render_layer(
    scene: _Scene, drawn: torch.Tensor, camera: Camera
) -> tuple[Fragments, torch.Tensor]:
    """Raster of the triangles `drawn` (T,), and premultiplied RGBA (N, 4) where it is covered."""
    kept = drawn.nonzero().squeeze(1)
    triangles = scene.triangles.index_select(0, kept)
    fragments = rasterize(scene.pixels, scene.depth, triangles, camera.height, camera.width)
    weights = found_weights(scene.pixels, scene.depth, triangles, fragments)
    normals = unit(interpolate_covered(scene.normals, fragments, triangles, weights))
    uv = interpolate_covered(scene.corner_uv.index_select(0, kept), fragments, None, weights)
    parts = scene.part.index_select(0, kept).long().index_select(0, covered_triangles(fragments))
    albedo = _surface_colour(scene.materials, parts, uv)
    alpha = albedo[:, 3:]
    colour = albedo[:, :3] * shade(normals, scene.light).clamp(min=0) * alpha
    return fragments, torch.cat([colour, alpha], -1)


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
    pictures = []
    frontal = torch.as_tensor(conventions.FRONTAL_ROTATION, dtype=torch.float32)
    for yaw, pitch in views:
        camera = orbit_camera(vertices, yaw, pitch, size)
        shown = light
        if shown is None:
            shown = rotate_light(studio_light(), (frontal @ orbit_rotation(yaw, pitch)).T)
        output = render_head(
            vertices,
            triangles,
            corner_uv,
            triangle_part,
            materials,
            shown.to(vertices),
            camera,
            supersample,
        )
        linear = output.rgb + (1 - output.alpha[..., None]) * _BACKGROUND
        pictures.append(conventions.linear_to_srgb(linear.clamp(0, 1), xp=torch))
    return pictures
