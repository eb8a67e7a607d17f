"""What listens: the embedded CalDAV server."""
