"""Any head mesh laid out as the default head: registration, and what is carried over by it."""
