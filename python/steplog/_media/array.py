"""Arrays and tensors of the libraries that a script has loaded; none is imported here."""

from __future__ import annotations

import sys
from typing import Any

from steplog.errors import InvalidDataError

#: Library and end of the name of the types that are arrays.
ARRAYS = (
    ("numpy", "ndarray"),
    ("torch", "Tensor"),
    ("torch", "Parameter"),
    ("tensorflow", "Tensor"),
    ("tensorflow", "Variable"),
    ("jax", "Array"),
    ("jaxlib", "ArrayImpl"),
)


def library_of(data: Any) -> str | None:
    """The library that an array is of; ``None`` when it is no array."""
    for kind in type(data).__mro__:
        library = kind.__module__.partition(".")[0]
        if any(library == name and kind.__name__.endswith(end) for name, end in ARRAYS):
            return library
    return None


def is_of(data: Any, library: str, *names: str) -> bool:
    """Whether an object is of a class of a library, or of one that derives from it."""
    return any(kind.__module__.partition(".")[0] == library and kind.__name__ in names for kind in type(data).__mro__)


def to_numpy(data: Any, noun: str) -> Any:
    """An array of NumPy with the same numbers; ``None`` when the data is no array.

    Raises:
        InvalidDataError: It is one of a library that works without NumPy, and that is not there.
    """
    library = library_of(data)
    if library is None:
        return None
    if library == "torch":
        data = data.detach().cpu()
        # NumPy has no bfloat16.
        if str(data.dtype) == "torch.bfloat16":
            data = data.float()
    if hasattr(data, "numpy"):
        try:
            data = data.numpy()
        except RuntimeError as error:
            raise InvalidDataError(f"{noun}: the tensor cannot be read: {error}") from None
    if library_of(data) == "numpy":
        return data
    numpy = sys.modules.get("numpy")
    if numpy is None:
        raise InvalidDataError(f"{noun}: an array of {library} can be read when numpy is imported")
    return numpy.asarray(data)
