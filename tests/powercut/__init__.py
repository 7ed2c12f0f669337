"""`make powercut`: every flash operation of an update, interrupted in turn."""
