"""What each object of both systems must look like: one declaration makes request, type, table and dictionary.

`vms` and `ledger` declare, each with a list ALL; `shape` and `tables` say what follows for requests, types and staging
tables; `declared` lists every table that models may read. All rooms above may import them.
"""
