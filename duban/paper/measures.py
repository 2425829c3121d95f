"""The measures of GB/T 9704-2012, and the fonts."""

from dataclasses import dataclass

MARGINS = (37, 26, 35, 28)
"""Top, right, bottom, left, in millimetres."""

WIDTH = 210 - 28 - 26
"""Of the type area, in millimetres; its height is 225."""

SONG, FANG, HEI, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
"""Titles, bodies, headings and headings below those."""

INSTEAD = {
    SONG: "小标宋体,FZXiaoBiaoSong-B05S,华文中宋,STZhongsong,宋体,SimSun,Noto Serif CJK SC",
    FANG: "仿宋,FangSong,FangSong_GB2312,华文仿宋,STFangsong,Noto Serif CJK SC",
    HEI: "SimHei,华文黑体,STHeiti,Noto Sans CJK SC",
    KAI: "楷体,KaiTi,KaiTi_GB2312,华文楷体,STKaiti,Noto Serif CJK SC",
    "宋体": "SimSun,Noto Serif CJK SC",
}
"""What else each may be called, or what takes its place, the best first."""

LATIN = "Times New Roman"


@dataclass(frozen=True, slots=True)
class Type:
    """How a language is set; sizes and `leading` (None: as the line needs) in points.

    `closer` brings characters together, in twentieths of a point: 28 of 16 points, which are
    448 together, have 442 on a line. With 5, which would do, LibreOffice loses marks at the end
    of full lines.
    """

    title: float
    body: float
    small: float
    foot: float
    leading: float | None
    closer: int
    indent: int


TYPES = {
    "zh": Type(title=22, body=16, small=12, foot=14, leading=28.95, closer=-6, indent=2),
    "en": Type(title=16, body=11.5, small=10, foot=10, leading=None, closer=0, indent=0),
}
"""2号, 3号, 小4号, 4号; 22 lines of 28 characters."""

DOCUMENT = "word/document.xml"
"""The part of a Word file that holds what is said."""
