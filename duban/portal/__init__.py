"""The portal: pages for agencies, who come by link, and for coordinators, who have accounts."""
