"""What a coordinator is told when the ledger refuses an act, and what to do then."""

from collections.abc import Mapping

from duban.duty import IllegalAct
from duban.errors import DubanError
from duban.ledger.acts import DueDateRefused, NewerVersion, NoSuchDuty
from duban.ledger.approvals import NotProposed
from duban.ledger.handover import HandOverRefused
from duban.ledger.holds import NoSuchHold
from duban.ledger.links import NoSuchLink
from duban.ledger.petitions import NoSuchPetition, PetitionRefused
from duban.ledger.undelivered import NothingSuspended, NotUndelivered
from duban.portal.who import Visit

_SENTENCES: Mapping[type[DubanError], str] = {
    NoSuchDuty: "没有这项督办事项。",
    IllegalAct: "他人已先行处理，这一事项的状态已经改变，请查看后再办。",
    NewerVersion: "责任单位刚刚报送了新的版本，本次决定未记录，请先审核最新版本。",
    DueDateRefused: "新的时限必须晚于今天；延期的，还必须晚于现行时限。",
    NotProposed: "拟发函件已由他人处理，或者事项状态已经改变。",
    NoSuchHold: "这项暂停已经解除。",
    NoSuchLink: "这个链接已经失效。",
    NoSuchPetition: "这项申请已由他人处理，或者已经撤回。",
    NotUndelivered: "这封函件不在未送达之列，可能已由他人处理。",
    NothingSuspended: "该单位没有被暂停使用的地址。",
    HandOverRefused: "请选择接收单位并写明原因；移交的单位须已从 agencies.yaml 中移除。",
}
_PETITION = {
    "no-answer": "不同意申请的，请写明理由。",
    "too-long": "文字过长，请控制在 2000 字以内。",
    "no-day": "请填写延期后的时限。",
}
_OTHERWISE = "这项操作没有完成，请刷新后重试。"


def sentence(visit: Visit, error: DubanError) -> str:
    """The refusal in the visitor's language."""
    if isinstance(error, PetitionRefused):
        return visit.text(_PETITION.get(error.code, _OTHERWISE))
    return visit.text(_SENTENCES.get(type(error), _OTHERWISE))
