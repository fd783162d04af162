"""Other light for a head: environments, and pictures of the head under them."""
