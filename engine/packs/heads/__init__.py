"""Head models that others released: read by an adapter each, completed to whole packs."""
