"""The process and its standard streams: signals, log lines, and what a defect leaves behind."""
