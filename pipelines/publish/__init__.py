"""What analysts and accountants read: the published file, its tables as Parquet, the report and the workbook."""
