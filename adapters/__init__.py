"""Adapters: one package per kind of portal; an adapter speaks the portal's protocol and knows no vocabulary."""
