"""A guarded call as a generator that does nothing by itself: asks, reads, checks, decides, and asks again."""
