"""Regular expressions as JSON Schema writes them (ECMA-262), in bounded time, and texts that match them."""
