"""The PIM's endpoints, a module for each kind of thing."""
