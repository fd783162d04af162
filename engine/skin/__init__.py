"""Generated, licence-free skin maps in the FFHQ-UV layout (engine/DESIGN.md)."""
