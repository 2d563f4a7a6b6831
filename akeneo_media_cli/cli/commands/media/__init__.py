"""The PIM's product media files: list them, look at them, download them."""

from .download import download
from .get import get
from .list_ import list_

COMMANDS = {"list": list_, "get": get, "download": download}
