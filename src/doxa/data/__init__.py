"""What is asked: the fact bank and its renderings, generated items, unknowable items, loaders, splits."""
