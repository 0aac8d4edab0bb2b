"""The one HTTP server: calls of portals on us, the interfaces for other agencies, and whether we are well."""
