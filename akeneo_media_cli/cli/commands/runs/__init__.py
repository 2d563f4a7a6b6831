"""What earlier runs did, from the ledger."""

from .list_ import list_
from .retry import retry
from .show import show
from .undo import undo

COMMANDS = {"list": list_, "show": show, "retry": retry, "undo": undo}
