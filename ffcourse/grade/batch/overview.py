"""A class in numbers: scores, the mistakes people made by name, the hardest checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from statistics import mean, median
from typing import Any

from ffcourse.grade.batch.gradebook import Gradebook
from ffcourse.grade.batch.marks import Mark, marks, rules_of
from ffcourse.grade.batch.similar import similar

SCHEMA = 1
BINS = 10
NOT_TRIED = ("not_attempted", "missing")


@dataclass
class _Counts:
    """What is counted while the reports of one notebook go by."""

    statuses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    titles: dict[str, str] = field(default_factory=dict)
    mistakes: Counter[tuple[str, str]] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)
    sandboxes: Counter[str] = field(default_factory=Counter)
    seeds: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    checks: dict[tuple[str, str, bool], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


def class_report(
    book: Gradebook, notebooks: Sequence[str] | None = None, names: bool = True
) -> dict[str, Any]:
    """Return the report on a class as plain JSON.

    Parameters
    ----------
    notebooks : sequence of str or None
        Only these.
    names : bool
        Whether to tell who has which mark, and whose answers are alike.
    """
    chosen = marks(book, notebooks)
    by_notebook: dict[str, list[Mark]] = defaultdict(list)
    for mark in chosen:
        by_notebook[mark.notebook].append(mark)
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "made": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "students": len({m.student.id for m in chosen} or book.students()),
        "rules": rules(book),
        "not_on_the_roster": _strangers(chosen) if names else len(_strangers(chosen)),
        "notebooks": [_notebook(book, key, ones) for key, ones in by_notebook.items()],
    }
    if names:
        rejected = {m.result_id for m in chosen if m.status == "rejected"}
        ids = [id_ for id_ in rejected if id_ is not None]
        reasons = {id_: str(report["reason"]) for id_, report in book.reports(ids)}
        data["marks"] = [mark_row(m, reasons.get(m.result_id or -1)) for m in chosen]
        data["similar"] = [asdict(a) for a in similar(book, chosen)]
    return data


def rules(book: Gradebook) -> dict[str, Any]:
    """Return the rules by which marks are made, as plain JSON."""
    kept = rules_of(book)
    return {
        "due": {name: str(due) for name, due in sorted(kept.due.items())},
        "late": book.setting("late") or "none",
        "keep": kept.policy,
    }


def _strangers(chosen: Sequence[Mark]) -> list[str]:
    listed = any(m.student.listed for m in chosen)
    return sorted({m.student.id for m in chosen if listed and not m.student.listed})


def mark_row(mark: Mark, reason: str | None = None) -> dict[str, Any]:
    """Return one mark as plain JSON; with a reason where it could not be graded."""
    return {
        "student_id": mark.student.id, "name": mark.student.sortable, "notebook": mark.notebook,
        "status": mark.status, "score": mark.score, "raw_score": mark.raw,
        "late_penalty": mark.penalty, "max_score": mark.max_score, "late": mark.late,
        "submission": mark.name, "versions": mark.versions, "overrides": mark.overrides,
        "listed": mark.student.listed, "reason": reason,
    }  # fmt: skip


def _notebook(book: Gradebook, key: str, ones: Sequence[Mark]) -> dict[str, Any]:
    graded = [m for m in ones if m.status == "graded"]
    counts = _Counts()
    rejected = [m for m in ones if m.status == "rejected"]
    reasons: Counter[str] = Counter()
    wanted = {m.result_id for m in (*graded, *rejected) if m.result_id is not None}
    times = Counter(m.result_id for m in (*graded, *rejected))
    for id_, report in book.reports(wanted):
        if report["status"] == "rejected":
            reasons[str(report["reason"])] += times[id_]
        else:
            _count(report, counts, times[id_])
    return {
        "notebook": key,
        "max_score": max((m.max_score for m in ones), default=0.0),
        "handed_in": sum(m.status != "none" for m in ones),
        "graded": len(graded),
        "rejected": [{"reason": r, "count": n} for r, n in reasons.most_common()],
        "waiting": sum(m.status == "waiting" for m in ones),
        "nothing_handed_in": sum(m.status == "none" for m in ones),
        "late": sum(m.late for m in ones),
        "set_by_hand": sum(bool(m.overrides) for m in ones),
        "repaired": counts.repaired,
        "sandboxes": dict(counts.sandboxes.most_common()),
        "seeds": dict(counts.seeds.most_common()),
        "scores": _scores(graded),
        "exercises": _exercises(counts),
        "mistakes": [
            {"exercise": e, "mistake": name, "count": n}
            for (e, name), n in counts.mistakes.most_common()
        ],
        "unnamed": [{"exercise": e, "count": n} for e, n in counts.unnamed.most_common()],
        "checks": _hardest(counts),
    }


def _count(report: dict[str, Any], counts: _Counts, times: int) -> None:
    counts.sandboxes[str(report.get("sandbox"))] += times
    seed = report.get("seed")
    counts.seeds["stored" if seed is None else str(seed)] += times
    counts.repaired += times if report.get("repairs") else 0
    for exercise in report["exercises"]:
        key, status = exercise["id"], exercise["status"]
        counts.titles[key] = exercise.get("title") or key
        counts.statuses[key][status] += times
        if exercise["mistake"]:
            counts.mistakes[key, exercise["mistake"]] += times
        elif status in ("wrong", "error"):
            counts.unnamed[key] += times
        if status not in NOT_TRIED:
            for check in exercise["checks"]:
                tally = counts.checks[key, check["label"], check["hidden"]]
                tally["passed" if check["passed"] else "failed"] += times


def _scores(graded: Sequence[Mark]) -> dict[str, Any]:
    scores = sorted(m.score for m in graded)
    if not scores:
        return {"mean": None, "median": None, "lowest": None, "highest": None, "bins": []}
    most = max(max(m.max_score for m in graded), 1e-9)
    bins = Counter(min(int(BINS * max(s, 0.0) / most), BINS - 1) for s in scores)
    return {
        "mean": round(mean(scores), 2),
        "median": round(median(scores), 2),
        "lowest": scores[0],
        "highest": scores[-1],
        "bins": [
            {"from": 100 * b // BINS, "to": 100 * (b + 1) // BINS, "count": bins[b]}
            for b in range(BINS)
        ],
    }


def _exercises(counts: _Counts) -> list[dict[str, Any]]:
    return [
        {"exercise": key, "title": counts.titles[key], "statuses": dict(tally.most_common())}
        for key, tally in sorted(counts.statuses.items())
    ]


def _hardest(counts: _Counts) -> list[dict[str, Any]]:
    """Return the checks by the part of those who tried that failed, hardest first."""
    rows = []
    for (key, label, hidden), tally in counts.checks.items():
        tried = tally.total()
        part = tally["failed"] / tried
        rows.append({"exercise": key, "check": label, "hidden": hidden, "tried": tried,
                     "failed": tally["failed"], "part": round(part, 4)})  # fmt: skip
    return sorted(rows, key=lambda r: (-r["part"], -r["failed"], r["exercise"], r["check"]))
