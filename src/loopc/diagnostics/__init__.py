"""Room 0: places in text, errors, the catalogue of codes, and how they are shown."""
