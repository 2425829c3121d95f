"""Facts of papers, as they come to the page."""

from dataclasses import replace
from datetime import date
from typing import Any

from duban.paper.facts import Due, Facts, Matter, Plea, Told
from duban.period import Every
from duban.registry.papers import PaperKind

QUOTE = "各市妇联、教育、关工委等部门组织办好家长学校,或网上平台“一站式”服务"

DUE = Due(
    day=date(2026, 3, 25),
    cut_off="24:00",
    every=Every.QUARTER,
    rule="M3-25",
    basis="policy",
    note="按季调度",
    nominal=None,
    original=date(2026, 3, 25),
)

MATTER = Matter(
    duty=7,
    title="办好家长学校",
    notice="某省教育厅省教〔2025〕1号",
    section="三(四)",
    quote=QUOTE,
    agency="东市妇联",
    period="2026Q1",
    due=DUE,
    asks=("家长学校（所）", "情况表（盖章）（文件1至10份）"),
    shares=("东市教育局",),
)

TOLD = (
    Told(date(2025, 12, 30), "交办"),
    Told(date(2026, 3, 26), "催办"),
    Told(date(2026, 4, 2), "催办"),
)

SLIP = Facts(
    kind=PaperKind.SLIP,
    language="zh",
    name="",
    issuer="某省教育厅",
    recipient="东市妇联",
    day=date(2026, 1, 5),
    matters=(MATTER,),
    contact="某省教育厅办公室，电话0351-1234567",
)

LATE = date(2026, 4, 9)


def matter(**changes: Any) -> Matter:
    """The matter with something else about it."""
    return replace(MATTER, **changes)


def facts(kind: PaperKind, **changes: Any) -> Facts:
    """What a paper of a kind says of the matter, on a day that suits the kind."""
    plea = Plea(
        date(2026, 3, 25), date(2026, 3, 2), date(2026, 5, 8), "各市进度一致，不宜单独调整。"
    )
    told: dict[str, Any] = {
        PaperKind.SLIP: {},
        PaperKind.EXTENSION: {
            "matters": (
                matter(due=replace(DUE, day=date(2026, 5, 8)), plea=replace(plea, answer="")),
            )
        },
        PaperKind.REFUSAL: {"matters": (matter(plea=plea),)},
    }.get(kind, {"matters": (matter(told=TOLD),), "day": LATE, "superior": "某省妇联"})
    return replace(SLIP, kind=kind, **{**told, **changes})
