"""What `check_loop` looks at: a recorded epoch of the learner's own functions, and the checks of it."""
