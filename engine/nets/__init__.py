"""Networks of the default pack as plain torch modules: detector, mesh, person mask, identity."""
