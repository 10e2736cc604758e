"""Molecules."""

from __future__ import annotations

from typing import Any, ClassVar

from steplog._media.base import FileMedia, content_of
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

FORMATS = ("pdb", "pqr", "mmcif", "mcif", "cif", "sdf", "sd", "gro", "mol2", "mmtf")


class Molecule(FileMedia):
    """A molecule.

    Args:
        data_or_path: The path of a file that ends in ``pdb``, ``pqr``, ``mmcif``, ``mcif``, ``cif``, ``sdf``, ``sd``,
            ``gro``, ``mol2`` or ``mmtf``, which is kept as it is; or an open file.
        caption: Text that is shown with it.
        file_type: What an open file without a name is.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: It is none of these formats.
    """

    __slots__ = ()
    _type: ClassVar[str] = "molecule-file"
    _folder: ClassVar[str] = "molecule"

    def __init__(
        self, data_or_path: str | os.PathLike[str] | Any, caption: str | None = None, file_type: str | None = None
    ) -> None:
        content = content_of(data_or_path, "Molecule", FORMATS, file_type)
        if content is None:
            raise InvalidDataError(f"Molecule takes a path or an open file, not a {type(data_or_path).__name__}")
        super().__init__(content, caption)
