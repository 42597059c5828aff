"""What things are: frozen values, enums and units; no input or output."""
