"""FLAME's and GNM's files in small: documented keys, shapes, types, index bases; made-up values."""

import io
import pickle
import sys
import types
from pathlib import Path

import numpy as np
from scipy.sparse import csc_matrix

RINGS, AROUND = 7, 10
EYES = ((0.03, 0.02, 0.08), (-0.03, 0.02, 0.08))


def ball(radius, centre, rings=RINGS, around=AROUND):
    """Vertices and quads of a sphere, counter-clockwise from outside; its poles are degenerate
    rings of small quads."""
    polar = np.linspace(0.1, np.pi - 0.1, rings)
    turn = 2 * np.pi * np.arange(around) / around
    x, z = (np.sin(polar)[:, None] * f(turn)[None] for f in (np.sin, np.cos))
    y = np.repeat(np.cos(polar)[:, None], around, axis=1)
    vertices = radius * np.stack([x, y, z], axis=-1).reshape(-1, 3) + centre
    index = np.arange(rings * around).reshape(rings, around)
    right = np.roll(index, -1, axis=1)
    quads = np.stack([index[1:], right[1:], right[:-1], index[:-1]], axis=-1).reshape(-1, 4)
    return vertices, quads


def pieces(parts):
    """Balls joined: vertices, quads and the number of the ball of each vertex."""
    vertices, quads, label = [], [], []
    for number, (points, faces) in enumerate(parts):
        quads.append(faces + sum(map(len, vertices)))
        vertices.append(points)
        label.append(np.full(len(points), number))
    return np.concatenate(vertices), np.concatenate(quads), np.concatenate(label)


def head_with_eyes():
    return pieces([ball(0.1, (0, 0, 0)), *(ball(0.012, eye, 5, 6) for eye in EYES)])


def split(quads):
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def flame_arrays(mean=None, faces=None):
    """The arrays of a FLAME file: float64, faces uint32, as the released ones."""
    rng = np.random.default_rng(3)
    if mean is None:
        mean, quads, _ = head_with_eyes()
        faces = split(quads)
    count = len(mean)
    weights = rng.uniform(0.0, 1.0, (count, 5))
    regressor = rng.uniform(0.0, 1.0, (5, count)) * (rng.uniform(0, 1, (5, count)) < 0.1)
    regressor[:, 0] += 1.0
    parents = np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32)
    return {
        "v_template": mean,
        "f": faces.astype(np.uint32),
        "shapedirs": rng.normal(0.0, 1e-3, (count, 3, 400)),
        "posedirs": rng.normal(0.0, 1e-3, (count, 3, 36)),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": parents,
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
    }


class Ch:
    """Stands in for chumpy's array: the state that it pickles."""

    def __init__(self, x):
        state = {"_dirty_vars": {"x"}, "_itr": None, "_make_dense": False, "x": x}
        self.__dict__.update(state, _make_sparse=False, _depends_on_deps={})


def flame_pickle(arrays, protocol=2, monkeypatch=None):
    """A released file: shapedirs in chumpy's array, the regressor as a sparse matrix of scipy."""
    module = types.ModuleType("chumpy.ch")
    module.Ch, Ch.__module__, Ch.__qualname__ = Ch, "chumpy.ch", "Ch"
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    table = {"bs_style": "lbs", "bs_type": "lrotmin", **arrays}
    if "shapedirs" in table:
        table["shapedirs"] = Ch(table["shapedirs"])
    if "J_regressor" in table:
        table["J_regressor"] = csc_matrix(table["J_regressor"])
    data = pickle.dumps(table, protocol)
    return data.replace(b"scipy.sparse._csc\n", b"scipy.sparse.csc\n") if protocol == 2 else data


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def npz_bytes(arrays, compressed=False):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


GNM_COMPONENTS = (
    *("skin", "left_eye", "right_eye", "upper_teeth_and_gums", "lower_teeth_and_gums", "tongue"),
)


def gnm_arrays(identities=3, expressions=2):
    """The arrays of a GNM file: float32, faces int32, names as texts of 32 characters."""
    rng = np.random.default_rng(5)
    balls = [ball(0.1, (0, 0, 0)), *(ball(0.012, eye, 5, 6) for eye in EYES)]
    balls += [ball(0.01, (0, y, 0.05), 4, 5) for y in (-0.02, -0.04, -0.03)]
    balls += [ball(0.013, eye, 5, 6) for eye in EYES]  # the clear shells
    mean, quads, label = pieces(balls)
    component = np.where(label > 5, label - 5, label)
    named = {name: (component == k).astype(np.float32) for k, name in enumerate(GNM_COMPONENTS)}
    named["eye_exteriors"] = (label > 5).astype(np.float32)
    named["skin_exterior"] = ((label == 0) & (mean[:, 2] > -0.05)).astype(np.float32)
    count = len(mean)
    return {
        "version": np.array("3.0"),
        "variant": np.array("head"),
        "template_vertex_positions": mean.astype(np.float32),
        "vertex_identity_basis": rng.normal(0, 1e-3, (identities, count, 3)).astype(np.float32),
        "expression_basis": rng.normal(0, 1e-3, (expressions, count, 3)).astype(np.float32),
        "expression_names": np.array([f"lower_face_region_{k}" for k in range(expressions)], "U32"),
        "quads": quads.astype(np.int32),
        "vertex_groups": np.stack(list(named.values())),
        "vertex_group_names": np.array(list(named), "U32"),
        "mesh_component_names": np.array(GNM_COMPONENTS, "U32"),
        "joint_names": np.array(["root", "neck", "left_eye", "right_eye"], "U32"),
    }


def dropped(key):
    """A change of a file's arrays: one is missing."""
    return lambda arrays: arrays.pop(key)


def changed(key, function):
    """A change of a file's arrays: one is what `function` makes of its copy."""

    def change(arrays):
        arrays[key] = function(arrays[key].copy())

    return change


def with_(array, place, value):
    array[place] = value
    return array
