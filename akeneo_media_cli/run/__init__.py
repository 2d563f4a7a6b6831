"""From rows to results: plan, preflight, schedule, transfer, remember."""
