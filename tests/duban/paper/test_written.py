"""What each kind of paper says, and how LibreOffice shows it."""

import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pypdfium2
import pytest
from docx import Document

from duban.paper.facts import Facts, Told, number_text
from duban.paper.texts import EN, ZH
from duban.paper.written import file_name, numeral, title_of, write
from duban.registry.papers import PaperKind
from tests.duban.paper.conftest import DUE, LATE, QUOTE, SLIP, TOLD, facts, matter
from tests.libreoffice import converted

QUOTED = "“" + QUOTE.replace("“", "‘").replace("”", "’") + "”"
NUMBER = "某教督办〔2026〕12号"


def lines(content: bytes) -> list[str]:
    """All that a paper says, paragraph by paragraph, those of its tables last."""
    made = cast(Any, Document(io.BytesIO(content)))
    cells = [cell for table in made.tables for row in table.rows for cell in row.cells]
    told = [*made.paragraphs, *(one for cell in cells for one in cell.paragraphs)]
    return [one.text for one in told if one.text]


def said(found: Facts) -> list[str]:
    return lines(write(found, NUMBER))


def test_a_number_is_written_as_its_language_writes_it():
    assert number_text("zh", "晋教督办", 2026, 12) == "晋教督办〔2026〕12号"
    assert number_text("en", "Supervision Slip", 2026, 12) == "Supervision Slip No. 12 of 2026"


def test_a_slip_assigns_a_matter():
    assert said(facts(PaperKind.SLIP)) == [
        NUMBER,
        "督办单",
        "根据某省教育厅省教〔2025〕1号文件，现将下列工作交由东市妇联办理，请按要求落实。",
        "请明确责任人员，按上述时限报送佐证材料；确有困难需要延期的，应当在时限届满前提出申请，"
        "说明理由和拟延至的日期，并经单位负责同志同意。",
        "佐证材料只报数量和单位文件，请勿填报学生个人信息。",
        "某省教育厅",
        "2026年1月5日",
        "（联系单位：某省教育厅办公室，电话0351-1234567）",
        "督办事项",
        "办好家长学校（编号7，2026年第一季度）",
        "责任单位",
        "东市妇联",
        "共同负责",
        "东市教育局",
        "立项依据",
        "某省教育厅省教〔2025〕1号 三（四）",
        QUOTED,
        "办理时限",
        "2026年3月25日",
        "每季度第3个月25日前报送；通知未写明，系督办工作安排（按季调度）。",
        "报送材料",
        "家长学校（所）",
        "情况表（盖章）（文件1至10份）",
    ]


def test_a_chase_asks_with_its_history():
    assert said(facts(PaperKind.CHASE)) == [
        NUMBER,
        "某省教育厅关于催办“办好家长学校”工作的函",
        "东市妇联：",
        "根据某省教育厅省教〔2025〕1号文件，你单位承担的“办好家长学校”工作已过办理时限，"
        "截至2026年4月9日尚未收到佐证材料。现予催办，有关事项函告如下：",
        "一、督办事项",
        "（一）办好家长学校",
        "编号7，2026年第一季度。依据某省教育厅省教〔2025〕1号文件三（四）：",
        QUOTED,
        "责任单位：东市妇联。",
        "办理时限：2026年3月25日（已超期15天）；每季度第3个月25日前报送；通知未写明，"
        "系督办工作安排（按季调度）。",
        "报送材料：家长学校（所）；情况表（盖章）（文件1至10份）。",
        "催办情况：2025年12月30日交办；2026年3月26日、4月2日催办。",
        "二、办理要求",
        "请立即办理，并尽快报送佐证材料；确有困难的，请书面说明原因和预计办结的时间。",
        # At the foot of the page, wherever the file has it.
        "抄送：某省妇联。",
        "佐证材料只报数量和单位文件，请勿填报学生个人信息。",
        "某省教育厅",
        "2026年4月9日",
        "（联系单位：某省教育厅办公室，电话0351-1234567）",
    ]


def test_an_extension_answers_what_was_asked():
    assert said(facts(PaperKind.EXTENSION))[1:7] == [
        "某省教育厅关于同意“办好家长学校”工作延期办理的复函",
        "东市妇联：",
        "你单位关于延期办理的申请收悉。经研究，函复如下：",
        "同意将“办好家长学校”（编号7，2026年第一季度）的办理时限由2026年3月25日延至2026年5月8日。"
        "（你单位于2026年3月2日申请延至2026年5月8日。）",
        "依据某省教育厅省教〔2025〕1号文件三（四）：",
        QUOTED,
    ]


def test_a_due_day_that_nobody_asked_to_move_is_no_answer():
    asked = facts(PaperKind.EXTENSION)
    for plea in (replace(cast(Any, asked.matters[0].plea), asked_on=None), None):
        found = said(replace(asked, matters=(replace(asked.matters[0], plea=plea),)))
        assert found[1] == "某省教育厅关于调整“办好家长学校”工作办理时限的函"
        assert "由2026年3月25日调整为2026年5月8日" in found[4]


def test_a_refusal_says_why():
    assert said(facts(PaperKind.REFUSAL))[1:8] == [
        "某省教育厅关于“办好家长学校”工作延期申请的复函",
        "东市妇联：",
        "你单位2026年3月2日关于“办好家长学校”延期至2026年5月8日办理的申请收悉。经研究，函复如下：",
        "不同意“办好家长学校”（编号7，2026年第一季度）延期办理，办理时限仍为2026年3月25日。",
        "理由：各市进度一致，不宜单独调整。",
        "依据某省教育厅省教〔2025〕1号文件三（四）：",
        QUOTED,
    ]


def test_of_several_refusals_each_says_what_was_asked_for():
    first = facts(PaperKind.REFUSAL).matters[0]
    plea = replace(cast(Any, first.plea), until=date(2026, 6, 1), answer="材料已齐。")
    found = said(facts(PaperKind.REFUSAL, matters=(first, replace(first, title="开课", plea=plea))))
    assert found[3].startswith("你单位关于延期办理的申请收悉。")
    decided = [line for line in found if line.startswith("不同意“")]
    assert decided[0].endswith("（你单位于2026年3月2日申请延至2026年5月8日。）")
    assert decided[1].startswith("不同意“开课”")
    assert decided[1].endswith("（你单位于2026年3月2日申请延至2026年6月1日。）")
    assert "理由：材料已齐。" in found


def test_a_slip_asks_for_nothing_by_a_date_that_was_past_before_it():
    past, ahead = matter(), matter(duty=8, due=replace(DUE, day=date(2026, 12, 10)))
    found = said(facts(PaperKind.SLIP, day=LATE, matters=(past,)))
    assert "2026年3月25日（交办前已届满）" in found
    assert found[3] == (
        "办理时限在交办前已经届满，请明确责任人员，抓紧办理，尽快报送佐证材料；"
        "确有困难的，请书面说明原因和预计办结的时间，并经单位负责同志同意。"
    )
    some = said(facts(PaperKind.SLIP, day=LATE, matters=(past, ahead)))
    assert some[3].startswith(
        "请明确责任人员，按上述时限报送佐证材料；交办前时限已经届满的，请抓紧办理，尽快报送。"
    )


@pytest.mark.parametrize("kind", [PaperKind.CHASE, PaperKind.FORMAL, PaperKind.CIRCULAR])
def test_a_coloured_slip_is_a_slip_at_whatever_rung(kind: PaperKind):
    found = said(facts(kind, name="橙色督办单"))
    assert found[1] == "橙色督办单"
    assert "立项依据" in found
    assert "2026年3月25日（已超期15天）" in found


def test_several_matters_are_counted_and_each_is_told():
    two = (matter(told=TOLD), matter(duty=8, title="开课"))
    letter = said(facts(PaperKind.FORMAL, matters=two))
    assert letter[1] == "某省教育厅关于督办“办好家长学校”等2项工作的函"
    assert "你单位承担的下列2项工作逾期未报" in letter[3]
    assert [one for one in letter if one[:1] == "（" and one[2:3] == "）"] == [
        "（一）办好家长学校",
        "（二）开课",
    ]
    assert "现将下列2项工作交由" in said(facts(PaperKind.SLIP, matters=two))[2]


def test_what_is_only_encouraged_says_so_and_is_never_late():
    found = said(facts(PaperKind.CHASE, name="督办单", matters=(matter(soft=True),)))
    assert "2026年3月25日（倡导性事项，不计超期）" in found


def test_many_reminders_are_counted_instead_of_listed():
    weeks = tuple(Told(LATE - timedelta(days=7 * n), "催办") for n in range(6, 0, -1))
    assert "催办情况：2026年2月26日至4月2日催办6次。" in said(
        facts(PaperKind.FORMAL, matters=(matter(told=weeks),))
    )


def test_a_simulation_says_so_on_its_papers():
    assert said(facts(PaperKind.CHASE, label="模拟演示"))[0] == "【模拟演示】本件不作公文使用"


@pytest.mark.parametrize("kind", PaperKind)
def test_what_there_is_nothing_to_say_of_is_left_out(kind: PaperKind):
    bare = matter(asks=(), shares=(), told=())
    found = said(facts(kind, matters=(bare,), contact="", superior=""))
    assert [one for one in found if "None" in one or "{" in one or "：。" in one] == []
    assert not {"报送材料", "共同负责", "催办情况"} & set(found)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", PaperKind)
def test_the_same_facts_are_the_same_bytes_and_another_number_is_not(
    kind: PaperKind, language: str
):
    found = facts(kind, language=language)
    assert write(found, NUMBER) == write(found, NUMBER) != write(found, "某教督办〔2026〕13号")
    assert found.digest == facts(kind, language=language).digest


def test_every_fact_counts_in_the_digest():
    digests = {
        one.digest
        for one in (
            SLIP,
            replace(SLIP, recipient="西市妇联"),
            replace(SLIP, day=LATE),
            replace(SLIP, label="模拟"),
            replace(SLIP, matters=(matter(quote="别的"),)),
            replace(SLIP, matters=(matter(told=TOLD),)),
        )
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (55, "五十五"),
        (99, "九十九"),
        (100, "100"),
    ],
)
def test_headings_count_in_chinese(n: int, told: str):
    assert numeral(ZH, n) == told
    assert numeral(EN, n) == str(n)


def test_both_languages_have_the_same_words():
    for name in ("names", "titles", "opens", "asks", "rules", "bases", "rows", "says"):
        assert getattr(ZH, name).keys() == getattr(EN, name).keys(), name


def test_a_file_has_the_name_of_what_it_is():
    assert file_name("zh", PaperKind.FORMAL, NUMBER) == f"督办函 {NUMBER}.docx"
    assert file_name("en", PaperKind.FORMAL, "Letter No. 1 of 2026") == "Letter No. 1 of 2026.docx"


MARKS = "".join("正" * (n * n % 23 + 1) + "，；：、。）"[n % 6] for n in range(200))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """The text of every page of a paper of each kind as LibreOffice shows it; one start for all."""
    folder = tmp_path_factory.mktemp("rendered")
    many = tuple(matter(duty=n) for n in range(1, 7))
    made = {f"{kind}-{language}": facts(kind, language=language)
            for kind in PaperKind for language in ("zh", "en")}  # fmt: skip
    made["coloured"] = facts(PaperKind.FORMAL, name="红色督办单")
    made["long"] = facts(PaperKind.SLIP, matters=many)
    made["full"] = facts(PaperKind.CHASE, matters=(matter(quote="正" * 28 * 60),))
    made["marks"] = facts(PaperKind.CHASE, matters=(matter(quote=MARKS),))
    for name, one in made.items():
        (folder / f"{name}.docx").write_bytes(write(one, NUMBER))
    files = sorted(folder.glob("*.docx"))
    return {one.stem: pages(one) for one in converted(files, "pdf", folder)}


def pages(pdf: Path) -> list[str]:
    with cast(Any, pypdfium2).PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


NUMBERED = r"(?m)^\s*(?:— )?\d(?: —)?\s*$"
"""The line of a page's number."""


def squeezed(text: str) -> str:
    """Without white space, since lines break anywhere, and without quotation marks: where they are
    of another font than what they enclose, a reader of PDF takes them for words of their own."""
    return re.sub(r"[\s“”‘’]", "", text)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", PaperKind)
def test_libreoffice_shows_every_word_of_a_paper(
    rendered: Mapping[str, list[str]], kind: PaperKind, language: str
):
    found = facts(kind, language=language)
    shown = rendered[f"{kind}-{language}"]
    assert 1 <= len(shown) <= 2
    # A page's number may stand in the middle of a line that goes on overleaf.
    whole = squeezed("".join(re.sub(NUMBERED, "", page) for page in shown))
    for line in said(found):
        assert squeezed(line) in whole, line
    assert squeezed(title_of(found)) in whole
    assert squeezed(QUOTED) in whole
    letter = language == "zh" and "函" in title_of(found)
    numbers = [one for one in shown if re.search(NUMBERED, one)]
    assert numbers == (shown[1:] if letter else shown)


def test_libreoffice_shows_coloured_slips_and_long_ones(rendered: Mapping[str, list[str]]):
    assert squeezed("".join(rendered["coloured"])).count("红色督办单") == 1
    whole = squeezed("".join(rendered["long"]))
    assert [whole.count(f"编号{n}，") for n in range(1, 7)] == [1] * 6
    assert len(rendered["long"]) == 3


def test_a_full_page_has_twenty_two_lines_of_twenty_eight_characters(
    rendered: Mapping[str, list[str]],
):
    """The second page of a long quote is nothing but lines of the type area."""
    body = [line.strip() for line in rendered["full"][1].splitlines() if line.strip()]
    full = [line for line in body if set(line) == {"正"}]
    assert [len(line) for line in full] == [28] * 22


def test_no_mark_is_lost_at_the_end_of_a_line(rendered: Mapping[str, list[str]]):
    """Lines of every length end with a mark somewhere."""
    told = squeezed("".join(said(facts(PaperKind.CHASE, matters=(matter(quote=MARKS),)))))
    shown = squeezed("".join(rendered["marks"]))
    assert Counter(told) - Counter(shown) == Counter()


def test_the_day_a_paper_is_dated_has_no_leading_zeros(rendered: Mapping[str, list[str]]):
    assert "2026年1月5日" in squeezed(rendered["slip-zh"][-1])
    assert facts(PaperKind.SLIP).day == date(2026, 1, 5)
