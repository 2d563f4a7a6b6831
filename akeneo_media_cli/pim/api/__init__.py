"""The endpoints of Akeneo's REST API, one method each."""
