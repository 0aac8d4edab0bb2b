"""The ministry of justice's civil-status interface (hộ tịch): push a dossier, poll its state, fetch its result."""
