"""The worker: a warm process that runs jobs and decodes for the add-on, one at a time.

channel.py owns the pipes, jobs.py what waits, serve.py the loop, real.py what it runs, and
decode.py how a detail map is made for a slider.
"""
