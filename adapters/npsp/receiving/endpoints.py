"""Which endpoints one portal entry offers."""

from __future__ import annotations

from adapters.npsp.receiving.answers import Door
from adapters.npsp.receiving.download import FileReceiver
from adapters.npsp.receiving.fees import FeesReceiver
from adapters.npsp.receiving.options import InboundOptions
from adapters.npsp.receiving.paid import PaidReceiver
from adapters.npsp.receiving.push import PushReceiver
from adapters.receiving import Receiver


def receivers(options: InboundOptions) -> tuple[Receiver, ...]:
    """The endpoints that are set."""
    door = Door(options)
    offered: list[Receiver] = []
    if options.push is not None:
        offered.append(PushReceiver("push", options.push, door))
    if options.promotion is not None:
        offered.append(PushReceiver("promotion", options.promotion, door))
    if options.fees is not None:
        offered.append(FeesReceiver(options.fees, door))
    if options.paid is not None:
        offered.append(PaidReceiver(options.paid, door))
    if options.files is not None:
        offered.append(FileReceiver(options.files, door))
    return tuple(offered)
