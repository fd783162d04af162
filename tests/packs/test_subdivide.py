"""The sparse operator against Catmull and Clark's rules written out vertex by vertex."""

import numpy as np
import pytest

from engine.packs.build.subdivide import subdivide, subdivide_corner_uv


def slow_subdivide(vertices, quads):
    """Fine positions in the operator's order: control vertices, sorted edges, faces."""
    faces = [list(map(int, quad)) for quad in quads]
    face_points = [np.mean(vertices[face], axis=0) for face in faces]
    edges = sorted({tuple(sorted((f[k], f[(k + 1) % 4]))) for f in faces for k in range(4)})
    around = {
        edge: [i for i, f in enumerate(faces) if edge[0] in f and edge[1] in f and _side(f, edge)]
        for edge in edges
    }
    edge_points = []
    for edge in edges:
        ends = vertices[edge[0]] + vertices[edge[1]]
        if len(around[edge]) == 2:
            edge_points.append(
                (ends + face_points[around[edge][0]] + face_points[around[edge][1]]) / 4
            )
        else:
            edge_points.append(ends / 2)
    corner_points = []
    for v in range(len(vertices)):
        mine = [i for i, f in enumerate(faces) if v in f]
        spokes = [e for e in edges if v in e]
        border = [e for e in spokes if len(around[e]) == 1]
        if not border:
            n = len(mine)
            f = np.mean([face_points[i] for i in mine], axis=0)
            r = np.mean([(vertices[a] + vertices[b]) / 2 for a, b in spokes], axis=0)
            corner_points.append((f + 2 * r + (n - 3) * vertices[v]) / n)
        elif len(mine) == 1:
            corner_points.append(vertices[v])
        else:
            others = [vertices[a + b - v] for a, b in border]
            corner_points.append(0.75 * vertices[v] + 0.125 * (others[0] + others[1]))
    return np.array(corner_points + edge_points + face_points)


def _side(face, edge):
    return any({face[k], face[(k + 1) % 4]} == set(edge) for k in range(4))


@pytest.fixture
def control(tiny):
    tensors, _ = tiny.tiny_tensors()
    mesh = tiny._build_mesh()
    return tensors["control_mean"].astype(np.float64), np.array(mesh.quads)


def test_operator_follows_the_rules(control):
    vertices, quads = control
    rng = np.random.default_rng(1)
    bumpy = vertices + 0.01 * rng.standard_normal(vertices.shape)
    assert subdivide(quads, len(bumpy)).apply(bumpy) == pytest.approx(
        slow_subdivide(bumpy, quads), abs=1e-8
    )


def test_fine_quads_lie_in_their_control_quad_and_keep_its_side(control):
    vertices, quads = control
    step = subdivide(quads, len(vertices))
    fine = step.apply(vertices)

    def area(points, faces):
        a, b, c, d = (points[faces[:, k]] for k in range(4))
        return 0.5 * np.cross(c - a, d - b)

    whole = area(vertices, quads)
    pieces = area(fine, step.quads).reshape(-1, 4, 3)
    assert ((pieces * whole[:, None]).sum(axis=-1) > 0).all()
    assert (step.quads.reshape(-1, 4, 4)[:, :, 0] == quads).all()


def test_corner_uv_is_bilinear_and_keeps_seams():
    square = np.array([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])
    apart = np.concatenate([square, square + 5.0])
    fine = subdivide_corner_uv(apart)
    assert fine[0] == pytest.approx(np.array([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]))
    assert fine[2] == pytest.approx(np.array([[1, 1], [0.5, 1], [0.5, 0.5], [1, 0.5]]))
    assert fine[4:] == pytest.approx(fine[:4] + 5.0)
