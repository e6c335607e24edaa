"""The close of one period: what stops it, its pack, its seal.

From outside, use ``run.run_close``, which does all of it, and ``show.show_close``, which prints what came of it.
"""
