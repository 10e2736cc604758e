"""Artifacts: named, versioned sets of files."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from typing import IO, TYPE_CHECKING, Any, NoReturn

from steplog import _message
from steplog._argument import tag_list, text
from steplog._artifact_entry import ArtifactManifest, ArtifactManifestEntry
from steplog._media import TYPES, class_of, type_of_entry, with_suffix
from steplog._media.base import Media
from steplog._native import NativeArtifact
from steplog.errors import Error, IntegrityError, InvalidDataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from steplog._api_artifact import ArtifactCollection, ArtifactRun
    from steplog._api_run import Run as ApiRun

#: How ``add_file`` treats a file: copied at once, or read when it is sent.
POLICIES = ("mutable", "immutable")


class Artifact:
    """A named, versioned set of files: a draft that is being put together, or a version of a collection.

    A draft becomes a version when a run logs it: the next one of its collection, ``v0``, ``v1`` and so on, unless the
    newest has the same content already. From then on its content cannot be changed. Aliases such as ``latest`` point at
    one version of a collection, and move.

    Args:
        name: Name of the collection: 1 to 128 letters, digits, ``_``, ``.`` and ``-``.
        type: What its versions are, such as ``dataset`` or ``model``; that of the collection, if there is one.
        description: What it is, markdown.
        metadata: What there is to say about it: a dict of at most 100 keys, with values that are plain data.
        incremental: Whether it adds to the newest version of its collection in place of standing for itself.

    Raises:
        InvalidDataError: An argument is not allowed.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        incremental: bool = False,
    ) -> None:
        self._native = NativeArtifact(text("name", name), text("type", type))
        self._handed: dict[str, tuple[Any, Any]] = {}
        self._deleted = False
        self.description = description
        self.metadata = metadata
        if incremental:
            self._native.set_incremental(True)

    @classmethod
    def _of(cls, native: NativeArtifact) -> Artifact:
        artifact = cls.__new__(cls)
        artifact._native, artifact._handed, artifact._deleted = native, {}, False
        return artifact

    # --- what it is ---

    @property
    def name(self) -> str:
        """Name: that of the collection, and of a version, ``digits:v3``."""
        return self._native.name

    @property
    def type(self) -> str:
        """What its versions are, such as ``dataset`` or ``model``."""
        return self._native.type

    @property
    def id(self) -> str | None:
        """What the call that logged it is known by, 32 hex digits; ``None`` before there is a version."""
        return str(self._info()["id"]) if self._native.state == "committed" else None

    @property
    def state(self) -> str:
        """``PENDING`` until there is a version, then ``COMMITTED``; ``DELETED`` after ``delete``."""
        if self._deleted:
            return "DELETED"
        return "COMMITTED" if self._native.state == "committed" else "PENDING"

    def is_draft(self) -> bool:
        """Whether there is no version yet."""
        return self.state == "PENDING"

    @property
    def entity(self) -> str:
        """User or team of the collection.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["entity"])

    @property
    def project(self) -> str:
        """Project of the collection.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["project"])

    @property
    def qualified_name(self) -> str:
        """``entity/project/name:version``.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return f"{self.entity}/{self.project}/{self.name}"

    @property
    def version(self) -> str:
        """Version, such as ``v3``.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["version"])

    @property
    def collection(self) -> ArtifactCollection:
        """The collection that it is a version of.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        from steplog._api_artifact import ArtifactCollection

        return ArtifactCollection(self._native.collection_of())

    @property
    def source_entity(self) -> str:
        """User or team of the collection that it was logged into; of a link that of the version it leads to.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["source"]["entity"])

    @property
    def source_project(self) -> str:
        """Project that it was logged into.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["source"]["project"])

    @property
    def source_name(self) -> str:
        """Name and version that it was logged as.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        source = self._info()["source"]
        return f"{source['collection']}:{source['version']}"

    @property
    def source_version(self) -> str:
        """Version that it was logged as.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["source"]["version"])

    @property
    def source_qualified_name(self) -> str:
        """``entity/project/name:version`` that it was logged as.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return f"{self.source_entity}/{self.source_project}/{self.source_name}"

    @property
    def is_link(self) -> bool:
        """Whether it stands in a registry, and leads to a version of another collection.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return self._native.is_link()

    @property
    def digest(self) -> str:
        """MD5 over all paths and digests, 32 hex digits: equal content has equal digests, whatever its name."""
        return self._native.digest()

    @property
    def size(self) -> int:
        """The sizes of files and references, as far as known, added up; in bytes."""
        return self._native.size_bytes()

    @property
    def file_count(self) -> int:
        """How many files and references it has."""
        return self._native.file_count()

    @property
    def incremental(self) -> bool:
        """Whether it adds to the newest version of its collection."""
        return self._native.is_incremental

    @property
    def created_at(self) -> str:
        """When it was committed: ISO 8601 in UTC.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["created_at_iso"])

    @property
    def updated_at(self) -> str:
        """When something about it last changed: ISO 8601 in UTC.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return str(self._info()["updated_at_iso"])

    @property
    def history_step(self) -> int | None:
        """Step of the run that logged it; ``None`` where nobody knows.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        step = self._info()["step"]
        return None if step is None else int(step)

    @property
    def url(self) -> str | None:
        """Its page on the server; ``None`` where there is none.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return self._native.url()

    # --- what is said about it; of a version, save() makes changes so ---

    @property
    def description(self) -> str | None:
        """What it is, markdown; of a version, ``save()`` makes a change so."""
        return self._native.description

    @description.setter
    def description(self, description: str | None) -> None:
        self._native.set_description("" if description is None else text("description", description))

    @property
    def metadata(self) -> dict[str, Any]:
        """What there is to say about it; of a version, ``save()`` makes changes so, also those within."""
        return self._hand_out("metadata", self._native.metadata)  # type: ignore[no-any-return]

    @metadata.setter
    def metadata(self, metadata: Mapping[str, Any] | None) -> None:
        self._native.set_metadata(_metadata(metadata))
        self._handed.pop("metadata", None)

    @property
    def tags(self) -> list[str]:
        """Tags, 1 to 64 characters each; of a version, ``save()`` makes changes so, also those within."""
        return self._hand_out("tags", self._native.tags)  # type: ignore[no-any-return]

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self._native.set_tags(tag_list(tags))
        self._handed.pop("tags", None)

    @property
    def aliases(self) -> list[str]:
        """Aliases that point at the version; ``save()`` makes changes so, also those within.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        return self._hand_out("aliases", self._native.aliases)  # type: ignore[no-any-return]

    @aliases.setter
    def aliases(self, aliases: Iterable[str]) -> None:
        self._native.set_aliases(alias_list(aliases))
        self._handed.pop("aliases", None)

    @property
    def ttl(self) -> datetime.timedelta | None:
        """For how long it is kept from its making on, unless an alias other than ``latest`` points at it; ``None``: for
        ever. In whole seconds. Of a version, ``save()`` makes a change so.
        """
        seconds = self._native.ttl()
        return None if seconds is None else datetime.timedelta(seconds=seconds)

    @ttl.setter
    def ttl(self, ttl: datetime.timedelta | None) -> None:
        if ttl is not None and not isinstance(ttl, datetime.timedelta):
            raise InvalidDataError(f"ttl is a {type_name(ttl)}, not a timedelta or None")
        if ttl is not None and ttl < datetime.timedelta(seconds=1):
            raise InvalidDataError(f"ttl is {ttl}, less than a second")
        self._native.set_ttl(None if ttl is None else ttl // datetime.timedelta(seconds=1))

    def save(self) -> None:
        """Make changes of description, metadata, tags, aliases and ttl so; of a draft, log it to the open run.

        Raises:
            InvalidDataError: Something is not allowed.
            CommError: The server does not answer, or refuses: an alias is protected.
            Error: It is a draft, and no run is open.
        """
        if self._native.state == "draft":
            import steplog

            steplog.log_artifact(self)
            return
        self._take_in()
        self._native.save()

    # --- what it consists of ---

    @property
    def manifest(self) -> ArtifactManifest:
        """The entries: of a draft, those so far.

        Raises:
            CommError: It is a version, and the server does not answer.
        """
        entries = {said["path"]: ArtifactManifestEntry(self, said) for said in self._native.entries()}
        return ArtifactManifest(entries, self.digest)

    def add_file(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        is_tmp: bool = False,
        skip_cache: bool = False,
        policy: str = "mutable",
        overwrite: bool = False,
    ) -> ArtifactManifestEntry:
        """Add a file. The same content under the same name once more is no change.

        Args:
            local_path: Path of the file.
            name: Its path in the artifact, folders and name joined by ``/``. Default: the last part of ``local_path``.
            is_tmp: Whether the name is made of the content, so that equal files have equal names; its ending stays.
            skip_cache: Accepted for old scripts; changes nothing.
            policy: ``"mutable"``: it is copied at once, and may then be changed; where the disk can, the copy takes no
                room. ``"immutable"``: it is read when it is sent, and must not be changed until then.
            overwrite: Whether it takes the place of another content under that name.

        Returns:
            Its entry.

        Raises:
            InvalidDataError: There is no such file, the name is none, or there is another content under it.
            ArtifactFinalizedError: The artifact is finalized or logged.
            Error: The file cannot be read, or keeps changing while it is.
        """
        path = _path("local_path", local_path)
        if is_tmp:
            name = _name_of_content(path, name)
        said = self._native.add_file(
            path,
            None if name is None else text("name", name),
            immutable=_immutable(policy),
            overwrite=overwrite,
            shows_progress=_message.shows_progress(),
        )
        return ArtifactManifestEntry(self, said)

    def add_dir(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        skip_cache: bool = False,
        policy: str = "mutable",
        merge: bool = True,
    ) -> None:
        """Add all files at and below a folder, hidden ones too. Links are followed; empty folders leave no trace.

        Args:
            local_path: Path of the folder.
            name: The folder of the artifact that they come into. Default: its top.
            skip_cache: Accepted for old scripts; changes nothing.
            policy: As of ``add_file``.
            merge: Whether files may take the place of another content under their names.

        Raises:
            InvalidDataError: There is no such folder, a link leads back to a folder above, a name is none, or there is
                another content under it. Nothing was added then.
            ArtifactFinalizedError: The artifact is finalized or logged.
            Error: A file cannot be read, or keeps changing while it is.
        """
        self._native.add_dir(
            _path("local_path", local_path),
            None if name is None else text("name", name),
            immutable=_immutable(policy),
            overwrite=merge,
            shows_progress=_message.shows_progress(),
        )

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "x", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Open a file that is written right into the artifact: ``with artifact.new_file("notes.txt") as file:``.

        It is added at the end of the block, and leaves no trace when an exception leaves that.

        Args:
            name: Its path in the artifact.
            mode: ``"x"`` or ``"w"`` for text, with ``b`` for bytes, with ``+`` to be read too.
            encoding: Encoding of text. Default: UTF-8.

        Returns:
            The open file.

        Raises:
            InvalidDataError: The name is none or taken, or the mode is something else.
            ArtifactFinalizedError: The artifact is finalized or logged.
        """
        if not isinstance(mode, str) or mode[:1] not in ("x", "w") or not set(mode[1:]) <= set("bt+"):
            raise InvalidDataError(f"new_file: mode {mode!r} is none of x, w, xb, wb, with + or without")
        file = self._native.new_file(text("name", name))
        try:
            binary = "b" in mode
            with open(file.place, mode.replace("x", "w"), encoding=None if binary else encoding or "utf-8") as opened:
                yield opened
            file.finish()
        finally:
            file.give_up()

    def add_reference(
        self,
        uri: str | ArtifactManifestEntry,
        name: str | None = None,
        checksum: bool = True,
        max_objects: int | None = None,
    ) -> Sequence[ArtifactManifestEntry]:
        """Add what a URI names, and leave the bytes where they are.

        ``file:///path``, ``http(s)://host/path``, ``s3://bucket/key`` and ``gs://bucket/key`` are looked at, so that a
        change is noticed on download; a folder or prefix stands for all in it. Of other schemes nothing is known but
        the URI.

        Args:
            uri: The URI; or an entry of another artifact, which is added with its bytes.
            name: Its path in the artifact; of a folder or prefix, the folder there. Default: the last part of the URI;
                other schemes need one.
            checksum: Whether what is there is looked at. Otherwise the URI is all that is known of it.
            max_objects: So many objects a folder or prefix may stand for. Default: 10,000.

        Returns:
            The entries.

        Raises:
            InvalidDataError: It is no URI, what it names is not there or has too many objects, or a name is taken.
            ArtifactFinalizedError: The artifact is finalized or logged.
            CommError: The place refuses, or does not answer.
        """
        if isinstance(uri, ArtifactManifestEntry):
            if uri.ref is None:
                return [self.add_file(uri.download(), name or uri.path)]
            uri = uri.ref
        entries = self._native.add_reference(
            text("uri", uri),
            None if name is None else text("name", name),
            checksum=checksum,
            max_objects=None if max_objects is None else _count("max_objects", max_objects),
        )
        return [ArtifactManifestEntry(self, said) for said in entries]

    def add(self, obj: Media, name: str, overwrite: bool = False) -> ArtifactManifestEntry:
        """Add a media object: a ``Table``, an ``Image``, and the like. ``get`` gives it back.

        Args:
            obj: The object.
            name: Its name: of a table ``eval``, the entry is ``eval.table.json``, and its files stand below ``media/``.
            overwrite: Whether it takes the place of another one of that name.

        Returns:
            Its entry.

        Raises:
            InvalidDataError: It is no media object, or there is another one of that name.
            ArtifactFinalizedError: The artifact is finalized or logged.
        """
        if not isinstance(obj, Media):
            raise InvalidDataError(f"add takes media objects, not a {type_name(obj)}; files go with add_file")
        path = with_suffix(text("name", name), obj._type)
        sink = _Sink()
        data = json.dumps(obj._to_json(sink), allow_nan=False).encode()
        before = self._native.entry(path)
        # Before its files, so that a refused name leaves none.
        entry = ArtifactManifestEntry(self, self._native.add_bytes(path, data, overwrite))
        try:
            sink.add_all(self._native)
        except BaseException:
            if before is None:
                self._native.remove(path)
            raise
        return entry

    def remove(self, item: str | os.PathLike[str] | ArtifactManifestEntry) -> None:
        """Take out an entry, or all below a folder.

        Args:
            item: Its path in the artifact, or the entry.

        Raises:
            FileNotFoundError: There is nothing at the path.
            ArtifactFinalizedError: The artifact is finalized or logged.
        """
        path = item.path if isinstance(item, ArtifactManifestEntry) else _path("item", item)
        try:
            self._native.remove(path)
        except NotFoundError as error:
            raise FileNotFoundError(error.message) from None

    def finalize(self) -> None:
        """End adding: its content cannot be changed any more. Logging does it, too."""
        self._native.finalize()

    def new_draft(self) -> Artifact:
        """A draft with all that this version has: to change something, and log it as the next one.

        Returns:
            The draft; it has the name, type, description, metadata and files, and no aliases and tags.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        return Artifact._of(self._native.new_draft())

    # --- reading ---

    def wait(self, timeout: float | None = None) -> Artifact:
        """Wait until there is a version: where a server is, until that has everything.

        Args:
            timeout: For how long at most, in seconds. Default: as long as it takes.

        Returns:
            The artifact itself.

        Raises:
            ArtifactNotLoggedError: It was not logged.
            WaitTimeoutError: It takes longer.
            CommError: The server refuses it.
        """
        self._native.wait(_seconds(timeout))
        return self

    def get_entry(self, name: str | os.PathLike[str]) -> ArtifactManifestEntry:
        """The entry at a path.

        Args:
            name: Path in the artifact; of a media object, its name will do.

        Raises:
            KeyError: There is none.
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        self._info()
        path = _path("name", name)
        said = self._native.entry(path) or next(filter(None, map(self._native.entry, _media_paths(path))), None)
        if said is None:
            raise KeyError(f"the artifact {self.name} has no {path!r}")
        return ArtifactManifestEntry(self, said)

    def get_path(self, name: str | os.PathLike[str]) -> ArtifactManifestEntry:
        """Do what ``get_entry`` does, under its old name.

        Args:
            name: Path in the artifact.

        Raises:
            KeyError: There is none.
        """
        return self.get_entry(name)

    def get(self, name: str) -> Media | None:
        """The media object of a name; its files are fetched when they are needed.

        Args:
            name: The name that it was added under.

        Returns:
            The object; ``None`` when there is none of that name.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            InvalidDataError: What the artifact holds there is no such object.
            CommError: The server does not answer.
        """
        from steplog._media.table import read_json

        self._info()
        for path in _media_paths(text("name", name)):
            word = type_of_entry(path)
            if word is not None and self._native.entry(path) is not None:
                source = _Source(self)
                with open(source.local_file(path), "rb") as file:
                    said = read_json(file.read(), f"{path!r} of the artifact {self.name}")
                return class_of(word)._from_json(said, source)
        return None

    def download(
        self,
        root: str | os.PathLike[str] | None = None,
        allow_missing_references: bool = False,
        skip_cache: bool | None = None,
        path_prefix: str | None = None,
    ) -> str:
        """Bring its files to this disk, and what references name; what is there already is left as it is.

        A file is there when all of it is, with the hash that the version says. Other files in the folder stay. Nothing
        is written outside of it. Files may share their bytes with the cache, and then cannot be written to.

        Args:
            root: Folder. Default: ``artifacts/<name>:<version>`` in the working directory, or in
                ``STEPLOG_ARTIFACT_DIR``.
            allow_missing_references: Whether referenced objects that are gone are passed over.
            skip_cache: Whether files become files of their own, which can be written to, and are not kept in the cache.
                Default: no.
            path_prefix: Only files whose path begins so.

        Returns:
            The folder: absolute, or as it was given.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            InvalidDataError: A link is in the way, or two paths are one for the disk of the folder.
            IntegrityError: Bytes are damaged, or a referenced object has changed.
            NotFoundError: A referenced object is gone.
            CommError: The server or the place of a reference refuses, or does not answer.
            Error: The disk refuses.
        """
        folder, missing = self._native.download(
            self._root(root),
            allow_missing_references=bool(allow_missing_references),
            skip_cache=bool(skip_cache),
            path_prefix=None if path_prefix is None else text("path_prefix", path_prefix),
            shows_progress=_message.shows_progress(),
        )
        if missing:
            _message.warn(f"{self.name}: {len(missing)} referenced objects are gone, such as {missing[0]}")
        return folder

    def checkout(self, root: str | os.PathLike[str] | None = None) -> str:
        """Make a folder the same as the version: as ``download``, and what the version does not have is removed.

        Args:
            root: Folder. Default: ``artifacts/<name>`` in the working directory, or in ``STEPLOG_ARTIFACT_DIR``.

        Returns:
            The folder.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server refuses, or does not answer.
            Error: The disk refuses.
        """
        if root is None:
            root = os.path.join(os.path.dirname(self._root(None)), self._native.collection)
        folder = _path("root", root)
        return self._native.checkout(folder, _message.shows_progress())

    def verify(self, root: str | os.PathLike[str] | None = None) -> None:
        """Look whether a folder has the files of the version and no others; references are passed over.

        Args:
            root: Folder. Default: where ``download`` puts them.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            IntegrityError: A file is missing, has another content, or is not one of the version's.
            Error: There is no such folder, or it cannot be read.
        """
        folder = self._root(root)
        found = self._native.verify(folder, _message.shows_progress())
        for word, what in (
            ("missing", "is not in"),
            ("changed", "has another content in"),
            ("unexpected", "is only in"),
        ):
            if paths := found[word]:
                more = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
                raise IntegrityError(f"{self.name}: {paths[0]!r}{more} {what} {folder}")

    def file(self, root: str | os.PathLike[str] | None = None) -> str:
        """Bring its one file to this disk.

        Args:
            root: Folder. Default: as of ``download``.

        Returns:
            Path of the file.

        Raises:
            InvalidDataError: It has not exactly one.
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server refuses, or does not answer.
        """
        self._info()
        entries = self._native.entries()
        if len(entries) != 1:
            raise InvalidDataError(f"the artifact {self.name} has {len(entries)} files, not one; download() brings all")
        return self._download_entry(entries[0]["path"], root, None)

    def files(self, names: Iterable[str] | None = None, per_page: int = 50) -> list[ArtifactManifestEntry]:
        """Its files and references, by path.

        Args:
            names: Only those with these paths. Default: all.
            per_page: Accepted for old scripts; changes nothing.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        from steplog._api_file import name_list

        self._info()
        wanted = name_list(names)
        return [
            ArtifactManifestEntry(self, said)
            for said in self._native.entries()
            if wanted is None or said["path"] in wanted
        ]

    def logged_by(self) -> ApiRun | ArtifactRun | None:
        """The run that made it, as the server has it; ``None`` when it was no run.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        from steplog._api_artifact import runs_of

        said = self._native.logged_by()
        return None if said is None else runs_of(self._native, [said])[0]

    def used_by(self) -> list[ApiRun | ArtifactRun]:
        """The runs that used it, newest first, as the server has them.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer.
        """
        from steplog._api_artifact import runs_of

        return runs_of(self._native, self._native.used_by())

    def json_encode(self) -> dict[str, Any]:
        """How a config keeps which version was used: its id, name and version.

        Raises:
            ArtifactNotLoggedError: There is no version yet.
        """
        info = self._info()
        return {
            "_type": "artifactVersion",
            "_version": "v0",
            "id": info["id"],
            "version": info["version"],
            "sequenceName": info["collection"],
        }

    # --- changing versions ---

    def link(self, target_path: str, aliases: Iterable[str] | str | None = None) -> Artifact:
        """Link the version into a collection of a registry: it gets a number and aliases there, and stays where it is.

        Args:
            target_path: ``registry/collection``, or ``entity/registry/collection``; made when it is not there.
            aliases: Aliases that it gets there, such as ``production``, beside ``latest``.

        Returns:
            The version as it stands in the registry.

        Raises:
            InvalidDataError: The path or an alias is not allowed.
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server refuses, or does not answer.
        """
        return Artifact._of(self._native.link(text("target_path", target_path), alias_list(aliases)))

    def unlink(self) -> None:
        """Take a link out of its registry; the version that it leads to stays.

        Raises:
            UsageError: It is no link.
            CommError: The server does not answer, or refuses: an alias of it is protected.
        """
        self._native.unlink()
        self._deleted = True

    def delete(self, delete_aliases: bool = False) -> None:
        """Delete the version for good, and the bytes that no other one needs.

        Args:
            delete_aliases: Whether aliases that point at it, ``latest`` too, go with it; otherwise they forbid it.

        Raises:
            InvalidDataError: It is on this disk alone, and aliases point at it.
            ArtifactNotLoggedError: There is no version yet.
            CommError: The server does not answer, or refuses: aliases point at it, or a protected one does.
        """
        self._native.delete(bool(delete_aliases))
        self._deleted = True

    # --- within the package ---

    def _info(self) -> dict[str, Any]:
        return self._native.info()

    def _root(self, root: Any) -> str:
        """The folder to download into; absolute where nobody named one, for scripts change their working directory."""
        return os.path.abspath(self._native.default_root()) if root is None else _path("root", root)

    def _download_entry(self, path: str, root: Any, skip_cache: bool | None) -> str:
        return self._native.download_file(path, self._root(root), bool(skip_cache), _message.shows_progress())

    def _hand_out(self, name: str, read: Any) -> Any:
        """A list or dict that scripts may change in place."""
        if name not in self._handed:
            self._handed[name] = (read(), read())
        return self._handed[name][0]

    def _take_in(self) -> None:
        """Take over what was changed in place."""
        for name, (value, before) in list(self._handed.items()):
            if value != before:
                setattr(self, name, value)
        self._handed.clear()

    def __copy__(self) -> Artifact:
        return self

    def __deepcopy__(self, memo: Any) -> Artifact:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("an artifact cannot be pickled; another process finds it by its name: run.use_artifact(name)")

    def __getitem__(self, name: str) -> Media | None:
        return self.get(name)

    def __setitem__(self, name: str, item: Media) -> None:
        self.add(item, name)

    def __repr__(self) -> str:
        return f"<steplog.Artifact {self.type} {self.name}>"


class _Sink:
    """Takes the files of a media object, by path; the same again is there once."""

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}
        self._files: dict[str, tuple[str, str]] = {}

    def add_bytes(self, path: str, data: bytes) -> None:
        self._bytes[path] = data

    def add_local_file(self, path: str, local_path: str, sha256: str) -> None:
        self._files[path] = (local_path, sha256)

    def add_all(self, native: NativeArtifact) -> None:
        for path, data in self._bytes.items():
            native.add_bytes(path, data, False)
        for path, (local_path, sha256) in self._files.items():
            said = native.add_file(local_path, path, immutable=False, overwrite=False, shows_progress=False)
            if said["sha256"] != sha256:
                raise Error(f"{local_path} is not what it was a moment ago; add it again when nobody writes to it")


class _Source:
    """Gives the files of a media object."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact

    def local_file(self, path: str) -> str:
        return self._artifact.get_entry(path).download()


def type_name(value: Any) -> str:
    """The name of the type of a value; the class above has a property of that name."""
    return type(value).__name__


def alias_list(aliases: Any) -> list[str]:
    """Aliases as a list; a str is one.

    Raises:
        InvalidDataError: They are no str, and no iterable of such.
    """
    if aliases is None:
        return []
    if isinstance(aliases, str):
        return [aliases]
    try:
        found = list(aliases)
    except TypeError:
        raise InvalidDataError(f"aliases is a {type(aliases).__name__}, not a list of str") from None
    return [text(f"the alias {alias!r}", alias) for alias in found]


def _media_paths(name: str) -> list[str]:
    return [with_suffix(name, word) for word in TYPES]


def _metadata(metadata: Any) -> dict[str, Any]:
    from collections.abc import Mapping

    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise InvalidDataError(f"metadata is a {type(metadata).__name__}, not a dict")
    return dict(metadata)


def _path(argument: str, path: Any) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidDataError(f"{argument} is a {type(path).__name__}, not a path")
    found = os.fspath(path)
    if not isinstance(found, str):
        raise InvalidDataError(f"{argument} is a path of {type(found).__name__}, not of str")
    if "\0" in found:
        raise InvalidDataError(f"{argument} {found!r} has a NUL, which no path can have")
    return found


def _immutable(policy: Any) -> bool:
    if policy not in POLICIES:
        raise InvalidDataError(f'policy {policy!r} is none of "mutable", "immutable"')
    return bool(policy == "immutable")


def _count(argument: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidDataError(f"{argument} is {value!r}, not an int above 0")
    return value


def _seconds(timeout: Any) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
        raise InvalidDataError(f"timeout is {timeout!r}, not a number of seconds")
    return float(timeout)


def _name_of_content(path: str, name: str | None) -> str:
    """The name with its stem replaced by the MD5 of the content, as the field does it."""
    import hashlib

    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except FileNotFoundError:
        raise InvalidDataError(f"there is no file {path}") from None
    folder, _, base = (os.path.basename(path) if name is None else text("name", name)).rpartition("/")
    stem = digest.hexdigest()[:20]
    ending = base.partition(".")[2]
    return "/".join(part for part in (folder, f"{stem}.{ending}" if ending else stem) if part)
