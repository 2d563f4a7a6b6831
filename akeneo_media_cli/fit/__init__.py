"""Pictures that fit: a picture that an attribute does not take is converted to one that it takes.

Knows pictures and what an attribute takes, not rows, runs or the PIM. Everything but `recipe` needs the
`fit` extra (pyvips and Pillow), so nothing here imports those before a picture is converted.
"""
