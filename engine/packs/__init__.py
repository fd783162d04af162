"""Head packs: where they are found, how they are written, how the default one is built."""
