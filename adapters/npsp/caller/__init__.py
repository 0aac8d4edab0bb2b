"""The simulated national portal as a caller: citizens submit online, and the province is told over real HTTP."""
