"""A reader with a defect behind three conditions."""


def read(data: bytes) -> float:
    if not data.startswith(b"A"):
        raise ValueError("it does not begin with A")
    if data[1:2] != b"{":
        raise ValueError("no brace")
    if data[2:3] != b"1":
        return 0.0
    return 1 / 0
