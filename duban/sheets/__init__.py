"""Excel in and out: the roster of contacts and the 台账."""
