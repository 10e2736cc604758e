"""Media objects: what an artifact can hold beside plain files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from steplog._media.base import Media

#: Module and class by the word that stands in JSON and in the names of entries.
TYPES = {
    "audio-file": ("audio", "Audio"),
    "classes": ("classes", "Classes"),
    "html-file": ("html", "Html"),
    "image-file": ("image", "Image"),
    "joined-table": ("joined_table", "JoinedTable"),
    "molecule-file": ("molecule", "Molecule"),
    "object3D-file": ("object3d", "Object3D"),
    "table": ("table", "Table"),
    "video-file": ("video", "Video"),
}


def class_of(type_word: str) -> type[Media]:
    """The class of a word of ``TYPES``."""
    from importlib import import_module

    module, name = TYPES[type_word]
    return getattr(import_module(f"steplog._media.{module}"), name)  # type: ignore[no-any-return]


def with_suffix(name: str, type_word: str) -> str:
    """The path of the entry that a media object of this type and name has in an artifact."""
    suffix = f".{type_word}.json"
    return name if name.endswith(suffix) else name + suffix


def type_of_entry(path: str) -> str | None:
    """The word of ``TYPES`` that the path of an entry ends in; ``None`` for plain files."""
    return next((word for word in TYPES if path.endswith(f".{word}.json")), None)
