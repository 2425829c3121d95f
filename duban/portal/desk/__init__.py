"""Pages for coordinators, who have accounts."""
