"""The provincial portal's insides: database, search index, configured process, date side effects, officers."""
