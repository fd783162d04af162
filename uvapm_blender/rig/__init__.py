"""A head that works: lids that close, eyes that look, smooth surfaces."""
