"""Pages for agencies, who come by link."""

from duban.portal.agency import (
    asks,
    bulletins,
    duty,
    entrance,
    feed,
    files,
    handing,
    listing,
    papers,
    sheet,
)

MODULES = (entrance, listing, duty, files, papers, bulletins, asks, handing, sheet, feed)
"""Each has a `router`."""
