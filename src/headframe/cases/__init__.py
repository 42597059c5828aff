"""The workflow of a case as a state machine: acts in, events and commands out; pure."""
