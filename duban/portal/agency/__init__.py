"""Pages for agencies, who come by link."""

from duban.portal.agency import asks, duty, entrance, feed, files, handing, listing, papers, sheet

MODULES = (entrance, listing, duty, files, papers, asks, handing, sheet, feed)
"""Each has a `router`."""
