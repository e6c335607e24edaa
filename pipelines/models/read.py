"""Reads sql/: the path is the table's name, one SELECT a file, described by its comments; nothing is templated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pipelines.core.table_ref import TableRef
from pipelines.models.header import Header, read_header
from pipelines.models.model import Link, Model, ModelColumn, ModelFault, nearest, refuse
from pipelines.models.sources import Source
from pipelines.models.syntax import (
    DIALECT,
    SyntaxFault,
    comment_behind,
    name_end,
    outer_select,
    parse_query,
    place,
    table_ref,
    tables,
)
from pipelines.stores.moves import MOVED_BY_DOCUMENT

_LINK = re.compile(r"(?P<table>\w+\.\w+) by (?P<column>\w+)( of (?P<other>\w+\.\w+))?")


def check_source(source: Source) -> list[ModelFault]:
    """Return what makes one file no model."""
    reader = _Reader(source)
    reader.read()
    return reader.faults


def parse_models(sources: Iterable[Source]) -> tuple[Model, ...]:
    """Parse models; ModelError with all faults."""
    faults: list[ModelFault] = []
    models: dict[TableRef, Model] = {}
    for source in sources:
        reader = _Reader(source)
        model = reader.read()
        faults += reader.faults
        if source.ref in models:
            faults.append(ModelFault(source.path, 1, 1, f"{source.ref} is already {models[source.ref].path}."))
        elif model is not None:
            models[source.ref] = model
    faults += _unmoved(models)
    if faults:
        refuse(faults)
    return tuple(models.values())


def _unmoved(models: Mapping[TableRef, Model]) -> Iterator[ModelFault]:
    """Find models that follow the outbox and read what does not: of that nothing says which documents have moved."""
    followed = MOVED_BY_DOCUMENT.union(model.ref for model in models.values() if model.moves and model.keep)
    for model in (model for model in models.values() if model.moves):
        # Rows that come anew are looked at whatever they are made of; only what keeps the others is followed.
        reads = _reads_to_keep(model) if model.keep else {*model.reads}
        if others := reads - followed:
            listed = ", ".join(map(str, sorted(others)))
            yield ModelFault(model.path, 1, 1, f"moves follows what was sent by document, and not {listed}.")


def _reads_to_keep(model: Model) -> set[TableRef]:
    """Return what the condition reads beside the model's own rows, which is no reading in the order of models."""
    return {ref for table in tables(parse_query(model.keep_query)) if (ref := table_ref(table))} - {model.ref}


@dataclass(slots=True)
class _Reader:
    source: Source
    faults: list[ModelFault] = field(default_factory=list)

    def read(self) -> Model | None:
        sql = self.source.sql
        header = read_header(sql)
        for line, message in header.problems:
            self._fault(line, 1, message)
        try:
            query = parse_query(sql)
        except SyntaxFault as fault:
            self._fault(fault.line, fault.column, fault.message)
            return None
        columns = self._columns(query)
        self._check_grain(header, columns)
        model = Model(
            ref=self.source.ref,
            path=self.source.path,
            sql=sql,
            description=header.description,
            grain=header.grain,
            keep=header.directives.get("keep", ""),
            keep_line=header.lines.get("keep", 0),
            divided=header.parts[0] if header.parts else "",
            links=(),
            moves="".join(header.moves),
            columns=columns,
            reads=(),
        )
        # Tables that only `keep` reads count too: they must be built, or landed, before this model.
        reads = self._reads(query) | self._reads_to_keep(model)
        return replace(model, reads=tuple(sorted(reads)), links=self._links(header, reads))

    def _columns(self, query: exp.Query) -> tuple[ModelColumn, ...]:
        select = outer_select(query)
        columns: dict[str, ModelColumn] = {}
        if select is None or not select.expressions:
            self._fault(1, 1, "a model has columns; this SELECT lists none.")
            return ()
        for projection in select.expressions:
            name = projection.alias_or_name
            line, column = place(projection, self.source.sql)
            if not name or projection.is_star or not isinstance(projection, exp.Alias | exp.Column):
                self._fault(line, column, "the last SELECT lists its columns, each with a name.")
            elif name in columns:
                self._fault(line, column, f"there are two columns {name}.")
            else:
                columns[name] = self._column(projection, name, line)
        return tuple(columns.values())

    def _column(self, projection: exp.Expr, name: str, line: int) -> ModelColumn:
        end = name_end(projection)
        description = comment_behind(self.source.sql, end) if end else ""
        # Nothing is said of a column that is passed on under its name: it keeps what it was where it comes from.
        # A renamed column is shown with the name it had, since a reader looks for it by that.
        computed = isinstance(projection, exp.Alias) and not isinstance(projection.this, exp.Column)
        renamed = isinstance(projection, exp.Alias) and projection.this.name != name
        expression = projection.this.sql(DIALECT, comments=False) if computed or renamed else ""
        return ModelColumn(name=name, line=line, description=description, expression=expression)

    def _check_grain(self, header: Header, columns: tuple[ModelColumn, ...]) -> None:
        # Merging, tests and readers tell rows apart by the grain: a wrong name there would double rows in silence.
        names = [column.name for column in columns]
        by_directive = {"grain": header.grain, "parts": header.parts[:1], "moves": header.moves}
        for directive, name in [(directive, name) for directive, named in by_directive.items() for name in named]:
            if names and name not in names:
                message = f"the {directive} names {name}, which is no column of this model{nearest(name, names)}."
                self._fault(header.lines[directive], 1, message)
        if "keep" in header.directives:
            line = header.lines["keep"]
            if not header.grain:
                self._fault(line, 1, "keep needs a grain: new rows replace old ones of the same key.")

    def _links(self, header: Header, reads: set[TableRef]) -> tuple[Link, ...]:
        links: list[Link] = []
        for words in header.parts[1:]:
            match = _LINK.fullmatch(words)
            tables = [TableRef.parse(match[name]) for name in ("table", "other") if match[name]] if match else []
            if match is None or not reads >= {*tables}:
                message = f"{words!r} is no link; write: schema.table by column of schema.other, both read here."
                self._fault(header.lines["parts"], 1, message)
            else:
                links.append(Link(tables[0], match["column"], tables[1] if tables[1:] else None))
        return tuple(links)

    def _reads(self, query: exp.Query) -> set[TableRef]:
        reads = set()
        for table in tables(query):
            ref = table_ref(table)
            if ref is None:
                line, column = place(table, self.source.sql)
                self._fault(line, column, f"{table.sql(DIALECT)} is no table of the warehouse; write schema.name.")
            else:
                reads.add(ref)
        return reads

    def _reads_to_keep(self, model: Model) -> set[TableRef]:
        try:
            return _reads_to_keep(model) if model.keep else set()
        except SyntaxFault as fault:
            self._fault(model.keep_line, 1, f"keep is no condition: {fault.message}")
            return set()

    def _fault(self, line: int, column: int, message: str) -> None:
        self.faults.append(ModelFault(self.source.path, line, column, message))
