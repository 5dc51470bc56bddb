"""A short day played through the HTTP doors of a running server, as people would live it."""
