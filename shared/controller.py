"""What every controller is."""

from typing import Self


class Controller:
    """Holds the handlers of one resource; built once, in the factory.

    Litestar copies route handlers deeply when it registers them; the object they belong to stays one.
    """

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self
