"""What the national portal tells the province: pushed dossiers, payments, questions about fees, requests for files."""
