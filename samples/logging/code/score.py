"""Logs by Python's own logging; logging.json beside this file lets it through.

Without logging.json the server shows what is printed and drops what is logged below a warning.
"""

import json
import logging

logger = logging.getLogger("orders")


def init():
    logger.info("ready for orders")


def run(raw_data):
    order = json.loads(raw_data)
    logger.debug("the order as it came: %s", raw_data)
    logger.info("%d of %s", order["count"], order["item"])
    if order["count"] > 100:
        logger.warning("a large order")
    print("an order is done")
    return {"accepted": True}
