"""Kind `nsw`: a ministry that takes dossiers as XML messages in the one string of a SOAP operation."""
