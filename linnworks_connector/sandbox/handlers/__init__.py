"""The operations with a memory: a table from operation id to the function that answers it.

Every other operation is answered by `linnworks_connector.sandbox.generic`.
"""

from typing import Final

from linnworks_connector.sandbox.calls import Handler
from linnworks_connector.sandbox.handlers import (
    after_sales,
    create_orders,
    import_export,
    inventory,
    item_rows,
    open_orders,
    order_history,
    order_parts,
    order_state,
    processed_orders,
    processed_parts,
    purchase_orders,
    purchase_parts,
    settings,
    shipping,
    stock,
    stock_history,
    transfers,
    v2_orders,
    variations,
    warehouse,
)

HANDLERS: Final[dict[str, Handler]] = {
    **stock.HANDLERS,
    **stock_history.HANDLERS,
    **warehouse.HANDLERS,
    **variations.HANDLERS,
    **inventory.HANDLERS,
    **item_rows.HANDLERS,
    **create_orders.HANDLERS,
    **order_state.HANDLERS,
    **order_parts.HANDLERS,
    **order_history.HANDLERS,
    **processed_parts.HANDLERS,
    **after_sales.HANDLERS,
    **purchase_orders.HANDLERS,
    **purchase_parts.HANDLERS,
    **transfers.HANDLERS,
    **shipping.HANDLERS,
    **import_export.HANDLERS,
    **settings.HANDLERS,
    **open_orders.HANDLERS,
    **processed_orders.HANDLERS,
    **v2_orders.HANDLERS,
}
