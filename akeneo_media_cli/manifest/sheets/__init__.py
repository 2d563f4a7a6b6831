"""Spreadsheets: XLSX and XLSM through a library, ODS by its own XML."""
