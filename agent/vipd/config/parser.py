"""Read keepalived.conf: text in, a `Config` with its diagnostics or all of its errors out.

`source` expands the text into lines, `blocks` groups them into statements, `keywords` lists what each may hold. This
module collects the values block by block; `instances` makes virtual routers of them.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any, NamedTuple

from vipd.config.blocks import Statement, statements
from vipd.config.instances import WITHOUT_PREFERENCE, Block, Defaults, Group, devices, placed, preferred, routers
from vipd.config.iproute_names import Names
from vipd.config.keywords import BLOCKS, LVS, REFUSED, Keyword
from vipd.config.macvlan_names import named
from vipd.config.model import Command, Config, Globals, Hooks, Rule, Script, SyncGroup, TrackFile, TrackProcess
from vipd.config.problems import Diagnostics, Problems, listed, plain
from vipd.config.source import Find, Source, SourceError, no_files
from vipd.config.values import CorrectedError, EachLine, Form, WrongError, instead

_NAMED = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "track_file", "vrrp_track_process")
_SYNONYMS = {"vrrp_track_file": "track_file"}


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has one line, with file and line number, for each error."""

    def __init__(self, problems: list[str], insecure_scripts: bool = False) -> None:
        self.problems = [plain(problem) for problem in problems]
        super().__init__("\n".join(self.problems))
        self.insecure_scripts = insecure_scripts  # there are scripts, and no enable_script_security


class Parsed(NamedTuple):
    """A configuration, and what the parser notes about it."""

    config: Config
    diagnostics: Diagnostics


def parse(
    text: str,
    file: str,
    config_id: str = "",
    instance: str = "",
    folder: str = ".",
    find: Find = no_files,
    without: Collection[str] = (),
) -> Parsed:
    """Read the configuration in `text`.

    Args:
        text: of a keepalived.conf.
        file: its name, for messages.
        config_id: what lines that begin with `@` are compared with.
        instance: what `${_INSTANCE}` stands for.
        folder: what `${_PWD}` stands for, and where relative `include`s begin.
        find: looks up what `include` names.
        without: blocks of the file itself that are passed over, as if they were not there.

    Raises:
        ConfigError: with every error there is, not only the first.
    """
    source = Source(config_id, instance, folder, find)
    problems = Problems()
    try:
        read = statements(source.lines(text, file))
    except SourceError as error:
        raise ConfigError([f"{error.file}:{error.number}: {error}"]) from None
    for where, line, what in source.missing:
        keyword, _, rest = what.partition(": ")
        problems.warn(Statement((keyword,), where, line), rest)
    reader = _Reader(problems, Names(find))
    config = reader.config(tuple(one for one in read if one.keyword not in without))
    if not config.routers:
        problems.warn(Statement(("vrrp_instance",), file, 1), "there is none, so there is nothing to do; add one")
    if problems.wrong:
        raise ConfigError(listed(problems.wrong), reader.insecure_scripts)
    return Parsed(config, problems.diagnostics(len(text), source.unread))


class _Reader:
    """Collects the fields that the statements of one configuration fill in."""

    def __init__(self, problems: Problems, names: Names) -> None:
        self._problems = problems
        self._names = names
        self._named: dict[str, dict[str, Block]] = {block: {} for block in _NAMED}
        self._root: dict[str, Any] = {}
        self._places: dict[str, Statement] = {}
        self._globals: dict[str, Any] = {}
        self._inherited: dict[str, Any] = {}
        self._garp_groups: list[Block] = []

    def config(self, read: tuple[Statement, ...]) -> Config:
        for statement in read:
            self._root_statement(statement)
        scripts = {name: self._script(block) for name, block in self._named["vrrp_script"].items()}
        files = {name: self._file(block) for name, block in self._named["track_file"].items()}
        processes = {name: self._process(block) for name, block in self._named["vrrp_track_process"].items()}
        groups = self._groups()
        defaults = Defaults(self._inherited, self._globals, [group.fields for group in self._garp_groups])
        self._mention_interfaces()
        targets: dict[str, dict[str, Any]] = {"script": scripts, "file": files, "process": processes}
        config = Config(
            named(
                [*routers(self._named["vrrp_instance"], groups, targets, defaults, self._problems)],
                self._globals.get("vmac_prefix", Globals().vmac_prefix),
            ),
            groups=tuple(group.config for group in groups),
            scripts=tuple(script for script in scripts.values() if script is not None),
            files=tuple(file for file in files.values() if file is not None),
            processes=tuple(process for process in processes.values() if process is not None),
            addresses=placed(self._root.get("addresses", ()), self._globals.get("default_interface", "eth0")),
            routes=self._root.get("routes", ()),
            rules=self._static_rules(),
            delays=self._root.get("delays", ()),
            globals=Globals(
                **{field: value for field, value in self._globals.items() if field in Globals._fields},
                net_namespace=self._root.get("net_namespace"),
            ),
            waits_for_interfaces=bool(self._globals.get("dynamic_interfaces")),
        )
        for field in self._places.keys() & {"addresses", "routes", "rules"}:
            self._problems.mention_all(devices(getattr(config, field)), self._places[field])
        for router in config.routers:
            if router.use_vmac:  # vipd makes it
                self._problems.interfaces.pop(router.vmac_name, None)
        return config

    def _mention_interfaces(self) -> None:
        """Note the interfaces that are named outside of instances."""
        root, mention = self._root, self._problems.mention
        for name, _, _ in root.get("delays", ()):
            mention(name, self._places["delays"])
        spaced: set[str] = set()
        for group in self._garp_groups:
            for name in filter(None, (group.fields.get("interface"), *group.fields.get("interfaces", ()))):
                mention(name, group.head)
                if name in spaced:
                    self._problems.warn(group.head, f"{name} is named twice; name it once", repaired=True)
                spaced.add(name)

    def _static_rules(self) -> tuple[Rule, ...]:
        rules: tuple[Rule, ...] = self._root.get("rules", ())
        if any(rule.preference < 0 for rule in rules):
            self._problems.warn(self._places["rules"], WITHOUT_PREFERENCE, repaired=True)
        return preferred(rules)

    @property
    def insecure_scripts(self) -> bool:
        """Whether scripts are to be run without `enable_script_security`."""
        hooks = any("hooks" in block.fields for blocks in self._named.values() for block in blocks.values())
        return (hooks or bool(self._named["vrrp_script"])) and not self._globals.get("script_security")

    def _root_statement(self, statement: Statement) -> None:
        block = _SYNONYMS.get(statement.keyword, statement.keyword)
        keyword = BLOCKS[""].get(statement.keyword)
        problems = self._problems
        if statement.keyword in LVS:
            problems.error(statement, "is LVS, which vipd does not do; run `keepalived -C` for it and remove it here")
        elif keyword is None:
            problems.unknown(statement, "keepalived.conf", BLOCKS[""])
        elif not keyword.to:
            self._without_effect(keyword, statement)
        elif keyword.to != "block":
            self._fill(self._root, keyword.to, keyword.form, statement)
            self._places[keyword.to] = statement
        elif statement.body is None:
            problems.error(statement, f"takes a block: {statement.keyword} ... {{ ... }}")
        elif block in _NAMED:
            self._add_named(block, statement)
        elif block == "garp_group":
            made = self._block(statement, block)
            if not made.fields.keys() & {"garp_interval_ns", "gna_interval_ns"}:
                problems.warn(statement, "has no interval, so it means nothing; add: garp_interval SECONDS", True)
            self._garp_groups.append(made)
        else:
            self._add_globals(self._block(statement, block).fields)

    def _add_named(self, kind: str, statement: Statement) -> None:
        if len(statement.words) != 2:
            self._problems.error(statement, f"has one name: {statement.keyword} NAME {{ ... }}")
            return
        block = self._block(statement, kind)
        if self._named[kind].setdefault(block.name, block) is not block:
            self._problems.error(statement, f"there is a {block.name!r} already; give this one another name")

    def _add_globals(self, fields: dict[str, Any]) -> None:
        for to, value in fields.items():
            scope, _, field = to.rpartition(".")
            if scope:
                self._inherited[field] = value
            elif to == "min_garp":
                self._inherited.update({"garp_repeat": 1, "garp_delay_ns": 0} if value else {})
            else:
                self._globals[to] = value

    def _block(self, head: Statement, kind: str) -> Block:
        """Collect the fields that a block fills in, and note its errors."""
        block = Block(head, {}, {})
        table = BLOCKS[kind]
        for line in head.body or ():
            keyword = table.get(line.keyword)
            if (kind, line.keyword) in REFUSED:
                self._problems.error(line, f"{REFUSED[kind, line.keyword]}; remove it")
            elif keyword is None:
                self._problems.unknown(line, kind, table)
            elif not keyword.to:
                self._without_effect(keyword, line)
            elif keyword.to == "block":
                if line.body is None:
                    self._problems.error(line, f"takes a block: {line.keyword} {{ ... }}")
                inner = self._block(line, line.keyword)
                block.fields.update(inner.fields)
                block.places.update(inner.places)
            else:
                self._fill(block.fields, keyword.to, keyword.form, line)
                block.places[keyword.to] = line
        return block

    def _without_effect(self, keyword: Keyword, statement: Statement) -> None:
        """Note that a keyword does nothing here, and what keepalived has against its values."""
        self._problems.warn(statement, f"has no effect: {keyword.note}")
        if isinstance(keyword.form.read, EachLine):
            return
        try:
            keyword.form.read(self._looked_at(keyword.form, statement))
        except (CorrectedError, WrongError) as error:
            self._problems.warn(statement, str(error), repaired=True)

    def _fill(self, fields: dict[str, Any], to: str, form: Form, statement: Statement) -> None:
        if isinstance(form.read, EachLine):
            line_of = partial(form.read.line, names=self._names) if form.read.named else form.read.line
            read = [self._problems.tried_line(statement, line, line_of) for line in self._lines(statement)]
            value: Any = tuple(found for found in read if found is not None)
        else:
            value = self._problems.tried(self._looked_at(form, statement), form.read, form.text)
        if value is None:
            return  # wrong, and noted
        if to == "*":
            fields.update(value)
        elif to.startswith("hook."):
            self._add_hook(fields, to[5:], value, statement)
        elif form.adds:
            fields[to] = (*fields.get(to, ()), *value)
        else:
            fields[to] = value

    def _add_hook(self, fields: dict[str, Any], state: str, command: Command, statement: Statement) -> None:
        hooks = fields.setdefault("hooks", ())
        if any(state == known for known, _ in hooks):
            self._problems.warn(statement, "there is one already, and the first is kept; remove one", repaired=True)
        else:
            fields["hooks"] = (*hooks, (state, command))

    def _looked_at(self, form: Form, statement: Statement) -> Statement:
        """The statement without the values that keepalived ignores."""
        if form.most is None or len(statement.values) <= form.most or statement.body is not None:
            return statement
        extra = " ".join(statement.values[form.most :])
        self._problems.warn(statement, f"{extra!r} is read over, as keepalived reads over it; remove it")
        return statement._replace(words=statement.words[: form.most + 1])

    def _lines(self, statement: Statement) -> tuple[Statement, ...]:
        if statement.body is None or len(statement.words) != 1:
            self._problems.error(statement, f"takes a block: {statement.keyword} {{ ... }}")
            return ()
        for line in statement.body:
            if line.body is not None:
                self._problems.error(line, f"there is no such block in {statement.keyword}; remove it")
        return tuple(line for line in statement.body if line.body is None)

    # -- what instances refer to

    def _script(self, block: Block) -> Script | None:
        user = block.fields.pop("user", None)
        if not self._has(block, "command", "script PROGRAM"):
            return None
        if user:
            command = block.fields["command"]
            block.fields["command"] = command._replace(user=user[0], group=user[1] if len(user) > 1 else None)
        return Script(name=block.name, **block.fields)

    def _file(self, block: Block) -> TrackFile | None:
        return TrackFile(name=block.name, **block.fields) if self._has(block, "file", "file /PATH") else None

    def _process(self, block: Block) -> TrackProcess | None:
        if not self._has(block, "words", "process NAME"):
            return None
        if block.fields.get("quorum", 0) > block.fields.get("quorum_max", 65535):
            self._problems.warn(block.places["quorum_max"], "is less than quorum, and ignored; raise it", repaired=True)
            del block.fields["quorum_max"]
        return TrackProcess(name=block.name, **block.fields)

    def _has(self, block: Block, field: str, line: str) -> bool:
        """Whether the block has the field that it requires, and no error."""
        if self._problems.within(block.head):
            return False
        if not block.fields.get(field):
            self._problems.error(block.head, f"{block.name!r} has no {line.split()[0]}; add: {line}")
            return False
        return True

    def _groups(self) -> list[Group]:
        groups = []
        instances = self._named["vrrp_instance"]
        taken: dict[str, str] = {}
        for name, block in self._named["vrrp_sync_group"].items():
            listed_members = block.fields.get("members", ())
            members = tuple(dict.fromkeys(listed_members))
            if len(members) < len(listed_members):
                self._problems.warn(block.head, f"{name!r} names a member twice; name it once", repaired=True)
            for member in members:
                if member not in instances:
                    self._problems.error(
                        block.head, f"there is no vrrp_instance {member!r}; {instead(member, instances)}"
                    )
                if taken.setdefault(member, name) != name:
                    self._problems.error(block.head, f"{member!r} is in {taken[member]!r}; an instance has one group")
            if not members:
                self._problems.error(block.head, f"{name!r} has no members; add: group {{ NAME ... }}")
            elif len(members) == 1:
                self._problems.warn(block.head, f"{name!r} has one member, so there is nothing to keep in step", True)
            changes = block.fields.get("priority_changes", self._inherited.get("priority_changes"))
            hooks = Hooks(block.fields.get("hooks", ()), changes)
            weighted = bool(block.fields.get("tracking_weight"))
            groups.append(Group(block, SyncGroup(name, members, weighted, hooks)))
        return groups
