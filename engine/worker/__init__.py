"""The worker: a warm process that runs jobs for the add-on, one at a time.

channel.py owns the pipes, jobs.py the waiting jobs, serve.py the loop, real.py what it runs.
"""
