"""What analysts and accountants read: the published file, its tables as Parquet, the report and the workbook.

The door is `steps` (the job publish, and what pipelines/close makes its pack with), the only module a batch and other
step rooms import. The reference also imports `descriptions`, and queries `edition.contents` for names of files,
`workbook.answer_book` for an answer as a workbook, and `workbook.sheet` and `workbook.workbook` for that of a dry run.
"""
