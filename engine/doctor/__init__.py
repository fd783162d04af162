"""Is everything that the engine needs here and in order? Plain rows, each with what helps.

Any Python may ask: a check that needs a package imports it itself and says when it is not there.
"""
