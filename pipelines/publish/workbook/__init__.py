"""The workbook: sheets as data (sheet, columns, *_sheets), how one is written, and what stands before them."""
