"""The door: options, wiring and exit codes; the only code that prints."""
