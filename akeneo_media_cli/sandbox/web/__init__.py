"""What a call meets before an endpoint: limits, faults, routing, login."""
