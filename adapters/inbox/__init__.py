"""Kind `inbox`: a ministry without an interface of its own collects its dossiers from us."""
