"""Models changed: adapters beside their layers, trained to say how sure one may be."""
