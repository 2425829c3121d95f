"""What pages say after an act, and of what could not be done, by code."""

from collections.abc import Callable

from duban.errors import DubanError
from duban.ledger.bulletins import BulletinView
from duban.portal.who import Guest
from duban.reports.texts import texts, title_words

Say = Callable[[str], str]


def done(guest: Guest, code: str) -> str:
    """What to say after an act that a page was told of by its code; empty for an unknown one."""
    return _done(guest.text).get(code, "")


def fault(guest: Guest, error: DubanError) -> str:
    """What to say of an act that was refused: what is wrong and what to do."""
    code = str(getattr(error, "code", "")) or type(error).__name__
    return told(guest, code)


def told(guest: Guest, code: str) -> str:
    """The same, by code."""
    found = {**guest.pages.words(guest.request).refusals, **_faults(guest.text)}
    return found.get(code) or guest.text("没有办成：事项的状态刚刚有变化，请刷新页面后再试。")


def bulletin_title(guest: Guest, view: BulletinView) -> str:
    """What a bulletin is called, in the visitor's language."""
    return title_words(texts(guest.pages.language(guest.request)), view.period)


def _done(_: Say) -> dict[str, str]:
    return {
        "draft": _("草稿已保存，换一台设备打开同一链接也能接着填。"),
        "removed": _("文件已移除，其余内容已存为草稿。"),
        "again": _("已沿用上一版的文件，其余内容已存为草稿。"),
        "acknowledged": _("已签收。"),
        "asked": _("申请已提交，请等待联系单位决定；决定之前，原时限仍然有效。"),
        "withdrawn": _("申请已撤回。"),
        "filled": _("已导入：指标存为草稿，请在各事项页面核对后提交。"),
        "revoked": _("转交的链接已作废，立即失效。"),
    }


def _faults(_: Say) -> dict[str, str]:
    return {
        "too-many": _("这一项的文件数量已达上限，请先移除一个再上传。"),
        "too-big": _("文件过大：每个不超过 20 MB，本事项合计不超过 100 MB，请压缩后再传。"),
        "FileTooBig": _("文件超过 20 MB，请压缩或分成几个文件后上传。"),
        "no-such-field": _("本事项没有这一项文件。"),
        "too-long": _("填写的内容过长，请精简后再提交。"),
        "lost": _("文件没有传完，连接已中断，请重试。"),
        "DraftGone": _("草稿中的文件刚刚有变化（可能在另一台设备上移除或提交），请核对后再提交。"),
        "no-reason": _("请填写理由。"),
        "no-statement": _("请填写情况说明。"),
        "no-leader": _("请填写同意延期的负责同志姓名和职务。"),
        "no-day": _("请填写申请延期到哪一天。"),
        "not-later": _("申请延期到的日期应晚于现在的时限。"),
        "too-late": _("时限已过，不能再申请延期。请尽快报送，并与联系单位说明情况。"),
        "not-waiting": _("本事项目前不需要你单位办理，无须申请。"),
        "twice": _("同样的申请已经提交，正在等待决定。"),
        "NobodyNamed": _("请写明转交给谁（60 字以内）。"),
        "NotNarrower": _("转交的事项和期限不能超出本链接的范围，请核对勾选的事项和日期。"),
        "NoSuchLink": _("这个链接已经作废。"),
        "NoSuchPetition": _("这项申请已经有了结果，不能再撤回。"),
    }
