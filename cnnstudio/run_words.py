"""Training runs in words: their settings, their data, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from cnnstudio.document.words import choice_words, layer_title, say
from cnnstudio.project.state import RunRecord
from cnnstudio.setting_change import PARTS, part_title
from engine.datasets.catalog import ENTRIES
from engine.options import Configurable
from engine.settings import TrainSettings
from engine.spec import NetworkSpec, Node


@dataclass(frozen=True)
class Row:
    """One thing that is said of a run: a label, the same in short, and the value in words."""

    label: str
    short: str
    value: str


def setting_rows(run: RunRecord) -> list[Row]:
    """All training settings of a run. One that was changed in the middle shows each value, and the step of the change."""
    start = TrainSettings.from_json(run.settings)
    short = _short_names()
    rows = []
    for option in TrainSettings.options():
        label = say(option.label)
        rows.append(Row(label, short.get(option.name, label), _course(run, option.name, _number(getattr(start, option.name)))))
    for part in PARTS:
        label = part_title(part)
        rows.append(Row(label, label, _course(run, part, _part(getattr(start, part)))))
    return rows


def data_row(run: RunRecord) -> Row:
    """The data set of a run, with the options with which it was read."""
    choice = run.data if isinstance(run.data, Mapping) else {}
    name = str(choice.get("name", ""))
    parts = [choice.get(part) or {} for part in ("split", "reading")]
    options = [f"{key} {value}" for part in parts for key, value in part.items() if key != "kind"]
    label = tr("Data set")
    title = next((say(entry.title) for entry in ENTRIES if entry.name == name), name.rsplit("/", 1)[-1])
    return Row(label, label, " · ".join([title, *options]))


def distinctions(runs: Sequence[RunRecord]) -> list[str]:
    """For each of several runs what tells it apart: settings and data that are not the same in all, and what its network has
    otherwise than that of the first one.
    """
    if len(runs) < 2:
        return [""] * len(runs)
    tables = [[*setting_rows(run), data_row(run)] for run in runs]
    telling = [i for i in range(len(tables[0])) if len({table[i].value for table in tables}) > 1]
    words = [[f"{table[i].short} {table[i].value}" for i in telling] for table in tables]
    for run, found in zip(runs[1:], words[1:], strict=True):
        found += network_differences(runs[0], run)
    return [" · ".join(found) for found in words]


def layer_rows(one: RunRecord, two: RunRecord) -> list[tuple[str, str, str]]:
    """(layer, what it is in the first run, what it is in the second) along both chains; "–" where there is none."""
    specs = [NetworkSpec.from_json(run.network) for run in (one, two)]
    nodes = [{node.id: node for node in spec} for spec in specs]
    order = [node.id for node in specs[0]]
    at = 0
    for node in specs[1]:  # what only the second one has goes behind its neighbour
        if node.id in nodes[0]:
            at = order.index(node.id) + 1
        else:
            order.insert(at, node.id)
            at += 1
    names = _names(*specs)
    return [(names[id], _layer(nodes[0].get(id)), _layer(nodes[1].get(id))) for id in order]


def differences(before: RunRecord, after: RunRecord) -> list[str]:
    """What a run does otherwise than another one, each in a few words: "lr 0.001 → 0.01", "+ Dropout"."""
    found = []
    rows = zip([*setting_rows(before), data_row(before)], [*setting_rows(after), data_row(after)], strict=True)
    for one, two in rows:
        if one.value != two.value:
            found.append(f"{two.short} {one.value} → {two.value}")
    return [*found, *network_differences(before, after)]


def network_differences(before: RunRecord, after: RunRecord) -> list[str]:
    """What the network of a run has otherwise than that of another one."""
    found = []
    for name, one, two in layer_rows(before, after):
        if one == "–":
            found.append(f"+ {name}")
        elif two == "–":
            found.append(f"− {name}")
        elif one != two:
            found.append(f"{name}: {_changed(one, two)}")
    ids = [[layer["id"] for layer in run.network["layers"]] for run in (before, after)]
    common = set(ids[0]) & set(ids[1])
    if [id for id in ids[0] if id in common] != [id for id in ids[1] if id in common]:
        found.append(tr("other order of layers"))
    return found


def _changed(one: str, two: str) -> str:
    """The options of a layer that are others: "depth 6 → 8"."""
    before, after = one.split(" · "), two.split(" · ")
    if len(before) != len(after) or before[0] != after[0]:
        return f"{one} → {two}"
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    return ", ".join(f"{a} → {b[len(_common(a, b)) :]}" for a, b in pairs)


def _common(one: str, two: str) -> str:
    """The words with which both begin, so that they are said once."""
    words = one.rsplit(" ", 1)[0] + " "
    return words if two.startswith(words) else ""


def _names(first: NetworkSpec, second: NetworkSpec) -> dict[str, str]:
    """A name for every layer of both: its own, or its kind, numbered where it occurs more than once."""
    nodes = {node.id: node for node in (*second, *first)}
    order = [*first, *(node for node in second if node.id not in {n.id for n in first})]
    titles = [layer_title(node.layer) for node in order]
    names, seen = {}, dict.fromkeys(titles, 0)
    for node, title in zip(order, titles, strict=True):
        seen[title] += 1
        many = titles.count(title) > 1
        names[node.id] = nodes[node.id].name or (f"{title} {seen[title]}" if many else title)
    return names


def _layer(node: Node | None) -> str:
    if node is None:
        return "–"
    options = [f"{say(option.label)} {_number(getattr(node.layer, option.name))}" for option in node.layer.options()]
    return " · ".join([layer_title(node.layer), *options])


def _course(run: RunRecord, name: str, first: str) -> str:
    """The value of a setting over the run: "0.001", "0.001 → 0.01 (step 400)"."""
    text, settings = first, dict(run.settings)
    for step, change in run.changes:
        settings |= change
        if name in change:
            now = getattr(TrainSettings.from_json(settings), name)
            value = _part(now) if name in PARTS else _number(now)
            text += tr(" → {value} (step {step})").format(value=value, step=step)
    return text


def _part(part: Configurable) -> str:
    """An optimizer or the like: its name, and the options that are not as they come."""
    title = say(getattr(part, "title", "")) or tr("none")
    options = [o for o in part.options() if getattr(part, o.name) != o.default]
    return " ".join([title, *(f"({say(o.label)} {_number(getattr(part, o.name))})" for o in options)])


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, (int, float)):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        same = len(set(value)) == 1 and len(value) > 2
        return _number(value[0]) if same else "×".join(_number(v) for v in value)
    return say(choice_words(str(value)))


def _short_names() -> dict[str, str]:
    return {"learning_rate": tr("lr"), "batch_size": tr("batch"), "epochs": tr("epochs"), "seed": tr("seed")}


def tr(text: str) -> str:
    return QCoreApplication.translate("RunWords", text)
