"""Training off the GUI thread: a worker with the trainer, a mailbox, and the controller that the program talks to."""
