"""The demo: simulated portals, officers at work, faults and kills, and an oracle that says whether all ends agree."""
