"""`config.yaml`: read with lines, checked whole, every problem at once with what to write instead."""

from gateway.config_file.explain import Explained, explain
from gateway.config_file.load import Inspection, inspect, load
from gateway.config_file.notes import notes
from gateway.config_file.problem import Problem

__all__ = ["Explained", "Inspection", "Problem", "explain", "inspect", "load", "notes"]
