"""The operations with a memory: a table from operation id to the function that answers it.

Every other operation is answered by `linnworks_connector.sandbox.generic`.
"""

from typing import Final

from linnworks_connector.sandbox.calls import Handler
from linnworks_connector.sandbox.handlers import open_orders, processed_orders, stock, v2_orders

HANDLERS: Final[dict[str, Handler]] = {
    **stock.HANDLERS,
    **open_orders.HANDLERS,
    **processed_orders.HANDLERS,
    **v2_orders.HANDLERS,
}
