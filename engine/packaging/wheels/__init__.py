"""The engine's wheels: found for every platform, locked, bundled."""
