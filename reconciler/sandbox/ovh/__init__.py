"""OVHcloud as the sandbox plays it: every route of the three licence families, orders, payment and renewal."""
