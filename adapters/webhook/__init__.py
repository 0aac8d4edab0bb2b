"""Calls outward that tell somebody of something: signed notices by the Standard Webhooks scheme."""
