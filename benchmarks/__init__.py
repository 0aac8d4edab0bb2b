"""Speed, measured against floors that make the same requests and the same durable writes; never a test."""
