"""The SQL models: read from sql/, put in order, verified, built, traced back to their sources and translated.

Other rooms import ``steps`` (the steps of a batch), ``store`` (open the models), ``model`` (what is known of one),
``build``, ``lineage`` and ``show``; the rest is this room's own. Why not dbt or SQLMesh: docs/decisions/0010.
"""
