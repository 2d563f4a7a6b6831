"""YAML, JSON and JSONL: documents of items that become rows."""
