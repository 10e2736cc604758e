"""Writes docs/python-api.md from the signatures and docstrings of the Python package.

Documented is what `steplog.__all__` names, and every class of the package that these answer or hold. It is an error
when one of them, or a member, has no docstring, or when a docstring forgets an argument.

    .venv/bin/python scripts/reference.py            writes the file
    .venv/bin/python scripts/reference.py --check    fails when the file is not what would be written
"""

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent

import griffe

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "python-api.md"
REMAKE = ".venv/bin/python scripts/reference.py"

#: Longest signature on one line, in characters.
LINE = 100

HEAD = """<!-- Written by scripts/reference.py from the docstrings; do not edit. -->

# Python API

Everything public of the package `steplog`. The same texts are what `help()` and editors show. For scripts that were
written for wandb see [coming-from-wandb.md](coming-from-wandb.md).

[Functions](#functions) · [Variables](#variables) · [Classes](#classes) · [Errors](#errors)
"""


class Reference:
    """The public part of the package, and where in the page each of it stands."""

    def __init__(self, package: griffe.Module) -> None:
        self.package = package
        exported = [package[name] for name in package.exports or () if not name.startswith("_")]
        # In the order of the source.
        own = sorted((item for item in exported if not item.is_alias), key=lambda item: item.lineno or 0)
        self.functions = [item for item in own if item.is_function]
        self.variables = [item for item in own if item.is_attribute]
        exported_classes = [item.final_target for item in exported if item.is_alias]
        self.names = exported_names(package)
        self.errors = sorted(
            (item for item in exported_classes if item.module.path == "steplog.errors"), key=lambda item: item.lineno
        )
        self.classes = self._reachable([package["Run"].final_target, *exported_classes])
        self.anchors = {f"steplog.{item.name}": f"steplog-{item.name}" for item in [*self.functions, *self.variables]}
        for item in [*self.classes, *self.errors]:
            title = self.title(item)
            self.anchors[title] = self.anchors[title.removeprefix("steplog.")] = f"class-{slug(title)}"
            for member in members(item):
                for name in {title, title.removeprefix("steplog.")}:
                    self.anchors[f"{name}.{member.name}"] = f"{slug(title)}-{slug(member.name)}"

    def _reachable(self, classes: list[griffe.Class]) -> list[griffe.Class]:
        """The classes, and those that their public members speak of; each behind the one that first leads to it."""
        found: list[griffe.Class] = []

        def visit(item: griffe.Class) -> None:
            if item in found or item in self.errors:
                return
            found.append(item)
            for member in members(item):
                for path in mentioned(member):
                    try:
                        target = self.package.modules_collection[path]
                    except KeyError:
                        continue
                    if target.is_class and target.module.path != "steplog._native":
                        visit(target.final_target if target.is_alias else target)

        for item in classes:
            visit(item)
        return found

    def title(self, item: griffe.Class) -> str:
        """What users call a class: by the module that exports it, else by its name alone."""
        return self.names.get(item.path, item.name)

    # --- text ------------------------------------------------------------------------------------------------------

    def _prose(self, text: str) -> str:
        """Text of a docstring as Markdown, with links to what the page has."""

        def code(match: re.Match[str]) -> str:
            name = match.group(1)
            anchor = self.anchors.get(name.removesuffix("()"))
            return f"[`{name}`](#{anchor})" if anchor else f"`{name}`"

        return re.sub(r"``(.+?)``", code, text, flags=re.DOTALL)

    def _sections(self, item: griffe.Object) -> Iterator[str]:
        """The docstring of a function or class, part by part."""
        assert item.docstring is not None, item.path
        for section in item.docstring.parse("google"):
            match section.kind.value:
                case "text":
                    yield self._prose(section.value)
                case "parameters":
                    yield "Arguments:\n\n" + self._bullets(
                        (argument.name, argument.description) for argument in section.value
                    )
                case "raises":
                    yield "Raises:\n\n" + self._bullets(
                        (str(error.annotation), error.description) for error in section.value
                    )
                case "returns":
                    yield "Returns: " + " ".join(self._prose(value.description) for value in section.value)
                case "attributes":
                    pass  # They are in the table of properties.
                case other:
                    raise SystemExit(f"{item.path}: the section {other!r} of a docstring is not known")

    def _bullets(self, entries: Iterable[tuple[str, str]]) -> str:
        lines = []
        for name, description in entries:
            text = indent(self._prose(description), "  ").strip()
            lines.append(f"- {self._prose(f'``{name}``')}: {text}")
        return "\n".join(lines)

    def _cell(self, text: str) -> str:
        return " ".join(self._prose(text).split()).replace("|", "\\|")

    def _raised(self, item: griffe.Attribute) -> str:
        if item.docstring is None:
            return ""
        raised = [section.value for section in item.docstring.parse("google") if section.kind.value == "raises"]
        texts = [f"``{error.annotation}``: {error.description}" for errors in raised for error in errors]
        return "".join(f" Raises {self._cell(text)}" for text in texts)

    # --- the page --------------------------------------------------------------------------------------------------

    def page(self) -> str:
        """The whole page."""
        parts = [HEAD, self._contents(), heading(2, "Functions", "functions")]
        for item in self.functions:
            parts += self._function(item, f"steplog.{item.name}", self.anchors[f"steplog.{item.name}"], 3)
        parts += [heading(2, "Variables", "variables"), self._table(self.variables, "steplog")]
        parts.append(heading(2, "Classes", "classes"))
        for item in self.classes:
            parts += self._class(item)
        parts += [heading(2, "Errors", "errors"), *self._error_table()]
        return "\n\n".join(part.strip("\n") for part in parts) + "\n"

    def _contents(self) -> str:
        functions = " ".join(self._link(f"steplog.{item.name}", item.name) for item in self.functions)
        variables = " ".join(self._link(f"steplog.{item.name}", item.name) for item in self.variables)
        lines = ["| | |", "| --- | --- |", f"| functions | {functions} |", f"| variables | {variables} |"]
        for item in self.classes:
            title = self.title(item)
            names = " ".join(self._link(f"{title}.{member.name}", member.name) for member in members(item))
            lines.append(f"| {self._link(title, title)} | {names} |")
        errors = " ".join(self._link(self.title(item), item.name) for item in self.errors)
        return "\n".join([*lines, f"| errors | {errors} |"])

    def _link(self, name: str, text: str) -> str:
        return f"[`{text}`](#{self.anchors[name]})"

    def _function(self, item: griffe.Function, title: str, anchor: str, level: int) -> Iterator[str]:
        yield heading(level, f"`{title}`", anchor)
        yield f"```python\n{signature(item)}\n```"
        yield from self._sections(item)

    def _class(self, item: griffe.Class) -> Iterator[str]:
        title = self.title(item)
        yield heading(3, f"`{title}`", self.anchors[title])
        assert item.docstring is not None, item.path
        if any(section.kind.value == "parameters" for section in item.docstring.parse("google")):
            yield f"```python\n{signature(item.members['__init__'], title)}\n```"
        yield from self._sections(item)
        attributes = [member for member in members(item) if member.is_attribute]
        if attributes:
            yield self._table(attributes, title)
        for member in members(item):
            if member.is_function:
                name = f"{title.removeprefix('steplog.')}.{member.name}"
                yield from self._function(member, name, self.anchors[name], 4)

    def _table(self, attributes: list[griffe.Attribute], owner: str) -> str:
        settable = any("writable" in item.labels for item in attributes)
        lines = ["| name | type | |", "| --- | --- | --- |"]
        for item in attributes:
            text = self._cell(description(item)) + self._raised(item)
            if settable and "writable" in item.labels:
                text += " Can be set."
            anchor = self.anchors[f"{owner}.{item.name}"]
            kind = item.annotation if item.annotation is not None else item.value
            annotation = f"`{kind}`".replace("|", "\\|")
            lines.append(f'| <a id="{anchor}"></a>`{item.name}` | {annotation} | {text} |')
        return "\n".join(lines)

    def _error_table(self) -> Iterator[str]:
        base = self.errors[0]
        yield f"All are `steplog.{base.name}`, which has the text of the error as `message`."
        lines = ["| error | is also | when |", "| --- | --- | --- |"]
        for item in self.errors:
            bases = ", ".join(self._prose(f"``{parent}``") for parent in item.bases)
            assert item.docstring is not None
            anchor = self.anchors[self.title(item)]
            lines.append(f'| <a id="{anchor}"></a>`{item.name}` | {bases} | {self._cell(item.docstring.value)} |')
        yield "\n".join(lines)

    # --- completeness ----------------------------------------------------------------------------------------------

    def gaps(self) -> Iterator[str]:
        """What has no docstring, and arguments that their docstring forgets or makes up."""
        for item in [*self.functions, *self.variables, *self.classes, *self.errors]:
            for part in [item, *(members(item) if item.is_class else ())]:
                if not (description(part) if part.is_attribute else part.docstring):
                    yield f"{part.path}: it has no docstring"
                elif part.is_function:
                    yield from argument_gaps(part)


def exported_names(package: griffe.Module) -> dict[str, str]:
    """Under which name the public modules export what is defined elsewhere; the package itself before the others."""
    modules = [module for name, module in package.modules.items() if not name.startswith("_")]
    names: dict[str, str] = {}
    for module in [package, *modules]:
        for name in module.exports or ():
            if not str(name).startswith("_"):
                item = module[str(name)]
                names.setdefault(item.final_target.path if item.is_alias else item.path, item.path)
    return names


def argument_gaps(item: griffe.Function) -> Iterator[str]:
    """Whether the docstring has the arguments that the function has, if it has any."""
    assert item.docstring is not None
    for section in item.docstring.parse("google"):
        if section.kind.value == "parameters":
            said = [argument.name for argument in section.value]
            there = [parameter.name for parameter in item.parameters if parameter.name not in ("self", "cls")]
            if said != there:
                yield f"{item.path}: the docstring has the arguments {said}, the function {there}"


def members(item: griffe.Class) -> list[griffe.Object]:
    """The public members that a class itself has: attributes first, each kind in the order of the source."""
    public = [member for member in item.members.values() if not member.name.startswith("_") and not member.is_alias]
    return sorted(public, key=lambda member: (member.is_function, member.lineno or 0))


def mentioned(member: griffe.Object) -> Iterator[str]:
    """The paths of the names in the annotations of a member."""
    annotations = [member.annotation] if member.is_attribute else [member.returns]
    for annotation in annotations:
        if isinstance(annotation, griffe.Expr):
            for part in annotation.iterate(flat=True):
                if isinstance(part, griffe.ExprName):
                    yield part.canonical_path


def description(item: griffe.Attribute) -> str:
    """What is said about an attribute: by itself, or under `Attributes:` of its class."""
    if item.docstring is not None:
        sections = item.docstring.parse("google")
        return "\n\n".join(section.value for section in sections if section.kind.value == "text")
    if item.parent is not None and item.parent.docstring is not None:
        for section in item.parent.docstring.parse("google"):
            if section.kind.value == "attributes":
                for attribute in section.value:
                    if attribute.name == item.name:
                        return str(attribute.description)
    if isinstance(item.value, griffe.ExprName) and item.value.name != item.name:
        return f"Another name of ``{item.value.name}``."
    return ""


def signature(item: griffe.Function, name: str | None = None) -> str:
    """The signature as it is written, without `self`."""
    parts: list[str] = []
    starred = False
    for parameter in item.parameters:
        kind = parameter.kind
        if parameter.name == "self" or parameter.name == "cls":
            continue
        if kind is griffe.ParameterKind.keyword_only and not starred:
            parts.append("*")
            starred = True
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(kind, "")
        starred |= stars == "*"
        text = f"{stars}{parameter.name}"
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not stars:
            text += f" = {parameter.default}" if parameter.annotation is not None else f"={parameter.default}"
        parts.append(text)
    begin = f"{name}(" if name else f"def {item.name}("
    end = ")" if name or item.returns is None else f") -> {item.returns}"
    line = begin + ", ".join(parts) + end
    return line if len(line) <= LINE else begin + "".join(f"\n    {part}," for part in parts) + "\n" + end


def heading(level: int, text: str, anchor: str) -> str:
    """A heading with an anchor of our own: every code host makes others of the text."""
    return f'{"#" * level} <a id="{anchor}"></a>{text}'


def slug(title: str) -> str:
    """A name as a part of an anchor."""
    return title.removeprefix("steplog.").replace(".", "-").lower()


def main() -> int:
    """Writes or checks the file; answers the exit code."""
    # griffe finds arguments that are not in a signature, and says so as warnings.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    package = griffe.load("steplog", search_paths=[ROOT / "python"], allow_inspection=False)
    reference = Reference(package)
    if gaps := list(reference.gaps()):
        print("\n".join(gaps))
        return 1
    page = reference.page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(page)
        return 0
    if TARGET.is_file() and TARGET.read_text() == page:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not what the docstrings say; make it anew: {REMAKE}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
