"""Fast forms of whole networks, chosen at compile time and held equal to the plain layers by the tests."""
