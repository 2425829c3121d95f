"""How the desk names the roles of accounts."""

from collections.abc import Mapping

from duban.ledger.accounts import Role
from duban.portal.who import Visit


def role_words(visit: Visit) -> Mapping[Role, str]:
    """Each role's name in the visitor's language."""
    return {
        Role.ADMINISTRATOR: visit.text("管理员"),
        Role.PROVINCIAL: visit.text("省级督办人员"),
        Role.CITY: visit.text("市级督办人员"),
        Role.READER: visit.text("查阅人员"),
    }
