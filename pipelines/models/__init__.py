"""The SQL models: read from sql/, put in order, verified, built, traced back to their sources and translated.

The door is `steps`, the only module a batch and other step rooms import. Questions, commands and the reference also
import `store` (open the models), `model` (what is known of one), `lineage` and `show`; the rest is this room's own. Why
not dbt or SQLMesh: docs/decisions/0010.
"""
