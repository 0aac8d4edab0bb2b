"""What all portal simulators share: a raw-socket HTTP server, faults on demand, the book, the portal's own clock.

A simulator is a product part: the demo and rehearsals run against it. It speaks the real protocol of its kind over a
real socket and writes every effect it saw into its book, from which the oracle judges.
"""

from adapters.simulation.book import Book
from adapters.simulation.clock import SimClock
from adapters.simulation.faults import FAULT_KINDS, GENERAL_FAULTS, FaultPlan, Outage, Strike
from adapters.simulation.fetching import fetched
from adapters.simulation.server import SimulatorServer
from adapters.simulation.simulator import CallKind, Reply, Request, Simulator

__all__ = [
    "FAULT_KINDS",
    "GENERAL_FAULTS",
    "Book",
    "CallKind",
    "FaultPlan",
    "Outage",
    "Reply",
    "Request",
    "SimClock",
    "Simulator",
    "SimulatorServer",
    "Strike",
    "fetched",
]
