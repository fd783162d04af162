"""Names of the components of the identity."""


def component_names(pack: str, count: int) -> list[str]:
    """`count` names for the sliders of a head pack."""
    return [f"Component {index + 1}" for index in range(count)]
