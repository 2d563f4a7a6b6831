"""A local PIM that behaves as the real one, races and faults included.

It knows nothing of the rest of the package, so that it can be trusted as a peer.
"""
