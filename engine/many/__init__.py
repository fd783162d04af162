"""Many photos, each to a result directory of its own: on this machine's cores or a cluster."""
