"""What analysts and accountants read: the published file, its tables as Parquet, the report and the workbook.

From outside, use: ``steps`` (the job publish); ``workbook`` and ``edition.swap``, with which pipelines/close makes its
pack; ``descriptions``, from which pipelines/reference writes its pages; ``edition.contents`` for names of files.
"""
