"""The shapes of use: a decorated function, a session, the caller's own loop, a stream, the standalone validator."""
