"""What carries out the effects of the engine, sync and async: the only room that waits and knows threads."""
