"""Campaigns against our own front doors: hostile partners, kills at random moments, fuzzing.

table.py counts; worker_faults.py plays a hostile client of tiny_worker.py; client_faults.py puts
the add-on's session before bad_engine.py; kills.py ends either side at random moments; fuzz.py
searches inputs by coverage for the readers in fuzz_readers.py.
"""
