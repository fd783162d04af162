"""The one error of setting up: said in one line, with what to do."""


class SetupError(Exception):
    """Something outside the product is missing or wrong.

    message: what was expected and what came. hint: what to do ("" when there is nothing to do).
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}".strip())
