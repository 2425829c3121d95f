"""Pages for agencies, who come by link."""

from duban.portal.agency import asks, duty, entrance, feed, files, handing, listing

MODULES = (entrance, listing, duty, files, asks, handing, feed)
"""Each has a `router`."""
