"""The Explain panel: any number of the network, computed in front of the student."""
