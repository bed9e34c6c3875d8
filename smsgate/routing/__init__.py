"""Which way a message goes: decisions over what is declared and what is known, without I/O."""
