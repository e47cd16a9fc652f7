"""Project files, the working database of an open document, and recovery after a crash; without Qt."""
