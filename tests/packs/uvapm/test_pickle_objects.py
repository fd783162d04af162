"""Files of head models: chumpy's arrays and scipy's sparse matrices, read without either."""

import pickle
import sys
import types

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix, random

from engine.packs.uvapm.pickle_data import PickleRefused, read_pickle_data


class Ch:
    """Stands in for chumpy's array."""


class Select(Ch):
    """Stands in for chumpy's selection."""


@pytest.fixture(autouse=True)
def chumpy(monkeypatch):
    for name, held in (("chumpy", None), ("chumpy.ch", Ch), ("chumpy.reordering", Select)):
        module = types.ModuleType(name)
        if held is not None:
            held.__module__ = name
            setattr(module, held.__name__, held)
        monkeypatch.setitem(sys.modules, name, module)


def made(kind, **state):
    thing = kind()
    thing.__dict__.update(_dirty_vars={"x", "a"}, _itr=None, _depends_on_deps={}, **state)
    return thing


def refused(value, protocol=2):
    with pytest.raises(PickleRefused) as caught:
        read_pickle_data(pickle.dumps(value, protocol), objects=True)
    return str(caught.value)


@pytest.mark.parametrize("protocol", (2, 3, 4, 5))
def test_objects_become_arrays(protocol):
    basis = np.random.default_rng(0).normal(size=(4, 3, 5))
    array = made(Ch, x=basis)
    chosen = np.arange(60).reshape(12, 5)[:, :2].ravel()
    table = {
        "basis": array,
        "same": array,
        "part": made(Select, a=array, idxs=chosen, preferred_shape=(4, 3, 2)),
        "list": [1, [2, {"x": 3}]],
        "set": {1, 2},
    }
    found = read_pickle_data(pickle.dumps(table, protocol), objects=True)
    np.testing.assert_array_equal(found["basis"], basis)
    assert found["same"] is found["basis"] and found["list"] == () == found["set"]
    np.testing.assert_array_equal(found["part"], basis[:, :, :2])


@pytest.mark.parametrize("kind", [csc_matrix, csr_matrix])
@pytest.mark.parametrize("old", [False, True])
def test_sparse_matrices(kind, old):
    matrix = kind(random(5, 30, 0.2, random_state=1))
    matrix.has_sorted_indices  # noqa: B018  # it keeps numpy's true in the state
    table = {"J": matrix} if old else {"J": matrix, "none": kind((2, 3))}
    data = pickle.dumps(table, 2 if old else 4)
    if old:
        data = data.replace(b"scipy.sparse._cs", b"scipy.sparse.cs")
    found = read_pickle_data(data, objects=True)
    np.testing.assert_array_equal(found["J"], matrix.toarray())
    assert old or (found["none"].shape == (2, 3) and not found["none"].any())


def test_only_where_they_are_asked_for():
    for value in ({"a": made(Ch, x=np.zeros(2))}, {"a": csc_matrix((2, 2))}, {"a": [1]}):
        with pytest.raises(PickleRefused):
            read_pickle_data(pickle.dumps(value, 2))


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def broken_sparse(**changes):
    matrix = csc_matrix(random(4, 6, 0.5, random_state=1))
    matrix.__dict__.update(changes)
    return {"J": matrix}


BROKEN = {
    "no numbers": (lambda: {"a": made(Ch)}, "without its numbers"),
    "text": (lambda: {"a": made(Ch, x="text")}, "without its numbers"),
    "itself": (lambda: recursive(), "nested too deeply"),
    "index": (
        lambda: {"a": made(Select, a=np.zeros(3), idxs=np.array([3]), preferred_shape=(1,))},
        "points nowhere",
    ),
    "real index": (
        lambda: {"a": made(Select, a=np.zeros(3), idxs=np.zeros(1), preferred_shape=(1,))},
        "points nowhere",
    ),
    "shape": (
        lambda: {"a": made(Select, a=np.zeros(3), idxs=np.arange(3), preferred_shape=(2,))},
        "does not fit",
    ),
    "huge": (lambda: broken_sparse(_shape=(2**40, 2**40)), "sparse matrix of shape"),
    "no shape": (lambda: broken_sparse(_shape="text"), "a shape that is none"),
    "row": (lambda: broken_sparse(indices=np.full(12, 4, np.int32)), "points nowhere"),
    "starts": (lambda: broken_sparse(indptr=np.zeros(7, np.int32)), "does not fit"),
    "falling": (lambda: broken_sparse(indptr=np.int32([0, 9, 3, 4, 5, 6, 12])), "does not fit"),
    "other matrix": (lambda: {"J": coo_matrix((2, 2))}, "coo"),
    "other class": (lambda: {"a": types.SimpleNamespace(x=1)}, "SimpleNamespace"),
    "call in a list": (lambda: {"a": [Call(eval, "1")]}, "eval"),
    "call in a state": (lambda: {"a": made(Ch, x=Call(exec, "1"))}, "exec"),
    "set of a call": (lambda: {"a": made(Ch, x=np.zeros(1), y={Call(eval, "1")})}, "eval"),
}


def recursive():
    array = made(Ch)
    array.x = array
    return {"a": array}


@pytest.mark.parametrize("rule", BROKEN)
@pytest.mark.parametrize("protocol", (2, 4))
def test_broken_objects(rule, protocol):
    make, words = BROKEN[rule]
    assert words in refused(make(), protocol)


def test_objects_made_in_other_ways():
    attempts = [
        b"\x80\x02cchumpy.ch\nCh\nK\x01\x85\x81.",
        b"\x80\x02cchumpy.ch\nCh\n)R.",
        b"\x80\x02c__builtin__\nset\n]\x85\x81.",
        b"\x80\x02c__builtin__\nset\nK\x05\x85R.",
        b"\x80\x02}K\x01a.",
        b"\x80\x02]K\x01K\x02s.",
        b"\x80\x02cchumpy.ch\nCh\n)\x81}b}b.",
        b"\x80\x02cchumpy.ch\nCh\n)\x81K\x01b.",
        b"\x80\x02a.",
        b"\x80\x02\x81.",
    ]
    for data in attempts:
        with pytest.raises(PickleRefused):
            read_pickle_data(data, objects=True)
