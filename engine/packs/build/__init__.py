"""Building the default pack from pinned packages."""
