"""Microsoft's surfaces: Partner Center, where a partner buys, and Graph, which knows the people."""
