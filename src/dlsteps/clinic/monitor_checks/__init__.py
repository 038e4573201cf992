"""What `Monitor` looks at: what it measures in a step, and what follows from that."""
